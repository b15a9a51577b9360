#!/usr/bin/env python3
"""tests/host/console_test.py - the console as a user has it: a shell on the serial line, and on a display with a keyboard."""
import contextlib
import gzip
import json
import re
import select
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import tap
import machine
import ports

PATIENCE_S = 120
PROMPT = rb"root@cathode:[^\n#]*# "
FONT = "usr/share/consolefonts/Uni2-Terminus16.psf.gz"
GLYPH_WIDTH, GLYPH_HEIGHT = 8, 16


class Console:
    """A machine in mode=run, its first serial port and its monitor in our hands."""

    def __init__(self, folder, **options):
        size = "rows=30 columns=100"
        one = machine.Machine(command_line=f"mode=run {size}", **options)
        line = one.arguments(folder) + ["-display", "none", "-chardev", f"socket,id=line,path={folder}/line,server=on,wait=on",
                                        "-serial", "chardev:line", "-qmp", f"unix:{folder}/monitor,server=on,wait=off"]
        self.process = machine.start(line, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.line = self.connect(f"{folder}/line")
        self.monitor = self.connect(f"{folder}/monitor").makefile("rwb")
        self.monitor.readline()
        self.ask("qmp_capabilities")
        self.folder, self.text = folder, b""
        self.expect(PROMPT)

    @staticmethod
    def connect(path):
        end = time.monotonic() + PATIENCE_S
        while True:
            one = socket.socket(socket.AF_UNIX)
            try:
                one.connect(path)
                return one
            except OSError:
                one.close()
                assert time.monotonic() < end, "no machine"
                time.sleep(0.05)

    def ask(self, command, **arguments):
        self.monitor.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        self.monitor.flush()
        while True:
            answer = json.loads(self.monitor.readline())
            if "event" not in answer:
                assert "return" in answer, answer
                return answer["return"]

    def type(self, text):
        self.line.sendall(text if isinstance(text, bytes) else text.encode())

    def press(self, *keys):
        for key in keys:
            self.ask("send-key", keys=[{"type": "qcode", "data": one} for one in key.split("+")])
            time.sleep(1 if key == "esc" else 0.2)

    def listen(self, seconds):
        """What comes within so long a time is added to what is there; False when it was nothing."""
        if not select.select([self.line], [], [], seconds)[0]:
            return False
        came = self.line.recv(65536)
        assert came, f"the machine ended: {self.text[-500:]!r}"
        self.text += came
        return True

    def expect(self, pattern):
        """Waits for the pattern, forgets what came up to its end, and returns the match."""
        end = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.text)):
            assert time.monotonic() < end, f"{pattern!r} did not come; there was {self.text[-500:]!r}"
            self.listen(0.5)
        self.text = self.text[found.end():]
        return found

    def expect_soon_on_display(self, pattern):
        end = time.monotonic() + PATIENCE_S
        while not re.search(pattern, text := self.display(), re.MULTILINE):
            assert time.monotonic() < end, f"{pattern!r} is not on the display: {text}"
            time.sleep(0.3)

    def run(self, command):
        """The output of a shell command."""
        self.type(f"{command}\r")
        self.expect(rb"\r\n")
        return self.expect(rb"(?s)(.*?)" + PROMPT).group(1)

    def display(self):
        """The display as text: every cell whose pixels are a glyph's of the font, or its reverse."""
        path = Path(self.folder) / "screen.ppm"
        self.ask("screendump", filename=str(path))
        magic, width, height, _, pixels = path.read_bytes().split(None, 4)
        assert magic == b"P6"
        return read_screen(int(width), int(height), pixels)

    def stop(self):
        machine.stop(self.process)


def read_font():
    """{rows of a glyph as bytes: character}, the first character that a glyph stands for."""
    font = gzip.decompress((ports.port_root("console-font") / FONT).read_bytes())
    assert font[:2] == b"\x36\x04" and font[3] == GLYPH_HEIGHT
    count = 512 if font[2] & 1 else 256
    table, glyphs, number = font[4 + count * GLYPH_HEIGHT:], {}, 0
    codes = [int.from_bytes(table[at:at + 2], "little") for at in range(0, len(table), 2)]
    for code in codes:
        if code == 0xFFFF:
            number += 1
        elif code != 0xFFFE:
            glyphs.setdefault(font[4 + number * GLYPH_HEIGHT:4 + (number + 1) * GLYPH_HEIGHT], chr(code))
    return glyphs


def read_row(pixels, ground):
    """A row of a cell as the font has it: a bit for each pixel that is not of the ground's colour."""
    if pixels == ground * GLYPH_WIDTH:
        return 0
    return sum((pixels[x * 3:x * 3 + 3] != ground) << 7 - x for x in range(GLYPH_WIDTH))


def read_screen(width, height, pixels):
    glyphs, lines, stride = read_font(), [], width * 3
    for top in range(0, height - GLYPH_HEIGHT + 1, GLYPH_HEIGHT):
        line = ""
        for left in range(0, width - GLYPH_WIDTH + 1, GLYPH_WIDTH):
            start = top * stride + left * 3
            ground = pixels[start:start + 3]
            cell = bytes(read_row(pixels[start + y * stride:start + y * stride + GLYPH_WIDTH * 3], ground) for y in range(GLYPH_HEIGHT))
            line += glyphs.get(cell, "?") if any(cell) else " "
        lines.append(line.rstrip())
    return "\n".join(lines).rstrip()


