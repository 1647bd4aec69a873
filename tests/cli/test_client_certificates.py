"""Clients that prove who they are by the certificate of their connection."""

import base64
import http.client
import json
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import urllib.parse

import pytest

from conftest import SECONDS, run

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from client_pki import Pki  # noqa: E402

ROOT = ("root", "the first of all passwords")
RULES = ["uri:spiffe://acme.example/ci/*=acme+ci", "dns:*.build.acme.example=acme+build", "email:*@acme.example=*"]
CI = "URI:spiffe://acme.example/ci/web"


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def ci(pki):
    return pki.issue("ci", CI)


class Caller:
    """One connection after another with the same certificate; `answer.status`, `answer.headers`, `answer.document`."""

    def __init__(self, registry, pair=None, version=None):
        self.registry = registry
        self.context = ssl.create_default_context(cafile=registry.pki.ca)
        if pair:
            self.context.load_cert_chain(*pair)
        if version:
            self.context.maximum_version = version
        self.connection = None

    def ask(self, method, path, body=None, who=None, **headers):
        if who:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(who).encode()).decode()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.connection is None:
            self.connection = http.client.HTTPSConnection("localhost", self.registry.port, timeout=SECONDS,
                                                          context=self.context)
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        answer.document = json.loads(text) if text else None
        return answer

    def status(self, method, path, body=None, **more):
        return self.ask(method, path, body, **more).status

    def api(self, method, path, body=None, status=200, **more):
        answer = self.ask(method, f"/api/v1/{path}", body and json.dumps(body), Content_Type="application/json", **more)
        assert answer.status == status, answer.document
        return answer.document

    def is_let_in(self):
        """Whether the connection comes about at all. With TLS 1.3 a client learns that with its first answer."""
        try:
            return self.status("GET", "/healthz") == 200
        except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
            return False

    def who(self):
        answer = self.ask("GET", "/api/v1/user")
        return answer.document["name"] if answer.status == 200 else None


class Registry:
    def __init__(self, server, pki):
        self.server, self.pki, self.port = server, pki, server.ports(1)[0]
        root = self.root = Caller(self, self.first())
        for name in ("ann", "bob"):
            root.api("POST", "users", {"name": name, "password": "correct horse battery"}, status=201, who=ROOT)
        root.api("POST", "orgs", {"name": "acme", "owner": "ann"}, status=201, who=ROOT)
        for name, actions in (("ci", ["pull", "push"]), ("build", ["pull"])):
            root.api("POST", "namespaces/acme/robots",
                     {"name": f"acme+{name}", "permissions": [{"repo": "acme/**", "actions": actions}]}, status=201,
                     who=ROOT)

    def first(self):
        """For a server that serves nobody without."""
        return self.pki.issue("nobody")

    def caller(self, pair=None, version=None):
        return Caller(self, pair, version)

    def audit(self, query="limit=20"):
        return self.root.api("GET", f"audit?{query}", who=ROOT)["items"]


def configuration(pki, ask="request", rules=RULES, authorities=None, **auth):
    authorities = pki.ca if authorities is None else authorities
    lines = ["[tls]", f"certificates = {[pki.server.certificate]!r}", f"keys = {[pki.server.key]!r}",
             f"client_certificates = {ask!r}", f"client_authorities = {authorities!r}",
             "[auth]", f"certificate_rules = {rules!r}", *(f"{name} = {value!r}" for name, value in auth.items())]
    return "\n".join(lines) + "\n"


def start(serve, tmp_path, pki, *args, **kwargs):
    done = run("user", "add", ROOT[0], "--admin", "--password-stdin", "--data", str(tmp_path / "data"), input=ROOT[1])
    assert done.returncode == 0, done.stderr
    file = tmp_path / "server.toml"
    file.write_text(configuration(pki, *args, **kwargs))
    return Registry(serve("--listen", "127.0.0.1:0", "--config", str(file)), pki)


