#!/usr/bin/env python3
"""tests/host/start_test.py - the kernel alone under QEMU: what it is started with may be broken; it says what, and ends."""
import struct
import subprocess
import tempfile
from pathlib import Path

import tap
import machine
import project

LIMIT_S = 60
MAGIC, VERSION, MEMORY_MAX, COMMAND_LINE_MAX = 0x65646F6874614343, 1, 256, 2048
FREE, RESERVED, LOADER = 1, 2, 4
INFO_ADDRESS = 0x801000         # `info` of start_loader.S, linked at 8 MiB
END_STATUS = 3                  # isa-debug-exit with 1


def qemu(arguments, cpus=1, cpu=machine.TCG_CPU):
    """What a machine wrote to its serial port until it ended, and its exit status."""
    line = ["qemu-system-x86_64", "-accel", "tcg", "-machine", "q35", "-cpu", cpu, "-m", "128", "-smp", str(cpus), "-display", "none",
            "-nodefaults", "-no-reboot", "-serial", "stdio", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", *map(str, arguments)]
    process = machine.start(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        text, _ = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise AssertionError("the machine went on")
    finally:
        machine.stop(process)
    return text.decode(errors="replace"), process.returncode


def with_folder(rule):
    def run():
        with tempfile.TemporaryDirectory(prefix="cathode.") as folder:
            rule(Path(folder))
    return run


def boot_info(magic=MAGIC, version=VERSION, size=None, initfs=(0, 0), memory=((0x1000, 0x9F000, FREE), (0x100000, 0x7F00000, FREE)),
              memory_count=None, command_line=b"\0"):
    ranges = b"".join(struct.pack("<QQII", start, count, kind, 0) for start, count, kind in memory)
    framebuffer = bytes(32)
    head = struct.pack("<QIIQQQQ", magic, version, 0, *initfs, 0, 0) + framebuffer
    head += struct.pack("<II", len(memory) if memory_count is None else memory_count, 0)
    whole = head + ranges.ljust(MEMORY_MAX * 24, b"\0") + command_line.ljust(COMMAND_LINE_MAX, b"\0")
    return whole[:12] + struct.pack("<I", len(whole) if size is None else size) + whole[16:]


def start(folder, info=b"", address=INFO_ADDRESS):
    """Starts the kernel as a loader would; what it said."""
    record, loader = folder / "info", folder / "loader.elf"
    record.write_bytes(info)
    entry = struct.unpack_from("<Q", project.KERNEL.read_bytes(), 0x18)[0]
    subprocess.run(["clang", "--target=x86_64-unknown-none-elf", "-nostdlib", "-static", "-fuse-ld=lld", f"-DBOOT_INFO={address:#x}", f"-DENTRY={entry:#x}",
                    f'-DINFO_FILE="{record}"', "-Wl,-Ttext=0x800000,-Tdata=0x801000,-Tbss=0x810000,-e,0x800000,--build-id=none",
                    tap.ROOT / "tests/host/start_loader.S", "-o", loader], check=True)
    # `info` follows the descriptor table on the next page.
    text, status = qemu(["-kernel", loader, "-device", f"loader,file={project.KERNEL}"])
    assert status == END_STATUS, (status, text)
    return text


def refused(folder, why, **fields):
    text = start(folder, boot_info(**fields), INFO_ADDRESS + 0x1000)
    assert f"Cathode cannot start: {why}" in text, text


@with_folder
def rule_a_sound_boot_info_gets_past_the_checks(folder):
    text = start(folder, boot_info(), INFO_ADDRESS + 0x1000)
    assert "cannot start" not in text and "no initfs was loaded" in text, text


@with_folder
def rule_a_boot_info_that_is_elsewhere_is_said(folder):
    for address in (0, 0x100000000, 0xFFFFFFFF, 0xFFFF800000000000, 0xFFFFFFFFFFFFFFF8):
        text = start(folder, address=address)
        assert "boot_info is out of reach" in text, text


@with_folder
def rule_broken_fields_are_said(folder):
    refused(folder, "boot_info has the wrong magic number", magic=1)
    refused(folder, "boot_info is of another version", version=2)
    refused(folder, "boot_info is of another version", size=16)
    refused(folder, "the memory map has no entries or too many", memory_count=0)
    refused(folder, "the memory map has no entries or too many", memory_count=0xFFFFFFFF)
    refused(folder, "the memory map has no free memory", memory=((0x100000, 0x7F00000, RESERVED),))
    refused(folder, "a range of the memory map leaves the address space", memory=((0x1000, 0xFFFFFFFFFFFFFFFF, FREE),))
    refused(folder, "a range of the memory map is of no known kind", memory=((0x1000, 0x1000, 77),))
    refused(folder, "the command line does not end", command_line=b"x" * COMMAND_LINE_MAX)
    refused(folder, "the initfs overlaps the kernel", initfs=(0x200000, 0x10000))
    refused(folder, "the initfs does not lie in memory", initfs=(0x40000000, 0x10000))


def broken_initfs(folder, data, cpus=1):
    initfs = folder / "initfs"
    initfs.write_bytes(data)
    text, status = qemu(["-kernel", project.KERNEL, "-initrd", initfs], cpus)
    assert status == END_STATUS and "PANIC" in text, (status, text)
    return text


@with_folder
def rule_a_broken_initfs_is_said(folder):
    whole = project.INITFS.read_bytes()
    for data in (b"x", b"no initfs at all" * 1000, whole[:len(whole) // 2], whole[:4096], whole[:64] + b"\xff" * 4096 + whole[4160:]):
        assert "initfs" in broken_initfs(folder, data)


def rule_no_initfs_is_said():
    text, status = qemu(["-kernel", project.KERNEL])
    assert status == END_STATUS and "no initfs was loaded" in text, text


@with_folder
def rule_a_panic_shows_named_functions(folder):
    text = broken_initfs(folder, b"x" * 8192, cpus=2)
    after = text[text.index("PANIC"):].splitlines()
    assert any("kernel_main+0x" in line for line in after), text


def rule_a_cpu_that_lacks_what_we_need_is_said():
    for cpu, lack in (("qemu64", "FSGSBASE"), ("max,-xsave", "XSAVE"), ("max,-nx", "NX")):
        text, status = qemu(["-kernel", project.KERNEL], cpu=cpu)
        assert status == END_STATUS and "Cathode cannot start" in text and lack in text, text


def rule_a_long_command_line_is_cut():
    text, status = qemu(["-kernel", project.KERNEL, "-append", "x" * 3000])
    assert status == END_STATUS and "no initfs was loaded" in text, text


project.build("kernel", "initfs")
tap.run(__name__)