@contextlib.contextmanager
def console(**options):
    with tempfile.TemporaryDirectory(prefix="cathode.") as folder:
        one = Console(folder, **options)
        try:
            yield one
        finally:
            one.stop()


def on_console(rule):
    def run():
        with console() as c:
            rule(c)
    return run


@on_console
def rule_the_shell_answers_and_knows_its_terminal(c):
    assert c.run("echo $((6*7))") == b"42\r\n"
    assert c.run("tty") == b"/dev/console\r\n"
    assert c.run("stty size") == b"30 100\r\n"


@on_console
def rule_control_c_ends_the_job_and_not_the_shell(c):
    c.type("sleep 1000\r")
    c.expect(rb"sleep 1000\r\n")
    time.sleep(1)
    c.type(b"\x03")
    c.expect(PROMPT)
    assert c.run("echo $?") == b"130\r\n"


@on_console
def rule_jobs_stop_go_on_and_come_back(c):
    c.type("sleep 1000\r")
    c.expect(rb"sleep 1000\r\n")
    time.sleep(1)
    c.type(b"\x1a")
    c.expect(rb"Stopped")
    c.expect(PROMPT)
    c.run("bg")
    assert b"sleep 1000" in c.run("jobs")
    c.type("fg\r")
    c.expect(rb"sleep 1000")
    time.sleep(1)
    c.type(b"\x03")
    c.expect(PROMPT)
    assert c.run("jobs") == b""


@on_console
def rule_a_background_reader_stops_until_it_is_fetched(c):
    c.run("cat &")
    # The shell tells of a stop before a prompt, and cat may come to its read after that: ask until it has.
    for _ in range(120):
        if b"Stopped (tty input)" in c.run("jobs"):
            break
        time.sleep(0.5)
    else:
        raise AssertionError("cat did not stop")
    c.type("fg\r")
    c.expect(rb"cat\r\n")
    time.sleep(1)
    c.type("to and fro\r")
    c.expect(rb"to and fro\r\nto and fro\r\n")
    c.type(b"\x04")
    c.expect(PROMPT)


@on_console
def rule_a_password_is_not_shown(c):
    c.type("stty -echo; read word; stty echo; echo got=$word\r")
    c.expect(rb"\$word\r\n")
    time.sleep(1)
    c.type("secret\r")
    shown = c.expect(rb"(?s)(.*)got=secret").group(1)
    assert b"secret" not in shown, shown


@on_console
def rule_a_long_paste_arrives_whole(c):
    c.type("stty -echo; cat > /tmp/paste; stty echo\r")
    c.expect(rb"stty echo\r\n")
    time.sleep(1)
    text = b"".join(b"%05d the quick brown fox jumps over the lazy dog\n" % n for n in range(1000))
    c.type(text + b"\x04")
    c.expect(PROMPT)
    assert c.run("wc -c < /tmp/paste") == b"%d\r\n" % len(text)
    assert c.run("tail -1 /tmp/paste") == text[-50:].replace(b"\n", b"\r\n")[-51:]


@on_console
def rule_vi_edits_a_file(c):
    c.type("vi /tmp/note\r")
    c.expect(rb"/tmp/note")
    # vi takes what follows ESC at once for the rest of a key's sequence.
    for keys in ("ifirst\rthird\x1b", "Osecond\x1b", ":wq\r"):
        c.type(keys)
        time.sleep(1)
    c.expect(PROMPT)
    assert c.run("cat /tmp/note") == b"first\r\nsecond\r\nthird\r\n"


@on_console
def rule_top_and_less_draw_and_quit(c):
    c.type("top\r")
    c.expect(rb"CPU:")
    c.expect(rb"COMMAND")
    c.type("q")
    c.expect(PROMPT)
    c.type("ls -l /bin | less\r")
    c.expect(rb"busybox")
    c.type("q")
    c.expect(PROMPT)


@on_console
def rule_a_killed_console_comes_back_and_the_shell_does_not_notice(c):
    c.run("stty cols 90")
    c.type("kill -9 $(pidof console); sleep 1000\r")
    c.expect(rb"sleep 1000\r\n")
    time.sleep(3)
    c.type(b"\x03")
    c.expect(PROMPT)
    assert c.run("echo $?") == b"130\r\n"
    assert c.run("stty size; tty") == b"30 90\r\n/dev/console\r\n"


def show_and_type(c):
    c.type("echo sh''own\r")
    c.expect_soon_on_display(r"^shown$")
    c.press("e", "c", "h", "o", "spc", "shift+h", "i", "shift+1", "ret")
    c.expect(rb"Hi!\r\n")
    c.expect_soon_on_display(r"^Hi!$")


def rule_a_display_shows_the_same_and_its_keyboard_types():
    with console(vga="std") as c:
        show_and_type(c)
        c.type("vi /tmp/note\r")
        c.expect_soon_on_display(r"^~$")
        c.press("i", "a", "ret", "b", "esc", "up", "shift+a", "c", "esc", "shift+semicolon", "w", "q", "ret")
        c.expect(PROMPT)
        c.expect(PROMPT)
        assert c.run("cat /tmp/note") == b"ac\r\nb\r\n"
        c.press("c", "a", "t", "ret")
        c.press("ctrl+c")
        c.expect(rb"\^C")
        c.expect(PROMPT)


def rule_a_display_that_the_firmware_set_up_is_used():
    with console(vga="std", boot="uefi") as c:
        show_and_type(c)


if __name__ == "__main__":
    tap.run(__name__)
