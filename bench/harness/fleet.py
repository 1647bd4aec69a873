"""The servers of one scenario, started side by side in a folder of their own, and the cores that they share out."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from . import servers as kinds
from . import work_root


class Cores:
    """split: servers on the first core, the generator on the last. shared: everybody on all cores."""

    def __init__(self, mode: str = "split"):
        available = sorted(os.sched_getaffinity(0))
        if mode == "split" and len(available) >= 2:
            self.server, self.load = set(available[: len(available) // 2]), set(available[len(available) // 2:])
        else:
            mode, self.server, self.load = "shared", set(available), set(available)
        self.mode = mode

    def describe(self) -> dict:
        return {"mode": self.mode, "server": sorted(self.server), "load": sorted(self.load)}


class Fleet:
    """with Fleet(cores, names) as fleet: fleet.servers["berth"] …; all stopped and removed at the end."""

    def __init__(self, cores: Cores, names, berth_binaries=None, prepare=None):
        """`prepare(folder)` runs in each server's folder before its start."""
        self.cores, self.names, self.prepare = cores, list(names), prepare
        self.berth_binaries = berth_binaries or {}
        self.servers, self.absent = {}, {}

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="run-", dir=work_root()))
        try:
            for name in self.names:
                self._add(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _add(self, name: str):
        kind = kinds.KINDS.get(name, kinds.Berth)
        reason = kinds.missing(name) if name in kinds.KINDS else ""
        if reason:
            self.absent[name] = reason
            print(f"bench: without {name}: {reason}", file=sys.stderr)
            return
        extra = {"binary": self.berth_binaries.get(name)} if kind is kinds.Berth else {}
        server = kind(self.folder / name, self.cores.server, **extra)
        server.name = name
        self.servers[name] = server
        if self.prepare:
            self.prepare(server.folder)
        server.start()

    def versions(self) -> dict:
        return {name: server.version() for name, server in self.servers.items()}

    def __exit__(self, *_):
        for server in self.servers.values():
            server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
