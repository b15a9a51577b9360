"""tools/explain.py - `./cathode trace --explain`: where the instructions of one operation went.

The machine counts instructions (-icount), so that what is seen here is what ./cathode bench measures. While the operation runs, QEMU
translates one instruction at a time and logs the address of each, and of each change of the address space; before and
after, it runs at full speed. Addresses become functions by the symbols of kernel, personality, servers and program. Nothing
in the guest takes part.
"""
import collections
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import execute
import machine
import project
import stub
from project import CathodeError

WARM_BATCHES = 2            # timed batches that pass before the one that is explained
LIMIT_S = 900
PAGE_MASK = ~0xfff & (1 << 52) - 1
KERNEL_HALF = 1 << 63
PERSONALITY = range(0x7ff000000000, 0x7ff010000000)
CR3_WRITE = re.compile(rb"\x0f\x22[\xd8-\xdf]")
TEXT_BYTES = 64             # of a program's entry, by which a process is told from others

COPIES = r"^(user_copy|user_zero|copy_(to|from)_user.*|memcpy|memmove|memset|arch_page_(zero|copy))$"
HELPERS = ("/arch/x86_64/inline.h", "/arch/x86_64/cpu.h", "lib/base/list.h", "lib/base/bits.h", "/debug/trace.h")
UNKNOWN = [("??", "??")]

# What a function of the kernel is for: the first that fits (innermost function, its file).
KERNEL_PHASES = (
    ("copy", COPIES),
    ("copy", r"^(.*/usercopy\.\w)$"),
    ("entry", r"^(syscall_entry|trap_\w+|interrupt_\w+)$"),
    ("exit", r"^(return_to_user|arch_enter_user|context_start)$"),
    ("switch", r"^(arch_switch|paging_load|cr3_\w+|space_switch|arch_thread_\w+|fpu_\w+|sched_\w+|.*/kernel/sched/(sched|thread|run_queue|wait)\.\w|.*/arch/x86_64/thread\.c)$"),
    ("lock", r"^(.*/kernel/sync/.*)$"),
    ("dispatch", r"^(.*/kernel/call/.*|.*/arch/x86_64/call\.h)$"),
    ("ipc", r"^(.*/kernel/ipc/.*)$"),
    ("handles", r"^(.*/kernel/obj/(handle|resource|id|object|namespace|watch)\..*)$"),
    ("process", r"^(.*/kernel/obj/process.*)$"),
    ("scheme", r"^(.*/kernel/scheme/.*)$"),
    ("time", r"^(.*/kernel/sched/(clock|timer)\.\w|.*/arch/x86_64/(apic|clock)\.c)$"),
    ("futex", r"^(.*/kernel/sched/futex.*)$"),
    ("shootdown", r"^(.*/arch/x86_64/smp\.c)$"),
    ("memory", r"^(.*/kernel/mem/.*|.*/arch/x86_64/paging\.c|.*/lib/base/page_index\.\w)$"),
    ("entry", r"^(.*/arch/x86_64/(entry\.S|trap\.c))$"),
)


class Frames:
    """What a program's addresses belong to."""

    def __init__(self, path):
        self.path, self.known = path, {}

    def find(self, addresses):
        """Looks the addresses up, all at once."""
        wanted = sorted(set(addresses) - self.known.keys())
        if not wanted:
            return
        words = ["llvm-symbolizer", f"--obj={self.path}", "--inlines", "--functions=linkage"]
        text = subprocess.run(words, input="".join(f"{address:#x}\n" for address in wanted), capture_output=True, text=True).stdout
        for address, block in zip(wanted, text.split("\n\n")):
            lines = block.strip("\n").split("\n")
            self.known[address] = [(name, place.rsplit(":", 2)[0]) for name, place in zip(lines[::2], lines[1::2])]

    def of(self, address):
        """[(function, file)], the innermost inlined one first."""
        return self.known.get(address) or UNKNOWN


def symbols(path):
    text = subprocess.run(["llvm-nm", "--defined-only", str(path)], capture_output=True, text=True).stdout
    return {words[2]: int(words[0], 16) for words in map(str.split, text.splitlines()) if len(words) == 3}


def bytes_at(path, address, size):
    """Bytes that an ELF has at a virtual address."""
    data = Path(path).read_bytes()
    offset = int.from_bytes(data[32:40], "little")
    for at in range(offset, offset + 56 * int.from_bytes(data[56:58], "little"), 56):
        kind = int.from_bytes(data[at:at + 4], "little")
        file_at, virtual, _, file_bytes = (int.from_bytes(data[at + place:at + place + 8], "little") for place in (8, 16, 24, 32))
        if kind == 1 and virtual <= address < virtual + file_bytes:
            return data[file_at + address - virtual:][:size]
    return b""


