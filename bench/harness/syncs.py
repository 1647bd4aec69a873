"""How often a server asks the disk to make something durable, counted by strace on a run of its own."""

import re
import signal
import subprocess
import time
from pathlib import Path

CALLS = ("fsync", "fdatasync", "syncfs", "sync_file_range", "msync")


def count(server, folder: Path, work) -> tuple[int, object]:
    """(calls while `work()` ran, its result)."""
    report = folder / "strace"
    tracer = subprocess.Popen(["strace", "-f", "-c", "-e", "trace=" + ",".join(CALLS), "-o", str(report), "-p",
                               str(server.process.pid)], stderr=subprocess.DEVNULL)
    status = Path(f"/proc/{server.process.pid}/status")
    while f"TracerPid:\t{tracer.pid}" not in status.read_text(encoding="utf-8"):
        if tracer.poll() is not None:
            raise SystemExit(f"bench: strace could not attach to {server.name}")
        time.sleep(0.01)
    time.sleep(0.2)   # its other threads
    try:
        result = work()
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
    calls = 0
    for line in report.read_text(encoding="utf-8").splitlines():
        found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)\s*$", line)
        if found and found[2] in CALLS:
            calls += int(found[1])
    return calls, result
