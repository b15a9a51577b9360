"""tools/benchgate.py - the regression gate: tests/bench/expected.tsv says how many instructions each operation takes on Cathode.

`./cathode test` fails (suite "bench") when one takes more than 5 % more than the table says, or is gone. Who means that writes the table
anew with `./cathode bench --accept` and commits it with the change. What became faster is only said.
"""
import re

import project
from project import CathodeError

TABLE = project.ROOT / "tests/bench/expected.tsv"
TOLERANCE = 0.05
REGIME = "icount"
HEAD = """# tests/bench/expected.tsv - guest instructions per operation on Cathode; written by `./cathode bench --accept`.
# ./cathode test fails when one grows by more than 5 %: the change that means it brings the new table along.
"""
ENTRY = re.compile(r"[\w-]+\t[\d.e+]+$")
# Not in the gate: what is no count of instructions.
LEFT_OUT = ("memory-at-rest",)


def table_read(path=TABLE):
    """{row: instructions}."""
    expected = {}
    try:
        for line in path.read_text().splitlines():
            if line and not line.startswith("#"):
                name, value = line.split("\t")
                expected[name] = float(value)
    except (OSError, ValueError) as error:
        raise CathodeError(f"{path}: {error}")
    return expected


def table_write(expected, path=TABLE):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + "".join(f"{name}\t{value:g}\n" if value < 1000 else f"{name}\t{value:.0f}\n" for name, value in expected.items()))


def counted(rows):
    """{row: instructions} of what was measured."""
    return {row.name: row.cathode for row in rows if row.regime == REGIME and row.cathode is not None and row.name not in LEFT_OUT}


def accept(rows, order, path=TABLE):
    """The measured rows replace the table's; the others stay. order: all rows there are. The table may be one that git left with two sides."""
    lines = path.read_text().splitlines() if path.exists() else []
    known = {name: float(value) for name, value in (line.split("\t") for line in lines if ENTRY.match(line))} | counted(rows)
    table_write({name: known[name] for name in order if name in known}, path)


def compare(rows, expected):
    """[(row, failure or None, remark or None)] of every row of the table and every one that was measured."""
    found = counted(rows)
    verdicts = []
    for name in dict.fromkeys([*expected, *found]):
        want, have = expected.get(name), found.get(name)
        if want is None:
            verdicts.append((name, None, f"new: {have:,.0f}, the table does not have it yet"))
        elif have is None:
            verdicts.append((name, "was not measured", None))
        elif have > want * (1 + TOLERANCE):
            verdicts.append((name, f"grew from {want:,.0f} to {have:,.0f} instructions (+{100 * (have / want - 1):.1f} %)", None))
        else:
            faster = have < want * (1 - TOLERANCE)
            verdicts.append((name, None, f"faster: {want:,.0f} became {have:,.0f}, tighten the table" if faster else None))
    return verdicts


def print_tap(verdicts):
    """The verdicts as TAP; True when there is no failure."""
    for number, (name, failure, remark) in enumerate(verdicts, 1):
        if remark:
            print(f"# {name}: {remark}: ./cathode bench --accept {name}")
        print(f"{'not ok' if failure else 'ok'} {number} - {name}{f' {failure}' if failure else ''}")
    print(f"1..{len(verdicts)}")
    failed = [name for name, failure, _ in verdicts if failure]
    if failed:
        print(f"# Find where they went: ./cathode trace --explain {failed[0]}")
        print("# If it is meant: ./cathode bench --accept, and commit tests/bench/expected.tsv with the change, which says why.")
    return not failed
