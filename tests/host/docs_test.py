#!/usr/bin/env python3
"""tests/host/docs_test.py - what is written agrees with what is there."""
import re
import subprocess
import sys

import tap


def rule_the_abi_manual_is_that_of_the_def_files():
    done = subprocess.run([sys.executable, tap.ROOT / "tools/abidoc.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def rule_every_folder_of_the_map_exists():
    readme = (tap.ROOT / "README.md").read_text()
    table = readme[readme.index("| folder"):readme.index("## Building")]
    folders = [name for line in table.splitlines() for name in re.findall(r"`([\w/]+)/`", line.split("|")[1] if "|" in line else "")]
    assert len(folders) > 8
    missing = [name for name in folders if not (tap.ROOT / name).is_dir()]
    assert not missing, missing


def rule_links_between_pages_lead_somewhere():
    broken = []
    for page in [tap.ROOT / "README.md", *(tap.ROOT / "doc").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(tap.ROOT)}: {target}")
    assert not broken, broken


def rule_the_options_that_help_names_are_understood():
    text = subprocess.run([tap.ROOT / "cathode", "help"], capture_output=True, text=True, check=True).stdout
    for command in ("run", "exec", "test", "bench", "trace", "gdb", "help"):
        assert re.search(rf"^  {command}\b", text, re.MULTILINE), command


tap.run(__name__)
