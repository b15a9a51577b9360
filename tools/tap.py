"""tools/tap.py - reads the Test Anything Protocol, strictly: what does not end well has failed."""
import re
from dataclasses import dataclass, field

POINT = re.compile(r"(not )?ok\b(?: +(\d+))?(?: +-)? *(.*)")
PLAN = re.compile(r"1\.\.(\d+)\s*(#.*)?$")


@dataclass
class Result:
    passed: int = 0
    skipped: int = 0
    failures: list = field(default_factory=list)    # what failed, in words


def read(text, status):
    """The result of a program that wrote text and ended with this exit status."""
    result, plan, points = Result(), None, 0
    for line in text.splitlines():
        line = line.rstrip()
        if plan_line := PLAN.match(line):
            plan = int(plan_line[1])
        elif line.startswith("Bail out!"):
            result.failures.append(line)
        elif point := POINT.match(line):
            points += 1
            words, _, directive = point[3].partition("# ")
            if point[1] and not directive.upper().startswith("TODO"):
                result.failures.append(words.strip() or f"point {points}")
            elif directive.upper().startswith("SKIP"):
                result.skipped += 1
            else:
                result.passed += 1
    if plan is None:
        result.failures.append(f"it ended without a plan (exit status {status})")
    elif plan != points:
        result.failures.append(f"{plan} points were planned and {points} came (exit status {status})")
    elif status and not result.failures:
        result.failures.append(f"exit status {status}")
    return result
