"""Registries of the distribution project with a folder of their own, as people have them before they migrate."""
import hashlib
import json
import os
import re
from pathlib import Path

from processes import Daemon
from registry_http import Registry

# Debian's is 2.8, what the image registry:2 holds; the other is built from source, what the image registry:3 holds.
PROGRAMS = {"registry:2": "docker-registry", "registry:3": "distribution"}
LISTENING = re.compile(r"listening on (127\.0\.0\.1:[0-9]+)")


class OldRegistry:
    """Keeps its folder over any number of starts and stops."""

    def __init__(self, directory, program):
        self.path = Path(directory)
        self.path.mkdir()
        self.folder = self.path / "registry"
        self._program = program
        self._starts = 0
        self._daemon = None
        self._config = self.path / "config.yml"
        self._config.write_text(json.dumps({  # which is YAML too
            "version": "0.1", "log": {"level": "info"}, "http": {"addr": "127.0.0.1:0", "secret": "of the tests"},
            "storage": {"filesystem": {"rootdirectory": str(self.folder)}, "delete": {"enabled": True}}}))

    def start(self):
        self._starts += 1
        environment = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
        self._daemon = Daemon(self._program, [self._program, "serve", self._config],
                              self.path / f"log-{self._starts}", env=environment)
        address = self._daemon.wait_until(20, "it says where it listens", lambda: LISTENING.search(self._daemon.log()))
        return Registry(address[1])

    def stop(self):
        if self._daemon:
            self._daemon.stop()

    def command(self, verb, *extra):
        return [self._program, verb, *extra, self._config]

    def fingerprint(self):
        """Every file with its bytes and times: a migration must change none."""
        out = {}
        for file in sorted(self.folder.rglob("*")):
            if file.is_file():
                out[str(file)] = (file.stat().st_mtime_ns, file.stat().st_mode,
                                  hashlib.sha256(file.read_bytes()).hexdigest())
        return out
