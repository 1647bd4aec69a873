"""GET manifest by tag and by digest, keep-alive, 64 connections (wrk)."""

from harness import wrk
from harness.content import fill, image
from harness.fleet import Cores, Fleet
from harness.points import Point, Target, as_data, print_points, print_verdicts, save

NAME = "small_reads"
ORDER = 10
IMAGES, LAYERS, CONNECTIONS = 64, 10, 64
SERVERS = ("berth", "nginx", "distribution2", "distribution3", "zot")


def targets(points):
    for name in points:
        yield Target(name, "rps", "nginx", ">=", 1.0)
        yield Target(name, "rps", "distribution2", ">=", 10.0)
        yield Target(name, "rps", "distribution3", ">=", 10.0)
        yield Target(name, "rps", "zot", ">=", 4.0)
        yield Target(name, "p99_us", "nginx", "<=", 1.5)


def run(options):
    cores = Cores(options.cores)
    images = [image(f"library/app{i % 8}", f"v1.0.{i:03d}", LAYERS, 256, f"small {i}") for i in range(IMAGES)]
    lists = {"GET manifest by tag": [f"/v2/{one.repo}/manifests/{one.tag}" for one in images],
             "GET manifest by digest": [f"/v2/{one.repo}/manifests/{one.digest}" for one in images]}
    points = [Point(name) for name in lists]
    with Fleet(cores, options.servers(SERVERS), options.berth_binaries) as fleet:
        for server in fleet.servers.values():
            fill(server, images)
        for point in points:
            path = fleet.folder / "targets"
            path.write_text("\n".join(lists[point.name]) + "\n", encoding="utf-8")
            sizes = {}
            for name, server in fleet.servers.items():
                found = {wrk.response_bytes(server.port, target) for target in lists[point.name]}
                if len(found) != 1:
                    raise SystemExit(f"bench: {name}: responses differ in size: {found}")
                sizes[name] = found.pop()
                wrk.run(server, path, CONNECTIONS, 1, cores.load, sizes[name])   # warm
            for _ in range(options.rounds):
                for name, server in fleet.servers.items():
                    point.add(name, wrk.run(server, path, CONNECTIONS, options.seconds, cores.load, sizes[name]))
        versions, absent = fleet.versions(), fleet.absent
    verdicts = [target.judge(points) for target in targets(lists)]
    print_points(points, ["rps", "p50_us", "p99_us", "cpu_us_per_request", "server_cores", "load_cores"], SERVERS)
    print_verdicts(verdicts)
    save(NAME, {"cores": cores.describe(), "versions": versions, "absent": absent, "rounds": options.rounds,
                "seconds": options.seconds, "manifest_bytes": len(images[0].manifest), "connections": CONNECTIONS,
                "points": as_data(points), "targets": verdicts})
