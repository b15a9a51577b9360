"""tools/link.py - the host's half of abi/proto/exec.h: frames, flow control, and the loop around one command."""
import collections
import errno
import os
import select
import struct
import time

MAGIC = b"CathodeExecLink\0"
VERSION = 1
PAYLOAD_MAX, COMMAND_MAX, CREDIT_MAX = 4096, 256 * 1024, 1 << 20
HELLO, COMMAND, DATA, EOF, CREDIT, CLOSE, SIGNAL, EXIT, FAILED, LOG, GOODBYE = range(1, 12)
STDIN, STDOUT, STDERR, TRACE = range(4)
WITH_TRACE = 1
FRAME = struct.Struct("<BBH")
HELLO_BODY = struct.Struct("<16sII")
COMMAND_HEAD = struct.Struct("<IIIIII")
HELLO_START = FRAME.pack(HELLO, 0, HELLO_BODY.size) + MAGIC
WINDOW = 64 * 1024      # bytes of a channel that the guest may have sent and we not written out


class LinkError(Exception):
    """The guest broke the protocol, or could not do what was asked."""


def frame(kind, channel=0, payload=b""):
    return FRAME.pack(kind, channel, len(payload)) + payload


def hello():
    return frame(HELLO, 0, HELLO_BODY.pack(MAGIC, VERSION, 0))


def command_frames(arguments, environment, folder, flags=0, uid=0, gid=0):
    """COMMAND frames for these (bytes)."""
    strings = b"".join(word + b"\0" for word in [*arguments, *environment, folder])
    head = COMMAND_HEAD.pack(COMMAND_HEAD.size + len(strings), len(arguments), len(environment), flags, uid, gid)
    block = head + strings
    if len(block) > COMMAND_MAX:
        raise LinkError(f"the command is too long: {len(block)} bytes, {COMMAND_MAX} are possible")
    pieces = [block[at:at + PAYLOAD_MAX] for at in range(0, len(block), PAYLOAD_MAX)]
    return b"".join(frame(COMMAND, 0, piece) for piece in [*pieces, b""])


class FrameReader:
    """Bytes of the line in, frames out; drops everything before the first HELLO."""

    def __init__(self):
        self.buffer = bytearray()
        self.in_step = False

    def feed(self, data):
        self.buffer += data
        if not self.in_step and not self.find_hello():
            return
        while len(self.buffer) >= FRAME.size:
            kind, channel, size = FRAME.unpack_from(self.buffer)
            if size > PAYLOAD_MAX or not HELLO <= kind <= GOODBYE:
                raise LinkError(f"the guest sent a broken frame (kind {kind}, channel {channel}, {size} bytes)")
            if len(self.buffer) < FRAME.size + size:
                return
            payload = bytes(self.buffer[FRAME.size:FRAME.size + size])
            del self.buffer[:FRAME.size + size]
            yield kind, channel, payload

    def find_hello(self):
        at = self.buffer.find(HELLO_START)
        if at < 0:
            del self.buffer[:-len(HELLO_START)]
            return False
        del self.buffer[:at]
        self.in_step = True
        return True


class Sink:
    """Where a channel of the guest goes: a file descriptor, written when it is ready, and the credit for it."""

    def __init__(self, fd):
        self.fd, self.queue, self.queued = fd, collections.deque(), 0
        self.granted = self.written = 0
        self.is_open = True

    def take(self, data):
        self.granted -= len(data)
        if self.granted < 0:
            raise LinkError("the guest sent more than it was allowed to")
        if self.is_open and data:
            self.queue.append(data)
            self.queued += len(data)

    def write(self):
        """Writes one piece. False when nobody reads it any more."""
        data = self.queue.popleft()
        try:
            count = os.write(self.fd, data)
        except BlockingIOError:
            count = 0
        except OSError as error:
            if error.errno != errno.EPIPE:
                raise LinkError(f"cannot write the command's output: {error.strerror}")
            self.drop()
            return False
        if count < len(data):
            self.queue.appendleft(data[count:])
        self.queued -= count
        return True

    def drop(self):
        self.is_open = False
        self.queue.clear()
        self.queued = 0

    def grant(self):
        """How much new credit is worth a frame now."""
        room = WINDOW - self.granted - self.queued
        if room < WINDOW // 4:
            return 0
        self.granted += room
        return room


