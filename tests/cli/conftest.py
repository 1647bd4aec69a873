"""The built program, run as a person at a terminal runs it."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BERTH = os.environ.get("BERTH_BIN", str(ROOT / "build/release/berth"))
SECONDS = 30


def run(*args, **kwargs):
    return subprocess.run([BERTH, *args], capture_output=True, text=True, timeout=SECONDS, **kwargs)


class Server:
    def __init__(self, process):
        self.process = process
        self.lines = []
        for line in process.stdout:
            self.lines.append(line.rstrip("\n"))
            if "curl" in line:  # the last line of the welcome
                break
        match = re.search(r"listening on http://(\S+?):(\d+)", "\n".join(self.lines))
        assert match, self.lines
        self.host, self.port = match.group(1), int(match.group(2))

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)


@pytest.fixture
def serve(tmp_path):
    """Starts servers; all of them are ended by their pid."""
    with contextlib.ExitStack() as stack:

        def start(*args, **kwargs):
            process = subprocess.Popen(
                [BERTH, "serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), *args],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **kwargs)
            stack.callback(lambda: process.poll() is None and (process.kill(), process.wait()))
            return Server(process)

        yield start
