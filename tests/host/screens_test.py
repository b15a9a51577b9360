#!/usr/bin/env python3
"""tests/host/screens_test.py - virtual screens on a display: pixel by pixel what lib/screen draws of the same bytes on the host; keys, deaths, sizes."""
import base64
import functools
import gzip
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

import tap
import ports
import project
from monitor import Monitor

CATHODE = str(tap.ROOT / "cathode")
FONT = "usr/share/consolefonts/Uni2-Terminus16.psf.gz"
DEVICES = "-device virtio-gpu-pci -device virtio-keyboard-pci -device virtio-tablet-pci"
PATIENCE_S = 40
WAIT = "read size </scheme/display/attached; until input | grep -q '^keyboard.*Virtio'; do sleep 0.1; done; echo size $size; "
SHADES = "".join(f"\x1b[48;5;{n}m \x1b[38;5;{255 - n}mx" for n in range(256)) + "\x1b[m\r\n" + "".join(f"\x1b[38;2;{n};{255 - n};{n // 2}m#" for n in range(0, 256, 3))
TEXT = ("plain \x1b[1mbold\x1b[m \x1b[2mdim\x1b[m \x1b[3mitalic\x1b[m \x1b[4munder\x1b[m \x1b[7mreverse\x1b[m \x1b[9mstruck\x1b[m \x1b[8mhidden\x1b[m\r\n"
        "gr\u00fc\u00dfe e\u0301 \u20ac \u0416 \u4e2d\u6587| \u250c\u2500\u2510 \x1b(0lqk\x1b(B\r\n\x1b[31;44mred on blue\x1b[m\r\n" + SHADES + "\x1b[20;10Hhere\x1b[4 q")


