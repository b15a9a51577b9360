#!/usr/bin/env python3
"""tests/host/power_test.py - what acpid does with the world outside: the power button, the machine's end, devices that ACPI tells of."""
import re
import subprocess
import tempfile
import time
from pathlib import Path

import tap
from hotplug_test import CATHODE, DEVICE, Monitor, WAIT

LIMIT_S = 200
READY = "until /usr/bin/svc | grep -q '^acpid *ready'; do sleep 0.1; done"


class Guest:
    """A machine that runs a shell command, with its monitor."""

    def __init__(self, folder, command, qemu=""):
        self.path = Path(folder) / "monitor"
        words = [CATHODE, "exec", "--timeout", "40", "--qemu", f"{qemu} -qmp unix:{self.path},server=on,wait=off", "--", "sh", "-c", f"{READY}; {command}"]
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


if __name__ == "__main__":
    tap.run(__name__)
