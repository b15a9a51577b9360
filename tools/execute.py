"""tools/execute.py - `./cathode exec`: one command in a fresh headless machine, as if it ran here."""
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field

import link
import machine
import mkinitfs
import ports
import project
from project import CathodeError

TIMED_OUT, NO_GUEST = 124, 125
BOOT_LIMIT_S = 180          # generous: hosts are slow and shared
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root", "USER": "root", "LOGNAME": "root",
               "SHELL": "/bin/sh"}


@dataclass
class Job:
    """What to run, and where its streams go."""
    arguments: list
    adds: list = field(default_factory=list)
    environment: dict = field(default_factory=dict)
    timeout_s: float = 0            # 0: none
    stdin: int | None = 0
    stdout: int = 1
    stderr: int = 2
    trace: int | None = None        # file descriptor for trace records
    name: str = "exec"              # of the log
    debugger: socket.socket | None = None   # QEMU's end of who drives the machine from outside, from its first instruction (tools/stub.py)


class GuestError(CathodeError):
    """The machine did not get to the command's end. Carries the log's path."""

    def __init__(self, message, log):
        super().__init__(f"{message}; log: {log}")
        self.log = log


class Log:
    """The machine's console, as far as it was written; finds a panic in it."""

    def __init__(self, path):
        self.path, self.offset, self.panic, self.next_look = path, 0, None, 0

    def look(self):
        """The line of a kernel panic, or None. Looks at the file at most twice a second."""
        now = time.monotonic()
        if self.panic or now < self.next_look:
            return self.panic
        self.next_look = now + 0.5
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            data = file.read()
        end = data.rfind(b"\n") + 1
        self.offset += end
        for line in data[:end].splitlines():
            if line.lstrip(b"\r").startswith(b"PANIC"):
                self.panic = line.decode(errors="replace").strip()
        return self.panic


def make_initfs(adds, folder):
    """The base image, or one with what --add names."""
    if not adds:
        return project.INITFS
    path = os.path.join(folder, "initfs.img")
    try:
        mkinitfs.make_image(path, [project.MANIFEST], adds)
    except (mkinitfs.ImageError, ports.PortError, OSError) as error:
        raise CathodeError(str(error))
    return path


def command_of(job):
    environment = {**ENVIRONMENT, "TERM": os.environ.get("TERM", "dumb"), **job.environment}
    flags = link.WITH_TRACE if job.trace is not None else 0
    return link.command_frames([os.fsencode(word) for word in job.arguments],
                               [os.fsencode(f"{name}={value}") for name, value in environment.items()], b"/root", flags)


def watch(session, process, log, deadline, boot_deadline):
    """Drives the session to its end; the exit status."""
    while not session.is_over():
        now = time.monotonic()
        if deadline and now >= deadline:
            return TIMED_OUT
        if not session.is_running and now >= boot_deadline:
            raise GuestError(f"the guest did not come up in {BOOT_LIMIT_S} s", log.path)
        alive = session.step(min(0.5, deadline - now if deadline else 0.5))
        if not session.is_over() and (not alive or log.look()):
            machine.stop(process, 5)        # let a panic finish its message
            log.next_look = 0
            raise GuestError(log.look() or f"the guest ended early (QEMU's status {process.returncode})", log.path)
    if session.failure is not None:
        raise GuestError(f"the guest could not try the command: {session.failure}", log.path)
    return session.status


def run_session(job, process, socket_end, log):
    sinks = {link.STDOUT: job.stdout, link.STDERR: job.stderr}
    if job.trace is not None:
        sinks[link.TRACE] = job.trace
    start = time.monotonic()
    deadline = start + job.timeout_s if job.timeout_s else 0
    with open(log.path, "ab") as notes:
        session = link.Session(socket_end, command_of(job), sinks, job.stdin, notes)
        hit = []

        def on_signal(number, _):
            hit.append(number)
            session.send_signal(number)
            if len(hit) > 1 or not session.is_running:
                raise KeyboardInterrupt

        old = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            status = watch(session, process, log, deadline, start + BOOT_LIMIT_S)
            if session.is_over():
                session.finish(deadline or time.monotonic() + 3600)
                machine.stop(process, 2)
        except link.LinkError as error:
            raise GuestError(str(error), log.path)
        except KeyboardInterrupt:
            status = 128 + hit[-1]
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)
    return status


def run(job, machine_options):
    """Boots a machine, runs the job; its exit status, 124 on timeout. GuestError when the guest did not get there."""
    log = Log(project.log_file(job.name))
    with machine.work_folder() as folder:
        machine_options.initfs = make_initfs(job.adds, folder)
        machine_options.command_line = f"mode=exec quiet {machine_options.command_line}".strip()
        ours, theirs = socket.socketpair()
        line = machine_options.arguments(folder) + [
            "-display", "none", "-chardev", f"file,id=log,path={log.path}", "-serial", "chardev:log",
            "-chardev", f"socket,id=link,fd={theirs.fileno()}", "-serial", "chardev:link"]
        ends = [theirs, *([job.debugger] if job.debugger else [])]
        if job.debugger:
            line += ["-S", "-chardev", f"socket,id=gdb,fd={job.debugger.fileno()}", "-gdb", "chardev:gdb"]
        with open(log.path, "wb") as output:
            process = machine.start(line, stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=[end.fileno() for end in ends],
                                    start_new_session=True)
        for end in ends:
            end.close()
        try:
            status = run_session(job, process, ours, log)
        finally:
            machine.stop(process)
            ours.close()
    if status != TIMED_OUT:
        log.path.unlink(missing_ok=True)
    return status


def main(options, command):
    """The command line's `exec`: builds, runs, and returns the exit status."""
    try:
        if not command:
            raise CathodeError("exec wants a command after --")
        if options.icount and options.cpus != 1:
            raise CathodeError("--icount works with one CPU only")
        project.build_system()
        if options.boot == "uefi":
            project.build("boot")
        job = Job(command, options.add, {"CATHODE_STRACE": "1"} if options.strace else {}, options.timeout,
                  trace=getattr(options, "trace", None))
        status = run(job, machine.Machine(cpus=options.cpus, memory_mb=options.memory, boot=options.boot, icount=options.icount,
                                          command_line=options.append, extra=options.qemu, disks=options.disk, share=options.share))
    except CathodeError as error:
        print(f"cathode: {error}", file=sys.stderr)
        return NO_GUEST
    if status == TIMED_OUT:
        print(f"cathode: the command did not end within {options.timeout:g} s", file=sys.stderr)
    return status
