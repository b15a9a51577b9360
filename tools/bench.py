"""tools/bench.py - `./cathode bench`: the same static program on Cathode and on Debian's Linux, in guest instructions.

Both run in QEMU with `-icount shift=0,sleep=off -smp 1 -cpu max,-erms,-fsrm`; Linux is Debian's cloud kernel, tuned
(mitigations=off init_on_alloc=0), with the program in a tiny initial file tree.
"""
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import execute
import machine
import ports
import project
from project import CathodeError

META_PACKAGE = "linux-image-cloud-amd64"
LINUX_LINE = "console=ttyS0 quiet mitigations=off init_on_alloc=0 panic=-1"
LIMIT_S = 900
MEMORY_MB = 256
USED = "memory used before it, KiB"


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


def linux_tree():
    programs = project.OUTPUT / "bench"
    return (cpio_entry("dev", 0o040755) + cpio_entry("dev/console", 0o020600, device=(5, 1)) +
            cpio_entry("init", 0o100755, (programs / "linux_init").read_bytes()) +
            cpio_entry("bench", 0o100755, (programs / "bench").read_bytes()) + cpio_entry("TRAILER!!!", 0))


def parse(text):
    """{operation: instructions} of a benchmark's output."""
    lines = [line.rstrip().split("\t") for line in text.splitlines()]
    return {words[0]: int(words[1]) for words in lines if len(words) == 2 and words[1].isdigit()}


def on_linux():
    kernel, version = linux_kernel()
    with tempfile.TemporaryDirectory(prefix="cathode.") as folder:
        tree = Path(folder) / "tree"
        tree.write_bytes(linux_tree())
        one = machine.Machine(kernel=kernel, initfs=tree, memory_mb=MEMORY_MB, icount=True, command_line=LINUX_LINE)
        process = machine.start(one.arguments(folder) + ["-display", "none", "-serial", "stdio"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            text = process.communicate(timeout=LIMIT_S)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            raise CathodeError(f"Linux did not end within {LIMIT_S} s")
        finally:
            machine.stop(process)
    if "BENCH END 0" not in text:
        raise CathodeError(f"the benchmark failed on Linux:\n{text[-2000:]}")
    figures = parse(text[text.index("BENCH BEGIN"):])
    figures[USED] = MEMORY_MB * 1024 - figures.pop("KiB free")
    return version, figures


def on_cathode():
    figures = {}
    with tempfile.TemporaryFile() as output:
        def run(*command, **job_options):
            output.seek(0)
            output.truncate()
            job = execute.Job(list(command), timeout_s=LIMIT_S, stdin=None, stdout=output.fileno(), name="bench", **job_options)
            status = execute.run(job, machine.Machine(memory_mb=MEMORY_MB, icount=True))
            output.seek(0)
            if status:
                raise CathodeError(f"{' '.join(command)} ended with {status} on Cathode")
            return output.read().decode(errors="replace")

        found = re.search(r"MemFree:\s*(\d+)", run("cat", "/proc/meminfo"))
        figures = parse(run("/bench", adds=[f"{project.OUTPUT / 'bench/bench'}:/bench"]))
        if found:
            figures[USED] = MEMORY_MB * 1024 - int(found[1])
        figures |= parse(run("/native_bench", adds=[f"{project.OUTPUT / 'bin/bench/native_bench'}:/native_bench"]))
    return figures


def print_table(cathode, linux):
    names = list(dict.fromkeys([*cathode, *linux]))
    print(f"{'guest instructions per operation':36} {'Cathode':>14} {'Linux':>14} {'ratio':>7}")
    for name in names:
        ours, theirs = cathode.get(name), linux.get(name)
        ratio = f"{ours / theirs:.2f}" if ours is not None and theirs else ""
        print(f"{name:36} {'' if ours is None else f'{ours:,}':>14} {'' if theirs is None else f'{theirs:,}':>14} {ratio:>7}")


def main(options):
    both = options.linux == options.cathode
    project.build("bench-programs")
    version, linux, cathode = None, {}, {}
    try:
        if both or options.linux:
            version, linux = on_linux()
        if both or options.cathode:
            project.build_system()
            cathode = on_cathode()
    except ports.PortError as error:
        raise CathodeError(str(error))
    print_table(cathode, linux)
    if version:
        print(f"Linux: Debian's {version}, {LINUX_LINE.removeprefix('console=ttyS0 quiet ')}", file=sys.stderr)
    commit = subprocess.run(["git", "-C", str(project.ROOT), "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    report = project.OUTPUT / "bench.json"
    report.write_text(json.dumps({"commit": commit, "time": int(time.time()), "linux_version": version,
                                  "cathode": cathode, "linux": linux}, indent=1) + "\n")
    return 0
