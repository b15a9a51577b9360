#!/usr/bin/env python3
"""tests/host/share_test.py - `./cathode exec --share`: what one side writes the other reads, byte for byte."""
import hashlib
import os
import random
import subprocess
import tempfile
from pathlib import Path

import tap

LIMIT_S = 200
WAIT = "for i in $(seq 100); do [ -d /host ] && break; sleep 0.1; done; "


def run(share, script):
    return subprocess.run([tap.ROOT / "cathode", "exec", "--timeout", str(LIMIT_S), "--share", share, "--", "sh", "-c", WAIT + script],
                          capture_output=True, timeout=LIMIT_S + 60)


def sums(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


def rule_files_are_the_same_on_both_sides():
    numbers = random.Random(9)
    with tempfile.TemporaryDirectory(prefix="cathode.") as name:
        folder = Path(name)
        (folder / "in").mkdir()
        (folder / "out").mkdir()
        for number, length in enumerate((0, 1, 4095, 4096, 131072, 1000003)):
            (folder / "in" / f"file{number}").write_bytes(numbers.randbytes(length))
        (folder / "in" / "with a\nline and \xff".encode("latin-1").decode("utf-8", "surrogateescape")).write_bytes(b"odd")
        done = run(name, "cd /host/in && sha256sum file* && cp * ../out/ && ls | wc -l")
        assert done.returncode == 0, done
        told = dict(reversed(line.split()) for line in done.stdout.decode(errors="replace").splitlines() if line.count(" ") >= 2)
        there = {key: value for key, value in sums(folder / "in").items() if key.startswith("file")}
        assert told == there, (told, there)
        assert sums(folder / "out") == sums(folder / "in")


def rule_a_link_of_the_folder_leads_to_no_file_of_this_machine():
    with tempfile.TemporaryDirectory(prefix="cathode.") as outside, tempfile.TemporaryDirectory(prefix="cathode.") as name:
        secret = Path(outside) / "secret"
        secret.write_text("secret")
        os.symlink(secret, Path(name) / "absolute")
        os.symlink(os.path.relpath(secret, name), Path(name) / "climbing")
        done = run(name, "cat /host/absolute /host/climbing; ls /host | wc -l")
        assert b"secret" not in done.stdout, done
        assert done.stdout.strip() == b"2", done


def rule_a_folder_shared_for_reading_is_not_written():
    with tempfile.TemporaryDirectory(prefix="cathode.") as name:
        (Path(name) / "file").write_text("text")
        done = run(f"{name},ro", "cat /host/file; echo more >>/host/file; rm /host/file; mkdir /host/new; ls /host")
        assert done.stdout == b"textfile\n", done
        assert done.stderr.count(b"Read-only file system") == 3, done
        assert [path.name for path in Path(name).iterdir()] == ["file"]


def rule_a_folder_that_is_not_there_is_said():
    done = run("/nonexistent/folder", "true")
    assert done.returncode == 125 and b"there is no folder /nonexistent/folder" in done.stderr, done


tap.run(__name__)
