#!/usr/bin/env python3
"""tests/host/howto_test.py - the programs of doc/howto/hello-scheme.md are taken out of the page, built and run."""
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import tap

PAGE = tap.ROOT / "doc/howto/hello-scheme.md"


def files_of_page():
    """{path: text} of the blocks that name their file in the first line."""
    blocks = re.findall(r"^```\w+\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    named = ((re.match(r"(?:/\*|#) ([\w./]+)", block), block) for block in blocks)
    return {match.group(1): block for match, block in named if match}


def copy_tree(to):
    names = subprocess.run(["git", "-C", tap.ROOT, "ls-files", "-z"], capture_output=True, check=True).stdout
    for name in names.decode().split("\0"):
        if name.startswith(("abi/", "lib/")) or name == "Makefile":
            target = to / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(tap.ROOT / name, target)


def rule_the_server_fits_on_a_page():
    lines = [line for line in files_of_page()["servers/hello/main.c"].splitlines() if line.strip()]
    assert len(lines) <= 45, len(lines)


def rule_the_hello_scheme_of_the_page_builds_and_greets():
    files = files_of_page()
    with tempfile.TemporaryDirectory(prefix="howto.") as name:
        tree = Path(name)
        copy_tree(tree)
        for path, text in files.items():
            target = tree / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        environment = {key: value for key, value in os.environ.items() if key not in ("O", "MAKEFLAGS", "MFLAGS")}
        subprocess.run(["make", "-C", tree, tree / "build/bin/hello", tree / "build/bin/tests/hello"], check=True, capture_output=True, env=environment)
        done = subprocess.run([tap.ROOT / "cathode", "exec", "--timeout", "200", "--add", f"{tree}/build/bin/hello:/boot/hello",
                               "--add", f"{tree}/build/bin/tests/hello:/tests/hello", "--add", f"{tree}/image/etc/init.rc:/etc/init.rc",
                               "--", "/tests/hello"], capture_output=True, timeout=300)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"Hello, world!\n", b""), done


tap.run(__name__)
