"""wrk, kept honest: every status counts, and the bytes it read must be those of `requests` whole responses."""

import http.client
import json
import resource
import subprocess
from pathlib import Path

from . import BENCH
from .content import MANIFEST
from .process import pin


class Refused(SystemExit):
    """A response was wrong, so the figure would be worthless."""


def response_bytes(port: int, target: str, accept: str = MANIFEST) -> int:
    """The size on the wire of one keep-alive response to this target, checked by an independent client."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", target, headers={"Accept": accept})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200 or len(body) != int(answer.getheader("Content-Length", "-1")):
        raise Refused(f"bench: GET {target}: {answer.status}, {len(body)} bytes")
    version_line = len(f"HTTP/1.1 {answer.status} {answer.reason}\r\n")
    headers = sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
    connection.close()
    return version_line + headers + 2 + len(body)


def children_cpu() -> float:
    """CPU seconds of the generators that have ended so far (the servers are still running)."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(server, targets_file: Path, connections: int, seconds: float, cores, expected_bytes: int) -> dict:
    """One round; `expected_bytes` is the size on the wire of each response."""
    before, load_before = server.process.cpu_seconds(), children_cpu()
    command = ["wrk", "-t", str(len(cores)), "-c", str(connections), "-d", f"{max(1, round(seconds))}s", "--timeout", "30s",
               "-H", f"Accept: {MANIFEST}", "-s", str(BENCH / "wrk" / "targets.lua"),
               f"http://127.0.0.1:{server.port}", "--", str(targets_file)]
    output = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=pin(cores))
    if output.returncode != 0:
        raise Refused(f"bench: wrk failed: {output.stderr}")
    raw = json.loads(output.stdout.strip().splitlines()[-1])
    cpu, load_cpu = server.process.cpu_seconds() - before, children_cpu() - load_before
    surplus = raw["bytes"] - raw["requests"] * expected_bytes
    if raw["status"] or raw["socket"] or not 0 <= surplus <= connections * expected_bytes:
        raise Refused(f"bench: {server.name} gave wrong responses: {raw}, expected {expected_bytes} bytes each")
    return {"rps": raw["requests"] / raw["us"] * 1e6, "p50_us": raw["p50"], "p90_us": raw["p90"], "p99_us": raw["p99"],
            "p999_us": raw["p999"], "max_us": raw["max"], "requests": raw["requests"],
            "cpu_us_per_request": cpu / raw["requests"] * 1e6, "server_cores": cpu / raw["us"] * 1e6,
            "load_cores": load_cpu / raw["us"] * 1e6}
