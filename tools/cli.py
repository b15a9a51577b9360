"""tools/cli.py - reads the command line of ./cathode and calls the tool that does it.

usage: ./cathode COMMAND

  run    [--cpus N] [--memory MB] [--boot direct|uefi] [--display] [--disk [KIND:]FILE|SIZE]... [--share FOLDER[,ro]]
         [--qemu 'EXTRA QEMU ARGUMENTS']...
         a shell on this terminal; Ctrl-A x ends the machine
         disks: a raw or .qcow2 file, or as much empty space as said (64M); KIND is virtio (the default), nvme or sata
         share: that folder of this machine is /host there, to read and (without ,ro) to write, as the user who runs this may
  exec   [--cpus N] [--memory MB] [--timeout S] [--boot direct|uefi] [--disk ...]... [--share ...] [--add HOSTPATH:GUESTPATH]...
         [--icount] [--strace] [--qemu 'EXTRA QEMU ARGUMENTS']... -- COMMAND [ARG...]
         runs COMMAND as root in a fresh machine: its stdin, stdout, stderr and exit status are ours.
         124: timeout; 125: the machine did not get there, or its kernel panicked (the log's path is on stderr)
  screenshot FILE [--vga std|virtio|bochs|ramfb] [exec's options] [-- COMMAND [ARG...]]
         writes what a fresh machine's display shows to FILE, a PNG: once the shell is there, or COMMAND (run as by exec) ended or said DISPLAYED
  test   [FILTER]
         builds and tests everything (or what has FILTER in its name); the last line is `N passed, N failed`
  bench  [--regime icount|tcg|turns|all] [--linux | --cathode] [--against FILE] [ROW...]
         common operations, here and on Debian's Linux: guest instructions on one CPU (icount), nanoseconds on 1, 2 and 4 (tcg);
         or instructions of 1, 2 and 4 CPUs that run in turns (turns, Cathode only);
         also in build/bench.json and build/bench.html. FILE: an earlier bench.json, for the change
  bench  --gate | --accept [--table FILE] [ROW...]
         whether Cathode's instructions are within 5 % of tests/bench/expected.tsv; makes them the new table
  trace  [--output FILE] [exec's options] -- COMMAND [ARG...]
         what kernel and servers did during COMMAND, for https://ui.perfetto.dev or chrome://tracing
  trace  --explain ROW [--functions N] [--lines FUNCTION]... [--flow [N]]
  trace  --explain [the same] [exec's options] -- COMMAND [ARG...]
         where the instructions of one operation of bench, or of a command, went: by phase (entry, copy, switch ...), process and
         function; by line of a function; in the order in which they ran
  gdb    [--cpus N] [--memory MB] [-- COMMAND [ARG...]]
         the debugger on a machine that waits at its first instruction
  build  [TARGET...]
         brings targets of the Makefile up to date
  help

Environment: O is the output folder (build), CATHODE_CACHE keeps what was fetched (build/cache).
"""
import argparse
import importlib
import sys

from project import CathodeError


DISPLAYS = ("std", "virtio", "bochs", "ramfb", "none")


def add_machine_options(parser, cpus):
    parser.add_argument("--cpus", type=int, default=cpus)
    parser.add_argument("--memory", type=int, default=256, metavar="MB")
    parser.add_argument("--boot", choices=("direct", "uefi"), default="direct")
    parser.add_argument("--disk", action="append", default=[], metavar="[KIND:]FILE|SIZE")
    parser.add_argument("--share", default="", metavar="FOLDER[,ro]")
    parser.add_argument("--qemu", action="append", default=[], metavar="ARGUMENTS")
    parser.add_argument("--append", default="", metavar="TEXT", help="added to the kernel's command line")


def add_exec_options(parser):
    add_machine_options(parser, 1)
    parser.add_argument("--timeout", type=float, default=0, metavar="S")
    parser.add_argument("--add", action="append", default=[], metavar="HOSTPATH:GUESTPATH")
    parser.add_argument("--icount", action="store_true")
    parser.add_argument("--strace", action="store_true")


class Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"cathode: {message}; see ./cathode help", file=sys.stderr)
        sys.exit(125)


def make_parser():
    parser = Parser(prog="cathode", add_help=False, allow_abbrev=False)
    commands = parser.add_subparsers(dest="name", parser_class=Parser)
    run = commands.add_parser("run", add_help=False)
    add_machine_options(run, 2)
    run.add_argument("--display", action="store_true")
    run.add_argument("--vga", choices=DISPLAYS, default="")
    screenshot = commands.add_parser("screenshot", add_help=False)
    screenshot.add_argument("file", metavar="FILE")
    add_exec_options(screenshot)
    screenshot.add_argument("--vga", choices=DISPLAYS, default="virtio")
    add_exec_options(commands.add_parser("exec", add_help=False))
    trace = commands.add_parser("trace", add_help=False)
    add_exec_options(trace)
    trace.add_argument("--output", default="trace.json")
    trace.add_argument("--explain", nargs="?", const="", metavar="ROW")
    trace.add_argument("--functions", type=int, default=30, metavar="N")
    trace.add_argument("--lines", action="append", default=[], metavar="FUNCTION")
    trace.add_argument("--flow", type=int, nargs="?", const=400, metavar="N")
    add_machine_options(commands.add_parser("gdb", add_help=False), 1)
    commands.add_parser("test", add_help=False).add_argument("filter", nargs="?", default="")
    bench = commands.add_parser("bench", add_help=False)
    bench.add_argument("rows", nargs="*", metavar="ROW")
    bench.add_argument("--regime", choices=("icount", "tcg", "all", "tcg1", "tcg2", "tcg4", "turns", "turns2", "turns4"), default="all")
    bench.add_argument("--against", metavar="FILE")
    bench.add_argument("--accept", action="store_true")
    bench.add_argument("--gate", action="store_true")
    bench.add_argument("--table", metavar="FILE")
    bench.add_argument("--linux", action="store_true")
    bench.add_argument("--cathode", action="store_true")
    commands.add_parser("build", add_help=False).add_argument("targets", nargs="*")
    return parser


def split_command(words):
    """Our options, and what follows the first `--`."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1:]


def main(words):
    if not words or words[0] in ("help", "-h", "--help"):
        print(__doc__.split("\n", 2)[2].rstrip())
        return 0
    ours, command = split_command(words)
    options = make_parser().parse_args(ours)
    if getattr(options, "cpus", 1) < 1 or getattr(options, "memory", 1) < 1:
        make_parser().error("--cpus and --memory want a positive number")
    if command and options.name not in ("exec", "trace", "gdb", "screenshot"):
        make_parser().error(f"{options.name} takes no command")
    try:
        if options.name == "build":
            import project
            project.build(*options.targets, quiet=False)
            return 0
        tool = importlib.import_module({"exec": "execute", "test": "testing", "gdb": "debug"}.get(options.name, options.name))
        return tool.main(options, command) if options.name in ("exec", "trace", "gdb", "screenshot") else tool.main(options)
    except CathodeError as error:
        print(f"cathode: {error}", file=sys.stderr)
        return 125
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
