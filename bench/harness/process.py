"""One server process: started on given cores, measured from /proc, stopped by its pid."""

import os
import signal
import subprocess
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def pin(cores):
    """For preexec_fn: the process and all it starts stay on these cores."""
    return lambda: os.sched_setaffinity(0, cores)


def family(pid: int) -> list[int]:
    """The process and its descendants."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            parents[int(entry)] = int(stat.rsplit(")", 1)[1].split()[1])
    found = [pid]
    for member in found:   # grows while it is walked
        found += [child for child, parent in parents.items() if parent == member]
    return found


class Process:
    """`command` runs in the foreground; everything it starts is its child."""

    def __init__(self, command, log: Path, cores, env=None):
        self.log = log
        with open(log, "ab") as output:
            self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                          env={**os.environ, **(env or {})}, preexec_fn=pin(cores))
        self.started = time.monotonic()

    @property
    def pid(self) -> int:
        return self.popen.pid

    def cpu_seconds(self) -> float:
        """User and system time of the whole family so far, ended children included (resolution 10 ms)."""
        ticks = 0
        for member in family(self.pid):
            try:
                fields = Path(f"/proc/{member}/stat").read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()
            except OSError:
                continue
            ticks += sum(int(fields[i]) for i in (11, 12, 13, 14))
        return ticks / TICK

    def _memory(self, row: str) -> float:
        total = 0
        for member in family(self.pid):
            try:
                for line in Path(f"/proc/{member}/smaps_rollup").read_text(encoding="utf-8").splitlines():
                    if line.startswith(row):
                        total += int(line.split()[1])
            except OSError:
                continue
        return total / 1024

    def rss_mib(self) -> float:
        return self._memory("Rss:")

    def pss_mib(self) -> float:
        return self._memory("Pss:")

    def peak_rss_mib(self) -> float:
        """Highest resident size since the start or the last reset_peak(), summed over the family."""
        total = 0
        for member in family(self.pid):
            try:
                for line in Path(f"/proc/{member}/status").read_text(encoding="utf-8").splitlines():
                    if line.startswith("VmHWM:"):
                        total += int(line.split()[1])
            except OSError:
                continue
        return total / 1024

    def reset_peak(self):
        for member in family(self.pid):
            try:
                Path(f"/proc/{member}/clear_refs").write_text("5", encoding="utf-8")
            except OSError:
                continue

    def wait_ready(self, probe, deadline_s: float = 30.0) -> float:
        """Seconds from the start until `probe()` is true."""
        while True:
            if probe():
                return time.monotonic() - self.started
            if self.popen.poll() is not None or time.monotonic() - self.started > deadline_s:
                tail = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
                self.stop()
                raise SystemExit(f"bench: {self.popen.args[0]} did not get ready (exit {self.popen.poll()}):\n{tail}")
            time.sleep(0.002)

    def stop(self, deadline_s: float = 20.0):
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(timeout=deadline_s)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
