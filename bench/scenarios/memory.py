"""Memory: idle, and with 1,000 connections that each have an upload in progress."""

import subprocess

from harness import load
from harness.fleet import Cores, Fleet
from harness.points import Point, Target, conclude
from harness.process import pin
from harness.wrk import Refused

NAME = "memory"
ORDER = 50
SERVERS = ("berth", "distribution2", "distribution3", "zot")
METRICS = ["rss_mib", "pss_mib", "peak_rss_mib"]
IDLE, UPLOADING = "idle", "1,000 uploads in progress"


def targets():
    yield Target(IDLE, "rss_mib", "", "<=", 30)
    yield Target(UPLOADING, "rss_mib", "", "<=", 100)


def memory(server) -> dict:
    process = server.process
    return {"rss_mib": process.rss_mib(), "pss_mib": process.pss_mib(), "peak_rss_mib": process.peak_rss_mib()}


def while_uploading(server, cores, connections) -> dict:
    """The generator says "holding" when half of each body is sent and ends when its input does."""
    command = load.command("hold", server, {"connections": connections, "bytes": 1 << 20, "seconds": 60})
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=pin(cores))
    try:
        if holder.stdout.readline().strip() != "holding":
            raise Refused(f"bench: {server.name}: {holder.stdout.read()}")
        return memory(server)
    finally:
        rest, _ = holder.communicate("")
        if '"errors": 0' not in rest:
            raise Refused(f"bench: {server.name}: {rest}")


def run(options):
    cores = Cores(options.cores or "split")
    idle, uploading = Point(IDLE), Point(UPLOADING)
    for _ in range(1 if options.quick else min(options.rounds, 3)):
        with Fleet(cores, options.servers(SERVERS), options.berth_binaries) as fleet:
            for name, server in fleet.servers.items():
                idle.add(name, memory(server))
                uploading.add(name, while_uploading(server, cores.load, 1000))
            versions, absent = fleet.versions(), fleet.absent
    conclude(NAME, options, cores, [idle, uploading], METRICS, targets(), SERVERS, versions=versions, absent=absent)
