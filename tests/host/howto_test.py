#!/usr/bin/env python3
"""tests/host/howto_test.py - the programs and commands of doc/howto are taken out of the pages, built and run."""
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import tap

def files_of_page(name):
    """{path: text} of the blocks that name their file (or what they show) in the first line."""
    page = tap.ROOT / "doc/howto" / name
    blocks = re.findall(r"^```\w*\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    named = ((re.match(r"(?:/\*|#) ([\w./]+)", block), block) for block in blocks)
    return {match.group(1): block for match, block in named if match}


def copy_tree(to):
    names = subprocess.run(["git", "-C", tap.ROOT, "ls-files", "-z"], capture_output=True, check=True).stdout
    for name in names.decode().split("\0"):
        if name.startswith(("abi/", "lib/")) or name == "Makefile":
            target = to / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(tap.ROOT / name, target)


def build_pages_programs(tree, files, *goals):
    """Makes bin/GOAL of each in a tree of its own, with the page's files."""
    copy_tree(tree)
    for path, text in files.items():
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    environment = {key: value for key, value in os.environ.items() if key not in ("O", "MAKEFLAGS", "MFLAGS")}
    subprocess.run(["make", "-C", tree, *(tree / "build/bin" / goal for goal in goals)], check=True, capture_output=True, env=environment)


def rule_the_server_fits_on_a_page():
    lines = [line for line in files_of_page("hello-scheme.md")["servers/hello/main.c"].splitlines() if line.strip()]
    assert len(lines) <= 45, len(lines)


def rule_the_hello_scheme_of_the_page_builds_and_greets():
    files = files_of_page("hello-scheme.md")
    with tempfile.TemporaryDirectory(prefix="howto.") as name:
        tree = Path(name)
        build_pages_programs(tree, files, "hello", "tests/hello")
        done = subprocess.run([tap.ROOT / "cathode", "exec", "--timeout", "200", "--add", f"{tree}/build/bin/hello:/boot/hello",
                               "--add", f"{tree}/build/bin/tests/hello:/tests/hello", "--add", f"{tree}/image/etc/init.rc:/etc/init.rc",
                               "--", "/tests/hello"], capture_output=True, timeout=300)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"Hello, world!\n", b""), done


def rule_the_rings_of_the_page_build_and_answer():
    with tempfile.TemporaryDirectory(prefix="howto.") as name:
        tree = Path(name)
        build_pages_programs(tree, files_of_page("rings.md"), "tests/many", "tests/chain")
        done = subprocess.run([tap.ROOT / "cathode", "exec", "--timeout", "200", "--add", f"{tree}/build/bin/tests:/tests",
                               "--", "/bin/sh", "-c", "/tests/many && /tests/chain"], capture_output=True, timeout=300)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"32 reads of 100 bytes\n0: done\n1: done\n2: done\n", b""), done


def rule_the_driver_of_the_page_builds_and_computes():
    files = files_of_page("driver.md")
    with tempfile.TemporaryDirectory(prefix="howto.") as name:
        tree = Path(name)
        build_pages_programs(tree, files, "factorial")
        # Drivers come up beside the command.
        ask = "until cat /scheme/factorial/10 2>/dev/null; do sleep 0.1; done; cat /scheme/factorial/12 /scheme/factorial/5"
        done = subprocess.run([tap.ROOT / "cathode", "exec", "--timeout", "200", "--qemu", "-device edu", "--add", f"{tree}/build/bin/factorial:/boot/factorial",
                               "--add", f"{tree}/drivers/misc/factorial/manifest:/boot/manifest/factorial", "--", "/bin/sh", "-c", ask],
                              capture_output=True, timeout=300)
        assert (done.returncode, done.stdout) == (0, b"3628800\n479001600\n120\n"), done


def rule_a_program_is_ported_as_the_page_says():
    files = files_of_page("port-a-program.md")
    with tempfile.TemporaryDirectory(prefix="howto.") as name:
        (Path(name) / "greet.c").write_text(files["greet.c"])
        os.symlink(tap.ROOT / "cathode", Path(name) / "cathode")
        for block, who in (("static", "Ada"), ("dynamic", "Grace"), ("strace", "Ada")):
            if block == "strace":       # the page leaves a dynamic program there
                subprocess.run(["sh", "-ec", files["static"].splitlines()[1]], cwd=name, check=True)
            done = subprocess.run(["sh", "-ec", files[block]], cwd=name, capture_output=True, timeout=300)
            assert (done.returncode, done.stdout) == (0, f"{who}, process known\n".encode()), (block, done)
            assert (b" getpid() = " in done.stderr) == (block == "strace"), done.stderr


tap.run(__name__)
