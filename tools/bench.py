"""tools/bench.py - `./cathode bench`: the same static program on Cathode and on Debian's Linux, in the same machine.

Both run in QEMU with the same options (tools/machine.py); Linux is Debian's cloud kernel, tuned (mitigations=off
init_on_alloc=0), with the program in a tiny initial file tree. Regimes: icount counts guest instructions on one CPU and repeats exactly;
tcg1, tcg2 and tcg4 are plain TCG's nanoseconds with so many CPUs, as the host's other load lets them be (the fastest batch is taken).
"""
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import benchgate
import benchpage
import execute
import machine
import ports
import project
from project import CathodeError

META_PACKAGE = "linux-image-cloud-amd64"
LINUX_LINE = "console=ttyS0 quiet mitigations=off init_on_alloc=0 panic=-1"
LIMIT_S = 900
MEMORY_MB = 256
# Regime: how many CPUs, and whether instructions are counted.
REGIMES = {"icount": (1, True), "tcg1": (1, False), "tcg2": (2, False), "tcg4": (4, False), "turns2": (2, True), "turns4": (4, True)}
CHOICES = {"tcg": ["tcg1", "tcg2", "tcg4"], "all": ["icount", "tcg1", "tcg2", "tcg4"], "turns": ["icount", "turns2", "turns4"],
           **{name: [name] for name in REGIMES}}
TIMES = {name: "instructions" if counts else "ns" for name, (_, counts) in REGIMES.items()}
KIB = "KiB"
# One operation of these is a round trip in each of as many independent pairs as there are CPUs.
PAIRS = ("pipe-pairs", "call-reply-pairs")
# Rows of disks have a machine of their own, with disks that keep nothing, so that the host's files add no wait. The counting clock leaps
# while the CPU waits: hardly for the virtio disk, which begins a request in the write to its doorbell, but so much for QEMU's NVMe
# controller that its icount rows differ from run to run (`./cathode trace --explain ROW` counts Cathode's instructions alone).
DISK_ROWS = "disk-"
DISKS = " ".join(f"-blockdev driver=null-co,node-name={name},size=67108864,read-zeroes=on -device {device},drive={name}" for name, device in
                 (("virtio", "virtio-blk-pci,disable-legacy=on,ioeventfd=off"), ("nvme", "nvme,serial=cathode")))
# What Debian's kernel has as modules, in the order in which they need each other.
DISK_MODULES = ("virtio/virtio_ring", "virtio/virtio", "virtio/virtio_pci_legacy_dev", "virtio/virtio_pci_modern_dev", "virtio/virtio_pci",
                "block/virtio_blk")
# Of the machine as a whole, found out by starting the program.
MACHINE_ROWS = ("memory-at-rest", "boot")
# Cathode's own operations, and what of Linux's comes nearest.
NEAREST = {"null-call": "linux-getppid", "call-reply": "pipe-ping-pong", "call-reply-64b": "pipe-ping-pong", "call-reply-4k": "pipe-ping-pong",
           "library-call-reply": "pipe-ping-pong", "library-call-reply-4k": "pipe-ping-pong", "bulk-32": "linux-getppid", "bulk-call-8": "pipe-ping-pong",
           "ring-kernel-32": "linux-getppid", "ring-32": "pipe-ping-pong", "ring-32-64b": "pipe-ping-pong", "call-reply-pairs": "pipe-pairs"}


@dataclass
class Row:
    name: str
    regime: str
    unit: str
    cathode: float | None = None
    linux: float | None = None

    def ratio(self):
        return self.cathode / self.linux if self.cathode is not None and self.linux else None

    def json(self):
        ratio = self.ratio()
        return {"name": self.name, "regime": self.regime, "unit": self.unit, "cathode": self.cathode, "linux": self.linux,
                "ratio": None if ratio is None else round(ratio, 4)}


def row_names():
    """{name: the program that measures it}, in the order of the programs' tables."""
    found = {}
    for folder in ("linux", "native"):
        for path in sorted((project.ROOT / "bench" / folder).glob("*.c")):
            found |= {name: folder for name in re.findall(r'\{ \.name = "([\w-]+)"', path.read_text())}
    return {**found, **{name: "machine" for name in MACHINE_ROWS}}