@pytest.fixture
def registry(serve, tmp_path, pki):
    return start(serve, tmp_path, pki)


@pytest.mark.parametrize("mode", ["token", "basic"])
def test_a_certificate_alone_is_who_its_name_says(serve, tmp_path, pki, ci, mode):
    registry = start(serve, tmp_path, pki, mode=mode)
    robot = registry.caller(ci)
    answer = robot.ask("GET", "/v2/")
    assert answer.status == 200 and "WWW-Authenticate" not in answer.headers
    assert robot.status("POST", "/v2/acme/web/blobs/uploads/") == 202
    assert robot.status("GET", "/v2/acme/web/tags/list") == 404
    assert robot.status("POST", "/v2/bob/web/blobs/uploads/") == 403
    assert robot.status("GET", "/v2/bob/web/tags/list") == 404
    assert robot.who() == "acme+ci"
    assert registry.caller(pki.issue("w7", "DNS:w7.build.acme.example")).who() == "acme+build"
    assert registry.caller(pki.issue("bob", "email:bob@acme.example")).who() == "bob"
    assert registry.caller().status("GET", "/v2/") == 401


def raw_host(name):
    """The extension's bytes with one host name, which openssl would not write."""
    return "DER:" + bytes([0x30, len(name) + 2, 0x82, len(name), *name]).hex(":")


ATTACKS = {
    "no name but the common one": dict(name="acme+ci"),
    "the common name is a rule's": dict(name="w7.build.acme.example"),
    "a wildcard": dict(san="DNS:*.build.acme.example"),
    "a deeper host": dict(san="DNS:a.b.build.acme.example"),
    "a host behind": dict(san="DNS:w7.build.acme.example.evil.example"),
    "a NUL": dict(san=raw_host(b"w7.build.acme.example\0.evil.example")),
    "a deeper path": dict(san="URI:spiffe://acme.example/ci/web/deep"),
    "an empty part": dict(san="URI:spiffe://acme.example/ci/"),
    "another trust domain": dict(san="URI:spiffe://evil.example/ci/web"),
    "the path of one inside another": dict(san="URI:spiffe://evil.example/spiffe://acme.example/ci/web"),
    "a robot by its address": dict(san="email:acme+ci@acme.example"),
    "a user in capitals": dict(san="email:ANN@acme.example"),
    "nobody's address": dict(san="email:nobody@acme.example"),
    "an address as a host": dict(san="DNS:ann"),
}


def test_who_is_nobody_by_it_is_a_stranger(registry, pki):
    for number, (why, wish) in enumerate(ATTACKS.items()):
        caller = registry.caller(pki.issue(wish.get("name", f"attack{number}"), wish.get("san")))
        answer = caller.ask("GET", "/v2/")
        assert answer.status == 401 and "WWW-Authenticate" in answer.headers, why
        assert caller.who() is None, why
        assert caller.status("GET", "/v2/", who=ROOT) == 200, f"{why}: it does not stand in the way of a password"


@pytest.mark.parametrize("ask", ["request", "required"])
def test_certificates_that_are_not_good_get_no_connection(serve, tmp_path, pki, ci, ask):
    registry = start(serve, tmp_path, pki, ask)
    other = Pki(tmp_path)
    for why, pair in {
        "another authority of the same name": other.issue("ci", CI),
        "by itself": pki.self_signed("self", CI),
        "expired": pki.issue("expired", CI, days="-1"),
        "a server's": pki.issue("as-server", CI, usage="serverAuth"),
    }.items():
        assert not registry.caller(pair).is_let_in(), why
    assert registry.caller().is_let_in() == (ask == "request")
    assert registry.caller(ci).is_let_in()


