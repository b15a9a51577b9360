#!/usr/bin/env python3
"""tests/host/bench_test.py - ./cathode bench and ./cathode trace --explain."""
import json
import re
import subprocess
import tempfile
from pathlib import Path

import tap
import bench
import benchgate
import benchpage
import project

CATHODE = str(tap.ROOT / "cathode")
LIMIT_S = 600
# What issue 3 names.
NAMES = """null-call linux-getppid call-reply call-reply-4k clock-gettime pipe-ping-pong socketpair-ping-pong eventfd-ping-pong futex-ping-pong
    context-switch fault-zero fault-cow fault-file mmap-munmap fork-exit-wait fork-exec-wait posix-spawn thread-create-join
    signal-round-trip open-close stat read-1b read-4k read-64k write-1b write-4k write-64k getdents-1000 path-walk-8 pipe-bandwidth
    poll-1000 epoll-1000 bulk-32 ring-32 shell-200-spawns tar-gzip memory-at-rest boot""".split()


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


def rule_disks_are_measured_in_a_machine_of_their_own():
    names = [f"disk-{kind}-{row}" for kind in ("virtio", "nvme") for row in ("seq-read-1m", "seq-write-1m", "rand-read-4k", "rand-write-4k",
                                                                            "rand-read-4k-qd32", "rand-write-4k-qd32")]
    assert set(names) <= set(bench.row_names()), names
    assert not any(name.startswith("disk-") for name in benchgate.table_read()), "the gate's machine has no disks"
    done = cathode("bench", "--cathode", "--regime", "icount", "linux-getppid", "disk-virtio-rand-read-4k", "disk-nvme-rand-write-4k")
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row["cathode"] for row in json.loads((project.OUTPUT / "bench.json").read_text())["rows"]}
    # As in a machine without disks, and not without the driver.
    assert 100 < rows["linux-getppid"] < 1000 < rows["disk-virtio-rand-read-4k"] and rows["disk-nvme-rand-write-4k"] > 1000, rows


def rule_a_row_that_is_not_there_is_refused():
    done = cathode("bench", "nonsense")
    assert done.returncode == 125 and "nonsense" in done.stderr and "linux-getppid" in done.stderr, done


def rows_of(**figures):
    return [bench.Row(name.replace("_", "-"), "icount", "instructions", cathode=value) for name, value in figures.items()]


def rule_the_gate_fails_for_what_grew_and_tells_of_what_shrank():
    expected = {"stat": 1000, "read-4k": 1000, "read-1b": 1000, "fault-cow": 1000}
    verdicts = {name: (failure, remark) for name, failure, remark in
                benchgate.compare(rows_of(stat=1051, read_4k=1050, read_1b=949, boot=5), expected)}
    assert "+5.1 %" in verdicts["stat"][0], verdicts
    assert verdicts["read-4k"] == (None, None), verdicts
    assert verdicts["read-1b"][0] is None and "faster" in verdicts["read-1b"][1], verdicts
    assert verdicts["fault-cow"][0], "a row that is gone must fail"
    assert verdicts["boot"][0] is None and "new" in verdicts["boot"][1], verdicts


def rule_accept_keeps_what_was_not_measured_and_the_order():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        benchgate.table_write({"stat": 10, "boot": 22017411}, path)
        benchgate.accept(rows_of(read_1b=983.4, stat=12), ["read-1b", "stat", "boot"], path)
        assert list(benchgate.table_read(path).items()) == [("read-1b", 983.4), ("stat", 12), ("boot", 22017411)], path.read_text()
        path.write_text("<<<<<<< HEAD\nstat\t5\n=======\nstat\t6\n>>>>>>> other\nboot\t7\n")
        benchgate.accept(rows_of(stat=12), ["stat", "boot"], path)
        assert benchgate.table_read(path) == {"stat": 12, "boot": 7}, path.read_text()


def rule_a_grown_row_fails_the_gate_with_the_way_out():
    with tempfile.TemporaryDirectory() as folder:
        doctored = Path(folder) / "table"
        table = benchgate.table_read()
        benchgate.table_write({**table, "stat": table["stat"] / 2}, doctored)
        done = cathode("bench", "--gate", "--table", str(doctored), "stat", "null-call")
    assert done.returncode == 1, done
    assert re.search(r"^not ok \d - stat grew from", done.stdout, re.MULTILINE), done.stdout
    assert "./cathode bench --accept" in done.stdout and "--explain stat" in done.stdout, done.stdout


