#!/usr/bin/env python3
"""tests/host/sound_test.py - what is played is found in the file that QEMU writes: whole, mixed, after deaths."""
import math
import struct
import subprocess
import tempfile
import wave
from pathlib import Path

import tap

CATHODE = str(tap.ROOT / "cathode")
CARDS = {"ac97": "-device AC97,audiodev=au", "hda": "-device ich9-intel-hda -device hda-output,audiodev=au"}
RATE = 48000
WAIT = "until play | grep -q device; do sleep 0.1; done; "


def tone_write(path, frequency, seconds, rate=44100, loud=10000):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(struct.pack("<h", round(loud * math.sin(2 * math.pi * frequency * i / rate))) for i in range(int(rate * seconds))))


class Heard:
    """A machine with a sound card ran a command: its output, and the left side of what was heard."""

    def __init__(self, card, command, tones, options=("--icount",)):
        with tempfile.TemporaryDirectory(prefix="cathode.") as folder:
            add = []
            for name, tone in tones.items():
                tone_write(Path(folder) / name, *tone)
                add += ["--add", f"{folder}/{name}:/{name}"]
            # QEMU takes samples in pieces of its timer's period, and a card's queue is short.
            audio = f"-audiodev wav,id=au,path={folder}/heard.wav,out.frequency={RATE},timer-period=1000"
            done = subprocess.run([CATHODE, "exec", *options, "--timeout", "100", *add, "--qemu", f"{audio} {CARDS[card]}", "--", "sh", "-c", WAIT + command],
                                  capture_output=True, text=True)
            assert done.returncode == 0, done
            self.text = done.stdout
            with wave.open(f"{folder}/heard.wav") as file:
                count = file.getnframes()
                self.samples = struct.unpack(f"<{2 * count}h", file.readframes(count))[::2]

    def rising(self):
        """Where the wave goes up through zero, in samples."""
        s = self.samples
        return [i - 1 - s[i - 1] / (s[i] - s[i - 1]) for i in range(1, len(s)) if s[i - 1] < 0 <= s[i]]

    def longest_run(self, frequency):
        """Seconds of this tone without any gap or jump."""
        best = start = 0
        up = self.rising()
        for i in range(1, len(up)):
            if abs(up[i] - up[i - 1] - RATE / frequency) > 1:
                start = i
            best = max(best, up[i] - up[start])
        return best / RATE

    def loudness(self, frequency, start_s, seconds):
        """Amplitude of this frequency in a part of it."""
        part = self.samples[int(start_s * RATE):int((start_s + seconds) * RATE)]
        step = 2 * math.pi * frequency / RATE
        a = sum(x * math.cos(step * i) for i, x in enumerate(part))
        b = sum(x * math.sin(step * i) for i, x in enumerate(part))
        return 2 * math.hypot(a, b) / len(part)


def rule_a_tone_is_heard_without_a_gap():
    for card in CARDS:
        heard = Heard(card, "play /a.wav", {"a.wav": (440, 1)})
        assert heard.longest_run(440) > 0.9, (card, heard.longest_run(440))


def rule_two_programs_are_heard_together():
    heard = Heard("hda", "play /a.wav & play /b.wav; wait", {"a.wav": (440, 1, 22050), "b.wav": (1500, 1, 48000)})
    a, b, none = (heard.loudness(f, 0.3, 0.5) for f in (440, 1500, 900))
    assert a > 6000 and b > 6000 and none < 300, (a, b, none)


def rule_volume_is_for_root_and_silence_is_silent():
    heard = Heard("ac97", "su -s /bin/sh nobody -c 'play -v 1'; play -v 101; play -v x; cat /scheme/audio/volume; play -v 0; play /a.wav; cat /scheme/audio/volume",
                  {"a.wav": (440, 0.3)})
    assert heard.text == "80\n0\n", heard.text
    assert max(heard.samples, default=0) == 0


def rule_what_is_no_sound_is_refused():
    heard = Heard("hda", "for i in /etc/passwd /bin/busybox /nothing; do play $i && echo played; done; echo xyz | play -r 3000 - && echo played; "
                  "head -c 100000 /dev/urandom | play -c 2 -f float - && echo noise", {}, ())
    assert heard.text == "noise\n", heard.text


def rule_a_tone_goes_on_when_the_driver_or_the_mixer_dies():
    for card in CARDS:
        kill = f"for i in 1 2 3; do sleep 0.3; /usr/bin/svc kill $(/usr/bin/svc | grep -o '{card}@[^ ]*'); sleep 0.3; /usr/bin/svc kill audiod; done"
        heard = Heard(card, f"play /a.wav & {kill}; wait $!; echo $?", {"a.wav": (440, 2)}, ("--cpus", "2"))
        assert heard.text == "0\n", heard.text
        cycles = [b - a for a, b in zip(heard.rising(), heard.rising()[1:])]
        good = sum(abs(c - RATE / 440) < 1.5 for c in cycles)
        assert good > 440, (card, good, len(cycles))


tap.run(__name__)
