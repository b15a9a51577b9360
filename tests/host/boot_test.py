#!/usr/bin/env python3
"""tests/host/boot_test.py - the UEFI loader on a disk of tools/mkdisk.py, with a kernel that prints what it got."""
import struct
import subprocess
import tempfile
import time
import zlib
from pathlib import Path

import tap
import machine
import mkdisk
import project

SCRIPT = """ENTRY(boot_kernel)
SECTIONS {
	. = 0xffffffff80200000;
	.text : AT(ADDR(.text) - 0xffffffff80000000) { *(.text*) *(.rodata*) }
	. = ALIGN(4096);
	.data : AT(ADDR(.data) - 0xffffffff80000000) { *(.data*) }
	.bss : AT(ADDR(.bss) - 0xffffffff80000000) { *(.bss*) }
}
"""
LIMIT_S = 120
SAID = {}                       # of the firmware, by test folder


def compile_kernel(folder):
    script, kernel = folder / "kernel.ld", folder / "kernel.elf"
    script.write_text(SCRIPT)
    # Linked high and loaded low as ours; position-independent, as the firmware's identity map is in force.
    subprocess.run(["clang", "--target=x86_64-unknown-none-elf", "-I", tap.ROOT, "-ffreestanding", "-O1", "-fpie", "-fvisibility=hidden", "-mno-red-zone",
                    "-mgeneral-regs-only", "-fno-stack-protector", "-nostdlib", "-fuse-ld=lld", "-static", f"-Wl,-T,{script},--build-id=none",
                    tap.ROOT / "tests/host/boot_kernel.c", "-o", kernel], check=True)
    return kernel


def boot(folder, kernel, initfs, until, command_line="mode=test a=b", vga="", memory_mb=256):
    """Boots from a disk; the serial output up to a line that holds `until`."""
    log = folder / "log"
    log.unlink(missing_ok=True)
    one = machine.Machine(kernel=kernel, initfs=initfs, boot="uefi", command_line=command_line, vga=vga, memory_mb=memory_mb)
    line = one.arguments(folder) + ["-display", "none", "-serial", f"file:{log}"]
    process = machine.start(line, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            text = log.read_bytes().decode(errors="replace") if log.exists() else ""
            if until in text:
                return text
            assert until == "cannot boot" or "cannot boot" not in text, text
            assert process.poll() is None, f"QEMU ended: {text[-2000:]}"
            time.sleep(0.2)
        raise AssertionError(f"no {until!r} within {LIMIT_S} s: {text[-2000:]}")
    finally:
        machine.stop(process)


def facts(text):
    lines = text[text.index("BOOTED"):].splitlines()
    return dict(line.strip().split("=", 1) for line in lines if "=" in line)


def with_folder(rule):
    def run():
        with tempfile.TemporaryDirectory(prefix="cathode.") as folder:
            rule(Path(folder))
    return run


@with_folder
def rule_the_kernel_gets_everything_it_was_promised(folder):
    kernel, initfs = compile_kernel(folder), folder / "initfs"
    initfs.write_bytes(bytes(range(256)) * 40000 + b"tail")
    found = facts(boot(folder, kernel, initfs, "END", vga="std"))
    assert int(found["magic"], 16) == 0x65646F6874614343 and int(found["version"], 16) == 1 and int(found["bytes"], 16) == 0, found
    assert int(found["initfs_bytes"], 16) == initfs.stat().st_size
    assert int(found["initfs_sum"], 16) == sum(initfs.read_bytes())
    assert struct.pack("<Q", int(found["acpi"], 16)) == b"RSD PTR "
    assert int(found["width"], 16) >= 640 and int(found["pixels"], 16) >= 1 << 20
    assert 128 << 20 < int(found["free"], 16) < 256 << 20 and int(found["ranges"], 16) > 3
    assert int(found["data"], 16) == 0x12345678
    assert found["cmdline"] == "mode=test a=b"


@with_folder
def rule_broken_files_are_said(folder):
    kernel, initfs = compile_kernel(folder), folder / "initfs"
    initfs.write_bytes(b"x" * 1000)
    cut = folder / "cut.elf"
    cut.write_bytes(kernel.read_bytes()[:4200])
    assert "it is truncated" in boot(folder, cut, initfs, "cannot boot")
    cut.write_bytes(b"not an ELF file at all" * 100)
    assert "it is not a static 64-bit ELF" in boot(folder, cut, initfs, "cannot boot")
    assert "longer than 2047 bytes" in boot(folder, kernel, initfs, "cannot boot", command_line="x" * 3000)


@with_folder
def rule_the_partition_table_and_its_copy_agree(folder):
    small = folder / "small"
    small.write_bytes(b"x")
    disk = folder / "disk"
    mkdisk.make_disk(disk, small, small, small, "")
    data = disk.read_bytes()
    assert data[510:512] == b"\x55\xaa" and data[450] == 0xee
    copies = (1, len(data) // 512 - 1)
    for own, other in (copies, copies[::-1]):
        head = data[own * 512:own * 512 + 92]
        signature, _, size, checksum, _, my, alternate = struct.unpack_from("<8sIIIIQQ", head)
        assert signature == b"EFI PART" and (my, alternate) == (own, other)
        assert zlib.crc32(head[:16] + bytes(4) + head[20:]) == checksum and size == 92
        table_sector, count, entry, table_checksum = struct.unpack_from("<QIII", head, 72)
        assert zlib.crc32(data[table_sector * 512:table_sector * 512 + count * entry]) == table_checksum


project.build("boot")
tap.run(__name__)
