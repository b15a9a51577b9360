#!/usr/bin/env python3
"""tests/host/exec_test.py - ./cathode exec from outside: streams, status, limits, files brought along."""
import hashlib
import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import tap
import ports
import project

CATHODE = str(tap.ROOT / "cathode")
LIMIT_S = 300


def cathode(*words, data=b"", **options):
    return subprocess.run([CATHODE, *words], input=data, capture_output=True, timeout=LIMIT_S, **options)


def guest(command, *options, data=b""):
    """Runs a shell command in the guest."""
    return cathode("exec", "--timeout", "200", *options, "--", "sh", "-c", command, data=data)


def expect(done, status=0, out=None, err=b""):
    assert (done.returncode, done.stderr) == (status, err), (done.returncode, done.stderr[-500:], done.stdout[-500:])
    assert out is None or done.stdout == out, done.stdout[-500:]


def rule_stdout_stderr_and_status_are_just_the_commands():
    expect(guest("echo out; echo err >&2; exit 42"), 42, b"out\n", b"err\n")


def rule_a_killed_command_has_128_and_its_signal():
    expect(guest("kill -TERM $$"), 128 + signal.SIGTERM)


def rule_a_command_not_found_is_127():
    done = cathode("exec", "--timeout", "200", "--", "no-such-command")
    assert done.returncode == 127 and done.stdout == b"", (done.returncode, done.stdout, done.stderr)


def rule_arguments_arrive_as_they_are():
    words = ["a b", "", "*", "'\"\\", "\u00e4\n"]
    done = cathode("exec", "--timeout", "200", "--", "sh", "-c", 'for a; do printf "[%s]" "$a"; done', "sh", *words)
    expect(done, 0, "".join(f"[{word}]" for word in words).encode())


def rule_stdin_reaches_the_command_unchanged():
    data = os.urandom(300_000)
    expect(guest("sha256sum", data=data), 0, hashlib.sha256(data).hexdigest().encode() + b"  -\n")


def rule_binary_output_comes_back_unchanged():
    data = os.urandom(300_000)
    done = guest("cat", data=data)
    expect(done)
    assert done.stdout == data


def rule_the_command_runs_as_root_in_its_home():
    expect(guest("id -u; pwd; echo $HOME"), 0, b"0\n/root\n/root\n")


def rule_a_timeout_is_124():
    done = cathode("exec", "--timeout", "8", "--", "sleep", "1000")
    assert done.returncode == 124, done.returncode


def rule_a_guest_that_does_not_start_is_125_with_the_logs_path():
    done = cathode("exec", "--timeout", "100", "--qemu", "-device no-such-device", "--", "true")
    assert done.returncode == 125 and done.stdout == b"", (done.returncode, done.stdout)
    log, = re.findall(rb"log: (\S+)", done.stderr)
    assert Path(os.fsdecode(log)).exists()


def rule_added_trees_keep_modes_links_and_contents():
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        (tree / "sub").mkdir()
        (tree / "sub/script").write_text("#!/bin/sh\necho ran $0\n")
        (tree / "sub/script").chmod(0o755)
        (tree / "link").symlink_to("sub/script")
        (tree / "plain").write_text("x")
        (tree / "plain").chmod(0o640)
        done = guest("/add/link; readlink /add/link; stat -c '%a %u %s' /add/plain", "--add", f"{tree}:/add")
    expect(done, 0, b"ran /add/link\nsub/script\n640 0 1\n")


def make_tree(top):
    """2,000 files of 51 MB together, in no order, with modes, times, links and owners that a copy could lose."""
    for index in range(2000):
        path = top / f"d{index * 7 % 20}" / hashlib.sha256(str(index).encode()).hexdigest()[:index % 40 + 4]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(hashlib.sha256(str(index).encode()).digest() * 800)
        path.chmod((0o644, 0o600, 0o755, 0o4711)[index % 4])
        os.utime(path, (0, 1_000_000_000 + index * 7919))
    os.link(path, top / "same")
    (top / "link").symlink_to("d1")
    os.mkfifo(top / "fifo")
    (top / "empty").mkdir(0o1777)
    if os.geteuid() == 0:
        os.chown(path, 3456, 4321)     # (tar looks names up: these have none anywhere)


def rule_a_packed_tree_of_two_thousand_files_has_the_same_checksum_as_here():
    busybox = ports.port_root("busybox") / "bin/busybox"
    command = "cd {} && find . | wc -l && tar c . | gzip | sha256sum && find . -type f | sort | xargs -P4 -n 99 cat | wc -c"
    with tempfile.TemporaryDirectory() as folder:
        make_tree(Path(folder))
        # Its own applets, the same binary: `tar` here would be another program.
        here = subprocess.run([busybox, "sh", "-c", command.format(folder)], capture_output=True, check=True, env={"PATH": "/nonexistent"}).stdout
        done = guest(command.format("/add"), "--memory", "512", "--add", f"{folder}:/add")
    expect(done, 0, here)


def rule_the_kernel_boots_through_uefi_too():
    expect(guest("echo up", "--boot", "uefi"), 0, b"up\n")


def rule_instruction_counts_repeat_exactly():
    project.build("bench-programs")
    bench = project.OUTPUT / "bench/bench"
    one, two = (cathode("exec", "--timeout", "250", "--icount", "--add", f"{bench}:/bench", "--", "/bench", "linux-getppid", "read-1b") for _ in range(2))
    expect(one)
    figures = [re.findall(rb"^linux-getppid\t(\d+)", done.stdout, re.MULTILINE) for done in (one, two)]
    assert figures[0] and figures[0] == figures[1], (one.stdout, two.stdout)


def rule_it_boots_and_runs_with_64_mb():
    expect(guest("echo small | tr a-z A-Z", "--memory", "64"), 0, b"SMALL\n")


def rule_an_interrupt_reaches_the_command():
    child = subprocess.Popen([CATHODE, "exec", "--timeout", "200", "--", "sh", "-c", "trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 1; done"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout.readline() == b"ready\n"
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    assert (child.returncode, out) == (7, b"caught\n"), (child.returncode, out)


def rule_a_null_build_takes_under_a_second():
    subprocess.run(["make", "-C", tap.ROOT, "-s", f"O={os.environ.get('O', 'build')}"], check=True, capture_output=True)
    start = time.monotonic()
    subprocess.run(["make", "-C", tap.ROOT, "-s", f"O={os.environ.get('O', 'build')}"], check=True, capture_output=True)
    assert time.monotonic() - start < 1


tap.run(__name__)
