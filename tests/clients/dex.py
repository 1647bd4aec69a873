"""Dex, an OpenID Connect provider, on a free port of 127.0.0.1. All that it remembers is in memory."""
from ports import free_port
from processes import Daemon
from registry_http import Registry


class Dex:
    """`configure` makes the configuration, YAML, from the address that is Dex's issuer and the one that it listens on."""

    def __init__(self, folder, configure):
        self._folder = folder
        self._address = f"127.0.0.1:{free_port()}"
        self.issuer = f"http://{self._address}/dex"
        self._configure = configure
        self._starts = 0
        self._daemon = None

    def start(self, configure=None):
        """Anew with keys of its own; `configure`: another configuration from now on."""
        self.stop()
        self._configure = configure or self._configure
        self._starts += 1
        config = self._folder / "dex.yaml"
        config.write_text(self._configure(self.issuer, self._address))
        self._daemon = Daemon("dex", ["dex", "serve", config], self._folder / f"dex{self._starts}.log")
        self._daemon.wait_until(20, "Dex answers", self._answers)

    def stop(self):
        if self._daemon:
            self._daemon.stop()

    def ask(self, method, path, body=None, headers=None):
        return Registry(self._address).request(method, f"/dex{path}", body, headers)

    def _answers(self):
        try:
            return self.ask("GET", "/.well-known/openid-configuration").status == 200
        except ConnectionRefusedError:
            return False
