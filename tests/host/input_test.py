#!/usr/bin/env python3
"""tests/host/input_test.py - keys, mice and tablets from outside the machine to whoever reads events, with layouts, repeats, deaths."""
import re
import subprocess
import tempfile
from pathlib import Path

import tap
from monitor import Monitor

CATHODE = str(tap.ROOT / "cathode")
VIRTIO = "-device virtio-keyboard-pci -device virtio-tablet-pci"


class Guest:
    """A machine that runs a shell command, and its monitor."""

    def __init__(self, command, devices=VIRTIO):
        self.folder = tempfile.TemporaryDirectory(prefix="cathode.")
        path = Path(self.folder.name) / "monitor"
        self.process = subprocess.Popen([CATHODE, "exec", "--timeout", "100", "--qemu", f"{devices} -qmp unix:{path},server=on,wait=off", "--",
                                         "sh", "-c", command], stdout=subprocess.PIPE, text=True)
        self.path = path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()

    def line(self):
        return self.process.stdout.readline().rstrip("\n")

    def until(self, pattern):
        """All lines up to one that matches."""
        lines = []
        while not lines or not re.search(pattern, lines[-1]):
            text = self.process.stdout.readline()
            assert text, f"{pattern!r} did not come: {lines}"
            lines.append(text.rstrip("\n"))
        return lines

    def monitor(self):
        return Monitor(self.path)


def key(monitor, name, down):
    monitor.ask("input-send-event", events=[{"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": name}}}])


def tap_key(monitor, *names):
    for name in names:
        key(monitor, name, True)
    for name in reversed(names):
        key(monitor, name, False)


WAIT = 'until input | grep -q "^tablet" && input | grep -q "^keyboard.*Virtio"; do sleep 0.1; done; '


def rule_keys_come_with_symbols_of_the_layout():
    with Guest(WAIT + "input layout de; input layout; input watch") as guest:
        assert guest.line() == "de 500 30"
        guest.until("watching")
        m = guest.monitor()
        tap_key(m, "y")
        assert guest.until("up") == ["key down 21 U+007a", "key up 21"]
        tap_key(m, "alt_r", "q")
        assert "key down 16 U+0040 modifiers 10" in guest.until("up 100")
        tap_key(m, "equal")
        tap_key(m, "e")
        assert "key down 18 U+00e9" in guest.until("up 18")


def rule_a_key_that_is_held_repeats():
    with Guest(WAIT + "input layout us 200 20; input watch") as guest:
        guest.until("watching")
        m = guest.monitor()
        key(m, "a", True)
        assert guest.until("repeat") == ["key down 30 U+0061", "key repeat 30 U+0061"]
        guest.until("repeat")
        key(m, "a", False)
        guest.until("up 30")


def rule_a_tablet_points_and_clicks():
    with Guest(WAIT + "input watch") as guest:
        guest.until("watching")
        m = guest.monitor()
        m.ask("input-send-event", events=[{"type": "abs", "data": {"axis": "x", "value": 16384}}, {"type": "abs", "data": {"axis": "y", "value": 32767}}])
        place = re.match(r"pointer at (\d+) (\d+)$", guest.until("pointer")[-1])
        assert abs(int(place[1]) - 32768) < 4 and int(place[2]) == 65535, place[0]
        for down in (True, False):
            m.ask("input-send-event", events=[{"type": "btn", "data": {"down": down, "button": "left"}}])
        guest.until("button down 272")
        guest.until("button up 272")


KILL = """input watch | while read line; do echo "$line"; case "$line" in
	*"down 30 "*) for one in $(/usr/bin/svc | grep -o "virtio_input@[^ ]*"); do /usr/bin/svc kill $one; done;;
	*"up 30") until input | grep -q "^keyboard.*Virtio"; do sleep 0.1; done; echo back;;
esac; done"""


def rule_a_driver_that_dies_lets_go_of_its_keys_and_the_next_one_types():
    with Guest(WAIT + KILL) as guest:
        guest.until("watching")
        m = guest.monitor()
        for _ in range(3):
            key(m, "a", True)
            guest.until("back")
            key(m, "a", False)
            tap_key(m, "b")
            guest.until("up 48")


def rule_keys_are_held_over_the_death_of_inputd():
    with Guest(WAIT + """input layout de; input watch | while read line; do echo "$line"; case "$line" in
	*"down 42"*) /usr/bin/svc kill inputd; input layout;;
esac; done""") as guest:
        guest.until("watching")
        m = guest.monitor()
        key(m, "shift", True)
        guest.until("de 500 30")
        tap_key(m, "z")
        assert "key down 44 U+0059 modifiers 1" in guest.until("up 44")


def rule_the_pcs_own_keyboard_and_mouse_work():
    wait = 'until input | grep -q "PS/2 mouse"; do sleep 0.1; done; '
    with Guest(wait + "input watch", devices="") as guest:
        guest.until("watching")
        m = guest.monitor()
        for name, code, symbol in (("a", 30, " U+0061"), ("home", 102, ""), ("pause", 119, ""), ("ctrl_r", 97, "")):
            tap_key(m, name)
            got = guest.until(f"up {code}")
            assert got[0].startswith(f"key down {code}{symbol}"), got
        m.ask("input-send-event", events=[{"type": "rel", "data": {"axis": "x", "value": 5}}, {"type": "rel", "data": {"axis": "y", "value": -7}}])
        assert guest.until("pointer") == ["pointer by 5 -7"]
        for button, line in (("left", "button down 272"), ("wheel-up", "wheel by 0 1")):
            m.ask("input-send-event", events=[{"type": "btn", "data": {"down": True, "button": button}}])
            assert guest.until("button|wheel") == [line]


def rule_control_alt_delete_starts_the_machine_again_in_order():
    with Guest('until input | grep -q "PS/2 mouse"; do sleep 0.1; done; input watch', devices="") as guest:
        guest.until("watching")
        tap_key(guest.monitor(), "ctrl", "alt", "delete")
        guest.process.stdout.read()
        assert guest.process.wait(60) == 125        # it ended, and not because the command did


def rule_wrong_settings_are_refused_and_the_old_ones_stay():
    with Guest("input layout xx; input layout us 5 5; input layout; input layouts; su -s /bin/sh nobody -c 'input layout de'; input layout; input nonsense; echo $?") as guest:
        text = guest.until("^2$")
        assert text.count("us 500 30") == 2, text
        assert [x for x in text if x in ("us", "de", "fr", "uk", "es", "dvorak")] == ["us", "de", "fr", "uk", "es", "dvorak"], text


tap.run(__name__)
