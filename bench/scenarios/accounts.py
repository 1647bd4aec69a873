"""What it costs to know who asks: the same small reads without credentials, with a token, and with a password each time.

One Berth with accounts serves public repositories, so that all three are allowed. distribution and zot stand beside it twice:
with an htpasswd file (bcrypt, cost 5), and checking tokens (RS256) of a token server, which they do not bring: the tests' own
makes them one before the clock runs. Berth's token service is asked with a password that was verified a moment before.
"""

import base64
import crypt
import hashlib
import json
import re
import time
import urllib.request

from harness import load
from harness.content import MANIFEST, fill, image
from harness.fleet import Cores, Fleet
from harness.points import Point, Target, conclude
from harness.servers import KINDS, Berth, Distribution3, Zot

from id_issuer import base64url, openssl  # noqa: E402
from token_server import TokenServer  # noqa: E402

NAME = "accounts"
ORDER = 16
CONNECTIONS, IMAGES = 64, 16
METRICS = ["rps", "p50_us", "p99_us", "cpu_us_per_request", "server_cores", "load_cores"]
BEARER, BASIC, TOKEN = "GET manifest by tag, Bearer", "GET manifest by tag, Basic each time", "GET /token, a known password"
PASSWORD = "the bench's own password"
BASIC_VALUE = "Basic " + base64.b64encode(f"ann:{PASSWORD}".encode()).decode()
PEERS = ("distribution3", "zot")                       # with passwords
TOKEN_PEERS = ("distribution3-token", "zot-token")
SERVERS = ("berth", "anonymous", *PEERS, *TOKEN_PEERS)


class WithAccounts(Berth):
    """Filled while nobody has an account, then set up."""

    def command(self):
        words = super().command()
        at = words.index("--anonymous")
        return words[:at] + words[at + 2:]

    def call(self, method, path, body, credentials=True):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method,
                                         data=json.dumps(body).encode() if body is not None else None)
        request.add_header("Content-Type", "application/json")
        if credentials:
            request.add_header("Authorization", BASIC_VALUE)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def set_up(self, repos):
        end = time.monotonic() + 10
        while not (printed := re.search(r"berth_set_\w+", (self.folder / "log").read_text(encoding="utf-8"))):
            if time.monotonic() > end:
                raise SystemExit("bench: the server printed no set-up secret")
            time.sleep(0.05)
        secret = printed[0]
        self.call("POST", "/api/v1/setup", {"token": secret, "name": "ann", "password": PASSWORD}, credentials=False)
        for repo in repos:
            self.call("PATCH", f"/api/v1/repos/{repo}", {"visibility": "public"})

    def token(self, repos):
        scopes = "&".join(f"scope=repository:{repo}:pull" for repo in repos)
        return "Bearer " + self.call("GET", f"/token?{scopes}", None)["token"]


class WithHtpasswd:
    """Filled without, then started again with an htpasswd file. A part of a class beside the server's own."""

    def set_up(self, _repos):
        self.stop()
        hashed = crypt.crypt(PASSWORD, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=32))
        (self.folder / "htpasswd").write_text(f"ann:{hashed}\n", encoding="utf-8")
        self.ready_status = 401
        self.start()

    def is_secured(self) -> bool:
        return (self.folder / "htpasswd").exists()


class SecuredDistribution(WithHtpasswd, Distribution3):
    def command(self):
        words = super().command()
        if self.is_secured():
            with open(self.folder / "config.yml", "a", encoding="utf-8") as config:
                config.write(f"auth: {{htpasswd: {{realm: bench, path: {self.folder}/htpasswd}}}}\n")
        return words


class SecuredZot(WithHtpasswd, Zot):
    def command(self):
        if self.is_secured():
            self.auth = f', "auth": {{"htpasswd": {{"path": "{self.folder}/htpasswd"}}, "failDelay": 0}}'
        return super().command()


class Tokens(TokenServer):
    """Names its key as distribution 3 does: by the thumbprint of RFC 7638."""

    def __init__(self, folder):
        super().__init__(folder)
        modulus = openssl("x509", "-in", self.certificate, "-noout", "-modulus").decode().strip().partition("=")[2]
        jwk = {"e": "AQAB", "kty": "RSA", "n": base64url(bytes.fromhex(modulus))}
        self.kid = base64url(hashlib.sha256(json.dumps(jwk, separators=(",", ":")).encode()).digest())

    def bearer(self, repos):
        self.rights = {"ann": {repo: ["pull"] for repo in repos}}
        return "Bearer " + self.token("ann", *(f"repository:{repo}:pull" for repo in repos), exp=int(time.time()) + 6 * 3600)