def wants_disks(rows):
    """rows: names with commas between; those of disks are never with others."""
    return rows.startswith(DISK_ROWS)


# ---- The two systems -------------------------------------------------------------------------------------------------

def linux_kernel():
    """The path of Debian's cloud kernel, and its version."""
    meta = ports.package_fetch(META_PACKAGE)
    name = (meta / "depends").read_text().split()[0]
    root = ports.package_fetch(name) / "root"
    image, = (root / "boot").glob("vmlinuz-*")
    return image, image.name.removeprefix("vmlinuz-")


def cpio_entry(name, mode, content=b"", device=(0, 0)):
    """One file of an initial file tree in cpio's "newc" format."""
    fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)


def linux_modules(has_disks):
    image, version = linux_kernel()
    folder = image.parent.parent / "lib/modules" / version / "kernel/drivers"
    return b"".join(cpio_entry(f"modules/{number}.ko", 0o100644, (folder / f"{name}.ko").read_bytes())
                    for number, name in enumerate(DISK_MODULES if has_disks else ()))


def linux_tree(has_disks):
    programs = project.OUTPUT / "bench"
    busybox, = (ports.package_fetch("busybox-static") / "root").glob("**/bin/busybox")
    return b"".join((cpio_entry("dev", 0o040755), cpio_entry("dev/console", 0o020600, device=(5, 1)), cpio_entry("bin", 0o040755),
                     cpio_entry("modules", 0o040755), linux_modules(has_disks),
                     cpio_entry("bin/busybox", 0o100755, busybox.read_bytes()), cpio_entry("bin/sh", 0o120777, b"busybox"),
                     cpio_entry("init", 0o100755, (programs / "linux_init").read_bytes()),
                     cpio_entry("bench", 0o100755, (programs / "bench").read_bytes()), cpio_entry("TRAILER!!!", 0)))


def machine_of(regime, rows, **options):
    """The machine for rows, in which nothing but the host's speed differs from one start to the next."""
    cpus, counts = REGIMES[regime]
    extra = ["-rtc base=2026-01-01,clock=vm -seed 1"] + ([DISKS] if wants_disks(rows) else [])
    return machine.Machine(cpus=cpus, memory_mb=MEMORY_MB, icount=counts, extra=extra, **options)