def test_an_authorization_wins_over_the_certificate(registry, ci):
    robot = registry.caller(ci)
    assert robot.ask("GET", "/api/v1/user", who=ROOT).document["name"] == "root"
    assert robot.status("GET", "/v2/", who=("root", "wrong")) == 401
    assert robot.status("GET", "/v2/", Authorization="Bearer nonsense") == 401
    assert robot.status("GET", "/v2/") == 200


def test_tokens_are_given_without_a_password_and_without_a_refresh_token(registry, pki, ci):
    robot = registry.caller(ci)
    scope = "repository:acme/web:pull,push"
    given = [robot.ask("GET", f"/token?scope={scope}&offline_token=true"),
             robot.ask("POST", "/token", urllib.parse.urlencode(
                 {"grant_type": "password", "service": "berth", "scope": scope, "access_type": "offline"}))]
    for answer in given:
        assert answer.status == 200 and "refresh_token" not in answer.document
        bearer = {"Authorization": "Bearer " + answer.document["token"]}
        assert registry.caller().status("POST", "/v2/acme/web/blobs/uploads/", **bearer) == 202
    nobody = registry.caller(pki.issue("nobody-2")).ask("GET", f"/token?scope={scope}").document["token"]
    assert registry.caller().status("POST", "/v2/acme/web/blobs/uploads/", Authorization="Bearer " + nobody) == 401
    answer = robot.ask("POST", "/token", urllib.parse.urlencode({"grant_type": "password", "username": "root",
                                                                 "password": "wrong"}))
    assert answer.status == 401, "whoever names himself is asked for his password"


def test_a_browser_with_a_certificate_changes_nothing_for_another_site(registry, pki):
    ann = registry.caller(pki.issue("ann", "email:ann@acme.example"))
    body = json.dumps({"name": "web"})
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"},
                    {"Sec_Fetch_Site": "same-site"}, {"Sec_Fetch_Site": "cross-site", "Origin": "https://localhost"}):
        answer = ann.ask("POST", "/api/v1/user/tokens", body, **headers)
        assert answer.status == 403 and "another site" in answer.document["detail"], headers
        assert ann.status("POST", "/v2/acme/web/blobs/uploads/", **headers) == 403, headers
        assert ann.status("POST", "/token", "grant_type=password", **headers) == 403, headers
        assert ann.status("GET", "/api/v1/user", **headers) == 200, "its answer is not shown to the page"
        answer = ann.ask("POST", "/api/v1/user/tokens", body, who=("ann", "correct horse battery"), **headers)
        assert answer.status == 201, "no page knows the password"
    for headers in ({}, {"Sec_Fetch_Site": "same-origin", "Origin": "https://localhost"}, {"Sec_Fetch_Site": "none"}):
        assert ann.status("POST", "/api/v1/user/tokens", body, **headers) == 201, headers


def test_who_is_disabled_is_nobody_from_the_next_request_on(registry, pki):
    bob = registry.caller(pki.issue("bob-2", "email:bob@acme.example"))
    assert bob.status("GET", "/v2/") == 200
    registry.root.api("PATCH", "users/bob", {"disabled": True}, who=ROOT)
    assert bob.status("GET", "/v2/") == 401
    assert bob.who() is None
    registry.root.api("PATCH", "users/bob", {"disabled": False}, who=ROOT)
    assert bob.status("GET", "/v2/") == 200


