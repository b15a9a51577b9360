"""tools/explain.py - `./cathode trace --explain`: where the instructions of one operation, or of one command, went.

tools/watch.py records them; here addresses become functions, by the symbols of kernel, personality, servers and programs, and
functions become phases. The sum is what ./cathode bench counts.
"""
import collections
import os
import re
import socket
import subprocess
import sys

import bench
import execute
import machine
import project
import watch
from project import CathodeError

WARM_BATCHES = 2            # timed batches that pass before the one that is explained
LIMIT_S = 900
PERSONALITY = range(0x7ff000000000, 0x7ff010000000)
UNKNOWN = [("??", "??", 0)]
ENTRIES, ENTRY_BYTES, CALL = ("syscall_entry", "trap_common"), 256, 0xe8
LEAST = 0.001               # of all: what is less stands in the line "..."

COPIES = r"^(user_copy|user_zero|copy_(to|from)_user.*|memcpy|memmove|memset|arch_page_(zero|copy))$"
HELPERS = ("/arch/x86_64/inline.h", "/arch/x86_64/cpu.h", "lib/base/list.h", "lib/base/bits.h", "/debug/trace.h")
# What a function of the kernel is for: the first that fits its name or its file.
KERNEL_PHASES = tuple((phase, re.compile(pattern)) for phase, pattern in (
    ("copy", COPIES),
    ("copy", r"^(.*/usercopy\.\w)$"),
    ("entry", r"^(syscall_entry|trap_\w+|interrupt_\w+)$"),
    ("exit", r"^(return_to_user|arch_enter_user|context_start)$"),
    ("switch", r"^(arch_switch|paging_load|cr3_\w+|space_switch|arch_thread_\w+|fpu_\w+|sched_\w+|"
               r".*/kernel/sched/(sched|thread|run_queue|wait|fair|fixed|deadline|policy)\w*\.\w|.*/arch/x86_64/thread\.c)$"),
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
))


def returns():
    """Addresses from which on the kernel's entries are on their way back: {function: address}."""
    kernel = watch.Elf(project.KERNEL)
    places = {}
    for name in ENTRIES:
        start = kernel.symbol(name)
        text = kernel.bytes_at(start, ENTRY_BYTES)
        for at in range(len(text) - 5):
            target = start + at + 5 + int.from_bytes(text[at + 1:at + 5], "little", signed=True)
            if text[at] == CALL and kernel.bytes_at(target, 1):
                places[name] = start + at + 5
                break
    return places


def kernel_phase(frames):
    """Of the innermost function that tells; helpers of all take that of whom they help."""
    for name, place, _ in frames:
        if place.endswith(HELPERS) and not re.match(COPIES, name):
            continue
        for phase, pattern in KERNEL_PHASES:
            if pattern.match(name) or pattern.match(place):
                return phase
    return "other"


def short(place):
    return place.removeprefix(f"{project.ROOT}/").removeprefix("./")


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
            places = [place.rsplit(":", 2) for place in lines[1::2]]
            self.known[address] = [(name, place[0], int(place[1])) for name, place in zip(lines[::2], places)]

    def of(self, address):
        """[(function, file, line)], the innermost inlined one first."""
        return self.known.get(address) or UNKNOWN