def output_of(one, system):
    """What the machine wrote to its serial port until it powered itself off."""
    with machine.work_folder() as folder:
        process = machine.start(one.arguments(folder) + ["-display", "none", "-serial", "stdio"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            return process.communicate(timeout=LIMIT_S)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            raise CathodeError(f"{system} did not end within {LIMIT_S} s")
        finally:
            machine.stop(process)


def on_linux(regime, rows):
    """What the program printed on Linux. rows: names with commas between, or "" for all."""
    with machine.work_folder() as folder:
        tree = Path(folder) / "tree"
        tree.write_bytes(linux_tree(wants_disks(rows)))
        text = output_of(machine_of(regime, rows, kernel=linux_kernel()[0], initfs=tree, command_line=f"{LINUX_LINE} -- {rows}"), "Linux")
    if "BENCH END 0" not in text:
        raise CathodeError(f"the benchmark failed on Linux:\n{text[-2000:]}")
    return text


def on_cathode(regime, rows):
    """What the programs printed on Cathode. rows as above."""
    with machine.work_folder() as folder:
        rc = Path(folder) / "init.rc"
        rc.write_text((project.ROOT / "bench/init.rc").read_text().replace("ROWS", rows))
        image = execute.make_initfs([f"{rc}:/etc/init.rc", f"{project.OUTPUT / 'bench/bench'}:/bench",
                                     f"{project.OUTPUT / 'bin/bench/native_bench'}:/native_bench"], folder)
        text = output_of(machine_of(regime, rows, initfs=image, command_line="mode=bench"), "Cathode")
    if "BENCH END" not in text:
        raise CathodeError(f"the benchmark failed on Cathode:\n{text[-2000:]}")
    return text


def parse(text, regime):
    """{row: its figure, or None where the system lacks what it needs} of what the programs printed."""
    raw = {}
    for line in text.splitlines():
        words = line.rstrip().split("\t")
        if len(words) == 3 and words[1].isdigit() and words[2].isdigit():
            raw[words[0]] = int(words[1]), int(words[2])
        elif words[1:] == ["absent"]:
            raw[words[0]] = None
    counts = REGIMES[regime][1]
    # A tick is an instruction where they are counted.
    unit = 1 if counts else raw["second"][0] / 1e9
    figures = {name: None if took is None else took[0 if counts else 1] / 1000 / unit for name, took in raw.items()
               if name not in ("began", "second", "free-kib")}
    figures["boot"] = raw["began"][0] / unit
    figures["memory-at-rest"] = MEMORY_MB * 1024 - raw["free-kib"][0]
    return figures


def measure(regime, names, systems):
    """The rows of a regime. systems: some of "cathode", "linux"."""
    programs = {name: program for name, program in row_names().items() if not wants_disks(name)}
    disks = [name for name in names if wants_disks(name)]
    # Without one the programs would measure all.
    wanted = [name for name in names if programs.get(name, "machine") != "machine"] or ["none"]
    if len(wanted) == sum(program != "machine" for program in programs.values()):
        wanted = []
    run = {"cathode": on_cathode, "linux": on_linux}
    figures = {system: {} for system in systems}
    for system in systems:
        if disks:
            figures[system] |= parse(run[system](regime, ",".join(disks)), regime)
        if len(disks) < len(names):
            figures[system] |= parse(run[system](regime, ",".join(wanted)), regime)
    rows = []
    for name in names:
        row = Row(name, regime, KIB if name == "memory-at-rest" else TIMES[regime])
        for system, values in figures.items():
            value = values.get(name)
            setattr(row, system, None if value is None else round(value, 1) if value < 1000 else round(value))
        if row.cathode is not None or row.linux is not None:
            rows.append(row)
        else:
            print(f"cathode: {name} skipped: what it needs is not there", file=sys.stderr)
    return rows


# ---- What comes of it ------------------------------------------------------------------------------------------------

def figure(value):
    return "" if value is None else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def changes(rows, earlier):
    """{(name, regime): new / old} for Cathode's figures, of rows that both have."""
    old = {(row["name"], row["regime"]): row["cathode"] for row in earlier}
    return {(row.name, row.regime): row.cathode / old[row.name, row.regime] for row in rows
            if row.cathode is not None and old.get((row.name, row.regime))}


def table_line(row, nearest, change):
    ratio = row.ratio()
    words = [f"{row.name:24}", f"{figure(row.cathode):>14}", f"{figure(row.linux):>14}", f"{'' if ratio is None else f'{ratio:.2f}':>7}"]
    if change is not None:
        words.append(f"{100 * (change - 1):+7.1f} %")
    if nearest:
        words.append(f"  nearest: {nearest.name} {figure(nearest.linux)}")
    return " ".join(words).rstrip()


def print_tables(rows, change):
    for regime in dict.fromkeys(row.regime for row in rows):
        mine = [row for row in rows if row.regime == regime]
        print(f"{f'{regime}, {TIMES[regime]}':24} {'Cathode':>14} {'Linux':>14} {'ratio':>7}{'  change' if change else ''}")
        for row in mine:
            if row.name not in NEAREST:
                print(table_line(row, None, change.get((row.name, regime))))
        by_name = {row.name: row for row in mine}
        native = [row for row in mine if row.name in NEAREST]
        if native:
            print("Cathode's own operations")
        for row in native:
            near = by_name.get(NEAREST[row.name])
            print(table_line(row, near if near and near.linux is not None else None, change.get((row.name, regime))))
        print()


def scaling(rows):
    """{(name, system): [(CPUs, how many times the throughput of one)]} of rows of independent pairs, one per CPU."""
    curves = {}
    for system in ("cathode", "linux"):
        for name in PAIRS:
            took = {REGIMES[row.regime][0]: getattr(row, system) for row in rows if row.name == name and not REGIMES[row.regime][1]}
            if took.get(1) and len(took) > 1:
                curves[name, system] = [(cpus, cpus * took[1] / value) for cpus, value in sorted(took.items()) if value]
    return curves


def pair_costs(rows):
    """{(name, system): [(CPUs, instructions of one pair's round trip)]} of the same rows, where instructions of all CPUs were counted."""
    costs = {}
    for row in rows:
        cpus, counts = REGIMES[row.regime]
        for system in ("cathode", "linux"):
            if counts and row.name in PAIRS and getattr(row, system):
                costs.setdefault((row.name, system), []).append((cpus, getattr(row, system) / cpus))
    return {key: points for key, points in costs.items() if len(points) > 1}


def print_scaling(rows):
    for (name, system), points in pair_costs(rows).items():
        print(f"{name:24} {system:8} instructions of each pair beside others: " + "   ".join(f"{cpus}: {cost:,.0f}" for cpus, cost in points))
    curves = scaling(rows)
    if curves:
        print(f"scaling: throughput of one pair per CPU, against one pair; this host has {os.cpu_count()} CPUs")
    for (name, system), points in curves.items():
        print(f"{name:24} {system:8} " + "   ".join(f"{cpus}: {times:.2f}x" for cpus, times in points))


def report_write(rows, change, version):
    commit = subprocess.run(["git", "-C", str(project.ROOT), "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    report = {"commit": commit, "time": int(time.time()), "linux_version": version, "rows": [row.json() for row in rows]}
    (project.OUTPUT / "bench.json").write_text(json.dumps(report, indent=1) + "\n")
    (project.OUTPUT / "bench.html").write_text(benchpage.page(report["rows"], change, NEAREST, version, commit))


def report_read(path):
    try:
        return json.loads(Path(path).read_text())["rows"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CathodeError(f"{path} is no bench.json: {error}")


def rows_wanted(words):
    known = row_names()
    unknown = [word for word in words if word not in known]
    if unknown:
        raise CathodeError(f"no row {' '.join(unknown)}; there are: {' '.join(known)}")
    return [name for name in known if not words or name in words]


def gate(names, options):
    """The regression gate: measures Cathode's instructions and judges those of names, or makes them the new table."""
    table = Path(options.table) if options.table else benchgate.TABLE
    # All are measured, always: what ran before a row moves its figure a little.
    measured = [name for name in row_names() if not wants_disks(name)]
    rows = [row for row in measure(benchgate.REGIME, measured, ["cathode"]) if row.name in names]
    if options.accept:
        benchgate.accept(rows, list(row_names()), table)
        print(f"cathode: {len(benchgate.counted(rows))} rows written to {table}: commit it with the change", file=sys.stderr)
        return 0
    expected = {name: value for name, value in benchgate.table_read(table).items() if name in names}
    return 0 if benchgate.print_tap(benchgate.compare(rows, expected)) else 1


def main(options):
    names = rows_wanted(options.rows)
    earlier = report_read(options.against) if options.against else []
    is_gate = options.accept or options.gate
    systems = ["cathode"] if is_gate else [system for system in ("cathode", "linux") if getattr(options, system) or options.linux == options.cathode]
    if options.regime.startswith("turns"):  # Linux does not come up so
        systems = ["cathode"]
    project.build("bench-programs")
    rows, version = [], None
    try:
        if "cathode" in systems:
            project.build_system()
        if is_gate:
            return gate(names, options)
        if "linux" in systems:
            version = linux_kernel()[1]
        for regime in CHOICES[options.regime]:
            rows += measure(regime, names, systems)
    except ports.PortError as error:
        raise CathodeError(str(error))
    change = changes(rows, earlier)
    print_tables(rows, change)
    print_scaling(rows)
    if version:
        print(f"Linux: Debian's {version}, {LINUX_LINE.removeprefix('console=ttyS0 quiet ')}", file=sys.stderr)
    report_write(rows, change, version)
    return 0
