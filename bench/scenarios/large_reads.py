"""GET blob of 64 MiB over 1 and 16 connections, and 4 KiB ranges of a large blob, against nginx with sendfile.

Every body is hashed before the clock runs; in the measured rounds status and length are checked and the bytes are
dropped in the kernel, so that the reading side does not hide what the serving side can do.
"""

from harness import load
from harness.content import fill, random_bytes, sha256
from harness.fleet import Cores, Fleet
from harness.points import Point, Target, conclude

NAME = "large_reads"
ORDER = 20
MIB = 1 << 20
SERVERS = ("berth", "nginx", "distribution2", "distribution3", "zot")
METRICS = ["gib_per_s", "cpu_s_per_gib", "rps", "p50_us", "p99_us", "peak_rss_mib", "server_cores", "load_cores"]
RANGE = 4096
WHOLE_1, WHOLE_16, RANGES = "GET 64 MiB, 1 connection", "GET 64 MiB, 16 connections", "4 KiB ranges, 16 connections"
BIGGER = "GET 512 MiB, 16 connections"


def targets():
    for name in (WHOLE_1, WHOLE_16):
        yield Target(name, "gib_per_s", "nginx", ">=", 0.95)
        yield Target(name, "cpu_s_per_gib", "nginx", "<=", 1.1)
    yield Target(RANGES, "rps", "nginx", ">=", 0.95)
    yield Target(RANGES, "cpu_us_per_request", "nginx", "<=", 1.1)


def memory_verdict(points):
    """Eight times the size must not need more memory."""
    small, big = (next(p.median("berth", "peak_rss_mib") for p in points if p.name == name) for name in (WHOLE_16, BIGGER))
    value = big / small if small and big else None
    return {"point": BIGGER, "metric": "peak_rss_mib", "peer": "the same with 64 MiB", "relation": "<=", "bound": 1.1,
            "value": value, "met": None if value is None else value <= 1.1}


def one_round(server, cores, seconds, trace, connections):
    server.process.reset_peak()
    figures = load.flat(load.run("trace", server, cores, file=trace, connections=connections, seconds=seconds), "GET")
    gib = figures["bytes_in"] / (1 << 30)
    return {**figures, "gib_per_s": gib / figures["seconds"], "cpu_s_per_gib": figures["server_cpu_s"] / gib,
            "peak_rss_mib": server.process.peak_rss_mib()}


def run(options):
    cores = Cores(options.cores or "split")
    block = random_bytes("large", 64 * MIB)
    sizes = {64: block, 512: block * 8}
    blobs = [("library/large", data) for data in sizes.values()]
    targets_of = {mib: f"/v2/library/large/blobs/{sha256(data)}" for mib, data in sizes.items()}
    with Fleet(cores, options.servers(SERVERS), options.berth_binaries) as fleet:
        for server in fleet.servers.values():
            fill(server, [], blobs)
        plans = []
        for name, mib, connections in ((WHOLE_1, 64, 1), (WHOLE_16, 64, 16), (BIGGER, 512, 16)):
            line = load.trace_line("GET", targets_of[mib], 200, mib * MIB, sha256(sizes[mib]))
            plans.append((Point(name), line, connections))
        ranges = load.trace_line("GET", targets_of[512], 206, RANGE, "-", "GET", f"range={512 * MIB}/{RANGE}")
        plans.append((Point(RANGES), ranges, 16))
        for point, line, connections in plans:
            trace = fleet.folder / "trace"
            trace.write_text(line + "\n", encoding="utf-8")
            for server in fleet.servers.values():
                load.run("trace", server, cores.load, file=trace, connections=1, seconds=0.5, hash=1)
            for _ in range(options.rounds if point.name != BIGGER else 1):
                for name, server in fleet.servers.items():
                    point.add(name, one_round(server, cores.load, options.seconds, trace, connections))
        versions, absent = fleet.versions(), fleet.absent
    points = [point for point, _, _ in plans]
    conclude(NAME, options, cores, points, METRICS, [*targets(), memory_verdict(points)], SERVERS, versions=versions,
             absent=absent)
