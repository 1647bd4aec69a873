"""One thing varied at a time on fixed data: 1 to 1,024 connections, then bodies from 1 KiB to 1 GiB, read and pushed.

Nothing is judged here: the curves show where each server bends. Reads are of a manifest by tag, 64 of them in turn; bodies
are read and pushed over one connection, a push being an image of one layer of that size. nginx takes no pushes.
"""

from harness import load
from harness.content import MANIFEST, fill, image, random_bytes, sha256
from harness.fleet import Cores, Fleet
from harness.points import Point, conclude

NAME = "scaling"
ORDER = 80
SERVERS = ("berth", "nginx", "distribution2", "distribution3", "zot")
METRICS = ["p50_us", "p99_us", "rps", "mib_per_s", "server_cores"]
CONNECTIONS = (1, 4, 16, 64, 256, 1024)
SIZES = (1 << 10, 16 << 10, 256 << 10, 4 << 20, 64 << 20, 1 << 30)
QUICK_SIZES = SIZES[:4]
IMAGES = 64
CONNECTED, READ, PUSHED = "GET manifest by connections", "GET blob by bytes", "push of one layer by bytes"
SERIES = (CONNECTED, READ, PUSHED)
PICTURES = [("connections", "Requests a second by connections", "connections", "requests/s", {"rps": CONNECTED}),
            ("connections_latency", "p99 by connections", "connections", "p99, µs", {"p99_us": CONNECTED}),
            ("bytes_read", "Reading a blob by its size", "bytes", "p50, µs", {"p50_us": READ}),
            ("bytes_pushed", "Pushing an image of one layer by its size", "bytes", "p50, µs", {"p50_us": PUSHED})]


def point(points, series, at):
    return points.setdefault((series, at), Point(f"{series}, {at:,}"))


def trace_of(fleet, lines):
    path = fleet.folder / "trace"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def by_connections(options, cores, fleet, points):
    images = [image("library/scaling", f"v{i}", 10, 64, f"scaling {i}") for i in range(IMAGES)]
    for server in fleet.servers.values():
        fill(server, images)
    lines = [load.trace_line("GET", f"/v2/{one.repo}/manifests/{one.tag}", 200, len(one.manifest), one.digest) for one in images]
    trace = trace_of(fleet, lines)
    for connections in CONNECTIONS:
        for _ in range(min(options.rounds, 2)):
            for name, server in fleet.servers.items():
                figures = load.run("trace", server, cores.load, file=trace, connections=connections,
                                   seconds=min(options.seconds, 2), accept=MANIFEST)
                point(points, CONNECTED, connections).add(name, load.flat(figures, "GET"))


def by_bytes(options, cores, fleet, points, sizes):
    for size in sizes:
        data = random_bytes(f"scaling {size}", min(size, 64 << 20)) * max(size >> 26, 1)
        digest = sha256(data)
        for server in fleet.servers.values():
            fill(server, [], [("library/scaling", data)])
        del data
        trace = trace_of(fleet, [load.trace_line("GET", f"/v2/library/scaling/blobs/{digest}", 200, size, digest)])
        for name, server in fleet.servers.items():
            load.run("trace", server, cores.load, file=trace, connections=1, seconds=0.1, hash=1)  # warm, and checked
            figures = load.flat(load.run("trace", server, cores.load, file=trace, connections=1,
                                         seconds=min(options.seconds, 2)), "GET")
            figures["mib_per_s"] = figures["rps"] * size / (1 << 20)
            point(points, READ, size).add(name, figures)
        for name, server in fleet.servers.items():
            if server.is_registry:
                figures = load.flat(load.run("push", server, cores.load, connections=1, seconds=min(options.seconds, 2), layers=1,
                                             layer_bytes=size, seed=size & 0xFFFF), "push of an image")
                figures["mib_per_s"] = size / (1 << 20) / (figures["p50_us"] / 1e6)
                point(points, PUSHED, size).add(name, figures)


def run(options):
    cores = Cores(options.cores or "split")
    points = {}
    with Fleet(cores, options.servers(SERVERS), options.berth_binaries) as fleet:
        by_connections(options, cores, fleet, points)
        by_bytes(options, cores, fleet, points, QUICK_SIZES if options.quick else SIZES)
        versions, absent = fleet.versions(), fleet.absent
    conclude(NAME, options, cores, list(points.values()), METRICS, [], SERVERS, versions=versions, absent=absent)
