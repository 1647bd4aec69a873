"""The servers that are compared, each with the settings that are best for it. Names are the keys of the results."""

import os
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from ports import free_port

from . import ROOT, TOOLS
from .process import Process

NGINX = """
daemon off;
user root;
worker_processes {workers};
worker_rlimit_nofile 65536;
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
events {{ worker_connections 16384; multi_accept on; }}
http {{
  sendfile on;
  sendfile_max_chunk 2m;
  tcp_nopush on;
  tcp_nodelay on;
  access_log off;
  server_tokens off;
  keepalive_timeout 300;
  keepalive_requests 1000000000;
  open_file_cache max=200000 inactive=600s;
  open_file_cache_valid 600s;
  open_file_cache_min_uses 1;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;{tls}
    root {folder}/root;
    default_type application/octet-stream;
    location ~ /manifests/ {{ default_type application/vnd.oci.image.manifest.v1+json; }}
  }}
}}
"""
NGINX_TLS = """
    listen 127.0.0.1:{tls_port} ssl backlog=4096;
    ssl_certificate {folder}/server.crt;
    ssl_certificate_key {folder}/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:bench:16m;
    ssl_session_tickets on;"""

DISTRIBUTION = """
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {folder}/data, maxthreads: 100}}
  cache: {{blobdescriptor: inmemory}}
  delete: {{enabled: true}}
  maintenance: {{uploadpurging: {{enabled: false}}}}
http: {{addr: "127.0.0.1:{port}"}}
health: {{storagedriver: {{enabled: false}}}}
"""

ZOT = """{{
  "distSpecVersion": "1.1.0",
  "storage": {{"rootDirectory": "{folder}/data", "dedupe": false, "gc": false, "commit": {commit}}},
  "http": {{"address": "127.0.0.1", "port": "{port}"{auth}}},
  "log": {{"level": "error"}}
}}
"""


UNCHECKED = ssl._create_unverified_context()   # our own key, on loopback


def answers(url: str, status: int = 200) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2, context=UNCHECKED) as response:
            return response.status == status
    except urllib.error.HTTPError as answer:
        return answer.code == status
    except OSError:
        return False


class Server:
    """A started server. `folder` is its own; `cores` are those it may run on."""

    name = ""
    is_registry = True
    ready_status = 200
    unsupported = {}   # operation of a mix, with the status that it is answered with: why

    def __init__(self, folder: Path, cores):
        self.folder, self.cores = folder, sorted(cores)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, self.process, self.ready_s = 0, None, 0.0
        self.tls_port = 0   # 0: does not listen for TLS

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict:
        return {}

    def ready_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v2/"

    def start(self):
        self.port = free_port()
        self.process = Process(self.command(), self.folder / "log", self.cores, self.environment())
        self.ready_s = self.process.wait_ready(lambda: answers(self.ready_url(), self.ready_status))
        return self

    def stop(self):
        if self.process is not None:
            self.process.stop()
            self.process = None

    def version(self) -> str:
        return "unknown"


class Berth(Server):
    name = "berth"

    def __init__(self, folder, cores, binary=None, args=()):
        super().__init__(folder, cores)
        self.binary = str(binary or os.environ.get("BERTH_BIN", ROOT / "build" / "release" / "berth"))
        self.args = list(args)

    def command(self):
        return [self.binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", str(self.folder / "data"),
                "--anonymous", "write", "--threads", str(len(self.cores)), *self._optional(), *self.args]

    def _optional(self) -> list[str]:
        """What a baseline may be too old for: no access log, as with the peers; TLS on the same port when there is a key."""
        known = subprocess.run([self.binary, "serve", "--help"], capture_output=True, text=True, check=False).stdout
        words = ["--access-log", "off"] if "--access-log" in known else []
        if "--tls-cert" in known and (self.folder / "server.crt").exists():
            words += ["--tls-cert", str(self.folder / "server.crt"), "--tls-key", str(self.folder / "server.key")]
            self.tls_port = self.port
        return words

    def ready_url(self):
        return super().ready_url().replace("http:", "https:") if self.tls_port else super().ready_url()

    def version(self):
        return subprocess.run([self.binary, "version"], capture_output=True, text=True, check=False).stdout.split("\n")[0]


