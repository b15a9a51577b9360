#!/usr/bin/env python3
"""tests/host/console_test.py - the console as a user has it: a shell on the serial line."""
import contextlib
import re
import select
import socket
import subprocess
import tempfile
import time

import tap
import machine

PATIENCE_S = 120
PROMPT = rb"root@cathode:[^\n#]*# "


class Console:
    """A machine in mode=run, its first serial port in our hands."""

    def __init__(self, folder, **options):
        size = "rows=30 columns=100"
        one = machine.Machine(command_line=f"mode=run {size}", **options)
        line = one.arguments(folder) + ["-display", "none", "-chardev", f"socket,id=line,path={folder}/line,server=on,wait=on",
                                        "-serial", "chardev:line"]
        self.process = machine.start(line, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.line = self.connect(f"{folder}/line")
        self.text = b""
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

    def type(self, text):
        self.line.sendall(text if isinstance(text, bytes) else text.encode())

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

    def run(self, command):
        """The output of a shell command."""
        self.type(f"{command}\r")
        self.expect(rb"\r\n")
        return self.expect(rb"(?s)(.*?)" + PROMPT).group(1)

    def stop(self):
        machine.stop(self.process)


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


if __name__ == "__main__":
    tap.run(__name__)
