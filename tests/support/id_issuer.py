"""An issuer of ID tokens on a free port of 127.0.0.1, as GitHub's and GitLab's are to a registry: a discovery document,
a key set, tokens signed with RS256. What it serves can be made wrong in every way a test needs. openssl signs."""

import base64
import http.server
import json
import pathlib
import subprocess
import threading
import time

DISCOVERY = "/.well-known/openid-configuration"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, stdin=b""):
    return subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True, check=True).stdout


class Key:
    """An RSA key; `jwk` is what the issuer publishes of it."""

    def __init__(self, folder, kid):
        self.kid = kid
        self._path = pathlib.Path(folder) / f"{kid}.pem"
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self._path)
        modulus = openssl("rsa", "-in", self._path, "-noout", "-modulus").decode().strip().removeprefix("Modulus=")
        self.jwk = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid, "e": "AQAB",
                    "n": base64url(bytes.fromhex(modulus))}

    def token(self, claims, **header):
        text = ".".join(base64url(json.dumps(part).encode())
                        for part in ({"typ": "JWT", "alg": "RS256", "kid": self.kid, **header}, claims))
        return f"{text}.{base64url(openssl('dgst', '-sha256', '-sign', self._path, stdin=text.encode()))}"


class Issuer:
    """`answers` maps a path to (status, headers, body) where the ordinary answer will not do."""

    def __init__(self, folder, key):
        self._folder = folder
        self.answers = {}
        self.asked = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.key = key
        self.published = [self.key.jwk, {"kty": "AKP", "kid": "of-tomorrow", "alg": "ML-DSA-65", "pub": "AA"}]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def rotate(self, kid):
        """The next key signs; the one before is no longer published."""
        self.key = Key(self._folder, kid)
        self.published = [self.key.jwk]

    def claims(self, **changed):
        """Of a job of acme/web on main; a claim that is None is left out."""
        now = int(time.time())
        claims = {"iss": self.url, "aud": "registry.example.com", "exp": now + 300, "nbf": now - 5, "iat": now,
                  "sub": "repo:acme/web:ref:refs/heads/main", "repository": "acme/web", "ref": "refs/heads/main",
                  "run_id": "77", **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, **changed):
        return self.key.token(self.claims(**changed))

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, path):
        if path in self.answers:
            return self.answers[path]
        documents = {DISCOVERY: {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}, "/jwks": {"keys": self.published}}
        return (200, {}, json.dumps(documents[path]).encode()) if path in documents else (404, {}, b"")

    def _handler(issuer):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked.append(self.path)
                status, headers, body = issuer._answer(self.path)
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)),
                                    **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except ConnectionError:
                    pass  # whoever asked had enough

            def log_message(self, *args):
                pass

        return Handler