class Nginx(Server):
    name = "nginx"
    is_registry = False

    def __init__(self, folder, cores):
        super().__init__(folder, cores)
        self.root = self.folder / "root"
        (self.root / "v2").mkdir(parents=True, exist_ok=True)
        (self.root / "v2" / "index.html").write_text("{}", encoding="utf-8")

    def command(self):
        tls = ""
        if (self.folder / "server.crt").exists():
            self.tls_port = free_port()
            tls = NGINX_TLS.format(folder=self.folder, tls_port=self.tls_port)
        config = self.folder / "nginx.conf"
        config.write_text(NGINX.format(folder=self.folder, port=self.port, workers=len(self.cores), tls=tls), encoding="utf-8")
        return [shutil.which("nginx", path="/usr/sbin:/usr/bin") or "nginx", "-c", str(config), "-p", str(self.folder)]

    def place(self, path: str, data: bytes):
        """The bytes that a registry serves under this target, as a file."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def version(self):
        out = subprocess.run(["/usr/sbin/nginx", "-v"], capture_output=True, text=True, check=False)
        return out.stderr.strip().replace("nginx version: ", "")


class Distribution(Server):
    """Both releases of github.com/distribution/distribution: descriptors cached in memory, no access log."""

    binary = ""
    unsupported = {"referrers (404)": "has no referrers API"}

    def command(self):
        config = self.folder / "config.yml"
        config.write_text(DISTRIBUTION.format(folder=self.folder, port=self.port), encoding="utf-8")
        return [self.binary, "serve", str(config)]

    def environment(self):
        return {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_SDK_DISABLED": "true"}

    def version(self):
        out = subprocess.run([self.binary, "--version"], capture_output=True, text=True, check=False)
        return (out.stdout or out.stderr).strip()


class Distribution2(Distribution):
    name = "distribution2"
    binary = "/usr/bin/docker-registry"


class Distribution3(Distribution):
    name = "distribution3"
    binary = str(TOOLS / "distribution")

    def version(self):
        return pinned_version("distribution")


class Zot(Server):
    """No deduplication, no collector, no extensions, no fsync, errors alone logged: its fastest settings."""

    name = "zot"
    binary = os.environ.get("BERTH_BENCH_ZOT", str(TOOLS / "zot"))
    unsupported = {"mount (202)": "mounts from another repository only with deduplication, and opens an upload instead"}
    auth = ""   # more of the configuration's "http"
    commit = "false"

    def command(self):
        config = self.folder / "config.json"
        config.write_text(ZOT.format(folder=self.folder, port=self.port, auth=self.auth, commit=self.commit), encoding="utf-8")
        return [self.binary, "serve", str(config)]

    def version(self):
        if self.binary == str(TOOLS / "zot"):
            return pinned_version("zot")
        out = subprocess.run([self.binary, "--version"], capture_output=True, text=True, check=False)
        return f"{self.binary} {(out.stdout or out.stderr).strip()}".split("\n", maxsplit=1)[0]


class SyncedZot(Zot):
    """With fsync, so that what it has acknowledged outlives a power cut, as with Berth."""

    name = "zot-synced"
    commit = "true"


KINDS = {kind.name: kind for kind in (Berth, Nginx, Distribution2, Distribution3, Zot, SyncedZot)}


def pinned_version(tool: str) -> str:
    for line in (ROOT / "tools" / "go_tools.txt").read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if len(fields) >= 3 and fields[0] == tool:
            return f"{fields[1]} {fields[2]}"
    return "unknown"


def missing(name: str) -> str:
    """Why a server cannot take part, or nothing."""
    if name == "nginx" or issubclass(KINDS[name], Berth):
        return ""
    binary = KINDS[name].binary
    return "" if os.access(binary, os.X_OK) else f"{os.path.relpath(binary)} is not there"
