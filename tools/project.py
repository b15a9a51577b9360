"""tools/project.py - where things are, and how they are built."""
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Build output; the environment variable O overrides it, as for make.
OUTPUT = (ROOT / os.environ.get("O", "build")).resolve()
KERNEL = OUTPUT / "kernel.elf"
INITFS = OUTPUT / "initfs.img"
MANIFEST = OUTPUT / "initfs.manifest"
LOADER = OUTPUT / "BOOTX64.EFI"
LOGS = OUTPUT / "log"


class CathodeError(Exception):
    """Something that the user must know; ends the command."""


def build(*targets, quiet=True):
    """Brings targets of the Makefile up to date. Output of a build that works goes to stderr, or nowhere when quiet."""
    command = ["make", "-C", str(ROOT), "--no-print-directory", f"-j{os.cpu_count() or 1}", f"O={OUTPUT}", *targets]
    environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "O")}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, text=True, errors="replace",
                          stdout=subprocess.PIPE if quiet else sys.stderr, stderr=subprocess.STDOUT)
    if done.returncode:
        if quiet:
            sys.stderr.write(done.stdout)
        raise CathodeError(f"the build failed: make {' '.join(targets)}")
    for line in (done.stdout or "").splitlines():
        if line.startswith("ports: WARNING:"):
            print(line, file=sys.stderr)


def build_system():
    """Kernel and initial file tree."""
    build("kernel", "initfs")
    if not KERNEL.exists():
        raise CathodeError("the build made no kernel")


def log_file(name):
    """A fresh path for a log; old logs beyond the newest 40 go."""
    LOGS.mkdir(parents=True, exist_ok=True)
    for old in sorted(LOGS.glob("*.log"), key=lambda path: path.stat().st_mtime)[:-40]:
        old.unlink(missing_ok=True)
    return LOGS / f"{name}.{os.getpid()}.log"
