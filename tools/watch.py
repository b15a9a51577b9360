"""tools/watch.py - drives a machine from outside through one stretch of its work and records every instruction of it.

The stretch lies between two addresses of a program. Before and after it the machine runs at full speed. Within it QEMU
translates one instruction at a time and logs the address of each (`-d exec`), and of each change of the address space (`-d mmu`).
At each such change it is looked which program runs there. Nothing in the guest takes part.

The machine must not be started with sleep=off: whenever the debugger stops it, it would take itself for idle and jump to the next timer.
"""
import array
import collections
import os
import re
import subprocess
import threading
from pathlib import Path

import project
import stub

MACHINE_OPTIONS = "-icount shift=0,sleep=on"
PAGE_MASK = ~0xfff & (1 << 52) - 1
KERNEL_HALF = 1 << 63
CR3_WRITE = re.compile(rb"\x0f\x22[\xd8-\xdf]")
TEXT_BYTES = 64             # of a program's entry, by which a process is told from others
ORDERED_MAX = 4_000_000     # instructions of which the order is kept
EXECUTABLE, LOAD, FIXED = 1, 1, 2


class Elf:
    """What the debugger must know of a program."""

    def __init__(self, path):
        self.path, self.data = Path(path), Path(path).read_bytes()
        self.is_fixed = self.data[:4] == b"\x7fELF" and self.word(16, 2) == FIXED
        self.entry = self.word(24) if self.is_fixed else 0

    def word(self, at, size=8):
        return int.from_bytes(self.data[at:at + size], "little")

    def segments(self):
        """(address, bytes, flags) of what is loaded."""
        table, count = self.word(32), self.word(56, 2)
        for at in range(table, table + 56 * count, 56):
            if self.word(at, 4) == LOAD:
                start, size = self.word(at + 8), self.word(at + 32)
                yield self.word(at + 16), self.data[start:start + size], self.word(at + 4, 4)

    def bytes_at(self, address, size):
        for start, data, _ in self.segments():
            if start <= address < start + len(data):
                return data[address - start:][:size]
        return b""

    def symbol(self, name):
        text = subprocess.run(["llvm-nm", "--defined-only", str(self.path)], capture_output=True, text=True).stdout
        found = re.search(rf"^([0-9a-f]+) \w {re.escape(name)}$", text, re.MULTILINE)
        if not found:
            raise project.CathodeError(f"{self.path} has no {name}")
        return int(found[1], 16)

    def switches(self):
        """Of the kernel: addresses of the instructions that follow a change of the address space."""
        return [start + match.end() for start, data, flags in self.segments() if flags & EXECUTABLE and start & KERNEL_HALF
                for match in CR3_WRITE.finditer(data)]


class Programs:
    """The programs that may run, told apart by the bytes at their entry."""

    def __init__(self, paths):
        self.known = {}
        for path in paths:
            elf = Elf(path)
            if elf.is_fixed:
                self.known.setdefault((elf.entry, elf.bytes_at(elf.entry, TEXT_BYTES)), path)

    def find(self, memory):
        """The program of the running address space, or None. memory(address, size) reads it."""
        for (entry, text), path in self.known.items():
            if text and memory(entry, len(text)) == text:
                return path
        return None


class Record:
    """QEMU's log, read in a thread of its own: counts[address space][address], and the order as far as it is kept."""

    def __init__(self, path, space):
        self.counts, self.path, self.space = collections.defaultdict(collections.Counter), path, space
        self.order, self.spaces = array.array("Q"), [(0, space)]       # (index into order, address space from there)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        counter, order, last = self.counts[self.space], self.order, None
        with open(self.path, "rb") as log:
            for line in log:
                if line.startswith(b"Trace"):
                    at = line.index(b"/") + 1
                    last = int(line[at:at + 16], 16)
                    counter[last] += 1
                    if len(order) < ORDERED_MAX:
                        order.append(last)
                elif line.startswith(b"CR3 update"):
                    self.space = int(line[line.index(b"CR3=") + 4:], 16) & PAGE_MASK
                    counter = self.counts[self.space]
                    self.spaces.append((len(order), self.space))
                elif line.startswith(b"cpu_io_recompile") and last is not None:
                    counter[last] -= 1          # it will be logged again when it has been translated again
                    if order[-1] == last:
                        order.pop()
                    last = None

    def wait(self):
        self.thread.join(60)

    def ordered(self, start, stop):
        """(address space, address) from the start-th instruction on."""
        at = 0
        for index in range(start, min(stop, len(self.order))):
            while at + 1 < len(self.spaces) and self.spaces[at + 1][0] <= index:
                at += 1
            yield self.spaces[at][1], self.order[index]


class Watch:
    """Drives the machine in a thread of its own. After wait(): record, names {address space: program}, first (the program's space)."""

    def __init__(self, connection, folder, program, begin, end, passes, paths):
        """From the symbol begin of program, after `passes` times there, to its symbol end. paths: programs that may run."""
        self.connection, self.pipe, self.passes = connection, os.path.join(folder, "instructions"), passes
        os.mkfifo(self.pipe)
        self.program, self.programs = Elf(program), Programs([program, *paths])
        self.begin, self.end, self.switches = self.program.symbol(begin), self.program.symbol(end), Elf(project.KERNEL).switches()
        self.names, self.record, self.first, self.error = {}, None, None, None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            self.stub = stub.Stub(self.connection)
            self.go_to(self.begin, self.passes)
            self.go_through()
            self.stub.leave()
        except (stub.StubError, OSError) as error:
            self.error = error

    def is_ours(self, address):
        """Whether it is the program that is at this address, not another one with the same."""
        text = self.program.bytes_at(address, TEXT_BYTES)
        return self.stub.memory(address, len(text)) == text

    def go_to(self, address, passes):
        self.stub.break_at(address)
        while True:
            self.stub.go()
            if self.is_ours(address):
                if passes == 0:
                    break
                passes -= 1
            self.stub.step(address)
        self.stub.unbreak(address)

    def name_space(self):
        """Notes which program runs in the address space that is in use; the last look counts."""
        space = self.stub.register("cr3") & PAGE_MASK
        found = self.programs.find(self.stub.memory)
        if found:
            self.names[space] = found
        return space

    def go_through(self):
        self.first = self.name_space()
        self.record = Record(self.pipe, self.first)
        for line in ("singlestep on", f"logfile {self.pipe}", "log exec,nochain,mmu"):
            self.stub.monitor(line)
        for address in (self.end, *self.switches):
            self.stub.break_at(address)
        while (at := self.stub.go()) != self.end or not self.is_ours(at):
            if at in self.switches:
                self.name_space()
            self.stub.step(at)
        for line in ("log none", "singlestep off"):
            self.stub.monitor(line)
        for address in (self.end, *self.switches):
            self.stub.unbreak(address)
        self.record.wait()

    def wait(self):
        self.thread.join(90)
