"""Thousands of connections in one thread: opened one after the other, then listened to with epoll."""

import select
import socket
import time

from conftest import SECONDS

HEARD_MAX = 64 * 1024
PING = b"GET /v2/ HTTP/1.1\r\nHost: flood\r\n\r\n"


class Member:
    """One connection: what it has heard, and whether it has ended."""

    __slots__ = ("sock", "heard", "ended")

    def __init__(self, sock):
        self.sock = sock
        self.heard = b""
        self.ended = False

    def status(self):
        """Of the last answer; 0 without one."""
        at = self.heard.rfind(b"HTTP/1.1 ")
        return int(self.heard[at + 9:at + 12]) if at >= 0 else 0


class Crowd:
    """A context manager; leaving it closes every connection."""

    def __init__(self, port, count=0, receive_buffer=0):
        self.port = port
        self.receive_buffer = receive_buffer
        self.members = []
        self.poll = select.epoll()
        self.by_descriptor = {}
        self.grow(count)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for member in self.members:
            member.sock.close()
        self.poll.close()

    def grow(self, count, first=b""):
        """Connects `count` more, from several addresses of this machine so that ports do not run short."""
        for _ in range(count):
            sock = socket.socket()
            sock.settimeout(SECONDS)
            if self.receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
            sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT: the port is chosen by connect
            sock.bind((f"127.0.0.{2 + len(self.members) % 8}", 0))
            sock.connect(("127.0.0.1", self.port))
            self.add(sock)
            if first:
                sock.send(first)

    def add(self, sock):
        sock.setblocking(False)
        member = Member(sock)
        self.members.append(member)
        self.by_descriptor[sock.fileno()] = member
        self.poll.register(sock, select.EPOLLIN)
        return member

    def say(self, data):
        for member in self.members:
            if not member.ended:
                assert member.sock.send(data) == len(data)

    def listen(self, done, what, say=None):
        """Takes in what comes until done(self); say(self) is called about every 100 ms."""
        deadline = time.monotonic() + SECONDS
        while not done(self):
            assert time.monotonic() < deadline, f"waited {SECONDS} s: {what}; {self.summary()}"
            for descriptor, _ in self.poll.poll(0.1, 1024):
                self._hear(self.by_descriptor[descriptor])
            if say:
                say(self)

    def _hear(self, member):
        try:
            data = member.sock.recv(HEARD_MAX)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        member.heard = (member.heard + data)[-HEARD_MAX:]
        if not data:
            member.ended = True
            self.poll.unregister(member.sock)
            member.sock.close()

    def count(self, status):
        return sum(member.status() == status for member in self.members)

    def ended(self):
        return sum(member.ended for member in self.members)

    def summary(self):
        statuses = {}
        for member in self.members:
            statuses[member.status()] = statuses.get(member.status(), 0) + 1
        return f"{len(self.members)} connections, {self.ended()} ended, answers by status {statuses}"
