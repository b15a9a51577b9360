#!/usr/bin/env python3
"""tests/host/hotplug_test.py - a device comes and goes while the machine runs, by the slot itself (QEMU would rather use ACPI)."""
import subprocess
import tempfile
import time
from pathlib import Path

import tap
from monitor import Monitor

CATHODE = str(tap.ROOT / "cathode")
DEVICE = "1b36:0005"        # QEMU's pci-testdev
WAIT = f'until lspci | grep -q "{DEVICE}"; do sleep 0.1; done; echo came; while lspci | grep -q "{DEVICE}"; do sleep 0.1; done; echo went'


def rule_a_device_that_is_plugged_in_comes_and_one_that_is_to_leave_goes():
    with tempfile.TemporaryDirectory(prefix="cathode.") as folder:
        path = Path(folder) / "monitor"
        machine = f"-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off -device pcie-root-port,id=slot1,chassis=1,slot=1 -qmp unix:{path},server=on,wait=off"
        guest = subprocess.Popen([CATHODE, "exec", "--timeout", "100", "--qemu", machine, "--", "sh", "-c", f"echo up; {WAIT}; {WAIT}"],
                                 stdout=subprocess.PIPE, text=True)
        try:
            assert guest.stdout.readline() == "up\n"
            monitor = Monitor(path)
            for _ in range(2):
                monitor.ask("device_add", driver="pci-testdev", id="guest", bus="slot1")
                assert guest.stdout.readline() == "came\n"
                monitor.ask("device_del", id="guest")
                assert guest.stdout.readline() == "went\n"
                time.sleep(1)       # QEMU lets go of it
            assert guest.wait(60) == 0
        finally:
            guest.kill()
            guest.wait()


if __name__ == "__main__":
    tap.run(__name__)
