"""The production and CI mixes of real registries as an open loop, and 500 clients pulling one image within seconds.

Latency counts from the moment a request was due, so a server that stalls is charged for the requests that had to wait.
The rate is one that the slowest server can keep up with: beyond it only its queue would be measured.
"""

import re

from harness import load
from harness.fleet import Cores, Fleet
from harness.points import Point, conclude
from harness.wrk import Refused

NAME = "mixes"
ORDER = 60
SERVERS = ("berth", "distribution2", "distribution3", "zot", "zot-synced")
QUANTILES = {"p50_us": 2, "p90_us": 10, "p99_us": 100, "p999_us": 1000}   # and how many samples each needs
METRICS = [*QUANTILES, "count"]
RATES = {"production": 120, "ci": 40}
BURSTS = {"burst_factor": 3, "burst_s": 1, "burst_every_s": 5}
HERD = "herd: pull of an image"


def population(options):
    return {"seed": 7, "repos": 20 if options.quick else 100, "tags": 5 if options.quick else 10, "pool": 100 if options.quick else 200}


def refusals(server, operations) -> dict:
    """What the generator let pass under a name with its status, "mount (202)": only a server known not to have it may do so."""
    found = [name for name in operations if re.search(r" \(\d+\)$", name)]
    for name in found:
        if name not in server.unsupported:
            raise Refused(f"bench: {server.name}: {name}, which it should support")
    return {name: server.unsupported[name] for name in found}


def verdicts(points):
    """One for each mix and peer: the share of operation × percentile pairs at which Berth is quicker; all are wanted."""
    for mix in (*RATES, "herd"):
        for peer in SERVERS[1:]:
            wins = total = 0
            losses = []
            for point in points:
                if not point.name.startswith(mix + ":"):
                    continue
                samples = sum(figures["count"] for figures in point.rounds.get("berth", []))
                for metric, needed in QUANTILES.items():
                    ours, theirs = point.median("berth", metric), point.median(peer, metric)
                    if ours is None or theirs is None or samples < needed:
                        continue
                    total += 1
                    wins += ours < theirs
                    if ours >= theirs:
                        losses.append(f"{point.name.split(': ')[1]} {metric[:-3]} ×{ours / theirs:.2f}")
            yield {"point": f"{mix} mix" if mix != "herd" else HERD, "metric": "percentiles below", "peer": peer, "relation": ">=",
                   "bound": 1.0, "value": wins / total if total else None, "met": wins == total if total else None,
                   "losses": losses, "pairs": total}


def run(options):
    cores = Cores(options.cores or "split")
    filled = population(options)
    points, unsupported, seconds = {}, {}, max(2.0, options.seconds * 2)
    totals = Point("generator and server")
    with Fleet(cores, options.servers(SERVERS), options.berth_binaries) as fleet:
        for server in fleet.servers.values():
            load.run("fill", server, cores.load, **filled)
        for round_ in range(1, options.rounds + 1):
            for mix, rate in RATES.items():
                for name, server in fleet.servers.items():
                    figures = load.run("mix", server, cores.load, mix=mix, rate=rate, seconds=seconds,
                                       round=round_ * 10 + len(mix), **BURSTS, **filled)
                    unsupported.setdefault(name, {}).update(refusals(server, figures["operations"]))
                    for operation, latencies in figures["operations"].items():
                        points.setdefault(f"{mix}: {operation}", Point(f"{mix}: {operation}")).add(name, latencies)
                    totals.add(name, {key: figures[key] for key in ("server_cores", "load_cores")})
            for name, server in fleet.servers.items():
                figures = load.run("herd", server, cores.load, connections=500, window_s=seconds / 2, seconds=seconds,
                                   round=round_, image=round_, **filled)
                points.setdefault(HERD, Point(HERD)).add(name, figures["operations"]["pull of an image"])
        versions, absent = fleet.versions(), fleet.absent
    found = sorted(points.values(), key=lambda point: point.name)
    judged = list(verdicts(found))
    for verdict in judged:
        if verdict["losses"]:
            print(f"{verdict['point']}: not quicker than {verdict['peer']} at: {'; '.join(verdict['losses'])}")
    conclude(NAME, options, cores, found, METRICS, judged, SERVERS, versions=versions, absent=absent,
             unsupported={name: why for name, why in unsupported.items() if why}, population=filled, rates=RATES, bursts=BURSTS, use=totals.rounds)
