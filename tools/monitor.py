"""tools/monitor.py - QEMU's monitor for programs: one at the end of a socket, and pictures of what a machine shows."""
import json
import socket
import time

from project import CathodeError

CONNECT_TRIES = 100


class Monitor:
    """QEMU's monitor at the other end of a socket that QEMU listens at (-qmp unix:PATH,server=on,wait=off)."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        for _ in range(CONNECT_TRIES):
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise CathodeError(f"QEMU's monitor does not listen at {path}")
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        """The answer; CathodeError if it is none."""
        self.file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            line = self.file.readline()
            if not line:
                raise CathodeError(f"QEMU ended before it answered {command}")
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise CathodeError(f"QEMU refuses {command}: {answer['error'].get('desc')}")

    def screendump(self, path, png=False):
        """What the first display shows, as a file: PPM or PNG."""
        self.ask("screendump", filename=str(path), format="png" if png else "ppm")


class Picture:
    """An image in a PPM file (P6, 8 bits)."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        words, at = [], 0
        while len(words) < 4:
            end = at
            while not data[end:end + 1].isspace():
                end += 1
            words.append(data[at:end])
            at = end + 1
        assert words[0] == b"P6" and words[3] == b"255", words
        self.width, self.height, self.pixels = int(words[1]), int(words[2]), data[at:]
        assert len(self.pixels) == self.width * self.height * 3, (self.width, self.height, len(self.pixels))

    def row(self, y):
        return self.pixels[y * self.width * 3:(y + 1) * self.width * 3]