def rule_the_page_is_one_file_with_bars_and_the_change():
    rows = [bench.Row("stat", "icount", "instructions", 6000, 3000).json(), bench.Row("call-reply", "icount", "instructions", 700).json(),
            bench.Row("pipe-ping-pong", "icount", "instructions", 6000, 12000).json()]
    page = benchpage.page(rows, {("stat", "icount"): 1.2}, bench.NEAREST, "6.1", "0123456789abcdef")
    assert not re.search(r"src=|href=|@import|url\(|<script", page), page
    assert "width:100.0%" in page and "width:50.0%" in page and "+20.0 %" in page, page
    assert "nearest on Linux: pipe-ping-pong 12,000" in page, page


def rule_an_earlier_report_shows_the_change():
    old = {"rows": [{"name": "stat", "regime": "icount", "unit": "instructions", "cathode": 5000, "linux": None, "ratio": None}]}
    assert bench.changes(rows_of(stat=6000, boot=1), old["rows"]) == {("stat", "icount"): 1.2}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "old.json"
        table = benchgate.table_read()
        path.write_text(json.dumps({"rows": [{**old["rows"][0], "name": "linux-getppid", "cathode": table["linux-getppid"] * 2}]}))
        done = cathode("bench", "--cathode", "--regime", "icount", "--against", str(path), "linux-getppid")
        assert done.returncode == 0 and re.search(r"^linux-getppid +[\d,.]+ +-\d+\.\d %$", done.stdout, re.MULTILINE), done
        path.write_text("{}")
        assert cathode("bench", "--against", str(path)).returncode == 125
    assert "linux-getppid" in (project.OUTPUT / "bench.html").read_text()


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


def rule_an_operation_is_shown_in_order_and_by_line():
    done = cathode("trace", "--explain", "null-call", "--flow", "--lines", "kernel_syscall")
    assert done.returncode == 0, done.stderr
    flow = done.stdout[done.stdout.index("in order"):]
    runs = re.findall(r"^ *([\d,]+)  native_bench +(user|kernel) +(\w+) +(\w+)$", flow, re.MULTILINE)
    names = [name for _, _, _, name in runs]
    assert names[0] == "null_call" and names[1] == "syscall_entry" and names[-1] == "syscall_entry", flow
    assert runs[1][2] == "entry" and runs[-1][2] == "exit", flow
    assert abs(sum(int(count) for count, _, _, _ in runs) - float(done.stdout.split()[0])) < 2, done.stdout
    assert re.search(r"kernel/call/dispatch\.c:\d+  kernel_syscall", done.stdout), done.stdout


def rule_a_command_is_explained_with_all_who_had_a_part():
    done = cathode("trace", "--explain", "--timeout", "300", "--", "sh", "-c", "ls /; exit 3")
    assert done.returncode == 3, (done.returncode, done.stderr)
    for process in ("execd", "procd", "ramfs", "other programs"):
        assert re.search(rf"^ *[\d,.]+ +[\d.]+ %  {process}$", done.stdout, re.MULTILINE), (process, done.stdout)
    assert "etc" in done.stderr, done.stderr


def rule_pairs_show_how_they_scale():
    rows = [bench.Row("pipe-pairs", regime, "ns", took, took * 2) for regime, took in (("icount", 5000), ("tcg1", 100), ("tcg2", 125), ("tcg4", 400))]
    assert bench.scaling(rows) == {("pipe-pairs", system): [(1, 1.0), (2, 1.6), (4, 1.0)] for system in ("cathode", "linux")}


def rule_independent_pairs_do_not_pay_for_each_other():
    done = cathode("bench", "--cathode", "--regime", "turns", "call-reply-pairs", "pipe-pairs")
    assert done.returncode == 0, done.stderr
    cost = {(row["name"], row["regime"]): row["cathode"] for row in json.loads((project.OUTPUT / "bench.json").read_text())["rows"]}
    for name in bench.PAIRS:
        for regime, pairs in (("turns2", 2), ("turns4", 4)):
            assert cost[name, regime] / pairs < 1.05 * cost[name, "icount"], (name, regime, cost)


def rule_linux_runs_the_same_program():
    try:
        bench.linux_kernel()
    except bench.ports.PortError as error:
        raise tap.Skip(f"no Linux kernel can be had: {str(error).splitlines()[0]}")
    done = cathode("bench", "--regime", "icount", "linux-getppid", "read-1b", "call-reply")
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads((project.OUTPUT / "bench.json").read_text())["rows"]}
    for name in ("linux-getppid", "read-1b"):
        assert abs(rows[name]["ratio"] - rows[name]["cathode"] / rows[name]["linux"]) < 0.001, rows
    assert rows["call-reply"]["linux"] is None and rows["call-reply"]["ratio"] is None, rows
    assert "Cathode's own operations" in done.stdout and "Debian" in done.stderr, done


tap.run(__name__)
