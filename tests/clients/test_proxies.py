"""Berth behind nginx, Caddy and HAProxy, with the very configurations that docs/reverse-proxies.md shows."""
import base64
import hashlib
import http.client
import json
import os
import re
import ssl
from urllib.parse import urlencode

import pytest

import documented
from conftest import ROOT
from documented import filled
from images import MIB, OciLayout, noise, sample_index
from local_images import layout_objects, layout_root
from ports import free_port
from processes import Daemon, run
from registry_http import with_query

BERTH = os.environ.get("BERTH_BIN", str(ROOT / "build" / "release" / "berth"))
CASES = ("nginx-unix", "nginx-tcp", "nginx-stream", "caddy", "haproxy")
BUFFERED = "buffered to a temporary file"
CLIENT = "127.0.0.2"  # not the address of the proxy, which is trusted
# The account, whose repositories begin with its name; or what nginx asks for, where it asks.
LOGIN = ("team", "a password for all")
MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


def block(language, name):
    return documented.block("reverse-proxies.md", language, name)


class Setup:
    """One proxy with one Berth behind it, both as the page says: with accounts, unless the proxy asks for a password
    and Berth's settings speak of those without one."""

    def __init__(self, name, folder, change=lambda text: text, with_account=False):
        self.name, self.folder, self.change = name, folder, change
        self.settings = block("toml", name)
        self.has_accounts = with_account or "anonymous" not in self.settings
        self.port, self.inner, self.socket = free_port(), free_port(), folder / "b.sock"
        self.address = f"localhost:{self.port}"
        self.daemons = []
        self.cert, self.key = folder / "tls.pem", folder / "tls.key"
        run("openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "30",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", self.cert, "-keyout", self.key)
        # HAProxy wants both in one file; whoever wants certificates alone skips the key.
        self.both = folder / "both.pem"
        self.both.write_text(self.cert.read_text() + self.key.read_text())

    def start(self):
        data, config = self.folder / "data", self.folder / "server.toml"
        if self.has_accounts:
            run(BERTH, "user", "add", LOGIN[0], "--admin", "--password-stdin", "--data", data, stdin=LOGIN[1])
        outside = {"https://registry.example.com": f"https://{self.address}"}
        config.write_text(filled(self.settings, ({} if self.name == "nginx-stream" else outside) | {
            "nginx-unix": {"/run/berth/http.sock": self.socket}, "caddy": {"/run/berth/http.sock": self.socket},
            "nginx-tcp": {"127.0.0.1:5000": f"127.0.0.1:{self.inner}"},
            "haproxy": {"127.0.0.1:5000": f"127.0.0.1:{self.inner}"},
            "nginx-stream": {"127.0.0.1:5443": f"127.0.0.1:{self.inner}", "/etc/berth/tls/ec.pem": self.cert,
                             "/etc/berth/tls/ec.key": self.key}}[self.name]))
        self.berth = self.run_daemon("berth", BERTH, "serve", "--config", config, "--data", data,
                                     "--log-format", "json")
        self.berth.wait_until(15, "berth listens", lambda: "http.listening" in self.berth.log())
        if self.socket.exists():
            self.socket.chmod(0o666)  # in place of the group that the page tells to join
        self.proxy = getattr(self, self.name.split("-")[0])()
        self.proxy.wait_until(15, "the proxy answers", self.answers)
        return self

    def run_daemon(self, name, *command):
        daemon = Daemon(name, command, self.folder / f"{name}.log")
        self.daemons.append(daemon)
        return daemon

    def stop(self):
        for daemon in reversed(self.daemons):
            daemon.stop()

    def nginx(self):
        listens = {"listen 443": f"listen 127.0.0.1:{self.port}", "listen [::]:443": f"listen [::1]:{self.port}"}
        inside = {
            "nginx-unix": {"/run/berth/http.sock": self.socket},
            "nginx-tcp": {"127.0.0.1:5000": f"127.0.0.1:{self.inner}",
                          "/etc/nginx/registry.htpasswd": self.password_file()},
            "nginx-stream": {"127.0.0.1:5443": f"127.0.0.1:{self.inner}"}}[self.name]
        if self.name != "nginx-stream":
            inside |= {"/etc/nginx/tls/registry.pem": self.cert, "/etc/nginx/tls/registry.key": self.key,
                       "registry.example.com": "localhost"}
        text = self.change(filled(block("nginx", self.name), {**listens, **inside}))
        temp = "".join(f"{kind}_temp_path {self.folder}/{kind};\n"
                       for kind in ("client_body", "proxy", "fastcgi", "scgi", "uwsgi"))
        head = (f"user root;\ndaemon off;\nworker_processes 2;\npid {self.folder}/nginx.pid;\nerror_log stderr warn;\n"
                "events { worker_connections 256; }\n")
        config = self.folder / "nginx.conf"
        config.write_text(f"load_module {MODULE};\n{head}{text}" if self.name == "nginx-stream" else
                          f"{head}http {{\naccess_log off;\n{temp}{text}}}\n")
        return self.run_daemon("nginx", "/usr/sbin/nginx", "-c", config, "-e", "stderr")

    def password_file(self):
        name, password = LOGIN
        file = self.folder / "htpasswd"
        file.write_text(f"{name}:{run('openssl', 'passwd', '-apr1', password).strip()}\n")
        return file

    def caddy(self):
        text = filled(block("caddyfile", "caddy"), {
            "registry.example.com": f"https://localhost:{self.port}", "/run/berth/http.sock": self.socket,
            "/etc/caddy/tls/registry.pem": self.cert, "/etc/caddy/tls/registry.key": self.key})
        config = self.folder / "Caddyfile"
        config.write_text("{\n\tadmin off\n\tauto_https disable_redirects\n"
                          f"\tstorage file_system {self.folder}/caddy\n}}\n{text}")
        return self.run_daemon("caddy", "caddy", "run", "--config", config, "--adapter", "caddyfile")

    def haproxy(self):
        config = self.folder / "haproxy.cfg"
        config.write_text(filled(block("haproxy", "haproxy"), {
            "bind :443": f"bind 127.0.0.1:{self.port}", "127.0.0.1:5000": f"127.0.0.1:{self.inner}",
            "/etc/haproxy/tls/registry.pem": self.both}))
        return self.run_daemon("haproxy", "haproxy", "-db", "-f", config)

    def answers(self):
        try:
            return self.request("GET", "/healthz")[0] == 200
        except OSError:
            return False

    def connect(self):
        context = ssl.create_default_context(cafile=self.cert)
        return http.client.HTTPSConnection("localhost", self.port, timeout=120, context=context,
                                           source_address=(CLIENT, 0))

    def request(self, method, path, body=None, headers=None):
        login = {"Authorization": "Basic " + base64.b64encode(":".join(LOGIN).encode()).decode()}
        connection = self.connect()
        connection.request(method, path, body, {**login, **(headers or {})},
                           encode_chunked=body is not None and not isinstance(body, bytes))
        response = connection.getresponse()
        return response.status, response.headers, response.read()

    def access_lines(self):
        return [json.loads(line) for line in self.berth.log().splitlines() if '"http.request"' in line]


