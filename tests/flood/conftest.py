"""The built program under floods: many connections, many uploads, slow peers, huge heads.

Every test starts a server of its own and states a bound: of memory for each peer, of answers, of what is left after."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import resource
import select
import signal
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BERTH = os.environ.get("BERTH_BIN", str(ROOT / "build/release/berth"))
SECONDS = int(os.environ.get("FLOOD_SECONDS", "60"))  # after which a test that waits has failed
DESCRIPTORS = 18_432  # of which the server gives more than 10,000 to connections (src/app/descriptors.cpp)


def pytest_sessionstart():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
            return
        pytest.exit(f"the hard limit of open files is {hard}; this suite needs {DESCRIPTORS}: raise it (ulimit -Hn)", 1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))


def eventually(happened, what):
    """Until happened() gives something; no time is asserted but the end of all patience."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if found := happened():
            return found
        select.select([], [], [], 0.02)
    raise AssertionError(f"waited {SECONDS} s: {what}")


class Server:
    """`berth serve` with the metrics on an address of their own, which has its own count of connections."""

    def __init__(self, folder, args, settings, context=None):
        folder.mkdir()
        self.context = context
        self.log = folder / "log"
        variables = {f"BERTH_{key.replace('.', '__').upper()}": str(value) for key, value in settings.items()}
        self.process = subprocess.Popen(
            [BERTH, "serve", "--data", str(folder / "data"), "--log-format", "json", "--access-log", "off", "--listen",
             "127.0.0.1:0", "--metrics", "127.0.0.1:0", *args],
            stdout=subprocess.DEVNULL, stderr=open(self.log, "w"), env={**os.environ, **variables})
        listening = eventually(self._listening, "the server listens")
        self.port, self.metrics_port = (int(line["address"].rsplit(":", 1)[1]) for line in listening)

    def _listening(self):
        assert self.process.poll() is None, self.log.read_text()
        found = self.lines("http.listening")
        return found if len(found) == 2 else None

    def lines(self, event):
        whole = self.log.read_text().rpartition("\n")[0].splitlines()
        return [line for line in map(json.loads, whole) if line["event"] == event]

    def _connect(self, port):
        if self.context:
            return http.client.HTTPSConnection("127.0.0.1", port, timeout=SECONDS, context=self.context)
        return http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)

    def metric(self, name):
        connection = self._connect(self.metrics_port)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return int(float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.M).group(1)))

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def ask(self, method="GET", path="/v2/", body=None, **headers):
        """A normal client's request on a connection of its own."""
        connection = self._connect(self.port)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        response.body = response.read()
        connection.close()
        return response

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def serve(tmp_path):
    """serve(*flags, **settings): `limits.connections` is given as limits__connections."""
    with contextlib.ExitStack() as stack:
        count = 0

        def start(*args, context=None, **settings):
            nonlocal count
            count += 1
            server = Server(tmp_path / f"server{count}", args, {k.replace("__", "."): v for k, v in settings.items()},
                            context)
            stack.callback(server.end)
            for _ in range(20):
                assert server.ask().status == 200  # its pools and buffers are there before memory is measured
            return server

        yield start


@pytest.fixture
def figure(record_property, capsys):
    """Says what was measured, so that a run shows the figures that the documentation states."""

    def say(text):
        with capsys.disabled():
            print(f"\n  {text}", end="", flush=True)

    return say
