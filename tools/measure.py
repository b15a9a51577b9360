"""tools/measure.py - sizes that have limits: the kernel's lines and bytes, the number of operations."""
import re
import struct

import project

KERNEL_LINES_MAX = 12_000   # how it is held: doc/decisions/0001-kernel-lines.md
KERNEL_BYTES_MAX = 256 * 1024
OPERATIONS_MAX = 40
NOT_KERNEL = ("_test.c", "_fuzz.c", "_bench.c", "_proof.c")
# Strings and character constants are kept, so that a comment sign in one is none.
TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.DOTALL)


def code_lines(text):
    """Lines that hold more than comment and blanks."""
    def keep(match):
        token = match[0]
        return token if token[0] in "\"'" else " " + "\n" * token.count("\n")
    return sum(bool(line.strip()) for line in TOKEN.sub(keep, text).splitlines())


def kernel_lines():
    """{path: lines} of the kernel's sources."""
    files = [path for kind in ("c", "h", "S") for path in (project.ROOT / "kernel").rglob(f"*.{kind}")]
    return {path: code_lines(path.read_text()) for path in sorted(files) if not path.name.endswith(NOT_KERNEL)}


def kernel_bytes(path):
    """Bytes of text and data in the kernel's ELF: every allocated section but those of zeros."""
    SHT_NOBITS, SHF_ALLOC = 8, 2
    elf = path.read_bytes()
    table, = struct.unpack_from("<Q", elf, 0x28)
    entry_bytes, count = struct.unpack_from("<HH", elf, 0x3a)
    total = 0
    for index in range(count):
        _, kind, flags, _, _, size = struct.unpack_from("<IIQQQQ", elf, table + index * entry_bytes)
        if flags & SHF_ALLOC and kind != SHT_NOBITS:
            total += size
    return total


def operations():
    text = (project.ROOT / "abi/ops.def").read_text()
    return len(re.findall(r"^OP\d\(", text, re.MULTILINE))


def main():
    """Prints the limits as TAP."""
    lines = sum(kernel_lines().values())
    checks = [(lines <= KERNEL_LINES_MAX, f"the kernel has {lines} lines, at most {KERNEL_LINES_MAX}"),
              (operations() <= OPERATIONS_MAX, f"there are {operations()} operations, at most {OPERATIONS_MAX}")]
    if project.KERNEL.exists():
        size = kernel_bytes(project.KERNEL)
        checks.append((size <= KERNEL_BYTES_MAX, f"the kernel image has {size} bytes of text and data, at most {KERNEL_BYTES_MAX}"))
    else:
        checks.append((False, "there is a kernel image to measure"))
    for number, (good, words) in enumerate(checks, 1):
        print(f"{'ok' if good else 'not ok'} {number} - {words}")
    print(f"1..{len(checks)}")


if __name__ == "__main__":
    main()
