#!/usr/bin/env python3
"""tests/host/power_test.py - what acpid does with the world outside: the power button, the machine's end, devices that ACPI tells of."""
import re
import subprocess
import tempfile
import time
from pathlib import Path

import tap
from aml import LOOP_FOREVER, data, device, field, integer, method, name, region, returning, scope, store, table, zone
from hotplug_test import CATHODE, DEVICE, Monitor, WAIT

LIMIT_S = 200
READY = "until /usr/bin/svc | grep -q '^acpid *ready'; do sleep 0.1; done"


class Guest:
    """A machine that runs a shell command, with its monitor."""

    def __init__(self, folder, command, qemu=""):
        self.path = Path(folder) / "monitor"
        words = [CATHODE, "exec", "--timeout", "100", "--qemu", f"{qemu} -qmp unix:{self.path},server=on,wait=off", "--", "sh", "-c", f"{READY}; {command}"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def expect(self, line):
        found = self.process.stdout.readline()
        assert found == f"{line}\n", found

    def log(self):
        """What the machine said, once it has ended by itself."""
        _, trouble = self.process.communicate(timeout=LIMIT_S)
        found = re.search(r"QEMU's status 0.*log: (\S+)", trouble)
        assert self.process.returncode == 125 and found, (self.process.returncode, trouble[-300:])
        return Path(found.group(1)).read_text(errors="replace")


def check_end(log, how):
    assert f"init: {how} by acpid" in log and "firmware does not" not in log, log
    assert log.rindex("init: stops") < log.index("by acpid"), log


def rule_the_power_button_ends_the_machine_in_order():
    with tempfile.TemporaryDirectory(prefix="cathode.") as folder, Guest(folder, "trap 'echo asked; while :; do sleep 1; done' TERM; echo up; while :; do sleep 0.1; done") as guest:
        guest.expect("up")
        Monitor(guest.path).ask("system_powerdown")
        guest.expect("asked")
        log = guest.log()
        assert "the power button was pressed" in log or "init: power off, as process" in log, log
        check_end(log, "switches off")


def rule_switching_off_and_starting_again_go_by_the_firmware():
    for command, how in (("poweroff -f", "switches off"), ("reboot -f", "restarts")):
        with tempfile.TemporaryDirectory(prefix="cathode.") as folder, Guest(folder, f"{command}; sleep 60") as guest:
            check_end(guest.log(), how)


def rule_without_acpid_the_machine_still_ends():
    with tempfile.TemporaryDirectory(prefix="cathode.") as folder, Guest(folder, "/usr/bin/svc stop acpid; sleep 0.2; poweroff -f; sleep 60") as guest:
        log = guest.log()
        assert "init: stops logd" in log and "by acpid" not in log, log


def rule_devices_that_the_firmware_tells_of_come_and_go():
    slot = "-device pcie-root-port,id=slot1,chassis=1,slot=1"
    with tempfile.TemporaryDirectory(prefix="cathode.") as folder, Guest(folder, f"echo up; {WAIT}; {WAIT}", slot) as guest:
        guest.expect("up")
        monitor = Monitor(guest.path)
        for _ in range(2):
            monitor.ask("device_add", driver="pci-testdev", id="guest", bus="slot1")
            guest.expect("came")
            monitor.ask("device_del", id="guest")
            guest.expect("went")
            time.sleep(1)       # QEMU lets go of it
        assert guest.process.wait(60) == 0


def run_with_table(body, command):
    """What a command prints in a machine whose firmware has this bytecode, too."""
    with tempfile.TemporaryDirectory(prefix="cathode.") as folder:
        path = Path(folder) / "table"
        path.write_bytes(table(body))
        with Guest(folder, command, f"-acpitable file={path}") as guest:
            text, trouble = guest.process.communicate(timeout=LIMIT_S)
            assert guest.process.returncode == 0, (text, trouble[-300:])
            return text


def rule_a_laptop_shows_its_battery_supply_lid_and_heat():
    body = scope("\\_SB_",
                 device("BAT7", name("_HID", "PNP0C0A") + name("_STA", 0x1f) + method("_BST", returning(data([1, 120, 30, 12])))
                        + name("_BIF", [0, 100, 60, 1, 12, 10, 5, 1, 1, "model", "serial", "type", "maker"]))
                 + device("ADP7", name("_HID", "ACPI0003") + method("_PSR", returning(integer(1))))
                 + device("LID7", name("_HID", "PNP0C0D") + method("_LID", returning(integer(0))))) \
        + scope("\\_TZ_", zone("TZ07", method("_TMP", returning(integer(3137))) + method("_CRT", returning(integer(3732)))))
    text = run_with_table(body, "acpi; echo; acpi thermal lid")
    all_of_it, some = text.split("\n\n")
    for line in ("battery BAT7 state=discharging left=50 rate=120 remaining=30 unit=mW", "ac ADP7 online=1", "lid LID7 open=0",
                 "thermal TZ07 celsius=40.5 critical=100.0", "button power presses=0"):
        assert line in all_of_it.splitlines(), text
    assert sorted(some.splitlines()) == ["lid LID7 open=0", "thermal TZ07 celsius=40.5 critical=100.0"], text


def rule_bytecode_reaches_neither_memory_of_programs_nor_what_the_machine_runs_by():
    taken = {"TZ01": (0, 0x200000), "TZ02": (1, 0x40), "TZ03": (0, 0xfee00000)}
    zones = b"".join(zone(word, region("REG0", space, start, 4) + field("REG0", "VAL0", 8, 1) + method("_TMP", store(0xff, "VAL0") + returning(b"VAL0")))
                     for word, (space, start) in taken.items())
    allowed = zone("TZ04", region("REG0", 1, 0x80, 1) + field("REG0", "VAL0", 8, 1) + method("_TMP", returning(b"VAL0")))
    text = run_with_table(scope("\\_TZ_", zones + allowed), "acpi thermal; /usr/bin/svc log acpid | grep 'may not reach'; echo alive")
    assert re.match(r"thermal TZ04 \S+\n", text) and text.endswith("alive\n"), text
    assert "of memory at 0x200000" in text and "of ports at 0x40" in text and "of memory at 0xfee00000" in text, text


def rule_bytecode_that_never_ends_costs_acpid_a_moment_and_nobody_else_anything():
    body = scope("\\_SB_", device("LOOP", name("_HID", "PNP0C0D") + method("_INI", LOOP_FOREVER) + method("_LID", LOOP_FOREVER)))
    text = run_with_table(body, "acpi lid; acpi button; echo alive")
    assert text.endswith("button sleep presses=0\nalive\n"), text


def rule_a_table_that_is_garbage_leaves_the_others():
    for body in (b"\x10\x3f\\_SB_", bytes(range(256)), b"\x5b" * 64, scope("\\_SB_", b"\xff" * 40)):
        text = run_with_table(body, "acpi button")
        assert text.startswith("button power"), (body, text)


def rule_the_clock_is_the_hosts():
    before = time.time()
    with tempfile.TemporaryDirectory(prefix="cathode.") as folder, Guest(folder, "date +%s") as guest:
        seen = int(guest.process.stdout.readline())
        assert before - 2 <= seen <= time.time() + 2, (before, seen)


if __name__ == "__main__":
    tap.run(__name__)