@pytest.fixture
def setup(scratch):
    made = []

    def setup(name, **kwargs):
        made.append(Setup(name, scratch, **kwargs))
        return made[-1].start()

    yield setup
    for one in made:
        one.stop()


@pytest.fixture(params=CASES)
def behind(request, setup):
    return setup(request.param)


@pytest.mark.quick
def test_real_clients_sign_in_push_and_pull_every_byte(behind, scratch, hello, quiet_home):
    env = {**quiet_home, "SSL_CERT_FILE": str(behind.cert), "REGISTRY_AUTH_FILE": str(scratch / "logins")}
    layout = OciLayout(scratch / "layout")
    root = layout.tag(sample_index(layout, hello, "multi"), "multi")
    local = layout_objects(layout.path, root["digest"])
    push = ("crane", "push", layout.path, f"{behind.address}/team/app:v1")
    stranger = run(*push, env=env, check=False)
    assert stranger.returncode != 0 and re.search("401|UNAUTHORIZED", stranger.stderr), stranger.stderr
    run("crane", "auth", "login", behind.address, "-u", LOGIN[0], "-p", LOGIN[1], env=env)
    run(*push, env=env)
    run("crane", "pull", "--format", "oci", f"{behind.address}/team/app:v1", scratch / "back", env=env)
    assert layout_objects(scratch / "back", layout_root(scratch / "back")) == local
    wrong = run("skopeo", "login", "-u", LOGIN[0], "--password-stdin", behind.address, env=env, stdin="x", check=False)
    assert wrong.returncode != 0 and "invalid username/password" in wrong.stderr, wrong.stderr
    run("skopeo", "login", "-u", LOGIN[0], "--password-stdin", behind.address, env=env, stdin=LOGIN[1])
    run("skopeo", "--insecure-policy", "copy", "--all", f"oci:{layout.path}:multi",
        f"docker://{behind.address}/team/other:v1", env=env)
    run("skopeo", "--insecure-policy", "copy", "--all", f"docker://{behind.address}/team/other:v1",
        f"oci:{scratch / 'again'}:v1", env=env)
    assert layout_objects(scratch / "again", layout_root(scratch / "again", "v1")) == local


