#!/usr/bin/env python3
"""tests/host/stop_test.py - the machine's end: what the log says of the order in which things stop."""
import re
import subprocess
import tempfile
from pathlib import Path

import tap

import project

LIMIT_S = 300
PROGRAM = "bin/tests/service"
SERVICES = """
service orderly file:/tests/native/service orderly
	scheme orderly public
	handle log debug: write
	stop 5s
service deaf file:/tests/native/service deaf
	scheme deaf public
	use orderly
	stop 200ms
service lazy file:/tests/native/service slow 5000
	scheme lazy public
	handle orderly orderly:x
"""


def log_of(command, rc="", adds=()):
    """What the log has of a machine that ends by this command."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "init.rc"
        path.write_text("# test\n" + rc)
        words = [str(tap.ROOT / "cathode"), "exec", "--timeout", "100", "--add", f"{project.OUTPUT / PROGRAM}:/tests/native/service"]
        for add in (f"{path}:/etc/init.rc", *adds):
            words += ["--add", add]
        done = subprocess.run([*words, "--", "sh", "-c", command], capture_output=True, text=True, timeout=LIMIT_S)
    found = re.search(r"log: (\S+)", done.stderr)
    assert done.returncode == 125 and found, (done.returncode, done.stdout, done.stderr)
    return Path(found.group(1)).read_text(errors="replace")


def order_of(log):
    return re.findall(r"init: stops (\S+)", log)


def rule_nobody_stops_before_those_who_need_him():
    order = order_of(log_of("poweroff -f; sleep 60"))
    assert set(order) >= {"ramfs", "logd", "procd", "randd", "ptyd", "unixd", "console", "execd"}, order
    place = {name: i for i, name in enumerate(order)}
    for who, needed in (("execd", "console"), ("console", "procd"), ("ptyd", "procd"), ("execd", "ramfs"), ("procd", "ramfs"), ("ramfs", "logd")):
        assert place[who] < place[needed], (who, needed, order)


def rule_a_service_may_say_goodbye_and_one_that_does_not_is_not_waited_for():
    log = log_of("sleep 1; poweroff -f; sleep 60", SERVICES)
    order = order_of(log)
    assert order.index("deaf") < order.index("orderly") and order.index("lazy") < order.index("orderly"), order
    assert "says goodbye" in log and log.index("says goodbye") < log.index("init: stops ramfs"), log
    assert "init: deaf (pid" in log and "does not end though it was asked to: killed" in log, log
    assert "orderly (pid" not in log, log


def rule_one_that_hangs_does_not_hold_up_the_end():
    log = log_of("sleep 1; cat /scheme/lazy/x & sleep 0.3; kill -STOP $(pidof deaf); poweroff -f; sleep 60", SERVICES)
    assert order_of(log)[-1] == "logd" and "does not end though it was asked to: killed" in log, log


def rule_disks_are_flushed_before_their_driver_stops():
    tests = tap.ROOT / "tests/guest/lib"
    command = "echo came 0000:00:04.0 1234:0001 >/scheme/pci/control; sleep 1; poweroff -f; sleep 60"
    with tempfile.TemporaryDirectory() as folder:
        driver = Path(folder) / "driver"
        driver.write_text("program /tests/native/service\narguments driver\nscheme blk redeliver\nhandle log debug: write\nmatch pci 1234:0001\nattach disk\n")
        log = log_of(command, adds=(f"{tests / 'drivers.rc'}:/boot/init.rc", f"{driver}:/boot/manifest/driver"))
    order = order_of(log)
    assert order.index("disk") < order.index("driver@0000:00:04.0") < order.index("pci"), order
    assert log.index("was flushed") < log.index("init: stops pci"), log


tap.run(__name__)
