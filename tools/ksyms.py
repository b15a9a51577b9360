#!/usr/bin/env python3
"""tools/ksyms.py - writes the kernel's symbol table (kernel/debug/ksyms.h) as assembly.

Without an ELF it writes an empty table, for the first link. With --check it compares the
functions of two ELFs: a second pass that moved code would make the table lie.
"""
import re
import struct
import sys

SHT_SYMTAB, STT_FUNC = 2, 2


def functions(path):
    """[(address, bytes, name)] of every function, sorted, one name per address."""
    with open(path, "rb") as file:
        elf = file.read()
    if elf[:6] != b"\x7fELF\x02\x01":
        sys.exit(f"ksyms: {path} is no little-endian 64-bit ELF")
    table_offset, = struct.unpack_from("<Q", elf, 0x28)
    entry_bytes, count = struct.unpack_from("<HH", elf, 0x3a)
    sections = [struct.unpack_from("<IIQQQQIIQQ", elf, table_offset + i * entry_bytes) for i in range(count)]
    found = {}
    for section in sections:
        if section[1] != SHT_SYMTAB:
            continue
        names = sections[section[6]][4]
        for at in range(section[4], section[4] + section[5], 24):
            name, info, _, index, value, size = struct.unpack_from("<IBBHQQ", elf, at)
            if info & 15 != STT_FUNC or index == 0:
                continue
            end = elf.index(b"\0", names + name)
            found.setdefault(value, (value, size, elf[names + name:end].decode()))
    return [found[address] for address in sorted(found)]


def assembly(symbols):
    lines = ['\t.section .rodata.ksyms, "a", @progbits', "\t.balign 8"]
    lines += ["\t.globl ksyms, ksym_count, ksym_names", "ksyms:"]
    offset = 0
    for address, size, name in symbols:
        lines.append(f"\t.quad {address:#x}\n\t.long {size}, {offset}")
        offset += len(name) + 1
    lines += [f"ksym_count:\n\t.long {len(symbols)}", "ksym_names:"]
    lines += [f'\t.asciz "{re.sub(r"[^ -!#-[^-~]", "?", name)}"' for _, _, name in symbols] or ["\t.byte 0"]
    return "\n".join(lines) + '\n\t.section .note.GNU-stack, "", @progbits\n'


def main(arguments):
    if arguments[:1] == ["--check"] and len(arguments) == 3:
        if functions(arguments[1]) != functions(arguments[2]):
            sys.exit(f"ksyms: functions of {arguments[1]} and {arguments[2]} differ; .rodata must follow .text")
    elif len(arguments) <= 1:
        sys.stdout.write(assembly(functions(arguments[0]) if arguments else []))
    else:
        sys.exit("usage: ksyms.py [ELF] | --check ELF ELF")


main(sys.argv[1:])
