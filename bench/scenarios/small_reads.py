"""GET and HEAD manifest by tag and by digest, keep-alive, 64 connections.

GET's rate and CPU are measured with wrk (statuses and total bytes checked), its latencies in the same round with our own
generator: wrk's core is busy to the last percent, so that what it calls p99 holds its own queue. Beforehand the generator
checks the digest of each body. HEAD is measured with it alone: wrk waits for a body.
"""

from harness import load, wrk
from harness.content import MANIFEST, fill, image
from harness.fleet import Cores, Fleet
from harness.points import Point, Target, conclude

NAME = "small_reads"
ORDER = 10
IMAGES, LAYERS, CONNECTIONS = 64, 10, 64
SERVERS = ("berth", "nginx", "distribution2", "distribution3", "zot")
METRICS = ["rps", "p50_us", "p99_us", "cpu_us_per_request", "server_cores", "load_cores"]


def targets(points):
    for name in points:
        yield Target(name, "rps", "nginx", ">=", 1.0)
        yield Target(name, "rps", "distribution2", ">=", 10.0)
        yield Target(name, "rps", "distribution3", ">=", 10.0)
        yield Target(name, "rps", "zot", ">=", 4.0)
        yield Target(name, "p99_us", "nginx", "<=", 1.5)


class Reads:
    """One point: its targets as a list for wrk and as a trace for our generator."""

    def __init__(self, folder, method, images, by):
        self.point = Point(f"{method} manifest by {by}")
        self.method = method
        paths = [(f"/v2/{one.repo}/manifests/{one.tag if by == 'tag' else one.digest}", one) for one in images]
        self.paths = [path for path, _ in paths]
        self.list, self.trace = folder / f"{method}-{by}.list", folder / f"{method}-{by}.trace"
        self.list.write_text("\n".join(self.paths) + "\n", encoding="utf-8")
        lines = [load.trace_line(method, path, 200, len(one.manifest), one.digest) for path, one in paths]
        self.trace.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def warm(self, server, cores):
        """Also the check of each body's digest."""
        load.run("trace", server, cores, file=self.trace, connections=CONNECTIONS, seconds=1, hash=1, accept=MANIFEST)
        if self.method == "GET":
            sizes = {wrk.response_bytes(server.port, path) for path in self.paths}
            if len(sizes) != 1:
                raise SystemExit(f"bench: {server.name}: responses differ in size: {sizes}")
            server.expected_bytes = sizes.pop()

    def measure(self, server, cores, seconds):
        ours = load.flat(load.run("trace", server, cores, file=self.trace, connections=CONNECTIONS, seconds=seconds,
                                  accept=MANIFEST), self.method)
        figures = ours
        if self.method == "GET":
            figures = wrk.run(server, self.list, CONNECTIONS, seconds, cores, server.expected_bytes)
            figures |= {"wrk_p99_us": figures["p99_us"], "p50_us": ours["p50_us"], "p99_us": ours["p99_us"]}
        self.point.add(server.name, figures)


def run(options):
    cores = Cores(options.cores or "split")
    images = [image(f"library/app{i % 8}", f"v1.0.{i:03d}", LAYERS, 256, f"small {i}") for i in range(IMAGES)]
    with Fleet(cores, options.servers(SERVERS), options.berth_binaries) as fleet:
        for server in fleet.servers.values():
            fill(server, images)
        kinds = [Reads(fleet.folder, method, images, by) for method in ("GET", "HEAD") for by in ("tag", "digest")]
        for reads in kinds:
            for server in fleet.servers.values():
                reads.warm(server, cores.load)
            for _ in range(options.rounds):
                for server in fleet.servers.values():
                    reads.measure(server, cores.load, options.seconds)
        versions, absent = fleet.versions(), fleet.absent
    points = [reads.point for reads in kinds]
    conclude(NAME, options, cores, points, METRICS, targets(point.name for point in points), SERVERS, versions=versions,
             absent=absent, manifest_bytes=len(images[0].manifest), connections=CONNECTIONS)
