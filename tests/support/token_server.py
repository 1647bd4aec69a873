"""A server that makes tokens for a registry which only checks them, as docker_auth or GitLab do, on a free port of
127.0.0.1: who may what is a table, tokens are signed with RS256 and name their key as docker's libtrust does. Like those
it answers GET alone. openssl signs."""

import base64
import hashlib
import http.server
import json
import pathlib
import threading
import time
import urllib.parse

from id_issuer import base64url, openssl


def libtrust_kid(public_key_der):
    text = base64.b32encode(hashlib.sha256(public_key_der).digest()[:30]).decode()
    return ":".join(text[at:at + 4] for at in range(0, len(text), 4))


LEEWAY_S = 60  # how long after its end the registry takes a token
SHORTEST_S = 60  # what clients take for the life of a token that is said to live for less


def told_to_end_at(end):
    """What an answer tells a client whose token nobody takes from then on: a short life can only be said as the rest
    of a longer one."""
    issued = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end - SHORTEST_S))
    return {"expires_in": SHORTEST_S, "issued_at": issued}


class TokenServer:
    """`passwords`: of each user. `rights`: {user: {repository: [actions]}}, "" is who brings no password.
    `asked`: (user, scopes) of each question. `ends_in_s`: after how many seconds the registry takes a token no longer;
    None: late. `certificate` is what the registry gets to know."""

    ISSUER = "token server of a test"
    SERVICE = "registry.example.com"

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self._key, self.certificate = folder / "token-server.key", folder / "token-server.pem"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self._key, "-out", self.certificate,
                "-subj", "/CN=token server")
        public = openssl("x509", "-in", self.certificate, "-noout", "-pubkey")
        self.kid = libtrust_kid(openssl("pkey", "-pubin", "-outform", "DER", stdin=public))
        self.passwords, self.rights, self.asked = {}, {}, []
        self.ends_in_s = None
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        # Where the registry is localhost, too: crane and oras go to no other realm on a private address.
        self.realm = f"http://localhost:{self._server.server_port}/auth"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def flags(self):
        """Of `berth serve`."""
        return ("--auth-mode", "external", "--auth-external-realm", self.realm, "--auth-external-service", self.SERVICE,
                "--auth-external-issuer", self.ISSUER, "--auth-external-keys", str(self.certificate))

    def access(self, user, scopes):
        rights = self.rights.get(user, {})
        out = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            allowed = rights.get(name, [])
            wanted = ["pull", "push", "delete"] if actions == "*" and kind == "repository" else actions.split(",")
            out.append({"type": kind, "name": name, "actions": [action for action in wanted if action in allowed]})
        return out

    def claims(self, user, *scopes, **changed):
        now = int(time.time())
        return {"iss": self.ISSUER, "sub": user, "aud": self.SERVICE, "exp": now + 300, "nbf": now - 10,
                "iat": now - 10, "jti": "1", "access": self.access(user, scopes), **changed}

    def token(self, user, *scopes, **changed):
        claims = self.claims(user, *scopes, **changed)
        header = {"typ": "JWT", "alg": "RS256", "kid": self.kid}
        text = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
        return f"{text}.{base64url(openssl('dgst', '-sha256', '-sign', self._key, stdin=text.encode()))}"

    def answer(self, user, scopes, service):
        if self.ends_in_s is None:
            claims, told = {}, {"expires_in": 300}
        else:
            end = int(time.time()) + self.ends_in_s
            claims, told = {"exp": end - LEEWAY_S}, told_to_end_at(end)
        token = self.token(user, *scopes, aud=service, **claims)
        return {"token": token, "access_token": token, **told}

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def _who(self, authorization):
        """None: a wrong password."""
        if not authorization:
            return ""
        user, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        return user if self.passwords.get(user) == password else None

    def _handler(server):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                user = server._who(self.headers["Authorization"])
                if user is None:
                    return self._send(401, {"details": "wrong password"})
                scopes = " ".join(query.get("scope", [])).split()
                server.asked.append((user, scopes))
                return self._send(200, server.answer(user, scopes, query["service"][0]))

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"] or 0))
                self._send(405, {"details": "ask with GET"})

            def _send(self, status, document):
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        return Handler
