#!/usr/bin/env python3
"""tests/host/run_test.py - ./cathode run as a user meets it: a terminal, its shell, job control, an editor."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import tap

LIMIT_S = 120
ROWS, COLUMNS = 30, 100


class Terminal:
    """`./cathode run` on a pseudo-terminal. What it prints is collected in `text`."""

    def __init__(self, *options):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            os.environ["TERM"] = "vt100"
            os.execv(tap.ROOT / "cathode", ["cathode", "run", *options])
        self.text = ""
        self.mark = 0

    def __enter__(self):
        self.wait("# ")
        return self

    def __exit__(self, *_):
        self.type("\x01x")
        if self.status(10) is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def status(self, limit_s):
        """The exit status of ./cathode; None when it does not end in time."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            try:
                self.read(0.2)
            except AssertionError:
                time.sleep(0.1)         # it has closed its terminal and is about to end
        return None

    def read(self, timeout_s):
        if select.select([self.fd], [], [], timeout_s)[0]:
            try:
                self.text += os.read(self.fd, 65536).decode(errors="replace").replace("\r", "")
            except OSError:
                raise AssertionError(f"the machine ended: {self.text[-1500:]}")

    def wait(self, pattern, limit_s=LIMIT_S):
        """Waits for a pattern in what came since the last match; the match."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            if found := re.search(pattern, self.text[self.mark:]):
                self.mark += found.end()
                return found
            self.read(0.5)
        raise AssertionError(f"no {pattern!r} in: {self.text[self.mark:][-1500:]!r}")

    def type(self, text):
        os.write(self.fd, text.encode())

    def command(self, line, pattern, limit_s=LIMIT_S):
        """Types a line, waits for what it prints and for the prompt."""
        self.type(line + "\n")
        found = self.wait(pattern, limit_s)
        self.wait("# ")
        return found


def rule_a_shell_talks_on_the_terminal():
    with Terminal() as terminal:
        terminal.command("echo $((6 * 7))x", "\n42x\n")
        terminal.command("tty; test -t 0 && echo terminal", "/dev/[^\n]*\nterminal\n")
        terminal.command("id -u", "\n0\n")


def rule_the_terminal_has_our_size():
    with Terminal() as terminal:
        terminal.command("stty size", f"\n{ROWS} {COLUMNS}\n")


def rule_ctrl_c_interrupts_and_ctrl_d_ends_input():
    with Terminal() as terminal:
        terminal.type("sleep 1000; echo after=$?\n")
        time.sleep(2)
        terminal.type("\x03")
        terminal.wait("# ")
        terminal.command("echo still $?", "still 130\n")
        terminal.type("wc -c\n")
        time.sleep(2)
        terminal.type("abc\n\x04")
        terminal.wait("\n4\n")


def rule_jobs_stop_and_go_on():
    with Terminal() as terminal:
        terminal.type("sleep 1000\n")
        time.sleep(2)
        terminal.type("\x1a")
        terminal.wait("Stopped")
        terminal.wait("# ")
        terminal.command("jobs", r"\[1\]\+? +Stopped +sleep 1000")
        terminal.command("bg", "sleep 1000")
        terminal.command("jobs", r"\[1\]\+? +Running +sleep 1000")
        terminal.type("fg\n")
        time.sleep(2)
        terminal.type("\x03")
        terminal.wait("# ")
        terminal.command("jobs; echo none", "jobs; echo none\nnone\n")


def rule_editing_keys_work_on_a_line():
    with Terminal() as terminal:
        terminal.type("echo wrxng\x7f\x7f\x7fong-is-ri\x15echo right\n")
        terminal.wait("\nright\n")
        terminal.type("\x1b[A\n")
        terminal.wait("\nright\n")


def rule_vi_edits_a_file():
    with Terminal() as terminal:
        terminal.type("vi /tmp/note\n")
        terminal.wait("~")
        time.sleep(1)
        terminal.type("ihello from vi\x1b")
        time.sleep(1)
        terminal.type(":wq\n")
        terminal.wait("# ")
        terminal.command("cat /tmp/note", "\nhello from vi\n")


def rule_less_pages_and_top_refreshes():
    with Terminal() as terminal:
        terminal.type("seq 500 | less\n")
        terminal.wait("29\n")
        terminal.type("G")
        terminal.wait("500")
        terminal.type("q")
        terminal.wait("# ")
        terminal.type("top -d 1\n")
        terminal.wait("(?i)load average")
        terminal.wait("(?i)load average")
        terminal.type("q")
        terminal.wait("# ")
        terminal.command("echo done", "\ndone\n")


def rule_poweroff_ends_the_machine():
    terminal = Terminal()
    terminal.wait("# ")
    terminal.type("poweroff\n")
    status = terminal.status(60)
    if status is None:
        os.kill(terminal.pid, signal.SIGKILL)
    assert status == 0, (status, terminal.text[-500:])


tap.run(__name__)