class Explanation:
    """A record with names: by process and phase, by function, by line, and in order."""

    def __init__(self, seen, operations):
        """seen: a watch.Watch that is done."""
        self.operations, self.seen, self.program = operations, seen, seen.program.path
        self.kernel, self.personality, self.theirs, self.process = Frames(project.KERNEL), Frames(project.OUTPUT / "elf/linux"), {}, {}
        self.returns = returns()
        self.counts = [(space, address, count) for space, counter in seen.record.counts.items() for address, count in counter.items() if count > 0]
        self.total = sum(count for _, _, count in self.counts)
        own, linux = collections.defaultdict(list), {space for space, address, _ in self.counts if address in PERSONALITY}
        for space, address, _ in self.counts:
            if not address & watch.KERNEL_HALF and address not in PERSONALITY:
                own[space].append(address)
        self.kernel.find(address for _, address, _ in self.counts if address & watch.KERNEL_HALF)
        self.personality.find(address for _, address, _ in self.counts if address in PERSONALITY)
        for space in seen.record.counts:
            path = seen.names.get(space) or self.guess(own[space])
            self.process[space] = self.process_name(space, path, own[space] or space in linux)
            self.theirs[space] = Frames(path) if path else None
            if path:
                self.theirs[space].find(own[space])

    def guess(self, addresses):
        """A process that was gone, or had no page of its program yet, whenever it was looked at: the measured program's child?"""
        frames = Frames(self.program)
        frames.find(addresses)
        return self.program if addresses and all(frames.of(address)[0][0] != "??" for address in addresses) else None

    def process_name(self, space, path, is_program):
        if space == self.seen.first:
            return self.program.name
        if path == self.program:
            return f"{path.name}'s children"
        return path.name if path else "other programs" if is_program else "no process"

    def look(self, space, address):
        """(process, "kernel" or "user", phase, frames)."""
        process = self.process[space]
        if address & watch.KERNEL_HALF:
            frames = self.kernel.of(address)
            is_back = address >= self.returns.get(frames[-1][0], address + 1)
            return process, "kernel", "exit" if is_back else kernel_phase(frames), frames
        if address in PERSONALITY:
            return process, "user", "personality", self.personality.of(address)
        owner = self.theirs[space]
        is_server = owner and owner.path.parent.name == "elf"
        return process, "user", "server" if is_server else "program", owner.of(address) if owner else UNKNOWN

    # -- tables

    def line(self, count, text):
        return f"{count / self.operations:12,.1f} {100 * count / self.total:5.1f} %  {text}"

    def print_table(self, title, counter, limit=1000):
        """The biggest; the rest in one line."""
        print(f"\n{title}")
        shown = [(key, count) for key, count in counter.most_common(limit) if count >= LEAST * self.total]
        for key, count in shown:
            print(self.line(count, key))
        rest = sum(counter.values()) - sum(count for _, count in shown)
        if rest:
            print(self.line(rest, "..."))

    def print_tables(self, limit):
        phases, functions, inlined, processes = (collections.Counter() for _ in range(4))
        of_process = collections.defaultdict(collections.Counter)
        for space, address, count in self.counts:
            process, where, phase, frames = self.look(space, address)
            phases[phase] += count
            processes[process] += count
            of_process[process][phase] += count
            functions[f"{process:20} {where:6} {frames[-1][0]}  {short(frames[-1][1])}"] += count
            if len(frames) > 1:
                inlined[f"{frames[0][0]}  {short(frames[0][1])}"] += count
        print(self.line(self.total, f"instructions per operation ({self.operations} looked at)" if self.operations > 1 else "instructions"))
        self.print_table("by phase", phases)
        for process, whole in sorted(processes.items(), key=lambda item: (item[0] != self.program.name, -item[1])):
            self.print_table(self.line(whole, process), of_process[process])
        self.print_table("by function", functions, limit)
        self.print_table("of these, by inlined function", inlined, limit // 2)

    def print_lines(self, function):
        """Every line of a function and of what is inlined in it."""
        lines = collections.Counter()
        for space, address, count in self.counts:
            frames = self.look(space, address)[3]
            if any(name == function for name, _, _ in frames):
                name, place, number = frames[0]
                lines[f"{short(place)}:{number}  {name}"] += count
        if not lines:
            raise CathodeError(f"nothing of {function} ran")
        self.print_table(f"{function}, by line", lines, len(lines))

    def print_flow(self, limit):
        """What ran in which order in one operation, from a moment in the program on."""
        begin = min(len(self.seen.record.order), self.total) // 2 if self.operations > 1 else 0
        length = self.total // self.operations
        moments = list(self.seen.record.ordered(begin, begin + 2 * length))
        start = next((i for i, (space, address) in enumerate(moments) if self.look(space, address)[2] == "program"), 0)
        runs = []
        for space, address in moments[start:start + length]:
            process, where, phase, frames = self.look(space, address)
            key = process, where, frames[-1][0]
            if not runs or runs[-1][0] != key:
                runs.append((key, collections.Counter()))
            runs[-1][1][phase] += 1
        print("\nin order: instructions in a row, what most of them were for")
        for (process, where, name), phases in runs[:limit]:
            print(f"{phases.total():6,}  {process:20} {where:6} {phases.most_common(1)[0][0]:11} {name}")
        if len(runs) > limit:
            print(f"... {len(runs) - limit} more")


# ---- What is explained -------------------------------------------------------------------------------------------------

def rows():
    """{row: (the program that has it, operations of a batch)}."""
    found = {}
    for folder in ("linux", "native"):
        for path in sorted((project.ROOT / "bench" / folder).glob("*.c")):
            program = project.OUTPUT / ("bench/bench" if folder == "linux" else f"elf/bench/{path.stem}")
            for name, count, per in re.findall(r'\.name = "([\w-]+)".*?\.count = (\d+)(?:, \.per = (\w+))?', path.read_text()):
                found[name] = (program, int(count) * (number_of(path, per) if per else 1))
    return found


def number_of(path, word):
    return int(word) if word.isdigit() else int(re.search(rf"\b{word} = (\d+)", path.read_text())[1])


def record(job, machine_options, *places):
    """Runs the job in a machine that counts; a watch.Watch that is done. places: Watch's program, begin, end, passes, paths."""
    ours, job.debugger = socket.socketpair()
    machine_options.icount = True
    machine_options.extra = [*machine_options.extra, watch.MACHINE_OPTIONS]
    with machine.work_folder() as folder:
        seen = watch.Watch(ours, folder, *places)
        status = execute.run(job, machine_options)
        seen.wait()
        ours.close()
    if seen.error or not seen.record:
        raise CathodeError(f"it was not seen: the command ended with {status}{f', {seen.error}' if seen.error else ''}")
    return seen, status


def elf_files():
    return [path for path in sorted((project.OUTPUT / "elf").glob("*")) if path.is_file() and path.name != "linux"]


def explain_row(options):
    project.build("bench-programs")
    known = rows()
    if options.explain not in known:
        raise CathodeError(f"no row {options.explain}; there are: {' '.join(known)}")
    program, operations = known[options.explain]
    stripped = project.OUTPUT / "bin/bench" / program.name
    with open(os.devnull, "wb") as null:
        job = execute.Job([f"/{program.name}", options.explain], adds=[f"{stripped if stripped.exists() else program}:/{program.name}"],
                          timeout_s=LIMIT_S, stdin=None, stdout=null.fileno(), name="explain")
        disks = [bench.DISKS] if bench.wants_disks(options.explain) else []
        seen, status = record(job, machine.Machine(extra=disks), program, "row_begins", "row_ends", WARM_BATCHES, elf_files())
    if status:
        raise CathodeError(f"{options.explain} ended with {status}")
    return Explanation(seen, operations), 0


def explain_command(options, command):
    """From execd's getting the command to its telling how it ended."""
    job = execute.Job(command, options.add, timeout_s=options.timeout or LIMIT_S, stdin=None, stdout=sys.stderr.fileno(), name="explain")
    execd = project.OUTPUT / "elf/execd"
    added = [path for path in (add.rpartition(":")[0] for add in options.add) if os.path.isfile(path)]
    seen, status = record(job, machine.Machine(memory_mb=options.memory, command_line=options.append, extra=options.qemu, disks=options.disk, share=options.share),
                          execd, "command_parse", "session_exit", 0, [*added, *elf_files()])
    return Explanation(seen, 1), status


def main(options, command):
    if bool(options.explain) == bool(command):
        raise CathodeError("trace --explain wants a row of bench, or a command after --")
    project.build_system()
    explanation, status = explain_command(options, command) if command else explain_row(options)
    explanation.print_tables(options.functions)
    for function in options.lines:
        explanation.print_lines(function)
    if options.flow:
        explanation.print_flow(options.flow)
    return status
