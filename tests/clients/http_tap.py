"""A relay in front of the registry that understands requests: it can hold one up, and knows how each was answered."""
import http.client
import http.server
import threading
from typing import NamedTuple

# Of one connection only; bodies get a length of their own.
HOP_BY_HOP = {"connection", "content-length", "expect", "transfer-encoding"}


class Exchange(NamedTuple):
    method: str
    path: str
    authorization: str
    status: int


class HttpTap:
    """`with HttpTap(address) as tap:` listens on `tap.address` and passes requests on to `address`, each whole.

    `before(method, path, authorization)` is called first, and may take its time. `change(path, body)` returns what is
    answered in the place of `body`. `exchanges` has what was asked, and the status of each answer."""

    def __init__(self, address, before=lambda *_: None, change=lambda path, body: body):
        self.before, self.change = before, change
        self.exchanges = []
        self._upstream = address
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        # crane and oras go to no realm on a private address, unless both are called localhost.
        self.address = f"localhost:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def _ask(self, method, path, headers, body):
        server = http.client.HTTPConnection(self._upstream, timeout=120)
        try:
            server.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                if name.lower() not in HOP_BY_HOP:
                    server.putheader(name, value)
            if body is not None:
                server.putheader("Content-Length", str(len(body)))
            server.endheaders(body)
            answer = server.getresponse()
            return answer, answer.read()
        finally:
            server.close()

    def _handler(tap):
        class Relay(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def relay(self):
                body = self.take_body()
                authorization = self.headers["Authorization"] or ""
                tap.before(self.command, self.path, authorization)
                answer, data = tap._ask(self.command, self.path, self.headers, body)
                tap.exchanges.append(Exchange(self.command, self.path, authorization, answer.status))
                length = answer.headers["Content-Length"]
                if self.command != "HEAD" and length is not None:
                    data = tap.change(self.path, data)
                    length = str(len(data))
                self.send_response_only(answer.status, answer.reason)
                for name, value in answer.headers.items():
                    if name.lower() not in HOP_BY_HOP:
                        self.send_header(name, value)
                if length is not None:
                    self.send_header("Content-Length", length)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = relay

            def take_body(self):
                """None: there is none, which differs from an empty one."""
                if self.headers["Transfer-Encoding"] is None:
                    length = self.headers["Content-Length"]
                    return None if length is None else self.rfile.read(int(length))
                body = b""
                while size := int(self.rfile.readline().partition(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                while self.rfile.readline().strip():
                    pass  # trailers
                return body

            def log_message(self, *args):
                pass

        return Relay
