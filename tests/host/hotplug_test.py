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
SLOT = "-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off -device pcie-root-port,id=slot1,chassis=1,slot=1"
DISK = "-blockdev driver=null-co,node-name=disk,size=67108864,read-zeroes=on"
# Four readers with requests of different sizes, each until it has an error.
READ = """
echo up
for round in 1 2 3; do
    until [ -b /dev/vda ]; do sleep 0.1; done
    for reader in 1 2 3 4; do
        (while dd if=/dev/vda of=/dev/null bs=${reader}6k count=64 2>/tmp/said.$reader; do :; done) &
    done
    echo reading
    wait
    cat /tmp/said.* | grep -c 'error\\|No such'
    while [ -b /dev/vda ]; do sleep 0.1; done
    echo went
done
/usr/bin/svc list | awk '$1 == "pcid" || $1 == "iommud" || $1 == "diskd" { sum += $5 } END { print sum }'
"""


def rule_a_device_that_is_plugged_in_comes_and_one_that_is_to_leave_goes():
    with tempfile.TemporaryDirectory(prefix="cathode.") as folder:
        path = Path(folder) / "monitor"
        machine = f"{SLOT} -qmp unix:{path},server=on,wait=off"
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


def rule_who_reads_a_disk_that_is_pulled_has_an_error_and_one_plugged_in_again_works():
    with tempfile.TemporaryDirectory(prefix="cathode.") as folder:
        path = Path(folder) / "monitor"
        machine = f"{SLOT} {DISK} -qmp unix:{path},server=on,wait=off"
        guest = subprocess.Popen([CATHODE, "exec", "--timeout", "100", "--cpus", "2", "--qemu", machine, "--", "sh", "-c", READ],
                                 stdout=subprocess.PIPE, text=True)
        try:
            assert guest.stdout.readline() == "up\n"
            monitor = Monitor(path)
            for _ in range(3):
                monitor.ask("device_add", driver="virtio-blk-pci", id="guest", bus="slot1", drive="disk")
                assert (line := guest.stdout.readline()) == "reading\n", line
                time.sleep(0.5)
                monitor.ask("device_del", id="guest")
                assert (line := guest.stdout.readline()) == "4\n", line
                assert (line := guest.stdout.readline()) == "went\n", line
                time.sleep(1)       # QEMU lets go of it
            assert (line := guest.stdout.readline()) == "0\n", line       # no server died of it
            assert guest.wait(60) == 0
        finally:
            guest.kill()
            guest.wait()


if __name__ == "__main__":
    tap.run(__name__)