class Session:
    """Runs one command over a connected socket: stdin in, stdout and stderr out, until its exit status."""

    def __init__(self, link, command, sinks, stdin=None, log=None):
        """command: frames of command_frames. sinks: {channel: fd}. stdin: a file descriptor or None. log: a binary file for LOG."""
        self.link, self.command, self.log = link, command, log
        self.sinks = {channel: Sink(fd) for channel, fd in sinks.items()}
        self.stdin, self.stdin_credit, self.stdin_ended = stdin, 0, False
        self.out = bytearray()
        self.reader = FrameReader()
        self.is_running = False         # the guest said HELLO and has the command
        self.status = None
        self.failure = None
        link.setblocking(False)

    # -- what the guest sends

    def on_frame(self, kind, channel, payload):
        if kind == HELLO:
            self.on_hello(payload)
        elif not self.is_running:
            raise LinkError("the guest spoke before its hello")
        elif kind == DATA and channel in self.sinks:
            self.sinks[channel].take(payload)
        elif kind == EOF and channel in self.sinks:
            pass
        elif kind == CREDIT and channel == STDIN and len(payload) == 4:
            self.stdin_credit += int.from_bytes(payload, "little")
            if self.stdin_credit > CREDIT_MAX:
                raise LinkError("the guest gave too much credit")
        elif kind == CLOSE and channel == STDIN:
            self.stdin_ended = True
        elif kind == EXIT and len(payload) == 4:
            self.status = int.from_bytes(payload, "little") & 255
        elif kind == FAILED:
            self.failure = payload.decode(errors="replace")
        elif kind == LOG:
            self.note(payload)
        else:
            raise LinkError(f"the guest sent a frame that makes no sense here (kind {kind}, channel {channel}, {len(payload)} bytes)")

    def on_hello(self, payload):
        if len(payload) != HELLO_BODY.size:
            raise LinkError("the guest's hello has a wrong length")
        magic, version, _ = HELLO_BODY.unpack(payload)
        if magic != MAGIC or version != VERSION:
            raise LinkError(f"the guest's hello is of version {version}, not {VERSION}")
        if self.is_running:
            raise LinkError("the guest's execd was restarted: the command is lost")
        self.is_running = True
        self.out += hello() + self.grants() + self.command
        if self.stdin is None:
            self.end_stdin()

    def note(self, payload):
        if self.log:
            self.log.write(payload)
            self.log.flush()

    # -- what we send

    def grants(self):
        frames = b""
        for channel, sink in self.sinks.items():
            room = sink.grant()
            if room:
                frames += frame(CREDIT, channel, room.to_bytes(4, "little"))
        return frames

    def end_stdin(self):
        if not self.stdin_ended:
            self.out += frame(EOF, STDIN)
            self.stdin_ended = True

    def send_stdin(self):
        try:
            data = os.read(self.stdin, min(self.stdin_credit, PAYLOAD_MAX))
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            return self.end_stdin()
        self.stdin_credit -= len(data)
        self.out += frame(DATA, STDIN, data)

    def send_signal(self, number):
        if self.is_running:
            self.out += frame(SIGNAL, 0, number.to_bytes(4, "little"))

    # -- the loop

    def wants_stdin(self):
        return self.is_running and not self.stdin_ended and self.stdin is not None and self.stdin_credit and len(self.out) < WINDOW

    def step(self, timeout_s):
        """Waits for something to do and does it. False when the guest is gone."""
        poll = select.poll()
        poll.register(self.link, select.POLLIN | (select.POLLOUT if self.out else 0))
        for sink in self.sinks.values():
            if sink.queue:
                poll.register(sink.fd, select.POLLOUT)
        if self.wants_stdin():
            poll.register(self.stdin, select.POLLIN)
        ready = dict(poll.poll(max(0, timeout_s) * 1000))
        alive = True
        if ready.get(self.link.fileno(), 0) & ~select.POLLOUT:
            alive = self.receive()
        if self.out and alive:
            alive = self.transmit()
        for channel, sink in self.sinks.items():
            if sink.queue and sink.fd in ready and not sink.write():
                self.out += frame(CLOSE, channel)
        if self.is_running:
            self.out += self.grants()
        if self.wants_stdin() and self.stdin in ready:
            self.send_stdin()
        return alive

    def receive(self):
        try:
            data = self.link.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        for kind, channel, payload in self.reader.feed(data):
            self.on_frame(kind, channel, payload)
        return bool(data)

    def transmit(self):
        try:
            count = self.link.send(self.out)
        except BlockingIOError:
            return True
        except OSError:
            return False
        del self.out[:count]
        return True

    def is_over(self):
        return self.status is not None or self.failure is not None

    def finish(self, deadline):
        """After the end: writes out what is queued, says goodbye."""
        self.out += frame(GOODBYE)
        while (self.out or any(sink.queue for sink in self.sinks.values())) and time.monotonic() < deadline:
            if not self.step(min(1, deadline - time.monotonic())) and not any(sink.queue for sink in self.sinks.values()):
                return
