"""Upload of one 1 GiB blob (POST+PATCH chunked; POST+PUT) against SHA-256's and the disk's own speed, and the peers.

Each upload goes to a server started for it on an empty folder. "bound" is the slower of `openssl speed` SHA-256 on the
server's cores and `dd conv=fsync` of the same size on the same disk, both measured in the same round. Server and generator
share all cores: a server may hash on one while it receives on another.
"""

import re
import subprocess
import time

from harness import load
from harness.fleet import Cores, Fleet
from harness.points import Point, Target, conclude
from harness.process import pin
from harness import work_root

NAME = "uploads"
ORDER = 30
SERVERS = ("berth", "distribution2", "distribution3", "zot", "zot-synced")
METRICS = ["mib_per_s", "seconds", "server_cpu_s", "peak_rss_mib", "load_cores"]
STYLES = {"POST+PATCH chunked": "patch", "POST+PUT": "put"}


def targets(points):
    for name in points:
        yield Target(name, "mib_per_s", "bound", ">=", 0.8)
        for peer in SERVERS[1:]:
            yield Target(name, "mib_per_s", peer, ">=", 1.5)


def hash_speed(cores) -> float:
    """MiB/s of SHA-256 on one core."""
    output = subprocess.run(["openssl", "speed", "-elapsed", "-seconds", "1", "-bytes", "262144", "-evp", "sha256"],
                            capture_output=True, text=True, check=True, preexec_fn=pin(cores)).stdout
    return float(re.search(r"^sha256\s+([0-9.]+)k", output, re.M | re.I)[1]) * 1000 / (1 << 20)


def disk_speed(cores, mib: int) -> float:
    """MiB/s of writing that much and syncing it."""
    path = work_root() / "dd.probe"
    started = time.monotonic()
    subprocess.run(["dd", "if=/dev/zero", f"of={path}", "bs=1M", f"count={mib}", "conv=fsync"], capture_output=True, check=True,
                   preexec_fn=pin(cores))
    seconds = time.monotonic() - started
    path.unlink()
    return mib / seconds


def upload(options, cores, name, style, mib, seed, found):
    with Fleet(cores, [name], options.berth_binaries) as fleet:
        found["absent"].update(fleet.absent)
        if name not in fleet.servers:
            return None
        server = fleet.servers[name]
        found["versions"].update(fleet.versions())
        figures = load.run("upload", server, cores.load, bytes=mib << 20, style=style, seed=seed)
        return {"mib_per_s": mib / figures["seconds"], "peak_rss_mib": server.process.peak_rss_mib(),
                **{key: figures[key] for key in ("seconds", "server_cpu_s", "load_cores")}}


def run(options):
    cores = Cores(options.cores or "shared")
    mib = 128 if options.quick else 1024
    points = [Point(f"{style}, {mib} MiB") for style in STYLES]
    found = {"absent": {}, "versions": {}}
    for round_ in range(options.rounds):
        for point, style in zip(points, STYLES.values()):
            speeds = {"sha256": hash_speed(cores.server), "dd": disk_speed(cores.server, mib)}
            for name, speed in {**speeds, "bound": min(speeds.values())}.items():
                point.add(name, {"mib_per_s": speed})
            for name in options.servers(SERVERS):
                if name not in found["absent"]:
                    figures = upload(options, cores, name, style, mib, round_ + 1, found)
                    if figures:
                        point.add(name, figures)
    conclude(NAME, options, cores, points, METRICS, targets(point.name for point in points), [*SERVERS, "bound"], **found)
