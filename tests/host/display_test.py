#!/usr/bin/env python3
"""tests/host/display_test.py - displays as seen from outside: what a program in the machine draws is what QEMU shows, pixel by pixel, and nothing else."""
import os
import re
import select
import socket
import struct
import subprocess
import tempfile
from pathlib import Path

import tap
import project
from monitor import Monitor, Picture

CATHODE = str(tap.ROOT / "cathode")
PATIENCE_S = 60
ADDS = [f"{tap.ROOT}/tests/guest/lib/display.rc:/boot/init.rc", f"{project.OUTPUT}/bin/tests:/tests/native"]
RED, GREEN, BLUE, WHITE = 0xff0000, 0x00ff00, 0x0000ff, 0xffffff


class Model:
    """What should be shown."""

    def __init__(self, width, height):
        self.width, self.height, self.rows = width, height, [bytearray(width * 3) for _ in range(height)]

    def fill(self, x, y, width, height, color):
        right = min(x + width, self.width)
        for row in self.rows[y:y + height]:
            row[x * 3:right * 3] = color.to_bytes(3, "big") * max(right - x, 0)

    def check(self, picture):
        assert (picture.width, picture.height) == (self.width, self.height), (picture.width, picture.height)
        for y, row in enumerate(self.rows):
            if picture.row(y) != row:
                x = next(x for x in range(self.width) if picture.row(y)[x * 3:x * 3 + 3] != row[x * 3:x * 3 + 3])
                raise AssertionError(f"at {x},{y}: {picture.row(y)[x * 3:x * 3 + 3].hex()}, not {row[x * 3:x * 3 + 3].hex()}")


