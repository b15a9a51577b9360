"""tools/screenshot.py - `./cathode screenshot`: a picture of what a machine's display shows.

With a command it is exec's machine; the picture is taken when the command prints a line with the word DISPLAYED, or else when it has ended, before the
machine goes. Without one it is run's: the shell's prompt comes on the serial line, and then the picture.
"""
import os
import re
import select
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import execute
import machine
import project
from monitor import Monitor
from project import CathodeError

MARKER, ENDED, PROMPT = b"DISPLAYED", b"\x1eended\n", re.compile(rb"[#$] ")
BOOT_LIMIT_S, SETTLE_S = 180, 1.0       # SETTLE_S: what was asked of the display is drawn by then
# Says that the command has ended, and stays until the picture was taken.
AROUND = r'"$@" </dev/null; status=$?; printf "\036ended\n"; read -r go; exit $status'


class Shot:
    """One picture, once."""

    def __init__(self, file, folder):
        self.file, self.monitor_path, self.error, self.is_taken = Path(file).resolve(), Path(folder) / "monitor", None, False

    def options(self):
        return f"-qmp unix:{self.monitor_path},server=on,wait=off"

    def take(self):
        if self.is_taken:
            return
        self.is_taken = True
        time.sleep(SETTLE_S)
        try:
            Monitor(self.monitor_path).screendump(self.file, png=True)
        except (CathodeError, OSError) as error:
            self.error = error


def watch_output(said, shot, go):
    """Hands the command's output on, line by line; takes the picture at the marker or the end, and lets the shell around it go."""
    with open(said, "rb") as lines:
        for line in lines:
            is_end = line.endswith(ENDED)
            sys.stdout.buffer.write(line.removesuffix(ENDED))
            sys.stdout.flush()
            if is_end or MARKER in line:
                shot.take()
            if is_end:
                os.write(go, b"go\n")


def of_command(options, command, one, shot):
    """The command's exit status."""
    said, say = os.pipe()
    wait, go = os.pipe()
    job = execute.Job(["/bin/sh", "-c", AROUND, "sh", *command], options.add, {}, options.timeout, stdin=wait, stdout=say, name="screenshot")
    thread = threading.Thread(target=watch_output, args=(said, shot, go), daemon=True)
    thread.start()
    try:
        return execute.run(job, one)
    finally:
        os.close(say)
        thread.join(5)
        for end in (wait, go):
            os.close(end)


def of_shell(one, folder, shot):
    """Boots to the prompt."""
    one.command_line = f"mode=run quiet {one.command_line}".strip()
    line = one.arguments(folder) + ["-display", "none", "-serial", "stdio"]
    process = machine.start(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        said, end = b"", time.monotonic() + BOOT_LIMIT_S
        while not PROMPT.search(said):
            if time.monotonic() > end or not select.select([process.stdout], [], [], end - time.monotonic())[0]:
                raise CathodeError("the shell did not come up")
            data = os.read(process.stdout.fileno(), 4096)
            if not data:
                raise CathodeError(f"QEMU ended: {said[-500:].decode(errors='replace')}")
            said += data
        shot.take()
    finally:
        machine.stop(process)
    return 0


def main(options, command):
    if options.icount and options.cpus != 1:
        raise CathodeError("--icount works with one CPU only")
    project.build_system()
    if options.boot == "uefi":
        project.build("boot")
    with tempfile.TemporaryDirectory(prefix="cathode.") as folder:
        shot = Shot(options.file, folder)
        one = machine.Machine(cpus=options.cpus, memory_mb=options.memory, boot=options.boot, icount=options.icount, vga=options.vga,
                              command_line=options.append, extra=[*options.qemu, shot.options()], disks=options.disk)
        status = of_command(options, command, one, shot) if command else of_shell(one, folder, shot)
    if shot.error:
        raise CathodeError(f"no picture: {shot.error}")
    if not shot.is_taken:
        raise CathodeError("no picture: the command did not get to its end")
    return status
