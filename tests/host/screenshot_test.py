#!/usr/bin/env python3
"""tests/host/screenshot_test.py - ./cathode screenshot: a PNG of what is shown, and the command's own output and status."""
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path

import tap
import project

CATHODE = str(tap.ROOT / "cathode")
ADDS = ["--add", f"{tap.ROOT}/tests/guest/lib/display.rc:/boot/init.rc", "--add", f"{project.OUTPUT}/bin/tests:/tests/native"]


def shoot(folder, *words):
    path = Path(folder) / "picture.png"
    done = subprocess.run([CATHODE, "screenshot", str(path), *words], capture_output=True, text=True, timeout=400)
    return path, done


def chunks(data):
    assert data[:8] == b"\x89PNG\r\n\x1a\n", data[:8]
    at = 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        yield kind, data[at + 8:at + 8 + length]
        at += length + 12


def rule_the_picture_is_taken_when_the_command_says_so():
    # Until then it shows the picture, and when it has ended nothing.
    draw = "exec 3>&1; (echo fill 0 0 2000 2000 65280; echo show; echo damage 0 0 2000 2000; sleep 2; echo DISPLAYED >&3; sleep 3; echo end) | /tests/native/display hold; exit 7"
    with tempfile.TemporaryDirectory() as folder:
        path, done = shoot(folder, "--timeout", "100", *ADDS, "--", "sh", "-c", draw)
        assert done.returncode == 7 and done.stdout.startswith("virtio-0 1280x800\n"), (done.returncode, done.stdout, done.stderr)
        parts = dict(chunks(path.read_bytes()))
    width, height, depth, color = struct.unpack(">IIBB", parts[b"IHDR"][:10])
    assert (width, height, depth, color) == (1280, 800, 8, 2), parts[b"IHDR"]
    row = zlib.decompressobj().decompress(parts[b"IDAT"], 1 + 3 * 1280)
    # Whatever the filter of the row, its first pixel is itself.
    assert row[1:4] == b"\x00\xff\x00", row[:10]


def rule_without_a_command_it_is_taken_of_the_shell():
    with tempfile.TemporaryDirectory() as folder:
        path, done = shoot(folder)
        assert done.returncode == 0, done.stderr
        kinds = [kind for kind, _ in chunks(path.read_bytes())]
    assert kinds[0] == b"IHDR" and kinds[-1] == b"IEND", kinds


def rule_a_file_that_cannot_be_written_is_an_error():
    with tempfile.TemporaryDirectory() as folder:
        _, done = shoot(Path(folder) / "none", "--timeout", "100", "--", "true")
    assert done.returncode == 125 and "no picture" in done.stderr, (done.returncode, done.stderr)


tap.run(__name__)
