#!/usr/bin/env python3
"""tests/host/bench_test.py - ./cathode bench and ./cathode trace --explain."""
import json
import re
import subprocess

import tap
import bench
import project

CATHODE = str(tap.ROOT / "cathode")
LIMIT_S = 600
# What issue 3 names.
NAMES = """null-call linux-getppid call-reply call-reply-4k clock-gettime pipe-ping-pong socketpair-ping-pong eventfd-ping-pong futex-ping-pong
    context-switch fault-zero fault-cow fault-file mmap-munmap fork-exit-wait fork-exec-wait posix-spawn thread-create-join
    signal-round-trip open-close stat read-1b read-4k read-64k write-1b write-4k write-64k getdents-1000 path-walk-8 pipe-bandwidth
    poll-1000 epoll-1000 shell-200-spawns tar-gzip memory-at-rest boot""".split()


def cathode(*words):
    return subprocess.run([CATHODE, *words], capture_output=True, text=True, timeout=LIMIT_S)


def rule_every_operation_has_a_row():
    missing = set(NAMES) - set(bench.row_names())
    assert not missing, missing


def rule_bench_prints_the_rows_asked_for_and_writes_them():
    done = cathode("bench", "--cathode", "--regime", "icount", "boot", "linux-getppid", "call-reply", "socketpair-ping-pong")
    assert done.returncode == 0, done.stderr
    report = json.loads((project.OUTPUT / "bench.json").read_text())
    rows = {row["name"]: row for row in report["rows"]}
    assert {"boot", "linux-getppid", "call-reply"} <= set(rows) <= {"boot", "linux-getppid", "call-reply", "socketpair-ping-pong"}, rows
    for row in rows.values():
        assert set(row) == {"name", "regime", "unit", "cathode", "linux", "ratio"}, row
        assert row["regime"] == "icount" and row["unit"] == "instructions" and row["cathode"] > 0 and row["linux"] is None
        assert re.search(rf"^{row['name']} +[\d,.]+$", done.stdout, re.MULTILINE), (row, done.stdout)


def rule_a_row_that_is_not_there_is_refused():
    done = cathode("bench", "nonsense")
    assert done.returncode == 125 and "nonsense" in done.stderr and "linux-getppid" in done.stderr, done


def rule_explained_instructions_are_those_that_bench_counts():
    done = cathode("bench", "--cathode", "--regime", "icount", "read-4k")
    assert done.returncode == 0, done.stderr
    counted = json.loads((project.OUTPUT / "bench.json").read_text())["rows"][0]["cathode"]
    done = cathode("trace", "--explain", "read-4k")
    assert done.returncode == 0, done.stderr
    explained = float(done.stdout.split()[0].replace(",", ""))
    assert abs(explained - counted) < 0.05 * counted, (counted, done.stdout)
    for phase in ("entry", "exit", "copy", "personality", "program"):
        assert re.search(rf"^ *[\d,.]+ +[\d.]+ %  {phase}$", done.stdout, re.MULTILINE), (phase, done.stdout)
    assert re.search(r"syscall_entry +kernel/arch/x86_64/entry\.S", done.stdout), done.stdout


tap.run(__name__)