class Guest:
    """A machine with a display, running a shell command."""

    def __init__(self, command, devices=DEVICES):
        self.folder = tempfile.TemporaryDirectory(prefix="cathode.")
        self.path = Path(self.folder.name)
        self.process = subprocess.Popen([CATHODE, "exec", "--timeout", "80", "--qemu", f"{devices} -qmp unix:{self.path}/monitor,server=on,wait=off", "--",
                                         "sh", "-c", WAIT + command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.size = self.until("^size ").split()[1]
        self.monitor = Monitor(self.path / "monitor")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()

    def until(self, pattern):
        lines = []
        while True:
            line = self.process.stdout.readline().decode(errors="replace")
            assert line, f"{pattern!r} did not come: {lines}"
            lines.append(line.rstrip("\n"))
            if re.search(pattern, lines[-1]):
                return lines[-1]

    def bytes_until(self, mark):
        """What was printed as base64, up to a line that is mark."""
        lines = b""
        while (line := self.process.stdout.readline()).strip() != mark:
            assert line, lines
            lines += line
        return lines

    def press(self, *keys):
        for key in keys:
            self.monitor.ask("send-key", keys=[{"type": "qcode", "data": one} for one in key.split("+")])
            time.sleep(0.15)

    def picture(self):
        self.monitor.ask("screendump", filename=str(self.path / "screen.ppm"))
        return (self.path / "screen.ppm").read_bytes()

    def expect(self, wanted):
        """Waits until the display shows what these bytes (or this picture) look like."""
        wanted = wanted if wanted.startswith(b"P6") else golden(wanted, self.size)
        end = time.monotonic() + PATIENCE_S
        while (found := self.picture()) != wanted:
            assert time.monotonic() < end, differences(found, wanted)
            time.sleep(0.2)

    def expect_other(self, *unwanted):
        """Waits until the display shows none of these: what a machine shows when nothing is shown is its own."""
        pictures = [golden(one, self.size) for one in unwanted]
        end = time.monotonic() + PATIENCE_S
        while self.picture() in pictures:
            assert time.monotonic() < end, "it is still there"
            time.sleep(0.2)


@functools.cache
def renderer():
    """The host's program that draws; made here, should only this suite be run."""
    program = project.OUTPUT / "host/lib/screen/golden_test"
    if not program.exists():
        subprocess.run(["make", f"O={project.OUTPUT}", str(program)], cwd=tap.ROOT, check=True, capture_output=True)
    return program


def golden(data, size):
    """What lib/screen makes of the bytes, on the host."""
    with tempfile.TemporaryDirectory() as folder:
        font, written, picture = (Path(folder) / name for name in ("font", "bytes", "picture"))
        font.write_bytes(gzip.decompress((ports.port_root("console-font") / FONT).read_bytes()))
        written.write_bytes(data)
        environment = dict(os.environ, SCREEN_SIZE=size, SCREEN_FONT=str(font), SCREEN_BYTES=str(written), SCREEN_PICTURE=str(picture),
                           ASAN_OPTIONS="detect_leaks=0")
        done = subprocess.run([renderer()], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return picture.read_bytes()


def differences(found, wanted):
    """Which cells of 8 by 16 are not as they should be."""
    (_, width, height, _, a), (_, other_width, other_height, _, b) = found.split(None, 4), wanted.split(None, 4)
    if (width, height) != (other_width, other_height):
        return f"the display is {width} by {height}, not {other_width} by {other_height}"
    stride = int(width) * 3
    cells = {(at // stride // 16, at % stride // 24) for at in range(0, len(a), 3) if a[at:at + 3] != b[at:at + 3]}
    return f"{len(cells)} cells differ (row, column): {sorted(cells)[:20]}"


def shell_bytes(text):
    """For printf: the bytes in octal."""
    return "".join(f"\\{byte:03o}" for byte in text.encode())


def rule_text_and_colours_look_as_they_should():
    with Guest(f"printf '{shell_bytes(TEXT)}' >/dev/tty1; read wait") as guest:
        guest.expect(TEXT.encode())


def rule_screens_are_switched_by_key_and_by_call_and_each_keeps_its_own():
    with Guest("for n in 1 2 3; do echo this is $n >/dev/tty$n; done; read wait; display switch 3; read wait; display; echo done; read wait") as guest:
        texts = [None] + [f"this is {n}\r\n".encode() for n in (1, 2, 3)]
        guest.expect(texts[1])
        guest.press("alt+f2")
        guest.expect(texts[2])
        guest.press("alt+f6")
        guest.expect(b"")
        guest.press("alt+f12")
        guest.expect_other(texts[1], b"")
        guest.press("alt+f1")
        guest.expect(texts[1])
        guest.process.stdin.write(b"\n")
        guest.process.stdin.flush()
        guest.expect(texts[3])
        guest.process.stdin.write(b"\n")
        guest.process.stdin.flush()
        assert guest.until("current") == "3 text current"


def rule_a_program_on_a_screen_is_typed_at_and_knows_its_size():
    with Guest("setsid sh -c 'exec </dev/tty1 >/dev/tty1 2>&1; stty size; tty; read word; echo got $word; sleep 1000' & read wait") as guest:
        width, height = map(int, guest.size.split("x"))
        begin = f"{height // 16} {width // 8}\r\n/dev/tty1\r\n".encode()
        guest.expect(begin)
        guest.press("h", "i", "spc", "shift+a", "backspace", "b", "ret")
        guest.expect(begin + b"hi A\b \bb\r\ngot hi b\r\n")


def rule_top_and_vi_look_as_their_bytes_say():
    # What they write goes to the screen and into a file, which the host draws; the terminal makes \r\n of \n for top.
    with Guest("setsid sh -c 'exec </dev/tty1 2>/dev/null; stty rows 50 cols 160; export TERM=xterm-256color; top -d 1000 | tee /tmp/top >/dev/tty1' & sleep 3; base64 /tmp/top; echo done; "
               "read wait; reset >/dev/tty2; display switch 2; seq 1 100 >/tmp/note; setsid sh -c 'exec </dev/tty2 2>/dev/null; vi /tmp/note | tee /tmp/vi >/dev/tty2' & "
               "read wait; base64 /tmp/vi; echo done; read wait") as guest:
        guest.expect(base64.b64decode(guest.bytes_until(b"done")).replace(b"\n", b"\r\n"))
        guest.process.stdin.write(b"\n")
        guest.process.stdin.flush()
        time.sleep(3)
        guest.press("j", "j", "d", "d", "shift+g", "shift+o", "x", "y", "z", "esc", "ctrl+u")
        time.sleep(1)
        guest.process.stdin.write(b"\n")
        guest.process.stdin.flush()
        guest.expect(b"\x1bc\x1b[2J\x1b[H" + base64.b64decode(guest.bytes_until(b"done")))


LINES = "".join(f"\x1b[3{n % 8}mline {n} of what goes on while all of them die\x1b[m\r\n" for n in range(600))


def rule_the_screen_comes_back_as_it_was_whoever_is_killed_while_drawing():
    with Guest("i=0; while [ $i -lt 600 ]; do printf '\\033[3%dmline %d of what goes on while all of them die\\033[m\\n' $((i % 8)) $i; i=$((i+1)); done >/tmp/lines; "
               "driver=$(/usr/bin/svc | grep -o 'virtio_gpu@[^ ]*'); (while read -r line; do echo \"$line\"; usleep 4000; done </tmp/lines >/dev/tty1; echo written >/tmp/done) & "
               "for kill in 1 2 3 4; do sleep 0.3; /usr/bin/svc kill screend; sleep 0.3; /usr/bin/svc kill $driver; done; until [ -e /tmp/done ]; do sleep 0.1; done; "
               "/usr/bin/svc | grep -E 'screend|gpu'; echo over; read wait") as guest:
        status = guest.until("^screend")
        assert int(status.split()[4]) >= 3, status
        guest.until("over")
        guest.expect(LINES.encode())
        guest.press("ret")
        guest.expect(LINES.encode() + b"\r\n")


def rule_history_is_looked_at_with_shift_and_page_keys():
    with Guest("seq 1 200 >/dev/tty1; read wait") as guest:
        rows = int(guest.size.split("x")[1]) // 16
        text = b"".join(b"%d\r\n" % n for n in range(1, 201))
        guest.expect(text)
        guest.press("shift+pgup")
        guest.expect(b"\x1b[?25l" + b"\r\n".join(b"%d" % n for n in range(202 - rows - rows // 2, 202 - rows // 2)))
        guest.press("shift+pgdn")
        guest.expect(text)


def rule_what_is_selected_with_the_mouse_is_pasted_with_its_middle_button():
    with Guest("printf 'take these words\\r\\n' >/dev/tty1; setsid sh -c 'exec </dev/tty1 >/dev/tty1; read word; echo got $word; sleep 1000' & read wait") as guest:
        guest.expect(b"take these words\r\n")
        width, height = map(int, guest.size.split("x"))

        def to(column, row):
            axes = {"x": (column * 8 + 4) * 32768 // width, "y": (row * 16 + 8) * 32768 // height}
            guest.monitor.ask("input-send-event", events=[{"type": "abs", "data": {"axis": axis, "value": value}} for axis, value in axes.items()])

        def button(name, down):
            guest.monitor.ask("input-send-event", events=[{"type": "btn", "data": {"down": down, "button": name}}])
        to(5, 0)
        button("left", True)
        to(9, 0)
        button("left", False)
        guest.expect(b"take \x1b[7mthese\x1b[m words\r\n")
        button("middle", True)
        button("middle", False)
        guest.press("ret")
        guest.expect(b"take these words\r\nthese\r\ngot these\r\n")


if __name__ == "__main__":
    tap.run(__name__)
