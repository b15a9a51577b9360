#!/usr/bin/env python3
"""tests/host/link_test.py - the host's half of the exec protocol against a small execd written here."""
import os
import queue
import socket
import subprocess
import threading
import time

import tap
import link

DEADLINE_S = 60


class FakeGuest(threading.Thread):
    """An execd over a socket that runs commands of the host, minding every rule of abi/proto/exec.h."""

    def __init__(self, garbage=b""):
        super().__init__(daemon=True)
        self.host, self.line = socket.socketpair()
        self.garbage, self.buffer = garbage, b""
        self.credit = {link.STDOUT: 0, link.STDERR: 0}
        self.closed, self.signals, self.said_goodbye = set(), [], False
        self.stdin_granted = 0
        self.wake = threading.Condition()
        self.sending = threading.Lock()
        self.stdin_queue = queue.SimpleQueue()
        self.block = b""
        self.error = None

    def read(self, count):
        while len(self.buffer) < count:
            data = self.line.recv(65536)
            if not data:
                raise EOFError
            self.buffer += data
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def read_frame(self):
        kind, channel, size = link.FRAME.unpack(self.read(link.FRAME.size))
        return kind, channel, self.read(size)

    def send(self, kind, channel=0, payload=b""):
        with self.sending:      # a frame may go out in pieces: no other thread's between them
            self.line.sendall(link.frame(kind, channel, payload))

    def greet(self):
        self.line.sendall(self.garbage + link.hello())
        assert self.read_frame()[0] == link.HELLO

    def read_command(self):
        while True:
            kind, channel, payload = self.read_frame()
            if kind == link.CREDIT:
                self.credit[channel] += int.from_bytes(payload, "little")
            elif kind == link.COMMAND and payload:
                self.block += payload
            else:
                assert kind == link.COMMAND
                break
        size, arguments, environment, _, _, _ = link.COMMAND_HEAD.unpack_from(self.block)
        assert size == len(self.block)
        words = self.block[link.COMMAND_HEAD.size:].split(b"\0")
        assert len(words) == arguments + environment + 2 and words[-1] == b""
        return words[:arguments], dict(word.split(b"=", 1) for word in words[arguments:arguments + environment])

    def run(self):
        try:
            self.serve()
        except (EOFError, OSError):
            pass
        except Exception as error:
            self.error = error
        finally:
            self.line.close()

    def serve(self):
        self.greet()
        arguments, environment = self.read_command()
        child = subprocess.Popen(arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        pumps = [threading.Thread(target=self.pump, args=(file, channel), daemon=True)
                 for file, channel in ((child.stdout, link.STDOUT), (child.stderr, link.STDERR))]
        for pump in pumps:
            pump.start()
        threading.Thread(target=self.finish, args=(child, pumps), daemon=True).start()
        threading.Thread(target=self.feed, args=(child.stdin,), daemon=True).start()
        self.grant_stdin(4096)
        while not self.said_goodbye:
            self.serve_frame(child, *self.read_frame())

    def grant_stdin(self, count):
        with self.wake:
            self.stdin_granted += count
        self.send(link.CREDIT, link.STDIN, count.to_bytes(4, "little"))

    def serve_frame(self, child, kind, channel, payload):
        if kind == link.DATA:
            with self.wake:
                assert channel == link.STDIN and len(payload) <= self.stdin_granted
                self.stdin_granted -= len(payload)
            self.stdin_queue.put(payload)
        elif kind == link.EOF:
            self.stdin_queue.put(None)
        elif kind == link.CREDIT:
            with self.wake:
                self.credit[channel] += int.from_bytes(payload, "little")
                self.wake.notify_all()
        elif kind == link.CLOSE:
            with self.wake:
                self.closed.add(channel)
                self.wake.notify_all()
        elif kind == link.SIGNAL:
            self.signals.append(int.from_bytes(payload, "little"))
            child.send_signal(self.signals[-1])
        else:
            assert kind == link.GOODBYE
            self.said_goodbye = True

    def feed(self, file):
        """The command's stdin. On a thread of its own: the command may not read before credit for its output has come."""
        try:
            while payload := self.stdin_queue.get():
                file.write(payload)
                file.flush()
                self.grant_stdin(len(payload))
            file.close()
        except BrokenPipeError:
            self.send(link.CLOSE, link.STDIN)
        except OSError:
            pass                # the host went away

    def pump(self, file, channel):
        while True:
            with self.wake:
                self.wake.wait_for(lambda: self.credit[channel] or channel in self.closed)
                room = min(self.credit[channel], link.PAYLOAD_MAX)
            if channel in self.closed:
                file.close()
                return
            data = os.read(file.fileno(), room)
            if not data:
                return self.send(link.EOF, channel)
            with self.wake:
                self.credit[channel] -= len(data)
            self.send(link.DATA, channel, data)

    def finish(self, child, pumps):
        for pump in pumps:
            pump.join()
        status = child.wait()
        self.send(link.EXIT, 0, (status if status >= 0 else 128 - status).to_bytes(4, "little"))


class Pipe:
    """Collects what a Session writes; slow or closed when told."""

    def __init__(self, delay_s=0.0, close_after=None):
        self.read_fd, self.fd = os.pipe()
        self.data, self.delay_s, self.close_after = b"", delay_s, close_after
        self.thread = threading.Thread(target=self.collect, daemon=True)
        self.thread.start()

    def collect(self):
        while data := os.read(self.read_fd, 8192):
            self.data += data
            if self.close_after is not None and len(self.data) >= self.close_after:
                break
            time.sleep(self.delay_s)
        os.close(self.read_fd)

    def end(self):
        os.close(self.fd)
        self.thread.join(DEADLINE_S)
        return self.data


def drive(session, guest):
    """Runs a session to its end."""
    end = time.monotonic() + DEADLINE_S
    while not session.is_over():
        assert time.monotonic() < end, "the session hangs"
        assert session.step(0.5), "the guest is gone"
    session.finish(end)
    guest.join(5)
    assert guest.error is None, guest.error
    return session.status


def run(*words, data=None, garbage=b"", out=None, environment=()):
    guest = FakeGuest(garbage)
    guest.start()
    out, err = out or Pipe(), Pipe()
    stdin = None
    if data is not None:
        stdin, feed = os.pipe()
        threading.Thread(target=feed_pipe, args=(feed, data), daemon=True).start()
    command = link.command_frames([os.fsencode(word) for word in words], [b"PATH=/usr/bin:/bin", *environment], b"/")
    session = link.Session(guest.host, command, {link.STDOUT: out.fd, link.STDERR: err.fd}, stdin)
    status = drive(session, guest)
    return status, out.end(), err.end(), guest


def feed_pipe(fd, data):
    with os.fdopen(fd, "wb", buffering=0) as file:
        try:
            file.write(data)
        except BrokenPipeError:
            pass


def noise(count):
    state, out = 12345, bytearray()
    while len(out) < count:
        state = state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
        out += state.to_bytes(8, "little")
    return bytes(out[:count])


def rule_output_and_status_come_back_apart():
    status, out, err, guest = run("sh", "-c", "echo out; echo err >&2; exit 42")
    assert (status, out, err) == (42, b"out\n", b"err\n"), (status, out, err)
    assert guest.said_goodbye


def rule_arguments_and_environment_arrive_unchanged():
    words = ["a b", "", "*'\"\\", "\u00e4", "new\nline"]
    status, out, _, _ = run("sh", "-c", 'for a; do printf "[%s]" "$a"; done; printf %s "$X"', "sh", *words, environment=[b"X=1=2"])
    assert status == 0 and out == b"".join(b"[" + word.encode() + b"]" for word in words) + b"1=2", out


def rule_a_command_of_many_frames_arrives():
    word = "x" * 100_000
    _, out, _, _ = run("sh", "-c", "echo ${#1}", "sh", word)
    assert out == b"100000\n", out


def rule_garbage_before_the_hello_is_dropped():
    half = link.hello()[:12]
    for garbage in (b"SeaBIOS\r\n\x1b[2J", half, half + half, bytes(range(256)) * 20 + link.hello()[:19]):
        status, out, _, _ = run("echo", "x", garbage=garbage)
        assert (status, out) == (0, b"x\n"), garbage


def rule_a_megabyte_goes_through_stdin_and_back():
    data = noise(1 << 20)
    status, out, _, _ = run("cat", data=data)
    assert status == 0 and out == data


def rule_a_slow_reader_holds_nothing_up_but_the_command():
    data = noise(1 << 20)
    status, out, _, _ = run("cat", data=data, out=Pipe(delay_s=0.005))
    assert status == 0 and out == data


def rule_a_slow_reader_loses_nothing():
    status, out, _, _ = run("sh", "-c", "head -c 600000 /dev/zero", out=Pipe(delay_s=0.01))
    assert status == 0 and out == bytes(600000), len(out)


def rule_a_closed_output_stops_the_command():
    status, _, _, guest = run("sh", "-c", "yes; exit 3", out=Pipe(close_after=10))
    assert status == 3 and link.STDOUT in guest.closed, status


def rule_a_command_may_leave_its_stdin_unread():
    status, _, _, _ = run("true", data=noise(1 << 20))
    assert status == 0


def rule_a_signal_reaches_the_command():
    guest = FakeGuest()
    guest.start()
    out = Pipe()
    session = link.Session(guest.host, link.command_frames([b"sleep", b"100"], [b"PATH=/bin"], b"/"), {link.STDOUT: out.fd, link.STDERR: out.fd})
    while not session.is_running:
        session.step(0.5)
    session.send_signal(15)
    assert drive(session, guest) == 128 + 15


def broken(*pieces):
    """The error that a guest which sends this after a good hello causes."""
    host, line = socket.socketpair()
    out = Pipe()
    session = link.Session(host, link.command_frames([b"x"], [], b"/"), {link.STDOUT: out.fd})
    line.sendall(link.hello() + b"".join(pieces))
    try:
        for _ in range(10):
            session.step(0.1)
    except link.LinkError as error:
        return str(error)
    raise AssertionError("no LinkError")


def rule_a_broken_frame_is_refused():
    assert "broken frame" in broken(link.FRAME.pack(99, 0, 1) + b"x")
    assert "broken frame" in broken(link.FRAME.pack(link.DATA, 1, 65535))
    assert "no sense" in broken(link.frame(link.DATA, 7, b"x"))
    assert "no sense" in broken(link.frame(link.EXIT, 0, b"x"))
    assert "no sense" in broken(link.frame(link.COMMAND, 0, b"x"))


def rule_more_data_than_granted_is_refused():
    assert "more than" in broken(link.frame(link.DATA, link.STDOUT, bytes(4096)) * 17)


def rule_a_second_hello_means_the_command_is_lost():
    assert "restarted" in broken(link.hello())


def rule_another_version_is_refused():
    host, line = socket.socketpair()
    session = link.Session(host, b"", {})
    line.sendall(link.frame(link.HELLO, 0, link.HELLO_BODY.pack(link.MAGIC, 9, 0)))
    try:
        session.step(1)
    except link.LinkError as error:
        assert "version 9" in str(error)
    else:
        raise AssertionError("accepted")


def rule_what_the_guest_could_not_try_is_said():
    host, line = socket.socketpair()
    session = link.Session(host, link.command_frames([b"x"], [], b"/"), {})
    line.sendall(link.hello() + link.frame(link.FAILED, 0, b"no memory"))
    while not session.is_over():
        session.step(1)
    assert session.failure == "no memory" and session.status is None


def rule_a_command_too_long_is_said():
    try:
        link.command_frames([b"x" * link.COMMAND_MAX], [], b"/")
    except link.LinkError as error:
        assert "too long" in str(error)
    else:
        raise AssertionError("accepted")


tap.run(__name__)