class Programs:
    """The programs that may run, told apart by the bytes at their entry."""

    def __init__(self, extra):
        self.paths = {}
        for path in [*extra, *sorted((project.OUTPUT / "elf").glob("*"))]:
            if path.is_file() and path.name != "linux":
                entry = int.from_bytes(path.read_bytes()[24:32], "little")
                self.paths.setdefault((entry, bytes_at(path, entry, TEXT_BYTES)), path)

    def find(self, memory):
        """The program of the running address space, or None. memory(address, size) reads it."""
        for (entry, text), path in self.paths.items():
            if text and memory(entry, len(text)) == text:
                return path
        return None


class Count:
    """Reads QEMU's log in a thread of its own: {address space: {address: executions}}."""

    def __init__(self, path, space):
        self.counts, self.path, self.space = collections.defaultdict(collections.Counter), path, space
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        counter, last = self.counts[self.space], None
        with open(self.path, "rb") as log:
            for line in log:
                if line.startswith(b"Trace"):
                    at = line.index(b"/") + 1
                    last = line[at:at + 16]
                    counter[last] += 1
                elif line.startswith(b"CR3 update"):
                    self.space = int(line[line.index(b"CR3=") + 4:], 16) & PAGE_MASK
                    counter = self.counts[self.space]
                elif line.startswith(b"cpu_io_recompile") and last:
                    counter[last] -= 1          # it will be logged again when it has been translated again

    def result(self):
        self.thread.join(60)
        return {space: {int(address, 16): count for address, count in counter.items() if count > 0} for space, counter in self.counts.items()}


class Watch:
    """Drives the machine from outside, in a thread of its own, to the operation and through it."""

    def __init__(self, connection, folder, program):
        self.connection, self.program = connection, program
        self.pipe = os.path.join(folder, "instructions")
        os.mkfifo(self.pipe)
        self.programs, self.names, self.count, self.error = Programs([program]), {}, None, None
        marks = symbols(program)
        self.begin, self.end = marks["row_begins"], marks["row_ends"]
        self.switches = kernel_places(project.KERNEL.read_bytes())
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            self.stub = stub.Stub(self.connection)
            self.pass_to(self.begin, WARM_BATCHES)
            self.record()
            self.stub.leave()
        except (stub.StubError, OSError) as error:
            self.error = error

    def pass_to(self, address, times):
        """Runs until the program comes there, after it has been there so often."""
        text = bytes_at(self.program, address, 8)
        self.stub.break_at(address)
        while True:
            self.stub.go()
            if self.stub.memory(address, len(text)) == text:
                if times == 0:
                    break
                times -= 1
            self.stub.step(address)
        self.stub.unbreak(address)

    def name_space(self):
        """Notes which program runs in the address space that is in use."""
        space = self.stub.register("cr3") & PAGE_MASK
        found = self.programs.find(self.stub.memory)
        if found:
            self.names[space] = found

    def record(self):
        self.name_space()
        self.first = self.stub.register("cr3") & PAGE_MASK
        self.count = Count(self.pipe, self.first)
        for line in ("singlestep on", f"logfile {self.pipe}", "log exec,nochain,mmu"):
            self.stub.monitor(line)
        stops = [self.end, *self.switches]
        for address in stops:
            self.stub.break_at(address)
        while (at := self.stub.go()) != self.end or self.stub.memory(at, 8) != bytes_at(self.program, at, 8):
            if at in self.switches:
                self.name_space()
            self.stub.step(at)
        for line in ("log none", "singlestep off"):
            self.stub.monitor(line)
        for address in stops:
            self.stub.unbreak(address)


def kernel_places(kernel):
    """Addresses of the instructions that follow a change of the address space."""
    places = []
    table, count = int.from_bytes(kernel[32:40], "little"), int.from_bytes(kernel[56:58], "little")
    for at in range(table, table + 56 * count, 56):
        kind, flags = (int.from_bytes(kernel[at + place:at + place + 4], "little") for place in (0, 4))
        file_at, virtual, _, file_bytes = (int.from_bytes(kernel[at + place:at + place + 8], "little") for place in (8, 16, 24, 32))
        if kind == 1 and flags & 1 and virtual & KERNEL_HALF:
            places += [virtual + match.end() for match in CR3_WRITE.finditer(kernel[file_at:file_at + file_bytes])]
    return places


