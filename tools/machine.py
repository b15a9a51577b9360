"""tools/machine.py - the QEMU command line, and QEMU as a child process that never outlives us."""
import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import mkdisk
import project
from project import CathodeError

OVMF_CODE = "/usr/share/OVMF/OVMF_CODE_4M.fd"
OVMF_VARS = "/usr/share/OVMF/OVMF_VARS_4M.fd"
# QEMU counts `rep movsb` byte by byte: nobody should choose it there (reference: doc/map.md, measurement).
TCG_CPU = "max,-erms,-fsrm"


@dataclass
class Machine:
    """One machine to start."""
    kernel: Path = project.KERNEL
    initfs: Path = project.INITFS
    cpus: int = 1
    memory_mb: int = 256
    boot: str = "direct"
    icount: bool = False
    kvm: bool = False
    vga: str = ""               # of DISPLAYS; "": none
    command_line: str = ""
    extra: list = field(default_factory=list)      # QEMU arguments of the user, as shell words
    disks: list = field(default_factory=list)      # [KIND:]FILE or [KIND:]SIZE (disk_arguments)
    share: str = ""                                 # FOLDER[,ro] of the host, in the guest as /host; "": none

    def arguments(self, folder):
        """The QEMU command without serial ports and display; what must be made for it goes into folder."""
        line = ["qemu-system-x86_64", "-machine", "q35", "-m", str(self.memory_mb), "-smp", str(self.cpus),
                "-nodefaults", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]
        if self.kvm:
            line += ["-cpu", "host", "-accel", "kvm"]
        elif self.icount:
            line += ["-cpu", TCG_CPU, "-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"]
        else:
            line += ["-cpu", TCG_CPU, "-accel", "tcg,thread=multi"]
        line += DISPLAYS[self.vga]
        line += self.boot_arguments(folder)
        for number, disk in enumerate(self.disks):
            line += disk_arguments(disk, number, folder)
        if self.share:
            line += share_arguments(self.share)
        for words in self.extra:
            line += shlex.split(words)
        return line

    def boot_arguments(self, folder):
        if self.boot == "direct":
            return ["-kernel", str(self.kernel), "-initrd", str(self.initfs), "-append", self.command_line]
        disk, variables = Path(folder) / "disk.img", Path(folder) / "vars.fd"
        mkdisk.make_disk(disk, project.LOADER, self.kernel, self.initfs, self.command_line)
        shutil.copyfile(OVMF_VARS, variables)
        return ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={OVMF_CODE}",
                "-drive", f"if=pflash,format=raw,unit=1,file={variables}",
                "-drive", f"if=none,id=boot,format=raw,file={disk}", "-device", "virtio-blk-pci,drive=boot,bootindex=0"]


DISPLAYS = {"": [], "none": [], "std": ["-vga", "std"], "virtio": ["-device", "virtio-gpu-pci"], "bochs": ["-device", "bochs-display"], "ramfb": ["-device", "ramfb"]}
DISK_DEVICES = {"virtio": "virtio-blk-pci,disable-legacy=on,drive={id}", "nvme": "nvme,serial=cathode{number},drive={id}",
                "sata": "ide-hd,bus=ide.{number},drive={id}"}
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def disk_arguments(disk, number, folder):
    """A disk of KIND (virtio, nvme, sata), kept in FILE, or (a number with K, M or G) empty and gone with the machine."""
    kind, colon, what = disk.partition(":")
    if not colon or kind not in DISK_DEVICES:
        kind, what = "virtio", disk
    if what[:-1].isdigit() and what[-1] in UNITS:
        path = Path(folder) / f"disk{number}.img"
        with open(path, "wb") as file:
            file.truncate(int(what[:-1]) * UNITS[what[-1]])
    else:
        path = Path(what)
        if not path.exists():
            raise CathodeError(f"there is no disk image {path}")
    name, image_format = f"disk{number}", "qcow2" if path.suffix == ".qcow2" else "raw"
    return ["-drive", f"if=none,id={name},format={image_format},file={str(path).replace(',', ',,')}",
            "-device", DISK_DEVICES[kind].format(id=name, number=number)]


def share_arguments(share):
    """FOLDER or FOLDER,ro: the guest's programs see it as /host, with the rights of who runs us."""
    read_only = share.endswith(",ro")
    path = Path(share.removesuffix(",ro"))
    if not path.is_dir():
        raise CathodeError(f"there is no folder {path} to share")
    name = str(path.resolve()).replace(",", ",,")
    options = f"local,id=share,path={name},security_model=none,multidevs=remap{',readonly=on' if read_only else ''}"
    return ["-fsdev", options, "-device", "virtio-9p-pci,disable-legacy=on,fsdev=share,mount_tag=host"]


def work_folder():
    """A temporary folder that goes when its `with` ends."""
    return tempfile.TemporaryDirectory(prefix="cathode.")


def die_with_parent():
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(arguments, **options):
    """QEMU as a child; in a session of its own unless it is given the terminal."""
    try:
        return subprocess.Popen(arguments, preexec_fn=die_with_parent, **options)
    except FileNotFoundError:
        raise CathodeError(f"{arguments[0]} is not installed")


def stop(process, patience_s=0):
    """Waits a while for the child to end by itself, then ends it."""
    try:
        return process.wait(patience_s) if patience_s else process.poll()
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
