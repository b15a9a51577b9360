#!/usr/bin/env python3
"""tests/host/commands_test.py - ./cathode's other commands: trace, gdb, bench, the set-up, and what goes wrong."""
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

import tap

CATHODE = str(tap.ROOT / "cathode")
LIMIT_S = 600


def cathode(*words, text=None):
    return subprocess.run([CATHODE, *words], input=text, capture_output=True, text=True, timeout=LIMIT_S)


def rule_a_trace_shows_who_ran_and_what_they_called():
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "trace.json"
        done = cathode("trace", "--timeout", "200", "--output", str(output), "--", "sh", "-c", "ls / | wc -l; exit 3")
        assert done.returncode == 3 and done.stdout.strip().isdigit(), (done.returncode, done.stdout, done.stderr)
        events = json.loads(output.read_text())["traceEvents"]
    processes = {event["args"]["name"] for event in events if event["name"] == "process_name"}
    assert {"CPUs", "ls", "wc", "ramfs"} <= processes, processes
    names = {event["name"] for event in events}
    assert {"read", "write", "call FILE_STAT", "linux execve"} <= names, sorted(names)
    assert sum(event["ph"] == "B" for event in events) == sum(event["ph"] == "E" for event in events)


def rule_strace_prints_the_linux_calls_and_what_is_missing():
    done = cathode("exec", "--timeout", "200", "--strace", "--", "ls", "/home")
    assert done.returncode == 0 and done.stdout == "user\n", done.stdout
    assert re.search(r'write\(1, "user\\n", 5\) = 5', done.stderr) and "exit_group(0)" in done.stderr, done.stderr[-500:]


def rule_gdb_stops_in_the_kernel_by_name():
    if not os.path.exists("/usr/bin/gdb"):
        raise tap.Skip("no gdb")
    done = cathode("gdb", text="hbreak kernel_main\ncontinue\nbacktrace 1\nkill\nquit\n")
    assert re.search(r"#0 .*kernel_main", done.stdout), done.stdout[-1000:]


def rule_a_machine_that_ends_early_is_125_with_its_log():
    done = cathode("exec", "--timeout", "100", "--", "sh", "-c", "poweroff -f; sleep 60")
    assert done.returncode == 125 and "log: " in done.stderr, (done.returncode, done.stderr)


def rule_options_that_make_no_sense_are_125():
    for words in (["exec"], ["exec", "--cpus", "0", "--", "true"], ["exec", "--nonsense", "--", "true"], ["nonsense"],
                  ["exec", "--icount", "--cpus", "2", "--", "true"], ["exec", "--add", "/nonexistent:/x", "--", "true"], ["run", "--", "x"],
                  ["screenshot"], ["screenshot", "x", "--vga", "nonsense"]):
        done = cathode(*words)
        assert done.returncode == 125 and done.stderr.startswith("cathode: ") and done.stdout == "", (words, done)


def set_up(script):
    return subprocess.run(["sh", "-c", f". {tap.ROOT}/tools/setup.sh; {script}"], capture_output=True, text=True)


def rule_missing_packages_are_named_with_the_apt_line():
    done = set_up('setup_has() { [ "$1" != mformat ] && [ "$1" != gdb ]; }; id() { echo 1000; }; setup_for exec')
    assert done.returncode == 125, done
    assert "mtools: makes the disk image" in done.stderr and "gdb" not in done.stderr, done.stderr
    assert re.search(r"as root with: apt-get install -y --no-install-recommends mtools\s*$", done.stderr, re.MULTILINE), done.stderr


def rule_root_gets_them_installed():
    with tempfile.TemporaryDirectory() as folder:
        fake = Path(folder) / "apt-get"
        fake.write_text('#!/bin/sh\necho "apt-get $*"\n')
        fake.chmod(0o755)
        done = set_up(f'PATH={folder}:$PATH; setup_has() {{ [ "$1" != mformat ]; }}; id() {{ echo 0; }}; setup_for run')
    assert done.returncode == 0 and "\napt-get update" in done.stderr, done.stderr
    assert re.search(r"^apt-get install .* mtools\s*$", done.stderr, re.MULTILINE), done.stderr


def rule_what_is_there_is_not_asked_for():
    done = set_up("setup_has() { true; }; setup_for test")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done


tap.run(__name__)
