"""Requests whose body is long in coming: what their sender may is decided once it is there (A16)."""

import base64
import hashlib
import hmac
import http.client
import json
import socket
import urllib.parse

import pytest

from conftest import run

ROOT = ("root", "the first of all passwords")
MAL = ("mal", "mal's own password")
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []})


def basic(who):
    return "Basic " + base64.b64encode(":".join(who).encode()).decode()


class Held:
    """A request without the last byte of its body."""

    def __init__(self, port, method, path, body, **fields):
        self._socket = socket.create_connection(("127.0.0.1", port), 30)
        data = body.encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(data)}", "Connection: close",
                 *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
        self._socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data[:-1])
        self._last = data[-1:]

    def finish(self):
        """The status."""
        self._socket.sendall(self._last)
        with self._socket, self._socket.makefile("rb") as answer:
            return int(answer.readline().split()[1])


class Registry:
    def __init__(self, serve, tmp_path):
        done = run("user", "add", ROOT[0], "--admin", "--password-stdin", "--data", str(tmp_path / "data"),
                   input=ROOT[1])
        assert done.returncode == 0, done.stderr
        self.port = serve().port
        assert self.ask("POST", "/api/v1/users", {"name": MAL[0], "password": MAL[1], "admin": True}) == 201

    def held(self, method, path, body, who=MAL, kind="application/json", **fields):
        text = body if isinstance(body, str) else json.dumps(body)
        return Held(self.port, method, path, text, Authorization=basic(who), Content_Type=kind, **fields)

    def send(self, method, path, body=None, **fields):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in fields.items()})
            response = connection.getresponse()
            response.read()
            return response
        finally:
            connection.close()

    def ask(self, method, path, body=None, who=ROOT):
        """The status."""
        return self.send(method, path, body and json.dumps(body), Authorization=basic(who),
                         Content_Type="application/json").status

    def can_sign_in(self, who):
        return self.ask("PATCH", "/api/v1/user", {"display_name": "x"}, who) == 200


@pytest.fixture
def registry(serve, tmp_path):
    return Registry(serve, tmp_path)


HELD = {
    "himself an administrator again": ("PATCH", "/api/v1/users/mal", {"admin": True, "disabled": False}),
    "another administrator": ("POST", "/api/v1/users", {"name": "door", "password": "a way in again", "admin": True}),
    "somebody's password": ("PUT", "/api/v1/users/root/password", {"new": "taken over by mal"}),
    "a token": ("POST", "/api/v1/user/tokens", {"name": "late"}),
    "a password for hours": ("POST", "/api/v1/auth/short-lived", {"expires_in": "1h"}),
    "a repository": ("POST", "/api/v1/repos", {"name": "mal/late"}),
}
ENDS = {
    "disabled": ("PATCH", "/api/v1/users/mal", {"admin": False, "disabled": True}),
    "another password": ("PUT", "/api/v1/users/mal/password", {"new": "chosen by root now"}),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("what", HELD)
def test_what_was_begun_before_the_end_comes_to_nothing_after_it(registry, what, end):
    held = registry.held(*HELD[what])
    assert registry.ask(*ENDS[end]) in (200, 204)
    assert held.finish() == 401
    assert not registry.can_sign_in(MAL) and not registry.can_sign_in(("door", "a way in again"))
    assert registry.can_sign_in(ROOT)


def test_who_is_no_administrator_any_more_changes_nobody(registry):
    held = registry.held(*HELD["another administrator"])
    assert registry.ask("PATCH", "/api/v1/users/mal", {"admin": False}) == 200
    assert held.finish() == 403
    assert registry.can_sign_in(MAL) and not registry.can_sign_in(("door", "a way in again"))


PUSHES = {
    "a manifest": ("PUT", "/v2/mal/app/manifests/latest", MANIFEST, "application/vnd.oci.image.index.v1+json"),
    "a blob": ("POST", "/v2/mal/app/blobs/uploads/?digest=sha256:" +
               "c20dea4d876b5b8fb0a1814b43017030cea6d4ac30b2d9ae71b404d2faba49b5", "held", "application/octet-stream"),
}


@pytest.mark.parametrize("what", PUSHES)
def test_nor_does_a_push(registry, what):
    method, path, body, kind = PUSHES[what]
    held = registry.held(method, path, body, kind=kind)
    assert registry.ask(*ENDS["disabled"]) == 200
    assert held.finish() == 401
    assert registry.ask("PATCH", "/api/v1/users/mal", {"disabled": False}) == 200
    assert registry.ask("GET", "/v2/mal/app/tags/list", who=MAL) == 404, "nothing came into being"


def test_nor_does_the_form_of_a_browser_that_was_signed_out(registry):
    form = "application/x-www-form-urlencoded"
    came = {"Content_Type": form, "Sec_Fetch_Site": "same-origin"}
    signed_in = registry.send("POST", "/login", urllib.parse.urlencode({"name": MAL[0], "password": MAL[1]}), **came)
    cookie = signed_in.getheader("Set-Cookie").partition(";")[0]
    secret = cookie.partition("=")[2]
    token = base64.urlsafe_b64encode(hmac.digest(secret.encode(), b"form", hashlib.sha256)).rstrip(b"=").decode()
    filled = urllib.parse.urlencode({"csrf": token, "name": "late"})
    for is_over, status in ((False, 200), (True, 303)):  # 303: to sign in
        held = Held(registry.port, "POST", "/settings/tokens", filled, Cookie=cookie, **came)
        if is_over:
            assert registry.ask("DELETE", "/api/v1/users/mal/sessions") == 204
        assert held.finish() == status
