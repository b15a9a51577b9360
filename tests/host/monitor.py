"""tests/host/monitor.py - QEMU's monitor (QMP) at the other end of a socket."""
import json
import socket
import time


class Monitor:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        for _ in range(100):
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                time.sleep(0.1)
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        """The answer; what the machine says by itself meanwhile is dropped."""
        self.file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.file.flush()
        while "event" in (answer := json.loads(self.file.readline())):
            pass
        assert "return" in answer, answer
        return answer["return"]
