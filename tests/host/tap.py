"""tests/host/tap.py - rules as functions, TAP as output: the Python twin of lib/test/test.h.

Every function whose name starts with rule_ is a test; its name says the rule. It fails by any exception.
"""
import sys
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))


class Skip(Exception):
    """Raised by a test that cannot run here, with the reason."""


def run(module):
    rules = [(name, value) for name, value in vars(sys.modules[module]).items() if name.startswith("rule_")]
    failed = 0
    for number, (name, rule) in enumerate(rules, 1):
        words = name[len("rule_"):].replace("_", " ")
        try:
            rule()
            print(f"ok {number} - {words}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {words} # SKIP {reason}", flush=True)
        except Exception:
            failed += 1
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            print(f"not ok {number} - {words}", flush=True)
    print(f"1..{len(rules)}")
    sys.exit(failed != 0)
