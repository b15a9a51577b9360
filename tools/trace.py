#!/usr/bin/env python3
"""tools/trace.py - `./cathode trace`, and how its records become a file for ui.perfetto.dev or chrome://tracing.

Records are kernel/debug/trace.h's; their kinds come from abi/trace.def, names of operations, protocol codes and errors
and Linux calls from the .def files too. One track per CPU shows who ran, one per thread its calls.
"""
import json
import os
import re
import struct
import sys
import tempfile

import project
from project import CathodeError

RECORD = struct.Struct("<QIBBHQQ")      # ticks, tid, cpu, kind, a, b, c
START = struct.Struct("<8sQ")           # struct exec_trace
MAGIC = b"CTRACE1\0"
CPU_TRACK = 1 << 30                     # the "process" whose threads are the CPUs


def definitions(path, pattern):
    """{number: name} of a .def file."""
    text = re.sub(r"/\*.*?\*/", "", (project.ROOT / path).read_text(), flags=re.DOTALL)
    return {int(number): name for number, name in re.findall(pattern, text, re.MULTILINE)}


class Names:
    def __init__(self):
        self.kinds = definitions("abi/trace.def", r"^TRACE\((\d+),\s*(\w+)")
        self.operations = definitions("abi/ops.def", r"^OP\d\((\d+),\s*\w+,\s*(\w+)")
        self.errors = definitions("abi/error.def", r"^ERR\((\d+),\s*(\w+)")
        self.linux = definitions("personality/linux/calls.def", r"^(?:CALL|NONE)\((\d+),\s*(\w+)")
        self.codes = {}
        for path in sorted((project.ROOT / "abi/proto").glob("*.def")):
            self.codes |= definitions(path.relative_to(project.ROOT), r"^CODE\((\d+),\s*(\w+)")

    def operation(self, number, argument):
        name = self.operations.get(number, f"op {number}")
        return f"{name} {self.codes.get(argument & 0xffffffff, argument & 0xffffffff)}" if name == "call" else name

    def result(self, value):
        value = value - (1 << 64) if value >> 63 else value
        return f"-{self.errors.get(-value, -value)}" if value < 0 else value


def read_records(data):
    """([record], ticks per second) of what came over the trace channel."""
    hz = 10**9
    if data.startswith(MAGIC) and len(data) >= START.size:
        hz = START.unpack_from(data)[1] or hz
        data = data[START.size:]
    whole = len(data) // RECORD.size * RECORD.size
    return sorted(RECORD.iter_unpack(data[:whole])), hz


