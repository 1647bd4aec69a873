"""An authority with openssl alone, a server's certificate for localhost, and clients' of every kind a test needs."""

import pathlib
import subprocess
from typing import NamedTuple


class Pair(NamedTuple):
    certificate: str
    key: str


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=True).stdout


class Pki:
    def __init__(self, folder, name="authority"):
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir()
        self.ca = self._path("ca.pem")
        self._make_key("ca")
        openssl("req", "-x509", "-key", self._path("ca.key"), "-out", self.ca, "-days", "30", "-subj", f"/CN={name}",
                "-addext", "keyUsage=critical,keyCertSign")
        self._serial = 1
        self.server = self.issue("server", "DNS:localhost,IP:127.0.0.1", usage="serverAuth")

    def issue(self, name, san=None, usage="clientAuth", days="10", ca=None):
        """`san` as openssl writes it: "URI:spiffe://…,DNS:…", or the extension's bytes "DER:30:…"."""
        self._serial += 1
        self._make_key(name)
        openssl("req", "-new", "-key", self._path(f"{name}.key"), "-out", self._path(f"{name}.csr"), "-subj",
                "/CN=" + name.replace("+", "\\+"))  # unescaped it begins another part of the name
        extensions = pathlib.Path(self._path(f"{name}.ext"))
        extensions.write_text(f"extendedKeyUsage={usage}\n" + (f"subjectAltName={san}\n" if san else ""))
        ca = ca or self
        openssl("x509", "-req", "-in", self._path(f"{name}.csr"), "-CA", ca.ca, "-CAkey", ca._path("ca.key"),
                "-set_serial", self._serial, "-days", days, "-extfile", extensions, "-out", self._path(f"{name}.pem"))
        return Pair(self._path(f"{name}.pem"), self._path(f"{name}.key"))

    def self_signed(self, name, san):
        self._make_key(name)
        openssl("req", "-x509", "-key", self._path(f"{name}.key"), "-out", self._path(f"{name}.pem"), "-days", "30",
                "-subj", f"/CN={name}", "-addext", f"subjectAltName={san}")
        return Pair(self._path(f"{name}.pem"), self._path(f"{name}.key"))

    def _path(self, name):
        return str(self.folder / name)

    def _make_key(self, name):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self._path(f"{name}.key"))
