"""What the figures were measured on, and of which revision."""

import os
import platform
import resource
import subprocess
import time
from pathlib import Path

from . import ROOT, work_root


def _first(path: str, prefix: str) -> str:
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith(prefix):
            return line.split(":", 1)[1].strip()
    return "unknown"


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def revision() -> str:
    changed = _output("git", "status", "--porcelain", "--untracked-files=no", "--", "src")
    return _output("git", "rev-parse", "--short=12", "HEAD") + ("" if changed in ("", "unknown") else "+changes")


class Neighbours:
    """How many cores other processes used since the start: with more than a little, only ratios mean something."""

    def __init__(self):
        self.at, self.busy, self.own = time.monotonic(), self._busy(), self._own()

    @staticmethod
    def _busy() -> float:
        user, nice, system, _, _, irq, softirq, *_ = map(int, Path("/proc/stat").read_text(encoding="ascii").split("\n")[0].split()[1:])
        return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def _own() -> float:
        """Ours and that of the children that have ended; servers have when a scenario is concluded."""
        usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(usage.ru_utime + usage.ru_stime for usage in usages)

    def cores(self) -> float:
        seconds = max(time.monotonic() - self.at, 1e-9)
        return max(0.0, (self._busy() - self.busy - self._own() + self.own) / seconds)


neighbours = Neighbours()


def watch():
    """A scenario begins."""
    global neighbours
    neighbours = Neighbours()


def describe() -> dict:
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _first("/proc/cpuinfo", "model name"),
        "memory_mib": int(_first("/proc/meminfo", "MemTotal").split()[0]) // 1024,
        "kernel": platform.release(),
        "os": _output("sh", "-c", ". /etc/os-release; echo $PRETTY_NAME"),
        "file_system": _output("stat", "-f", "-c", "%T", str(work_root())),
        "others_cores": round(neighbours.cores(), 2),
        "revision": revision(),
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