class Converter:
    def __init__(self, names, hz):
        self.names, self.hz = names, hz
        self.events, self.process_of, self.name_of = [], {}, {}
        self.open_calls, self.running = {}, {}
        self.start = 0

    def event(self, phase, name, record, track=None, **more):
        ticks, tid, cpu = record[:3]
        process, thread = track or (self.process_of.get(tid, tid), tid)
        self.events.append({"ph": phase, "name": name, "ts": (ticks - self.start) * 1e6 / self.hz, "pid": process, "tid": thread, **more})

    def note(self, name, record, **arguments):
        self.event("i", name, record, s="t", args=arguments)

    def convert(self, records):
        """The list of trace events."""
        self.start = records[0][0] if records else 0
        for record in records:
            kind = self.names.kinds.get(record[3])
            if kind == "SPAWN":
                self.process_of[record[5]] = record[6]
            elif kind == "NAME":
                self.name_of[record[4]] = struct.pack("<QQ", *record[5:7]).split(b"\0")[0].decode(errors="replace")
        for record in records:
            handler = getattr(self, f"on_{self.names.kinds.get(record[3], 'unknown').lower()}", self.on_unknown)
            handler(record, *record[4:])
        for record in records[-1:]:
            for tid in list(self.open_calls):
                self.end_calls(record, tid)
            for cpu in list(self.running):
                self.on_switch((record[0], 0, cpu), 0, 0, 0)
        return self.events + self.labels()

    def on_switch(self, record, state, old, new):
        cpu = record[2]
        if cpu in self.running:
            since, tid = self.running.pop(cpu)
            if tid:
                name = self.name_of.get(self.process_of.get(tid, tid) & 0xffff, "thread")
                duration = (record[0] - since) * 1e6 / self.hz
                self.event("X", f"{name} {tid}", (since, tid, cpu), (CPU_TRACK, cpu), dur=duration, args={"then": state})
        self.running[cpu] = (record[0], new)

    def on_call_begin(self, record, operation, handle, argument):
        self.open_calls.setdefault(record[1], []).append(operation)
        handle = handle - (1 << 64) if handle >> 63 else handle
        self.event("B", self.names.operation(operation, argument), record, args={"handle": handle, "arg0": hex(argument)})

    def on_call_end(self, record, operation, result, _):
        calls = self.open_calls.get(record[1], [])
        if operation in calls:
            while calls.pop() != operation:
                self.event("E", "", record)
            self.event("E", "", record, args={"result": self.names.result(result)})

    def end_calls(self, record, tid):
        for _ in self.open_calls.pop(tid, []):
            self.event("E", "", (record[0], tid, record[2]))

    def on_foreign_call(self, record, _, number, ip):
        self.note(f"linux {self.names.linux.get(number, number)}", record, ip=hex(ip))

    def on_fault(self, record, flags, address, ip):
        self.note("fault", record, flags=flags, address=hex(address), ip=hex(ip))

    def on_interrupt(self, record, vector, _, __):
        self.event("i", f"interrupt {vector}", record, (CPU_TRACK, record[2]), s="t")

    def on_message(self, record, operation, tag, scheme):
        self.note(f"message {self.names.operations.get(operation, operation)}", record, tag=tag, scheme=scheme)
        self.event("s", "request", record, id=tag, cat="request")

    def on_reply(self, record, _, tag, result):
        self.event("f", "request", record, id=tag, cat="request", bp="e")
        self.note("reply", record, tag=tag, result=self.names.result(result))

    def on_wake(self, record, _, tid, cpu):
        self.note(f"wakes {tid}", record, cpu=cpu)

    def on_notice(self, record, notice, tid, _):
        self.note(f"notice {notice} to {tid}", record)

    def on_spawn(self, record, _, tid, pid):
        self.note(f"starts {tid}", record, pid=pid)

    def on_exit(self, record, _, tid, status):
        self.end_calls(record, tid)
        self.note("exit", record, tid=tid, status=status)

    def on_user(self, record, kind, b, c):
        self.note(f"user {kind}", record, b=b, c=c)

    def on_name(self, record, pid, first, second):
        """Names were gathered before all else."""

    def on_unknown(self, record, a, b, c):
        self.note(f"record {record[3]}", record, a=a, b=b, c=c)

    def labels(self):
        tracks = sorted({(event["pid"], event["tid"]) for event in self.events})
        out = [{"ph": "M", "name": "process_name", "pid": CPU_TRACK, "args": {"name": "CPUs"}},
               {"ph": "M", "name": "process_sort_index", "pid": CPU_TRACK, "args": {"sort_index": -1}}]
        for process in sorted({process for process, _ in tracks if process != CPU_TRACK}):
            out.append({"ph": "M", "name": "process_name", "pid": process, "args": {"name": self.name_of.get(process & 0xffff, f"process {process}")}})
        for process, thread in tracks:
            name = f"CPU {thread}" if process == CPU_TRACK else f"thread {thread}"
            out.append({"ph": "M", "name": "thread_name", "pid": process, "tid": thread, "args": {"name": name}})
        return out


def convert(data):
    """Trace events of the bytes that came over the trace channel."""
    records, hz = read_records(data)
    return Converter(Names(), hz).convert(records)


def main(options, command):
    """The command line's `trace`."""
    import execute
    if options.explain is not None:
        import explain
        return explain.main(options, command)
    if not command:
        raise CathodeError("trace wants a command after --")
    with tempfile.TemporaryFile() as records:
        options.trace = records.fileno()
        status = execute.main(options, command)
        records.seek(0)
        data = records.read()
    if not data:
        raise CathodeError("no trace came from the guest")
    events = convert(data)
    with open(options.output, "w") as file:
        json.dump({"traceEvents": events, "displayTimeUnit": "ns"}, file)
    print(f"cathode: {len(data) // RECORD.size} records in {os.path.abspath(options.output)}; open it with https://ui.perfetto.dev", file=sys.stderr)
    return status


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as source:
        json.dump({"traceEvents": convert(source.read())}, sys.stdout)
