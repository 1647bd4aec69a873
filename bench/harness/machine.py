"""What the figures were measured on, and of which revision."""

import os
import platform
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


def describe() -> dict:
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _first("/proc/cpuinfo", "model name"),
        "memory_mib": int(_first("/proc/meminfo", "MemTotal").split()[0]) // 1024,
        "kernel": platform.release(),
        "os": _output("sh", "-c", ". /etc/os-release; echo $PRETTY_NAME"),
        "file_system": _output("stat", "-f", "-c", "%T", str(work_root())),
        "load_before": os.getloadavg()[0],
        "revision": revision(),
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