@pytest.mark.quick
@pytest.mark.parametrize("name", CASES)
def test_a_browser_signs_in_with_a_cookie_for_https_and_this_host_alone(setup, name):
    behind = setup(name, with_account=True)
    form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    credentials = urlencode({"name": LOGIN[0], "password": LOGIN[1]}).encode()
    # A client that says its connection were not encrypted is not the proxy.
    for said in ({}, {"X-Forwarded-Proto": "http"}):
        status, headers, body = behind.request("POST", "/login", credentials, {**form, **said})
        assert status == 303, body
        cookie = headers["Set-Cookie"]
        assert cookie.startswith("__Host-berth=berth_web_") and "; Secure" in cookie, cookie
        session = {"Cookie": cookie.partition(";")[0], **said}
        assert behind.request("GET", "/settings/tokens", headers=session)[0] == 200


def push_chunked(behind, parts):
    """A layer of unknown length, in one PATCH; returns its digest."""
    _, headers, _ = behind.request("POST", "/v2/team/big/blobs/uploads/")
    sha = hashlib.sha256()

    def body():
        for part in parts:
            sha.update(part)
            yield part

    status, headers, answer = behind.request("PATCH", headers["Location"], body(), {"Transfer-Encoding": "chunked"})
    assert status == 202, answer
    digest = f"sha256:{sha.hexdigest()}"
    status, headers, answer = behind.request("PUT", with_query(headers["Location"], digest=digest), b"")
    assert status == 201, answer
    return digest


def test_a_large_layer_without_a_length_streams_through(behind):
    digest = push_chunked(behind, (noise(number, MIB) for number in range(300)))
    status, headers, body = behind.request("GET", f"/v2/team/big/blobs/{digest}")
    assert status == 200 and headers["Content-Length"] == str(300 * MIB)
    assert f"sha256:{hashlib.sha256(body).hexdigest()}" == digest
    assert BUFFERED not in behind.proxy.log()


@pytest.mark.quick
def test_nginx_would_have_said_that_it_buffers(setup):
    """What the test above rests on."""
    behind = setup("nginx-unix", change=lambda text: filled(text, {"proxy_request_buffering off;": ""}))
    push_chunked(behind, (noise(number, MIB) for number in range(4)))
    assert BUFFERED in behind.proxy.log()


@pytest.mark.quick
def test_the_log_names_the_client_and_believes_the_proxy_alone(behind):
    # Both addresses are loopback ones, but only 127.0.0.1 is the proxy's.
    behind.request("GET", "/v2/team/app/tags/list", headers={"X-Forwarded-For": "203.0.113.66", "X-Request-Id": "forged"})
    behind.stop()  # access lines are written in bundles
    line = next(line for line in behind.access_lines() if line["path"] == "/v2/team/app/tags/list")
    assert line["peer"] == CLIENT
    assert line["req"] != "forged"


@pytest.mark.quick
def test_locations_fit_and_the_metrics_are_not_for_everybody(behind):
    status, headers, _ = behind.request("POST", "/v2/team/app/blobs/uploads/")
    assert status == 202 and headers["Location"].startswith("/v2/team/app/blobs/uploads/")
    status, _, body = behind.request("GET", "/metrics")
    # A proxy that only passes bytes on cannot tell; the page says to give them an address of their own.
    assert status == (200 if behind.name == "nginx-stream" else 404)


@pytest.mark.quick
def test_the_password_is_asked_for(setup):
    behind = setup("nginx-tcp")
    for path, status in (("/v2/", 401), ("/v2/team/app/tags/list", 401), ("/healthz", 200)):
        assert behind.request("GET", path, headers={"Authorization": ""})[0] == status, path
