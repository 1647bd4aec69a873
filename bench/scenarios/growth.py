"""Stores of 1k, 10k, 100k and 1M: start, memory, reads, pages, pushes and deletes must not depend on what is stored.

N is the number of tags of one repository, each with a manifest of its own; beside it N/10 repositories and
N referrers of one subject (at most 100,000). Latencies are of one connection in a closed loop: of the work, not of a queue. A claim of flatness fails if the line
through the medians, both axes logarithmic, climbs with a slope over 0.15.
"""

import http.client
import math
import random
import shutil
import tempfile
from pathlib import Path

from harness import load, work_root
from harness.content import MANIFEST
from harness.fleet import Cores
from harness.points import Point, Target, conclude
from harness.population import REFS, TAGS, Store, write, write_distribution_tags
from harness.servers import KINDS, Berth, missing

NAME = "growth"
ORDER = 70
SIZES, QUICK_SIZES = (1_000, 10_000, 100_000, 1_000_000), (1_000, 10_000)
PEER_LIMIT = 100_000       # three sizes show how a peer grows; its stores are made of four files a tag
PICTURES = [("growth", "Median latency by size of the store", "tags in one repository, each with its manifest", "p50, µs",
             {"p50_us": None}),
            ("growth_start", "Start and memory by size of the store", "tags in one repository, each with its manifest", "ms, MiB",
             {"ready_ms": None, "rss_mib": None})]
METRICS = ["p50_us", "p99_us", "rps", "ready_ms", "rss_mib", "bytes_per_manifest"]
SLOPE_MAX = 0.15
PAGES = ("tags page, start", "tags page, middle", "tags page, end", "catalog page", "referrers page, start",
         "referrers page, later")
FILLED = "referrers page, filled to 4 MiB"  # what is not asked to be shorter: it grows until it is full
PROBES = ("GET by tag", "GET by digest", "HEAD by tag", *PAGES, "push", "DELETE tag", "DELETE manifest")


def point_name(probe, size):
    return f"{probe}, {size:,}"