class WithTokens:
    """Filled without, then started again so that it checks tokens. A part of a class beside the server's own."""

    tokens = None   # the token server, once there is one

    def set_up(self, _repos, tokens):
        self.stop()
        self.tokens = tokens
        self.ready_status = 401
        self.start()


class TokenDistribution(WithTokens, Distribution3):
    name = "distribution3-token"

    def command(self):
        words = super().command()
        if self.tokens:
            with open(self.folder / "config.yml", "a", encoding="utf-8") as config:
                config.write(f"auth: {{token: {{realm: '{self.tokens.realm}', service: '{self.tokens.SERVICE}', "
                             f"issuer: '{self.tokens.ISSUER}', rootcertbundle: '{self.tokens.certificate}'}}}}\n")
        return words


class TokenZot(WithTokens, Zot):
    name = "zot-token"

    def command(self):
        if self.tokens:
            self.auth = (f', "auth": {{"bearer": {{"realm": "{self.tokens.realm}", "service": "{self.tokens.SERVICE}", '
                         f'"cert": "{self.tokens.certificate}"}}, "failDelay": 0}}')
        return super().command()


def targets():
    yield Target(BEARER, "rps", "anonymous", ">=", 0.85)
    yield Target(BASIC, "rps", "anonymous", ">=", 0.7)
    for peer in (*TOKEN_PEERS, *PEERS):
        yield Target(BEARER, "rps", peer, ">=", 1.0)
    for peer in PEERS:
        yield Target(BASIC, "rps", peer, ">=", 1.0)
    yield Target(TOKEN, "rps", "", ">=", 5000)


def measure(server, cores, trace, seconds, authorization):
    flags = {"authorization": authorization} if authorization else {}
    figures = load.run("trace", server, cores, file=trace, connections=CONNECTIONS, seconds=seconds, accept=MANIFEST, **flags)
    return load.flat(figures, "GET")


def run(options):
    cores = Cores(options.cores or "split")
    images = [image(f"library/app{i % 4}", f"v1.0.{i:02d}", 10, 256, f"accounts {i}") for i in range(IMAGES)]
    repos = sorted({one.repo for one in images})
    kinds = dict(KINDS)
    KINDS.update({"berth": WithAccounts, "distribution3": SecuredDistribution, "zot": SecuredZot,
                  "distribution3-token": TokenDistribution, "zot-token": TokenZot})
    points = {name: Point(name) for name in (BEARER, BASIC, TOKEN)}
    try:
        with Fleet(cores, options.servers(("berth", *PEERS, *TOKEN_PEERS)), options.berth_binaries) as fleet:
            tokens_of_others = Tokens(fleet.folder)
            for server in fleet.servers.values():
                fill(server, images)
                server.set_up(repos, *((tokens_of_others,) if server.name in TOKEN_PEERS else ()))
            reads, tokens = fleet.folder / "reads", fleet.folder / "tokens"
            reads.write_text("".join(load.trace_line("GET", f"/v2/{one.repo}/manifests/{one.tag}", 200, len(one.manifest), one.digest)
                                     + "\n" for one in images), encoding="utf-8")
            tokens.write_text(load.trace_line("GET", f"/token?scope=repository:{repos[0]}:pull", 200) + "\n", encoding="utf-8")
            berth, peers = fleet.servers["berth"], [fleet.servers[name] for name in PEERS if name in fleet.servers]
            token_peers = [fleet.servers[name] for name in TOKEN_PEERS if name in fleet.servers]
            bearer, bearer_of_others = berth.token(repos), tokens_of_others.bearer(repos)
            for round_ in range(options.rounds + 1):   # the first warms up
                found = []
                for point, name, server, trace, value in (
                        (BEARER, "berth", berth, reads, bearer), (BEARER, "anonymous", berth, reads, ""),
                        (BASIC, "berth", berth, reads, BASIC_VALUE), (BASIC, "anonymous", berth, reads, ""),
                        (TOKEN, "berth", berth, tokens, BASIC_VALUE),
                        *((BASIC, peer.name, peer, reads, BASIC_VALUE) for peer in peers),
                        *((BEARER, peer.name, peer, reads, bearer_of_others) for peer in token_peers)):
                    found.append((point, name, measure(server, cores.load, trace, options.seconds, value)))
                for point, name, figures in found if round_ > 0 else ():
                    points[point].add(name, figures)
                    if name in PEERS:
                        points[BEARER].add(name, figures)   # Berth's tokens beside their passwords, too
            tokens_of_others.close()
            versions, absent = fleet.versions(), fleet.absent
    finally:
        KINDS.update(kinds)
    conclude(NAME, options, cores, list(points.values()), METRICS, list(targets()), SERVERS, versions=versions, absent=absent)
