"""tests/model/check.py MODEL.pml - lets SPIN try every course of a model, and of its broken variants, which it must find to fail.

A model's comment names each variant as -DNAME. Prints TAP.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT_S, MEMORY_MB, DEPTH = 60, 1024, 1_000_000


def errors_of(model, variant):
    """How many faults SPIN finds (it stops at the first), and what it says."""
    with tempfile.TemporaryDirectory(prefix="model.") as folder:
        def run(*command):
            return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, timeout=LIMIT_S, check=True).stdout
        run("spin", *variant, "-a", model)
        run("gcc", "-O1", "-w", "-DSAFETY", f"-DMEMLIM={MEMORY_MB}", "-o", "pan", "pan.c")
        said = run("./pan", f"-m{DEPTH}")
    found = re.search(r"errors: (\d+)", said)
    if not found or "max search depth too small" in said or "out of memory" in said:
        raise ValueError(f"the search did not come to its end:\n{said}")
    return int(found[1]), said


def main():
    model = Path(sys.argv[1]).resolve()
    comment = re.match(r"/\*(.*?)\*/", model.read_text(), re.DOTALL)[1]
    variants = sorted(set(re.findall(r"-D[A-Z_]+", comment)))
    points = 0
    for variant in [None, *variants]:
        points += 1
        rule = f"{model.stem} holds in every course" if variant is None else f"{model.stem} with {variant} is found to be broken"
        try:
            errors, said = errors_of(model, [variant] if variant else [])
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            errors, said = None, f"{error}\n{getattr(error, 'stdout', '') or ''}"
        good = errors == 0 if variant is None else errors == 1
        print(f"{'ok' if good else 'not ok'} {points} - {rule}")
        if not good:
            print("".join(f"# {line}\n" for line in said.splitlines()))
    print(f"1..{points}")


main()
