"""tools/stub.py - speaks to QEMU's debugger stub: breakpoints, memory, registers and the monitor."""
import socket

REGISTERS = ("rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip eflags cs ss ds es fs gs "
             "fs_base gs_base k_gs_base cr0 cr2 cr3 cr4 cr8 efer").split()


class StubError(Exception):
    """The machine ended, or refused what it was asked."""


class Stub:
    """A stopped machine, on a connected socket. One that QEMU was started with (`-gdb chardev:`) is stopped from its first instruction."""

    def __init__(self, connection):
        self.connection, self.buffer = connection, b""
        self.ask("qXfer:features:read:target.xml:0,ffb")        # only who asked for it may read single registers

    def receive(self):
        """The payload of the next packet; acknowledges it."""
        while True:
            start = self.buffer.find(b"$")
            end = self.buffer.find(b"#", start + 1)
            if start >= 0 and end >= 0 and len(self.buffer) >= end + 3:
                payload, self.buffer = self.buffer[start + 1:end], self.buffer[end + 3:]
                self.connection.sendall(b"+")
                return payload
            data = self.connection.recv(65536)
            if not data:
                raise StubError("the machine has ended")
            self.buffer += data

    def send(self, text):
        payload = text.encode()
        self.connection.sendall(b"$" + payload + b"#%02x" % (sum(payload) & 255))

    def ask(self, text):
        self.send(text)
        return self.receive()

    def demand(self, text):
        answer = self.ask(text)
        if answer != b"OK":
            raise StubError(f"{text}: {answer.decode(errors='replace')}")

    def monitor(self, line):
        """What the monitor answers to a command."""
        self.send("qRcmd," + line.encode().hex())
        said = b""
        while (answer := self.receive()) != b"OK":
            if not answer.startswith(b"O"):
                raise StubError(f"{line}: {answer.decode(errors='replace')}")
            said += bytes.fromhex(answer[1:].decode())
        return said.decode(errors="replace")

    def break_at(self, address):
        self.demand(f"Z0,{address:x},1")

    def unbreak(self, address):
        self.demand(f"z0,{address:x},1")

    def register(self, name):
        value = self.ask(f"p{REGISTERS.index(name):x}")
        return int.from_bytes(bytes.fromhex(value.decode()), "little")

    def memory(self, address, size):
        """Bytes at a virtual address of the running address space; None where nothing is mapped."""
        answer = self.ask(f"m{address:x},{size:x}")
        return None if answer.startswith(b"E") else bytes.fromhex(answer.decode())

    def step(self, address):
        """One instruction past a breakpoint at address."""
        self.unbreak(address)
        self.ask("s")
        self.break_at(address)

    def go(self):
        """Runs to the next breakpoint; its address."""
        self.ask("c")
        return self.register("rip")

    def leave(self):
        """Lets the machine run without us."""
        self.send("D")
