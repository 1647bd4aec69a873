"""The built program, run as a person at a terminal runs it."""

import contextlib
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BERTH = os.environ.get("BERTH_BIN", str(ROOT / "build/release/berth"))
SECONDS = 30
ANN, BOB = "ann's secret 1", "bob's secret 1"


def run(*args, **kwargs):
    return subprocess.run([BERTH, *args], capture_output=True, text=True, timeout=SECONDS, **kwargs)


class Server:
    """A berth serve that runs. What it says and what it logs go to files in its folder, beside its data."""

    def __init__(self, folder, *args, **kwargs):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.log = folder / "log"
        self.said = folder / "welcome"
        with open(self.said, "w") as said, open(self.log, "w") as log:
            self.process = subprocess.Popen([BERTH, "serve", "--data", str(folder / "data"), *args], stdout=said,
                                            stderr=log, **kwargs)

    @property
    def pid(self):
        return self.process.pid

    @property
    def port(self):
        """Of the first address with one."""
        return int(re.search(r"listening on https?://\S+:(\d+)", self.welcome()).group(1))

    def ports(self, count):
        """Of the addresses in the order they were given, that of --metrics last."""
        return [int(line["address"].rsplit(":", 1)[1]) for line in self.wait_for("http.listening", count)]

    def welcome(self):
        """What it says once it runs; that is written in one piece."""
        self.wait_until(lambda: "listening on" in self.said.read_text(), "welcome")
        return self.said.read_text()

    def lines(self):
        """Of its log, which is in JSON unless something else was asked for."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def events(self, event):
        return [line for line in self.lines() if line["event"] == event]

    def wait_for(self, event, count=1):
        self.wait_until(lambda: len(self.events(event)) >= count, event)
        return self.events(event)

    def wait_until(self, done, what):
        deadline = time.monotonic() + SECONDS
        while not done():
            assert time.monotonic() < deadline and self.process.poll() is None, f"no {what}: {self.log.read_text()}"
            select.select([], [], [], 0.02)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)

    def kill(self):
        """Unless it has ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Person:
    """Somebody with a home of his own, and so with docker's and berth's configuration in it."""

    def __init__(self, home):
        self.home = home
        home.mkdir()
        self.environment = {"HOME": str(home), "PATH": os.environ["PATH"]}

    def berth(self, *args, given="", program=BERTH, **environment):
        return subprocess.run([program, *args], capture_output=True, text=True, timeout=SECONDS, input=given,
                              env={**self.environment, **environment})

    def at_terminal(self, *args, given):
        """With somebody there who types that; its exit code, and what it said."""
        owner, terminal = pty.openpty()
        try:
            os.write(owner, given.encode())
            done = subprocess.run([BERTH, *args], stdin=terminal, capture_output=True, text=True, timeout=SECONDS,
                                  env=self.environment)
        finally:
            os.close(owner)
            os.close(terminal)
        return done.returncode, done.stdout + done.stderr

    def in_dialog(self, *args, answers):
        """The same with somebody who types each answer when it is asked for; answers: what is asked, what is typed."""
        owner, terminal = pty.openpty()
        said = ""
        with subprocess.Popen([BERTH, *args], stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=self.environment) as process:
            try:
                for asks, answer in answers:
                    while asks not in said:
                        assert select.select([process.stdout], [], [], SECONDS)[0], f"nothing asks {asks}: {said}"
                        more = os.read(process.stdout.fileno(), 4096).decode()
                        assert more, f"it ended before it asked {asks}: {said}"
                        said += more
                    said = said.split(asks, 1)[1]
                    os.write(owner, answer.encode())
                said += process.stdout.read().decode()
                return process.wait(SECONDS), said
            finally:
                process.kill()
                os.close(owner)
                os.close(terminal)

    def ok(self, *args, **kwargs):
        done = self.berth(*args, **kwargs)
        assert done.returncode == 0, (args, done.stdout, done.stderr)
        return done.stdout

    def refused(self, *args, **kwargs):
        done = self.berth(*args, **kwargs)
        assert done.returncode not in (0, None), (args, done.stdout)
        return done.stdout + done.stderr

    def docker_config(self):
        return json.loads((self.home / ".docker/config.json").read_text())


@pytest.fixture
def serve(tmp_path):
    """Starts servers, on a free port unless arguments say where; all of them are ended by their pid. The data of the
    first are in tmp_path / "data", each further one has a folder of its own unless one is given."""
    with contextlib.ExitStack() as stack:
        count = 0

        def start(*args, folder=None, **kwargs):
            nonlocal count
            count += 1
            where = () if {"--listen", "--config"} & set(args) else ("--listen", "127.0.0.1:0")
            server = Server(folder or (tmp_path if count == 1 else tmp_path / f"server{count}"), *where, *args, **kwargs)
            stack.callback(server.kill)
            server.welcome()
            return server

        yield start


@pytest.fixture
def ann(tmp_path):
    """The first administrator, made while nothing runs."""
    person = Person(tmp_path / "ann")
    person.ok("user", "add", "ann", "--admin", "--password-stdin", "--data", str(tmp_path / "data"), given=ANN + "\n")
    return person
