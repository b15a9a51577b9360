#!/usr/bin/env python3
"""tools/mkdisk.py - a bootable GPT disk image with an EFI system partition, made without root.

The partition (FAT32, by mtools) holds \\EFI\\BOOT\\BOOTX64.EFI, \\kernel.elf, \\initfs.img and \\cmdline. Layout: UEFI
specification 2.10, chapter 5. The image is sparse, its contents depend on nothing but the arguments.
"""
import argparse
import os
import struct
import subprocess
import sys
import tempfile
import uuid
import zlib
from pathlib import Path

from project import CathodeError

SECTOR = 512
FIRST_SECTOR = 2048             # of the partition: aligned to 1 MiB
ENTRY_COUNT, ENTRY_BYTES = 128, 128
TABLE_SECTORS = ENTRY_COUNT * ENTRY_BYTES // SECTOR
ESP_TYPE = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
DISK_ID = uuid.UUID("ca7400de-0000-4000-8000-000000000001")
ESP_ID = uuid.UUID("ca7400de-0000-4000-8000-000000000002")
PARTITION_MIN = 64 << 20        # enough clusters for FAT32 at any cluster size that mformat picks


def protective_mbr(sectors):
    entry = struct.pack("<B3sB3sII", 0, b"\x00\x02\x00", 0xee, b"\xff\xff\xff", 1, min(sectors - 1, 0xffffffff))
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"


def partition_table(last):
    name = "EFI system partition".encode("utf-16-le")
    entry = struct.pack("<16s16sQQQ72s", ESP_TYPE.bytes_le, ESP_ID.bytes_le, FIRST_SECTOR, last, 0, name)
    return entry.ljust(ENTRY_COUNT * ENTRY_BYTES, b"\0")


def header(sectors, own, other, table_sector, table):
    usable = (2 + TABLE_SECTORS, sectors - 2 - TABLE_SECTORS)

    def pack(checksum):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, checksum, 0, own, other, *usable,
                           DISK_ID.bytes_le, table_sector, ENTRY_COUNT, ENTRY_BYTES, zlib.crc32(table))
    return pack(zlib.crc32(pack(0))).ljust(SECTOR, b"\0")


def write_gpt(file, sectors):
    table = partition_table(sectors - 2 - TABLE_SECTORS)
    file.seek(0)
    file.write(protective_mbr(sectors) + header(sectors, 1, sectors - 1, 2, table) + table)
    file.seek((sectors - 1 - TABLE_SECTORS) * SECTOR)
    file.write(table + header(sectors, sectors - 1, 1, sectors - 1 - TABLE_SECTORS, table))


def mtools(*command):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})
    if done.returncode:
        raise CathodeError(f"{command[0]} failed: {done.stderr.strip()}")


def make_disk(path, loader, kernel, initfs, command_line):
    """Writes the image to path."""
    with tempfile.NamedTemporaryFile("w", prefix="cathode.") as text:
        text.write(command_line + "\n")
        text.flush()
        files = {"::/EFI/BOOT/BOOTX64.EFI": loader, "::/kernel.elf": kernel, "::/initfs.img": initfs, "::/cmdline": text.name}
        content = sum(Path(source).stat().st_size for source in files.values())
        partition = max(PARTITION_MIN, content + content // 64 + (4 << 20)) // SECTOR
        sectors = FIRST_SECTOR + partition + TABLE_SECTORS + 1
        with open(path, "wb") as file:
            file.truncate(sectors * SECTOR)
            write_gpt(file, sectors)
        volume = f"{path}@@{FIRST_SECTOR * SECTOR}"
        mtools("mformat", "-i", volume, "-F", "-T", str(partition), "-h", "255", "-s", "63", "-H", str(FIRST_SECTOR), "-N", "ca7400de", "::")
        mtools("mmd", "-i", volume, "::/EFI", "::/EFI/BOOT")
        for target, source in files.items():
            mtools("mcopy", "-i", volume, str(source), target)


def main():
    parser = argparse.ArgumentParser(description="makes a bootable disk image")
    for name in ("output", "loader", "kernel", "initfs"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--command-line", default="mode=run")
    options = parser.parse_args()
    try:
        make_disk(options.output, options.loader, options.kernel, options.initfs, options.command_line)
    except (CathodeError, OSError) as error:
        sys.exit(f"mkdisk: {error}")


if __name__ == "__main__":
    main()
