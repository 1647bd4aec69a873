"""16 clients pushing images of 10 layers of 16 KiB: HEAD, POST, PATCH, PUT for each blob, then the manifest.

Berth answers after the disk has it; the peers do not sync. fsyncs per push are counted by strace in a run of its own.
"""

from harness import load, syncs
from harness.fleet import Cores, Fleet
from harness.points import Point, Target, conclude

NAME = "pushes"
ORDER = 40
SERVERS = ("berth", "distribution2", "distribution3", "zot", "zot-synced")
METRICS = ["images_per_s", "p50_us", "p99_us", "cpu_ms_per_image", "fsyncs_per_image", "server_cores", "load_cores"]
CLIENTS = (1, 4, 16, 64)
LAYERS, LAYER_BYTES = 10, 16384


def point_name(clients):
    return f"push, {clients} client{'s' if clients > 1 else ''}"


def growth_verdict(points):
    rates = [next(p.median("berth", "images_per_s") for p in points if p.name == point_name(n)) for n in (1, 4, 16)]
    value = rates[2] / rates[0] if all(rates) else None
    return {"point": "push, 16 clients", "metric": "images_per_s", "peer": "1 client (grows with concurrency)",
            "relation": ">=", "bound": 1.5, "value": value,
            "met": None if value is None else value >= 1.5 and rates[0] < rates[1] < rates[2]}


def targets():
    for peer in SERVERS[1:]:
        yield Target(point_name(16), "images_per_s", peer, ">=", 2.0)


def push(server, cores, clients, seconds, seed):
    figures = load.run("push", server, cores, connections=clients, seconds=seconds, layers=LAYERS, layer_bytes=LAYER_BYTES,
                       seed=seed)
    images = max(figures["images"], 1)
    return {**load.flat(figures, "push of an image"), "images_per_s": images / figures["seconds"],
            "cpu_ms_per_image": figures["server_cpu_s"] / images * 1e3,
            "steps": {name: {key: step[key] for key in ("p50_us", "p99_us")} for name, step in figures["operations"].items()}}


def run(options):
    cores = Cores(options.cores or "split")
    points = {clients: Point(point_name(clients)) for clients in CLIENTS}
    seed = 1
    with Fleet(cores, options.servers(SERVERS), options.berth_binaries) as fleet:
        for server in fleet.servers.values():
            push(server, cores.load, 4, 0.5, seed)
        for clients, point in points.items():
            for _ in range(options.rounds):
                seed += 1
                for name, server in fleet.servers.items():
                    point.add(name, push(server, cores.load, clients, options.seconds, seed))
            seed += 1
            for name, server in fleet.servers.items():
                calls, figures = syncs.count(server, fleet.folder, lambda s=server, c=clients, n=seed: push(s, cores.load, c, 1, n))
                point.rounds[name][0]["fsyncs_per_image"] = calls / max(1, figures["images"])
        versions, absent = fleet.versions(), fleet.absent
    found = list(points.values())
    conclude(NAME, options, cores, found, METRICS, [*targets(), growth_verdict(found)], SERVERS, versions=versions,
             absent=absent, layers=LAYERS, layer_bytes=LAYER_BYTES)