class Explanation:
    """Counts with names: by process and phase, and by function."""

    def __init__(self, counts, names, first, program, operations):
        """counts, names: of Watch. first: the address space of the program that was measured."""
        self.operations, self.program, self.first = operations, program, first
        self.phases, self.functions, self.inlined = collections.Counter(), collections.Counter(), collections.Counter()
        kernel, personality, theirs = Frames(project.KERNEL), Frames(project.OUTPUT / "elf/linux"), {}
        for space, addresses in counts.items():
            kernel.find(address for address in addresses if address & KERNEL_HALF)
            personality.find(address for address in addresses if address in PERSONALITY)
            own = [address for address in addresses if address not in PERSONALITY and not address & KERNEL_HALF]
            path = names.get(space) or self.guess(own)
            process = self.process_name(space, path, own)
            if path:
                theirs.setdefault(path, Frames(path)).find(own)
            for address, count in addresses.items():
                if address & KERNEL_HALF:
                    frames = kernel.of(address)
                    self.add(process, "kernel", kernel_phase(frames), frames, count)
                elif address in PERSONALITY:
                    self.add(process, "user", "personality", personality.of(address), count)
                else:
                    phase = "server" if path and path != program and path.parent.name == "elf" else "program"
                    self.add(process, "user", phase, theirs[path].of(address) if path else UNKNOWN, count)

    def guess(self, addresses):
        """A process that was gone, or had no page of its program yet, whenever it was looked at: the measured program's child?"""
        frames = Frames(self.program)
        frames.find(addresses)
        known = [address for address in addresses if frames.of(address)[0][0] != "??"]
        return self.program if addresses and len(known) == len(addresses) else None

    def process_name(self, space, path, addresses):
        if space == self.first:
            return path.name
        if path == self.program:
            return f"{path.name}'s children"
        return path.name if path else "other programs" if addresses else "no process"

    def add(self, process, where, phase, frames, count):
        self.phases[process, phase] += count
        self.functions[process, where, *frames[-1]] += count
        if len(frames) > 1:
            self.inlined[frames[0]] += count

    def total(self):
        return sum(self.phases.values())

    def print_table(self, title, counter, limit=1000):
        """The biggest; the rest in one line."""
        print(f"\n{title}")
        shown = [(key, count) for key, count in counter.most_common(limit) if 1000 * count >= self.total()]
        for key, count in shown:
            print(self.line(count, key))
        rest = sum(counter.values()) - sum(count for _, count in shown)
        if rest:
            print(self.line(rest, "..."))

    def line(self, count, text):
        return f"{count / self.operations:12,.1f} {100 * count / self.total():5.1f} %  {text}"

    def print(self, functions):
        print(self.line(self.total(), f"instructions per operation ({self.operations} operations looked at)"))
        processes, phases, outer, inner = (collections.Counter() for _ in range(4))
        for (process, phase), count in self.phases.items():
            processes[process] += count
            phases[phase] += count
        self.print_table("by phase", phases)
        for process, whole in processes.most_common():
            mine = collections.Counter({phase: count for (owner, phase), count in self.phases.items() if owner == process})
            self.print_table(f"{self.line(whole, process)}", mine)
        for (process, where, name, place), count in self.functions.items():
            outer[f"{process:16} {where:6} {name}  {short(place)}"] += count
        for (name, place), count in self.inlined.items():
            inner[f"{name}  {short(place)}"] += count
        self.print_table("by function", outer, functions)
        self.print_table("of these, by inlined function", inner, functions // 2)


def short(place):
    return place.removeprefix(f"{project.ROOT}/").removeprefix("./")


def kernel_phase(frames):
    """Of the innermost function that tells; helpers of all take that of whom they help."""
    for name, place in frames:
        if place.endswith(HELPERS) and not re.match(COPIES, name):
            continue
        for phase, pattern in KERNEL_PHASES:
            if re.match(pattern, name) or re.match(pattern, place):
                return phase
    return "other"


def rows():
    """{row: (the program that has it, operations of a batch)}."""
    found = {}
    for folder, program in (("bench/linux", project.OUTPUT / "bench/bench"), ("bench/native", project.OUTPUT / "elf/bench/native_bench")):
        for path in sorted((project.ROOT / folder).glob("*.c")):
            for name, count, per in re.findall(r'\.name = "([\w-]+)".*?\.count = (\d+)(?:, \.per = (\w+))?', path.read_text()):
                found[name] = (program, int(count) * (number_of(path, per) if per else 1))
    return found


def number_of(path, word):
    return int(word) if word.isdigit() else int(re.search(rf"\b{word} = (\d+)", path.read_text())[1])


def measure(row, program):
    """({address space: {address: executions}}, {address space: program}, the program's address space) of one batch."""
    ours, theirs = socket.socketpair()
    guest = f"/{program.name}"
    run_as = project.OUTPUT / "bin/bench" / program.name
    with machine.work_folder() as folder, open(os.devnull, "wb") as null:
        watch = Watch(ours, folder, program)
        job = execute.Job([guest, row], adds=[f"{run_as if run_as.exists() else program}:{guest}"], timeout_s=LIMIT_S, stdin=None,
                          stdout=null.fileno(), name="explain", debugger=theirs)
        status = execute.run(job, machine.Machine(icount=True, extra=["-icount shift=0,sleep=on"]))
        watch.thread.join(10)
        ours.close()
        if status or watch.error or not watch.count:
            raise CathodeError(f"{row} was not seen: the program ended with {status}{f', {watch.error}' if watch.error else ''}")
        return watch.count.result(), watch.names, watch.first


def main(options, _):
    project.build_system()
    project.build("bench-programs")
    known = rows()
    if options.explain not in known:
        raise CathodeError(f"no row {options.explain}; there are: {' '.join(known)}")
    program, operations = known[options.explain]
    Explanation(*measure(options.explain, program), program, operations).print(options.functions)
    return 0
