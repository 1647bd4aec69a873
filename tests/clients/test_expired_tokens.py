"""Pushes whose token ends while a blob is on its way. Whoever began an upload in time may finish it (A11): the request
that brings bytes with a token that has ended is accepted, and the push ends well, with every client.

A relay holds the first such request until the registry itself refuses its token everywhere else.
"""
import base64
import itertools
import json
import re
import threading
import time

import pytest

from account_clients import CLIENTS
from accounts import Account
from http_tap import HttpTap
from id_issuer import base64url, openssl
from processes import eventually
from registry_http import Registry
from token_server import LEEWAY_S, told_to_end_at

TAG = "1.0.0"  # one that helm takes, too
LIFE_S = 3
# It renews a token five seconds before its end, and takes one that is nearer to it than that for just made.
LIVES_S = {"regctl": 8}
SESSION = re.compile(r"/v2/.+/blobs/uploads/[^/?]+")
CASES = [("external", name) for name in CLIENTS if CLIENTS[name].pushes]
# Each of these asks for tokens in its own way; docker does with a refresh token.
CASES += [("token", name) for name in ("docker", "containerd", "crane")]
QUICK = {("external", "docker"), ("token", "crane")}

_numbers = itertools.count(1)


class Gate:
    """Lets everything through but the first request that writes to an upload: that one waits until its token ended."""

    def __init__(self, registry, release):
        self.registry, self.release = registry, release
        self.held = None
        self.has_ended = False
        self._lock = threading.Lock()

    def __call__(self, method, path, authorization):
        if method not in ("PATCH", "PUT") or not SESSION.match(path):
            return
        with self._lock:
            if self.held is not None:
                return
            self.held = (method, path, authorization)
        assert authorization.startswith("Bearer "), f"{method} {path} brings no token"
        eventually(30, "the token has ended", lambda: self.registry.request(
            "GET", "/v2/", headers={"Authorization": authorization}).status == 401)
        self.has_ended = True
        self.release()


class External:
    """Tokens come from another server, which makes them short."""

    def __init__(self, registry, server):
        self.registry, self.server = registry, server
        self.account = Account("ann", "correct horse battery")
        self.repo = f"expired/app-{next(_numbers)}"
        server.passwords[self.account.name] = self.account.secret
        server.rights = {self.account.name: {self.repo: ["pull", "push"]}}

    def shorten(self, life_s):
        self.server.ends_in_s = life_s

    def stop_shortening(self):
        self.server.ends_in_s = None

    def change(self, path, body):
        return body


class BuiltIn:
    """Tokens of the registry itself live for a minute at least: on the way to the client they are made to end sooner,
    and signed anew with the registry's own key."""

    def __init__(self, registry):
        self.registry = Registry(registry.address)
        self.account = registry.add_user("ann")
        self.repo = f"{self.account.name}/app"
        self._key, = (registry.data / "keys").iterdir()
        self._life_s = None

    def shorten(self, life_s):
        self._life_s = life_s

    def stop_shortening(self):
        self._life_s = None

    def change(self, path, body):
        life_s = self._life_s
        if life_s is None or path.partition("?")[0] != "/token":
            return body
        answer = json.loads(body)
        if "token" not in answer:
            return body
        header, claims, _ = answer["token"].split(".")
        end = int(time.time()) + life_s
        document = {**json.loads(base64.urlsafe_b64decode(claims + "==")), "exp": end - LEEWAY_S}
        text = f"{header}.{base64url(json.dumps(document).encode())}"
        signature = raw_signature(openssl("dgst", "-sha256", "-sign", self._key, stdin=text.encode()))
        token = f"{text}.{base64url(signature)}"
        return json.dumps({**answer, "token": token, "access_token": token, **told_to_end_at(end)}).encode()


def raw_signature(der):
    """The two numbers of an ECDSA signature as a JWS has them, 32 bytes each, out of openssl's ASN.1."""
    raw, at = b"", 2
    for _ in range(2):
        length = der[at + 1]
        raw += int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(32, "big")
        at += 2 + length
    return raw


@pytest.fixture
def tokens(request, external_registry, token_server, registries_with_accounts):
    if request.param == "token":
        yield BuiltIn(registries_with_accounts("token"))
    else:
        external = External(external_registry, token_server)
        yield external
        external.stop_shortening()


@pytest.mark.parametrize(("tokens", "name"), [
    pytest.param(mode, name, id=f"{name}-{mode}", marks=[pytest.mark.quick] if (mode, name) in QUICK else [])
    for mode, name in CASES], indirect=["tokens"])
def test_a_push_outlives_its_token(tokens, name, engines, scratch):
    gate = Gate(tokens.registry, tokens.stop_shortening)
    with HttpTap(tokens.registry.address, gate, tokens.change) as tap:
        client = CLIENTS[name](tap.address, scratch, engines(name))
        login = client.login(tokens.account)
        assert login is None or login.returncode == 0, login.stderr
        tokens.shorten(LIVES_S.get(name, LIFE_S))
        pushed = client.push(tokens.repo, TAG)
        assert gate.held is not None and gate.has_ended, (pushed.stdout + pushed.stderr)[-3000:]
        answers = [exchange.status for exchange in tap.exchanges if exchange[:3] == gate.held]
        assert answers in ([201], [202]), f"{gate.held[:2]} with a token that has ended: {answers}"
        assert pushed.returncode == 0, (pushed.stdout + pushed.stderr)[-3000:]
        pulled = client.pull(tokens.repo, TAG)
        assert pulled.returncode == 0, (pulled.stdout + pulled.stderr)[-3000:]
