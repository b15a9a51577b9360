"""tools/testing.py - `./cathode test`: every test there is, and one line that says how it went.

Suites, each with a name that FILTER selects by part of it:
  build/...                 every target of the build; gcc accepts the code too
  host/PATH_test            modules on the host, with sanitizers (PATH_test.c)
  fuzz/PATH_fuzz            parsers on mutated inputs, a bounded number (PATH_fuzz.c)
  model/NAME                tests/model/NAME.pml, every course of it, and its broken variants
  limits                    kernel lines and bytes, operations
  tools/NAME                tests/host/NAME: programs that test the tools and drive ./cathode exec
  bench                     instructions of operations grew by no more than 5 % over tests/bench/expected.tsv
  guest/NAME@CPUS           tests/guest/NAME.sh, run in a fresh machine with 1, 2 and 4 CPUs
A suite prints TAP. A guest test may say in its first comment lines what it needs:
  # cpus: 1 4    # memory: 64    # timeout: 600    # add: HOSTPATH:GUESTPATH    # qemu: ARGUMENTS    # disk: KIND:SIZE    # share: new (an empty folder)
"""
import concurrent.futures
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import machine
import measure
import project
import tap
from project import CathodeError

HOST_LIMIT_S, FUZZ_LIMIT_S, MODEL_LIMIT_S, GUEST_LIMIT_S, TOOLS_LIMIT_S = 300, 300, 300, 400, 900
FUZZ_INPUTS = 20_000
GUEST_CPUS = (1, 2, 4)
PARALLEL = 2                # machines at a time: hosts have few cores
BUILDS = {"kernel": ["kernel"], "programs": ["programs", "initfs"], "loader": ["boot"], "host-tests": ["host-tests"],
          "test-programs": ["test-programs", "bench-programs"], "gcc-check": ["gcc-check"], "debug": ["kernel", "DEBUG=1"]}


@dataclass
class Suite:
    name: str
    command: list
    limit_s: float
    targets: tuple = ()         # what must have been built, when FILTER leaves out the rest
    folder: Path | None = None  # to be there, and empty

    def run(self):
        """Its TAP and exit status."""
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
        try:
            done = subprocess.run(self.command, cwd=project.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=self.limit_s, env=suite_environment(),
                                  preexec_fn=machine.die_with_parent)
        except subprocess.TimeoutExpired as error:
            output = (error.stdout or b"").decode(errors="replace")
            return output + f"\n# did not end within {self.limit_s} s\n", 124
        except FileNotFoundError as error:      # its build failed, which has been counted
            return f"# not built: {error.filename}\n", 127
        return done.stdout.decode(errors="replace"), done.returncode


def suite_environment():
    return {**os.environ, "O": str(project.OUTPUT), "ASAN_OPTIONS": "detect_stack_use_after_return=1", "UBSAN_OPTIONS": "print_stacktrace=1",
            "PYTHONDONTWRITEBYTECODE": "1"}


def sources(pattern):
    return sorted(path.relative_to(project.ROOT) for top in ("kernel", "boot", "lib", "servers", "drivers", "fs", "net", "personality", "cmd")
                  for path in (project.ROOT / top).rglob(pattern))


def host_suites():
    for path in sources("*_test.c"):
        program = project.OUTPUT / "host" / path.with_suffix("")
        yield Suite(f"host/{path.with_suffix('')}", [program], HOST_LIMIT_S, (str(program),))


def fuzz_suites():
    for path in sources("*_fuzz.c"):
        program = project.OUTPUT / "host" / path.with_suffix("")
        corpus = sorted(file for file in (project.ROOT / path.with_suffix(".corpus")).glob("*") if file.is_file())
        yield Suite(f"fuzz/{path.with_suffix('')}", [program, "-n", str(FUZZ_INPUTS), *corpus], FUZZ_LIMIT_S, (str(program),))


def model_suites():
    for path in sorted((project.ROOT / "tests/model").glob("*.pml")):
        yield Suite(f"model/{path.stem}", [sys.executable, path.parent / "check.py", path], MODEL_LIMIT_S)


def tools_suites():
    folder = project.ROOT / "tests/host"
    for path in sorted([*folder.glob("*_test.py"), *folder.glob("*.sh")]):
        interpreter = sys.executable if path.suffix == ".py" else "/bin/sh"
        yield Suite(f"tools/{path.stem}", [interpreter, path], TOOLS_LIMIT_S, ("kernel", "initfs", "boot", "test-programs"))


