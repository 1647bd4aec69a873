"""A client whose bytes are the same each time: small requests are one write, no library between us and the socket."""

import hashlib
import json
import socket
import ssl

TIMEOUT_S = 60.0
PIECE_BYTES = 32 * 1024  # one packet on the loopback interface: it arrives whole
IMAGE_TYPE = "application/vnd.oci.image.manifest.v1+json"


class Answer:
    def __init__(self, status: int, headers: dict, body: bytes):
        self.status, self.headers, self.body = status, headers, body


class Connection:
    """One keep-alive connection. A request with an unexpected status ends the run: it would be measured for nothing."""

    def __init__(self, port: int, tls: bool = False):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        self.unread = b""
        self.before_next_piece = lambda: None  # how much arrives at once must not be a matter of speed

    def ask(self, want: int, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "User-Agent: guard"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        message = "\r\n".join([*lines, "", ""]).encode() + (body or b"")
        for start in range(0, len(message), PIECE_BYTES):
            if start > 0:
                self.before_next_piece()
            self.socket.sendall(message[start:start + PIECE_BYTES])
        answer = self._read(is_head=method == "HEAD")
        if answer.status != want:
            raise SystemExit(f"guard: {method} {path} answered {answer.status} instead of {want}: {answer.body[:300]!r}")
        return answer

    def _read(self, is_head: bool) -> Answer:
        while b"\r\n\r\n" not in self.unread:
            self._receive()
        head, self.unread = self.unread.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        status = int(first.split()[1])
        has_body = not is_head and status not in (204, 304)
        length = int(headers.get("content-length", "0")) if has_body else 0
        while len(self.unread) < length:
            self._receive()
        body, self.unread = self.unread[:length], self.unread[length:]
        return Answer(status, headers, body)

    def _receive(self):
        got = self.socket.recv(1 << 20)
        if not got:
            raise SystemExit("guard: the server closed the connection; its output is in server.log")
        self.unread += got

    def close(self):
        self.socket.close()


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def content(seed: str, size: int) -> bytes:
    """The same bytes for the same seed, in every run and on every machine."""
    return hashlib.shake_128(seed.encode()).digest(size)


def image(config: bytes, layers: list[bytes], note: str) -> bytes:
    def descriptor(kind: str, data: bytes) -> dict:
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest_of(data), "size": len(data)}

    return json.dumps({
        "schemaVersion": 2,
        "mediaType": IMAGE_TYPE,
        "config": descriptor("config.v1+json", config),
        "layers": [descriptor("layer.v1.tar+gzip", layer) for layer in layers],
        "annotations": {"note": note},
    }).encode()
