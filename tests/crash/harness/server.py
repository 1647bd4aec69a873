"""Starts, kills and stops one real server on a data folder; every wait has a deadline."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LISTENING = re.compile(rb"berth: listening on http://127\.0\.0\.1:(\d+)")


def berth_binary() -> str:
    """BERTH_BIN names another build to test (asan, an installed package)."""
    binary = os.environ.get("BERTH_BIN", str(ROOT / "build" / "release" / "berth"))
    if not os.access(binary, os.X_OK):
        raise SystemExit(f"no server to test: {binary} (build it, or set BERTH_BIN)")
    return binary


def eventually(predicate, deadline_s: float, what: str):
    """Polls until `predicate` returns something true and hands that back."""
    end = time.monotonic() + deadline_s
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        time.sleep(0.005)


class StartFailed(AssertionError):
    """The server did not reach its listening line; carries the exit code (None: still running)."""

    def __init__(self, exit_code, log_tail: str):
        super().__init__(f"server did not start (exit {exit_code}):\n{log_tail}")
        self.exit_code = exit_code


class Server:
    """One server process. `prefix` wraps the command line (e.g. unshare), `env` adds to the environment."""

    def __init__(self, data, log, *, args=(), env=None, prefix=(), policy="strict"):
        self.data, self.log = Path(data), Path(log)
        self.command = [*prefix, berth_binary(), "serve", "--listen", "127.0.0.1:0", "--data", str(data),
                        "--reference-policy", policy, "--anonymous", "write", *args]
        self.env = {**os.environ, **(env or {})}
        self.process, self.port, self.start_ms, self._log_start = None, 0, 0.0, 0

    def launch(self):
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self._log_start = log.tell()
            self._launched = time.monotonic()
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env)
        return self

    def wait_listening(self, deadline_s: float = 15.0):
        end = self._launched + deadline_s
        while True:
            found = LISTENING.search(self._output())
            if found:
                self.port = int(found[1])
                self.start_ms = (time.monotonic() - self._launched) * 1000
                return self
            code = self.process.poll()
            if code is not None or time.monotonic() > end:
                self.kill9()
                raise StartFailed(code, self.log_tail())
            time.sleep(0.001)

    def start(self, deadline_s: float = 15.0):
        return self.launch().wait_listening(deadline_s)

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill9(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=10)

    def stop(self, deadline_s: float = 35.0) -> int:
        """Graceful end; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=deadline_s)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise AssertionError(f"SIGTERM did not end the server within {deadline_s} s:\n{self.log_tail()}") from None

    def wait_exit(self, deadline_s: float = 10.0) -> int:
        return self.process.wait(timeout=deadline_s)

    def log_tail(self, lines: int = 15) -> str:
        return "\n".join(self._output().decode(errors="replace").splitlines()[-lines:])

    def _output(self) -> bytes:
        with open(self.log, "rb") as log:
            log.seek(self._log_start)
            return log.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill9()


def run_berth(*args, deadline_s: float = 120.0) -> subprocess.CompletedProcess:
    """An offline command such as fsck; output is text."""
    return subprocess.run([berth_binary(), *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=deadline_s, check=False)


def fsck_is_clean(data) -> str | None:
    """None when clean, else what fsck said."""
    result = run_berth("fsck", "--data", data)
    return None if result.returncode == 0 else f"fsck exit {result.returncode}: {result.stdout}{result.stderr}"