def test_the_audit_log_names_the_certificate(registry, ci):
    for _ in range(5):
        robot = registry.caller(ci)
        assert robot.status("POST", "/v2/acme/web/blobs/uploads/?digest=sha256:" + "0" * 64, "x") == 400
    robot.api("GET", "user")
    signed_in = [entry for entry in registry.audit() if entry["action"] == "sign_in" and entry["actor"] == "acme+ci"]
    assert len(signed_in) == 1, "one for the hour"
    assert signed_in[0]["rule"] == "certificate uri:spiffe://acme.example/ci/web" and signed_in[0]["allowed"]
    assert robot.status("POST", "/v2/bob/web/blobs/uploads/") == 403
    refusals = []
    registry.server.wait_until(lambda: refusals.extend(entry for entry in registry.audit() if not entry["allowed"])
                               or refusals, "the refusal is on record")
    refused = refusals[0]
    assert refused["actor"] == "acme+ci" and refused["detail"] == {"certificate": "uri:spiffe://acme.example/ci/web"}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_resumed_session_is_its_owners(registry, pki, ci, version):
    def connect(caller, session=None):
        plain = socket.create_connection(("localhost", registry.port), timeout=SECONDS)
        return caller.context.wrap_socket(plain, server_hostname="localhost", session=session)

    def who(wire):
        wire.sendall(b"GET /api/v1/user HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        text = b"".join(iter(lambda: wire.recv(65536), b""))
        return json.loads(text.partition(b"\r\n\r\n")[2]).get("name")

    robot = registry.caller(ci, version)
    first = connect(robot)
    assert who(first) == "acme+ci"
    second = connect(robot, first.session)
    assert second.session_reused and who(second) == "acme+ci"
    stranger = registry.caller(None, version)
    alone = connect(stranger)
    assert who(alone) is None
    again = connect(stranger, alone.session)
    assert again.session_reused and who(again) is None


def test_a_hangup_reads_authorities_and_rules_again(serve, tmp_path, pki, ci):
    registry = start(serve, tmp_path, pki)
    robot = registry.caller(ci)
    assert robot.who() == "acme+ci"

    def reload(text, event):
        seen = len(registry.server.events(event))
        (tmp_path / "server.toml").write_text(text)
        registry.server.process.send_signal(signal.SIGHUP)
        registry.server.wait_for(event, seen + 1)

    reload(configuration(pki, rules=["uri:spiffe://acme.example/ci/web=ann"]), "config.reloaded")
    assert robot.who() == "ann", "on the connection that was open, too"
    reload(configuration(pki, rules=["nonsense"]), "config.reload_refused")
    assert robot.who() == "ann"
    other = Pki(tmp_path)
    reload(configuration(pki, authorities=other.ca), "config.reloaded")
    assert not registry.caller(ci).is_let_in()
    assert registry.caller(other.issue("ci", CI)).who() == "acme+ci"
    reload(configuration(pki, authorities="/none"), "config.reload_refused")
    reload(configuration(pki, ask="required"), "config.reloaded")
    assert registry.caller(ci).is_let_in() and not registry.caller().is_let_in()


@pytest.mark.parametrize(("changes", "says"), [
    (dict(rules=["cn:ann=ann"]), "no kind of name"),
    (dict(rules=["email:*@a.example=Ann"]), "names no account"),
    (dict(ask="off"), "auth.certificate_rules need tls.client_certificates"),
    (dict(ask="always"), "off, request or required"),
    (dict(authorities=""), "tls.client_authorities"),
])
def test_what_cannot_be_meant_is_refused(tmp_path, pki, changes, says):
    file = tmp_path / "server.toml"
    file.write_text(configuration(pki, **changes))
    done = run("config", "check", str(file))
    assert done.returncode == 2 and says in done.stderr, done.stderr


def test_headers_of_a_proxy_are_not_a_certificate(registry, ci):
    pem = pathlib.Path(ci.certificate).read_text()
    for name in ("X-SSL-Client-Cert", "X-Forwarded-Client-Cert", "Client-Cert", "X-Client-Cert", "SSL-Client-Cert"):
        assert registry.caller().status("GET", "/v2/", **{name: urllib.parse.quote(pem)}) == 401, name


def test_curl_asks_with_a_certificate_alone(registry, pki, ci):
    done = subprocess.run(["curl", "-sf", "--cacert", pki.ca, "--cert", ci.certificate, "--key", ci.key,
                           f"https://localhost:{registry.port}/api/v1/user"], capture_output=True, timeout=SECONDS)
    assert json.loads(done.stdout)["name"] == "acme+ci"
