"""An OpenID Connect provider on a free port of 127.0.0.1, for people: it lets in whoever `person` says, checks what a
provider checks (redirect address, client's secret, PKCE, one use of a code), and signs ID tokens. And a browser for
those who need no script: it follows redirects and keeps cookies by the rules that matter here."""

import base64
import hashlib
import html.parser
import http.client
import http.server
import json
import secrets
import threading
import time
import urllib.parse

from id_issuer import DISCOVERY, Key, base64url


class Provider:
    def __init__(self, folder, client=("berth", "a client's secret")):
        self.key = Key(folder, "provider")
        self.client = client
        self.person = {"sub": "17", "preferred_username": "ann", "email": "ann@acme.example", "name": "Ann Lee"}
        self.redirects = []  # addresses that people may be sent back to
        self.codes = {}
        self.asked = []
        self.userinfo = None
        self.refuses = None  # an error that people come back with
        self.tampers = lambda claims: claims
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def discovery(self):
        return {"issuer": self.url, "jwks_uri": f"{self.url}/jwks", "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                **({"userinfo_endpoint": f"{self.url}/userinfo"} if self.userinfo is not None else {})}

    def authorize(self, query):
        """The address that the browser is sent back to."""
        assert query["client_id"] == self.client[0] and query["response_type"] == "code", query
        assert query["redirect_uri"] in self.redirects, query["redirect_uri"]
        assert query["code_challenge_method"] == "S256" and "openid" in query["scope"].split()
        answer = {"state": query["state"], "iss": self.url}
        if self.refuses:
            answer["error"] = self.refuses
        else:
            answer["code"] = secrets.token_urlsafe(16)
            self.codes[answer["code"]] = query
        return query["redirect_uri"] + "?" + urllib.parse.urlencode(answer)

    def exchange(self, form, authorization):
        """(status, document)"""
        basic = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        given = tuple(urllib.parse.unquote_plus(part) for part in basic.split(":", 1))
        if given != self.client:
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form.get("code"), None)  # once
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if not asked or asked["redirect_uri"] != form["redirect_uri"] or base64url(verifier) != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.url, "aud": self.client[0], "exp": now + 300, "iat": now, "nonce": asked["nonce"],
                  **self.person}
        return 200, {"access_token": "for userinfo", "token_type": "Bearer",
                     "id_token": self.key.token(self.tampers(claims))}

    def _handler(provider):
        class Handler(http.server.BaseHTTPRequestHandler):
            def send(self, status, document=None, **headers):
                body = b"" if document is None else json.dumps(document).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)),
                                    **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                provider.asked.append(self.path)
                address = urllib.parse.urlsplit(self.path)
                if address.path == DISCOVERY:
                    return self.send(200, provider.discovery())
                if address.path == "/jwks":
                    return self.send(200, {"keys": [provider.key.jwk]})
                if address.path == "/userinfo" and self.headers["Authorization"] == "Bearer for userinfo":
                    return self.send(200, provider.userinfo)
                if address.path == "/authorize":
                    query = dict(urllib.parse.parse_qsl(address.query))
                    return self.send(302, Location=provider.authorize(query))
                return self.send(404)

            def do_POST(self):
                provider.asked.append(self.path)
                form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                self.send(*provider.exchange(form, self.headers["Authorization"] or ""))

            def log_message(self, *args):
                pass

        return Handler


class Page(html.parser.HTMLParser):
    """Forms and links of a page."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.links, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.forms.append((attributes.get("action", ""), attributes["method"], {}))
        if tag == "a":
            self.links.append(attributes["href"])
        if tag == "input" and self.forms and "name" in attributes:
            self.forms[-1][2][attributes["name"]] = attributes.get("value") or ""

    def handle_data(self, data):
        self.text += data

    def form(self, action):
        return next(fields for where, _, fields in self.forms if where == action)


class Browser:
    """Cookies by host, as sent for a top-level navigation."""

    def __init__(self, home, stops_before=None):
        self.home = home  # http://localhost:PORT
        self.stops_before = stops_before  # where a redirect is not followed to, but returned
        self.cookies = {}
        self.history = []
        self.status, self.headers, self.page = None, None, None

    def open(self, address, method="GET", form=None, site="same-origin", **headers):
        """Follows redirects; the page it ends on."""
        for _ in range(10):
            address = urllib.parse.urljoin(self.history[-1] if self.history else self.home, address)
            parts = urllib.parse.urlsplit(address)
            jar = self.cookies.setdefault(parts.netloc, {})
            # A local server is a trustworthy origin: browsers say where a request comes from.
            sent = {"Sec-Fetch-Site": site, "User-Agent": "a browser of the tests", **headers}
            if jar:
                sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
            body = None
            if form is not None:
                body = urllib.parse.urlencode(form)
                sent["Content-Type"] = "application/x-www-form-urlencoded"
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
            connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), body, sent)
            response = connection.getresponse()
            text = response.read().decode()
            self.status, self.headers = response.status, response.headers
            self.history.append(address)
            for cookie in response.headers.get_all("Set-Cookie") or []:
                name, value = cookie.split(";")[0].split("=", 1)
                assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie, cookie
                if "Max-Age=0" in cookie:
                    jar.pop(name, None)
                else:
                    jar[name] = value
            connection.close()
            if self.status not in (302, 303):
                self.page = Page(text)
                return self.page
            next_address = response.headers["Location"]
            if self.stops_before and next_address.startswith(self.stops_before):
                return next_address
            site = "same-origin" if urllib.parse.urlsplit(urllib.parse.urljoin(address, next_address)).netloc == \
                parts.netloc else "cross-site"
            address, method, form = next_address, "GET", None
        raise AssertionError("redirects for ever: " + " ".join(self.history))

    def submit(self, action, **fields):
        return self.open(action, "POST", {**self.page.form(action), **fields})
