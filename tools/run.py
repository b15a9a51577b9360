"""tools/run.py - `./cathode run`: the interactive shell on this terminal."""
import os
import shutil
import subprocess
import sys
import termios

import execute
import machine
import project
from project import CathodeError

PROBE_LIMIT_S = 30


def kvm_opens():
    try:
        os.close(os.open("/dev/kvm", os.O_RDWR))
        return True
    except OSError:
        return False


def kvm_works():
    """Whether KVM truly runs our kernel: a machine is booted with it and asked for `true`. Remembered per kernel."""
    if not kvm_opens():
        return False
    note = project.OUTPUT / "kvm.probe"
    kernel = f"{project.KERNEL.stat().st_mtime_ns}"
    if note.exists() and note.read_text().split()[:1] == [kernel]:
        return note.read_text().split()[1] == "works"
    null = os.open(os.devnull, os.O_RDWR)
    job = execute.Job(["true"], timeout_s=PROBE_LIMIT_S, stdin=None, stdout=null, stderr=null, name="kvm-probe")
    try:
        works = execute.run(job, machine.Machine(kvm=True)) == 0
    except CathodeError:
        works = False
    finally:
        os.close(null)
    note.write_text(f"{kernel} {'works' if works else 'fails'}\n")
    return works


def display_arguments():
    """A window where there can be one, else VNC."""
    has_screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    kinds = subprocess.run(["qemu-system-x86_64", "-display", "help"], capture_output=True, text=True).stdout.split()
    for kind in ("gtk", "sdl"):
        if has_screen and kind in kinds:
            return ["-display", kind]
    why = "no QEMU window module: install qemu-system-gui" if has_screen else "no graphical screen here"
    print(f"cathode: {why}; the display is on VNC at 127.0.0.1:5900", file=sys.stderr)
    return ["-display", "vnc=127.0.0.1:0"]


def terminal_size():
    size = shutil.get_terminal_size((80, 25))
    return f"rows={size.lines} columns={size.columns}"


def serial_arguments():
    """The first serial port on our terminal, with Ctrl-C for the guest and Ctrl-A x to end QEMU."""
    return ["-chardev", "stdio,id=console,mux=on,signal=off", "-serial", "chardev:console", "-mon", "chardev=console"]


def in_terminal(line):
    """Runs QEMU on this terminal, whose settings survive whatever happens to it."""
    saved = termios.tcgetattr(0) if os.isatty(0) else None
    try:
        return machine.start(line).wait()
    finally:
        if saved:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)


def main(options):
    project.build_system()
    if options.boot == "uefi":
        project.build("boot")
    kvm = kvm_works()
    print(f"cathode: runs on {'KVM' if kvm else 'TCG (KVM does not run it here)'}; Ctrl-A x ends the machine", file=sys.stderr)
    vga = options.vga or ("virtio" if options.display else "")
    # What types and points into the window; PS/2, which the machine has anyway, is slower and knows no place.
    inputs = ["-device virtio-keyboard-pci -device virtio-tablet-pci"] if options.display else []
    one = machine.Machine(cpus=options.cpus, memory_mb=options.memory, boot=options.boot, kvm=kvm, vga=vga,
                          command_line=f"mode=run quiet {terminal_size()} {options.append}".strip(), extra=inputs + options.qemu, disks=options.disk, share=options.share)
    with machine.work_folder() as folder:
        display = display_arguments() if options.display else ["-display", "none"]
        in_terminal(one.arguments(folder) + display + serial_arguments())
    return 0
