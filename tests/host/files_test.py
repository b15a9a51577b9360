#!/usr/bin/env python3
"""tests/host/files_test.py - the same random file operations on this machine's Linux and in the guest: every result must be the same."""
import difflib
import os
import subprocess
import tempfile
from pathlib import Path

import tap

SEEDS, STEPS, LIMIT_S = (2, 3, 5, 7, 11), 4000, 300


def build(folder):
    program = folder / "fs_random"
    subprocess.run(["musl-gcc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-static", tap.ROOT / "tests/host/fs_random.c", "-o", program], check=True)
    return program


def setting(name):
    path = Path("/proc/sys/fs") / name
    return path.read_text().strip() if path.exists() else ""


def rule_random_file_operations_end_as_on_linux():
    if os.geteuid() != 0:
        raise tap.Skip("the operations change owners: only root can do them here")
    if setting("protected_hardlinks") != "1" or setting("protected_regular") != "0" or setting("protected_fifos") != "0":
        raise tap.Skip("this Linux has other fs.protected_ settings than the guest")
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="cathode.") as name, tempfile.TemporaryDirectory(prefix="cathode.", dir=memory) as work:
        program = build(Path(name))
        os.chmod(work, 0o755)
        here = b"".join(subprocess.run([program, f"{work}/{seed}", str(seed), str(STEPS)], capture_output=True, timeout=LIMIT_S, check=True).stdout
                        for seed in SEEDS)
        script = f"for s in {' '.join(map(str, SEEDS))}; do /fs_random /tmp/$s $s {STEPS} || exit 1; done"
        there = subprocess.run([tap.ROOT / "cathode", "exec", "--timeout", str(LIMIT_S), "--add", f"{program}:/fs_random", "--", "sh", "-c", script],
                               capture_output=True, timeout=LIMIT_S + 60)
    assert there.returncode == 0, (there.returncode, there.stderr[-500:])
    lines = difflib.unified_diff(here.decode().splitlines(), there.stdout.decode().splitlines(), "linux", "cathode", n=2, lineterm="")
    assert here == there.stdout, "\n".join(line for line, _ in zip(lines, range(40)))


tap.run(__name__)