def later_page(port: int, target: str, hops: int) -> str:
    """The target that is `hops` Links further on."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for _ in range(hops):
        connection.request("GET", target)
        answer = connection.getresponse()
        answer.read()
        link = answer.getheader("Link")
        if not link:
            break
        target = link[link.index("<") + 1:link.index(">")]
    connection.close()
    return target


def probes(store: Store, port: int):
    """name → lines of a trace."""
    rng = random.Random(store.size)
    some = [rng.randrange(store.size) for _ in range(500)]
    tag_paths = {f"/v2/{TAGS}/manifests/{store.tag(i)}": i for i in some}
    digest_paths = {f"/v2/{TAGS}/manifests/{store.digest(i)}": i for i in some}

    def manifest_lines(paths, method):
        return [load.trace_line(method, path, 200, len(store.body(i)), store.digest(i)) for path, i in paths.items()]

    yield "GET by tag", manifest_lines(tag_paths, "GET")
    yield "GET by digest", manifest_lines(digest_paths, "GET")
    yield "HEAD by tag", manifest_lines(tag_paths, "HEAD")
    tags = f"/v2/{TAGS}/tags/list?n=100"
    yield "tags page, start", [load.trace_line("GET", tags)]
    yield "tags page, middle", [load.trace_line("GET", f"{tags}&last={store.tag(store.size // 2 + i)}") for i in range(200)]
    yield "tags page, end", [load.trace_line("GET", f"{tags}&last={store.tag(store.size - 101)}")]
    repos = store.size // 10
    yield "catalog page", [load.trace_line("GET", f"/v2/_catalog?n=100&last={store.repo(rng.randrange(repos))}") for _ in range(200)]
    all_referrers = f"/v2/{REFS}/referrers/{store.subject}"
    referrers = f"{all_referrers}?n=100"
    yield "referrers page, start", [load.trace_line("GET", referrers)]
    yield "referrers page, later", [load.trace_line("GET", later_page(port, referrers, 20))]
    yield FILLED, [load.trace_line("GET", all_referrers)]
    doomed = rng.sample(range(store.size), 300)
    yield "DELETE tag", [load.trace_line("DELETE", f"/v2/{TAGS}/manifests/{store.tag(i)}", 202) for i in doomed[:150]]
    yield "DELETE manifest", [load.trace_line("DELETE", f"/v2/{TAGS}/manifests/{store.digest(i)}", 202) for i in doomed[150:]]


def measure_berth(options, cores, size, points):
    folder = Path(tempfile.mkdtemp(prefix="grow-", dir=work_root()))
    server = Berth(folder / "berth", cores.server, args=["--scrub-rate", "0"])
    try:
        store = write(server, size)
        for _ in range(options.rounds):
            server.start()
            points[point_name("start", size)].add("berth", {
                "ready_ms": server.ready_s * 1000, "rss_mib": server.process.rss_mib(),
                "bytes_per_manifest": store.database_bytes / store.manifests})
            server.stop()
        server.start()
        trace = folder / "trace"
        for probe, lines in probes(store, server.port):
            trace.write_text("\n".join(lines) + "\n", encoding="utf-8")
            once = probe.startswith("DELETE")
            for _ in range(1 if once else min(options.rounds, 3)):
                figures = load.run("trace", server, cores.load, file=trace, connections=1, seconds=min(options.seconds, 3),
                                   accept=MANIFEST, once=int(once))
                points[point_name(probe, size)].add("berth", load.flat(figures, lines[0].split()[1]))
        figures = load.run("push", server, cores.load, connections=1, seconds=min(options.seconds, 3), layers=3, seed=size)
        points[point_name("push", size)].add("berth", load.flat(figures, "push of an image"))
        return server.version()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def measure_peer(options, cores, name, size, points):
    folder = Path(tempfile.mkdtemp(prefix="grow-", dir=work_root()))
    server = KINDS[name](folder / name, cores.server)
    try:
        write_distribution_tags(server, size)
        server.start()
        trace = folder / "trace"
        tags = f"/v2/{TAGS}/tags/list?n=100"
        for probe, target in (("tags page, start", tags), ("tags page, middle", f"{tags}&last=v{size // 2:07d}")):
            trace.write_text(load.trace_line("GET", target) + "\n", encoding="utf-8")
            figures = load.run("trace", server, cores.load, file=trace, connections=1, seconds=min(options.seconds, 3))
            points[point_name(probe, size)].add(name, load.flat(figures, "GET"))
        return server.version()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def slope(sizes, values) -> float:
    """Of the least-squares line through (log size, log value)."""
    xs, ys = [math.log(size) for size in sizes], [math.log(value) for value in values]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / sum((x - mean_x) ** 2 for x in xs)


def slope_verdicts(points, sizes):
    for probe in (*PROBES, "start"):
        metric = "ready_ms" if probe == "start" else "p50_us"
        values = [points[point_name(probe, size)].median("berth", metric) for size in sizes]
        value = slope(sizes, values) if all(values) and len(sizes) > 1 else None
        yield {"point": probe, "metric": "slope", "peer": "", "relation": "<=", "bound": SLOPE_MAX, "value": value,
               "met": None if value is None else value <= SLOPE_MAX}


def targets(sizes):
    largest = sizes[-1]
    for page in PAGES:
        yield Target(point_name(page, largest), "p99_us", "", "<=", 2000)
    yield Target(point_name("start", largest), "ready_ms", "", "<=", 100)
    yield Target(point_name("start", largest), "rss_mib", "", "<=", 64)


def page_verdicts(points, sizes):
    """p99 within 1.5 of that of the smallest store."""
    for page in PAGES:
        small, large = (points[point_name(page, size)].median("berth", "p99_us") for size in (sizes[0], sizes[-1]))
        value = large / small if small and large else None
        yield {"point": point_name(page, sizes[-1]), "metric": "p99_us", "peer": f"the same at {sizes[0]:,}", "relation": "<=",
               "bound": 1.5, "value": value, "met": None if value is None else value <= 1.5}


def run(options):
    cores = Cores(options.cores or "split")
    sizes = options.sizes or (QUICK_SIZES if options.quick else SIZES)
    points = {point_name(probe, size): Point(point_name(probe, size)) for probe in (*PROBES, FILLED, "start") for size in sizes}
    versions, absent = {}, {}
    for size in sizes:
        versions["berth"] = measure_berth(options, cores, size, points)
        for peer in options.servers(("berth", "distribution2", "distribution3")):
            if peer == "berth" or peer not in KINDS or size > PEER_LIMIT:
                continue
            if missing(peer):
                absent[peer] = missing(peer)
            else:
                versions[peer] = measure_peer(options, cores, peer, size, points)
    found = list(points.values())
    verdicts = [*targets(sizes), *page_verdicts(points, sizes), *slope_verdicts(points, sizes)]
    conclude(NAME, options, cores, found, METRICS, verdicts, versions=versions, absent=absent, sizes=list(sizes))
