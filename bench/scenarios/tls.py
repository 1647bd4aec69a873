"""docker's style: a TLS connection for each request, session resumption on, the same key for both servers."""

import subprocess

from harness import load
from harness.content import MANIFEST, fill, image
from harness.fleet import Cores, Fleet
from harness.points import Point, Target, conclude

NAME = "tls"
ORDER = 15
SERVERS = ("berth", "nginx")
METRICS = ["rps", "p50_us", "p99_us", "cpu_us_per_request", "resumed_share", "server_cores", "load_cores"]
POINT, CONNECTIONS = "GET manifest by tag, one TLS connection each", 16


def make_key(folder):
    """The certificate that both servers show: ECDSA P-256, as most registries have."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", str(folder / "server.key"), "-out", str(folder / "server.crt")], check=True, capture_output=True)


def measure(server, cores, trace, seconds):
    figures = load.run("trace", server, cores, port=server.tls_port, tls=1, file=trace, connections=CONNECTIONS, seconds=seconds,
                       close_each=1, accept=MANIFEST, hash=1)
    return {**load.flat(figures, "GET"), "resumed_share": figures["resumed"] / max(1, figures["requests"])}


def run(options):
    cores = Cores(options.cores or "split")
    images = [image("library/tls", f"v1.0.{i:02d}", 10, 256, f"tls {i}") for i in range(16)]
    point = Point(POINT)
    with Fleet(cores, options.servers(SERVERS), options.berth_binaries, prepare=make_key) as fleet:
        for name in [name for name, server in fleet.servers.items() if not server.tls_port]:
            fleet.absent[name] = "does not speak TLS"
            print(f"bench: without {name}: {fleet.absent[name]}")
        servers = [server for name, server in fleet.servers.items() if name not in fleet.absent]
        for server in servers:
            fill(server, images)
        trace = fleet.folder / "trace"
        lines = [load.trace_line("GET", f"/v2/{one.repo}/manifests/{one.tag}", 200, len(one.manifest), one.digest) for one in images]
        trace.write_text("\n".join(lines) + "\n", encoding="utf-8")
        for server in servers:
            measure(server, cores.load, trace, 1)
        for _ in range(options.rounds):
            for server in servers:
                point.add(server.name, measure(server, cores.load, trace, options.seconds))
        versions, absent = fleet.versions(), fleet.absent
    conclude(NAME, options, cores, [point], METRICS, [Target(POINT, "rps", "nginx", ">=", 0.9)], SERVERS, versions=versions,
             absent=absent)
