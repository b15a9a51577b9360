"""tools/debug.py - `./cathode gdb`: gdb on a machine that waits at its first instruction."""
import os
import socket
import subprocess
import sys

import execute
import machine
import project

COMMANDS = ("set pagination off", "set architecture i386:x86-64", "set print pretty on")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main(options, command):
    """With a command, the guest runs it as `exec` does once it goes on; else it starts the shell on the first serial port."""
    project.build_system()
    log, port = project.log_file("gdb"), free_port()
    mode = "exec" if command else "run"
    one = machine.Machine(cpus=options.cpus, memory_mb=options.memory, boot=options.boot, extra=options.qemu, disks=options.disk, share=options.share,
                          command_line=f"mode={mode} {options.append}".strip())
    print(f"cathode: the machine's console is in {log}; `c` lets it start, symbols of a program: add-symbol-file {project.OUTPUT}/elf/NAME",
          file=sys.stderr)
    with machine.work_folder() as folder:
        ours, theirs = socket.socketpair()
        line = one.arguments(folder) + ["-display", "none", "-S", "-gdb", f"tcp:127.0.0.1:{port}", "-chardev", f"file,id=log,path={log}",
                                        "-serial", "chardev:log", "-chardev", f"socket,id=link,fd={theirs.fileno()}", "-serial", "chardev:link"]
        process = machine.start(line, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True)
        theirs.close()
        helper = answer(ours, command) if command else None
        try:
            words = [word for text in (*COMMANDS, f"target remote 127.0.0.1:{port}") for word in ("-ex", text)]
            return subprocess.run(["gdb", "-q", str(project.KERNEL), *words]).returncode
        finally:
            machine.stop(process)
            if helper:
                helper.kill()


def answer(socket_end, command):
    """A child that speaks the exec protocol while gdb has the terminal."""
    script = "import sys, socket, debug; debug.serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])"
    child = subprocess.Popen([sys.executable, "-c", script, str(socket_end.fileno()), *command], pass_fds=[socket_end.fileno()],
                             stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(project.ROOT / "tools")}, start_new_session=True)
    socket_end.close()
    return child


def serve(socket_end, command):
    import link
    session = link.Session(socket_end, execute.command_of(execute.Job(command)), {link.STDOUT: 1, link.STDERR: 2})
    while not session.is_over() and session.step(10):
        pass
    print(f"\ncathode: the command ended with {session.failure or session.status}", file=sys.stderr)