def guest_needs(path):
    """{word: [values]} of the comment lines at the top of a guest test."""
    needs = {}
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            break
        word, colon, value = line[1:].strip().partition(":")
        if colon and word in ("cpus", "memory", "timeout", "add", "qemu", "disk", "share", "icount"):
            needs.setdefault(word, []).append(value.strip())
    return needs


def share_folder(path, cpus):
    return project.OUTPUT / "share" / f"{path.stem}@{cpus}"


def guest_command(path, cpus, needs):
    limit = needs.get("timeout", [str(GUEST_LIMIT_S)])[-1]
    command = [str(project.ROOT / "cathode"), "exec", "--cpus", str(cpus), "--timeout", limit, "--memory", needs.get("memory", ["256"])[-1],
               "--add", f"{project.ROOT / 'tests/guest'}:/tests"]
    # Built before the suite runs: in a clean tree they are not there yet when it is listed.
    for folder, guest in ((project.OUTPUT / "linux", "/tests/linux"), (project.OUTPUT / "bin/tests", "/tests/native")):
        command += ["--add", f"{folder}:{guest}"]
    for word in ("add", "qemu", "disk"):
        for value in needs.get(word, []):
            command += [f"--{word}", value]
    if "share" in needs:
        command += ["--share", str(share_folder(path, cpus))]
    if "icount" in needs:      # an exact clock: 2 to the power of so many ns per instruction
        command += ["--icount", "--qemu", f"-icount shift={needs['icount'][-1]},sleep=off"]
    return command + ["--", "/bin/sh", f"/tests/{path.name}"], float(limit) + 60


def guest_suites():
    for path in sorted((project.ROOT / "tests/guest").glob("*.sh")):
        needs = guest_needs(path)
        for cpus in needs["cpus"][-1].split() if "cpus" in needs else GUEST_CPUS:
            command, limit_s = guest_command(path, cpus, needs)
            folder = share_folder(path, cpus) if "share" in needs else None
            yield Suite(f"guest/{path.stem}@{cpus}", command, limit_s, ("kernel", "initfs", "test-programs"), folder)


class Report:
    def __init__(self):
        self.passed = self.skipped = 0
        self.failures = []

    def add(self, name, result, output, seconds):
        self.passed += result.passed
        self.skipped += result.skipped
        self.failures += [f"{name}: {words}" for words in result.failures]
        if result.failures:
            print(f"--- {name}: output\n{output.rstrip()}\n---")
        skipped = f", {result.skipped} skipped" if result.skipped else ""
        print(f"{'FAILED' if result.failures else 'ok    '} {name}: {result.passed} passed, {len(result.failures)} failed{skipped} ({seconds:.1f} s)", flush=True)

    def end(self):
        for failure in self.failures:
            print(f"failed: {failure}")
        if self.skipped:
            print(f"{self.skipped} skipped")
        print(f"{self.passed} passed, {len(self.failures)} failed")
        return 1 if self.failures or not self.passed else 0


def build_suites(report, selected):
    """Builds what the selected suites need. Each target is a test point."""
    for name, targets in BUILDS.items():
        if not selected(f"build/{name}"):
            continue
        start, result, output = time.monotonic(), tap.Result(), ""
        try:
            project.build(*targets, quiet=False)
            result.passed = 1
        except CathodeError as error:
            result.failures.append(str(error))
        report.add(f"build/{name}", result, output, time.monotonic() - start)


def prepare(report, suites):
    """For a filtered run: just what these suites need."""
    targets = sorted({target for suite in suites for target in suite.targets})
    try:
        if targets:
            project.build(*targets, quiet=False)
    except CathodeError as error:
        report.add("build", tap.Result(failures=[str(error)]), "", 0)


def run_suite(suite):
    start = time.monotonic()
    output, status = suite.run()
    return suite, tap.read(output, status), output, time.monotonic() - start


def main(options):
    def selected(name):
        return options.filter in name

    report = Report()
    limits = Suite("limits", [sys.executable, Path(measure.__file__)], HOST_LIMIT_S, ("kernel",))
    gate = Suite("bench", [project.ROOT / "cathode", "bench", "--gate"], TOOLS_LIMIT_S, ("kernel", "initfs", "bench-programs"))
    suites = [suite for suite in (*host_suites(), *fuzz_suites(), *model_suites(), limits, gate, *guest_suites(), *tools_suites()) if selected(suite.name)]
    build_suites(report, selected)
    if options.filter:
        prepare(report, suites)
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        for suite, result, output, seconds in pool.map(run_suite, suites):
            report.add(suite.name, result, output, seconds)
    return report.end()
