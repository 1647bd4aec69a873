"""Our own generator (bench/load), run on its cores against one server."""

import json
import subprocess

from . import ROOT
from .process import pin
from .wrk import Refused

BINARY = ROOT / "build" / "release" / "berth_load"


def command(mode: str, server, flags: dict) -> list[str]:
    words = [str(BINARY), mode, "--port", str(flags.pop("port", server.port))]
    for name, value in flags.items():
        words += [f"--{name}", str(value)]
    return words


def run(mode: str, server, cores, tolerate_errors: bool = False, **flags) -> dict:
    """The generator's figures and the server's CPU seconds; a wrong response ends the benchmark."""
    before = server.process.cpu_seconds()
    output = subprocess.run(command(mode, server, flags), capture_output=True, text=True, check=False, preexec_fn=pin(cores))
    if output.returncode != 0:
        raise Refused(f"bench: berth_load {mode} failed ({output.returncode}): {output.stderr}{output.stdout}")
    figures = json.loads(output.stdout.strip().splitlines()[-1])
    figures["server_cpu_s"] = server.process.cpu_seconds() - before
    figures["server_cores"] = figures["server_cpu_s"] / max(figures["seconds"], 1e-9)
    figures["load_cores"] = figures["load_cpu_s"] / max(figures["seconds"], 1e-9)
    if figures["errors"] and not tolerate_errors:
        raise Refused(f"bench: {server.name}: {figures['errors']} wrong responses: {figures['samples']}")
    return figures


def flat(figures: dict, operation: str) -> dict:
    """One operation's latencies beside the run's totals."""
    return {**{key: value for key, value in figures.items() if key not in ("operations", "samples")},
            **figures["operations"].get(operation, {}), "rps": figures["requests"] / max(figures["seconds"], 1e-9),
            "cpu_us_per_request": figures["server_cpu_s"] / max(figures["requests"], 1) * 1e6}


def trace_line(method: str, target: str, status=200, length="-", digest="-", operation=None, extra="", offset_us=0) -> str:
    return f"{offset_us} {method} {target} {status} {length} {digest} {operation or method} {extra}".rstrip()