class Screen:
    """A machine with a program in it that draws what it is told (tests/native/display.c, hold)."""

    def __init__(self, machine, *options):
        self.folder = tempfile.TemporaryDirectory(prefix="cathode.")
        path = Path(self.folder.name)
        line = [CATHODE, "exec", "--timeout", "150", *options, "--qemu", f"{machine} -qmp unix:{path}/monitor,server=on,wait=off -vnc unix:{path}/vnc"]
        for add in ADDS:
            line += ["--add", add]
        # The second shell does as it is told beside it.
        command = ("mkfifo /tmp/draw; /tests/native/display hold </tmp/draw & exec 9>/tmp/draw; "
                   "while read -r how what; do case $how in draw) echo \"$what\" >&9;; do) eval \"$what\"; echo done;; esac; done")
        self.guest = subprocess.Popen(line + ["--", "sh", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.said = b""
        found = re.fullmatch(r"(\S+) (\d+)x(\d+)", self.line())
        self.name, self.model = found[1], Model(int(found[2]), int(found[3]))
        self.monitor = Monitor(path / "monitor")

    def line(self):
        while b"\n" not in self.said:
            assert select.select([self.guest.stdout], [], [], PATIENCE_S)[0], f"the guest says no more than {self.said}"
            more = os.read(self.guest.stdout.fileno(), 4096)
            assert more, "the guest has ended"
            self.said += more
        line, self.said = self.said.split(b"\n", 1)
        return line.decode()

    def tell(self, *words, answers=("done",)):
        """The lines that come, in whichever order."""
        self.guest.stdin.write((" ".join(str(word) for word in words) + "\n").encode())
        got = [self.line() for _ in answers]
        assert sorted(got) == sorted(answers), (words, got)

    def draw(self, *words, answer="done"):
        self.tell("draw", *words, answers=(answer,))

    def fill(self, x, y, width, height, color, seen=True):
        self.draw("fill", x, y, width, height, color)
        if seen:
            self.model.fill(x, y, width, height, color)

    def look(self):
        path = Path(self.folder.name) / "picture"
        self.monitor.screendump(path)
        return Picture(path)

    def check(self):
        self.model.check(self.look())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.guest.kill()
        self.guest.wait()
        self.folder.cleanup()


def draw_and_look(s):
    """Rectangles at all edges; what is drawn and not damaged is not seen."""
    w, h = s.model.width, s.model.height
    s.draw("show")
    s.draw("damage", 0, 0, w, h)
    s.check()
    s.fill(0, 0, w, h, BLUE)
    s.draw("damage", 0, 0, w, h)
    for x, y, width, height, color in ((0, 0, 1, 1, RED), (w - 1, 0, 1, 1, GREEN), (0, h - 1, 1, 1, WHITE), (w - 1, h - 1, 1, 1, RED),
                                       (100, 50, 333, 77, GREEN), (101, 51, 331, 75, 0x123456), (w - 40, h - 30, 100, 100, 0xabcdef)):
        s.fill(x, y, width, height, color)
        s.draw("damage", x, y, width, height)
    s.check()
    s.fill(200, 300, 64, 64, RED, seen=False)
    s.check()
    s.draw("damage", 200, 300, 10, 10, 230, 330, 5, 5)
    s.model.fill(200, 300, 10, 10, RED)
    s.model.fill(230, 330, 5, 5, RED)
    s.check()
    # Whoever draws all anew may show what was not damaged, too: from here on there is nothing such.
    s.draw("damage", 200, 300, 64, 64)
    s.model.fill(200, 300, 64, 64, RED)
    s.check()


def survive(s, driver):
    """The driver is killed: the client gives the picture anew, whole, with what had not been damaged."""
    s.fill(300, 300, 64, 64, WHITE)
    s.tell("do", f"/usr/bin/svc kill $(/usr/bin/svc list | grep -o '^{driver}[^ ]*')", answers=("done", "again"))
    s.check()
    s.fill(10, 10, 20, 20, WHITE)
    s.draw("damage", 10, 10, 20, 20)
    s.check()


def change_mode(s):
    """The upper left part of the picture, in a smaller size and back."""
    s.draw("mode", 640, 480)
    small = Model(640, 480)
    small.rows = [row[:640 * 3] for row in s.model.rows[:480]]
    small.check(s.look())
    s.draw("mode", s.model.width, s.model.height)
    s.check()
    s.draw("mode", 0, 480, answer="error 22")
    s.check()


def rule_a_virtio_gpu_shows_what_is_drawn():
    with Screen("-device virtio-gpu-pci,xres=1000,yres=700") as s:
        assert s.name == "virtio-0" and (s.model.width, s.model.height) == (1000, 700)
        draw_and_look(s)
        change_mode(s)
        survive(s, "virtio_gpu@")


def rule_a_std_vga_shows_what_is_drawn():
    with Screen("-vga std", "--cpus", "2") as s:
        assert s.name == "bochs-0"
        draw_and_look(s)
        change_mode(s)
        survive(s, "bochs@")
        s.draw("mode", 801, 600, answer="error 22")
        s.check()


def rule_a_bochs_display_shows_what_is_drawn():
    with Screen("-device bochs-display,xres=1024,yres=768") as s:
        assert s.name == "bochs-0" and (s.model.width, s.model.height) == (1024, 768)
        draw_and_look(s)
        change_mode(s)
        survive(s, "bochs@")


def rule_the_firmwares_framebuffer_shows_what_is_drawn():
    with Screen("-device ramfb", "--boot", "uefi") as s:
        assert s.name == "boot"
        draw_and_look(s)
        s.draw("mode", 640, 480, answer="error 95")
        survive(s, "framebuffer")


class Viewer:
    """A VNC client (RFC 6143) that wants another size, which is what a resized window comes down to."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(str(path))
        self.take(12)
        self.socket.sendall(b"RFB 003.008\n")
        self.take(self.take(1)[0])
        self.socket.sendall(b"\1")
        assert self.take(4) == bytes(4)
        self.socket.sendall(b"\1")
        self.take(struct.unpack(">HH16xI", self.take(24))[2])
        # DesktopSize, ExtendedDesktopSize
        self.socket.sendall(struct.pack(">BxHiii", 2, 3, -223, -308, 0))

    def take(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            assert more, "the server hung up"
            data += more
        return data

    def resize(self, width, height):
        self.socket.sendall(struct.pack(">BxHHBxIHHHHI", 251, width, height, 1, 0, 0, 0, width, height, 0))


def rule_a_window_that_is_resized_is_followed():
    with Screen("-device virtio-gpu-pci") as s:
        s.fill(0, 0, 900, 500, GREEN)
        s.fill(5, 5, 50, 60, RED)
        s.draw("show")
        s.draw("damage", 0, 0, s.model.width, s.model.height)
        s.check()
        viewer = Viewer(Path(s.folder.name) / "vnc")
        viewer.resize(912, 500)
        assert s.line() == "wanted 912x500"
        s.draw("damage", 0, 0, 1, 1)        # it has been followed when this is answered
        model = Model(912, 500)
        model.rows = [row[:912 * 3] for row in s.model.rows[:500]]
        model.check(s.look())


tap.run(__name__)
