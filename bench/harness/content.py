"""Images made from a seed, and their push through a registry's front door (or as files for nginx)."""

import hashlib
import http.client
import json
import random
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def random_bytes(seed, size: int) -> bytes:
    return random.Random(str(seed)).randbytes(size)


@dataclass
class Image:
    repo: str
    tag: str
    manifest: bytes
    digest: str
    blobs: list = field(default_factory=list)   # bytes of config and layers


def image(repo: str, tag: str, layers: int, layer_bytes: int, seed) -> Image:
    """Sizes depend on the arguments alone, so that all manifests of one call pattern have the same length."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []},
                         "note": hashlib.sha256(str(seed).encode()).hexdigest()}).encode()
    blobs = [config] + [random_bytes(f"{seed} {i}", layer_bytes) for i in range(layers)]
    descriptors = [{"mediaType": LAYER, "digest": sha256(data), "size": len(data)} for data in blobs[1:]]
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST,
                           "config": {"mediaType": CONFIG, "digest": sha256(config), "size": len(config)},
                           "layers": descriptors}, indent=1).encode()
    return Image(repo, tag, manifest, sha256(manifest), blobs)


class Pusher:
    """A plain client on one connection; anything but the expected status ends the benchmark."""

    def __init__(self, port: int, tls: bool = False):
        if tls:
            unchecked = ssl._create_unverified_context()   # our own key, on loopback
            self.connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=600, context=unchecked)
        else:
            self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)

    def request(self, method: str, target: str, body=None, headers=None, want=(200, 201, 202)):
        self.connection.request(method, target, body, headers or {})
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status not in want:
            raise SystemExit(f"bench: {method} {target} answered {answer.status}: {data[:300]!r}")
        return answer, data

    def blob(self, repo: str, data: bytes) -> str:
        digest = sha256(data)
        answer, _ = self.request("POST", f"/v2/{repo}/blobs/uploads/", b"", want=(202,))
        parts = urlsplit(answer.getheader("Location"))
        joint = f"?{parts.query}&" if parts.query else "?"
        self.request("PUT", f"{parts.path}{joint}digest={digest}", data,
                     {"Content-Type": "application/octet-stream"}, want=(201,))
        return digest

    def manifest(self, repo: str, reference: str, data: bytes, media_type: str = MANIFEST):
        self.request("PUT", f"/v2/{repo}/manifests/{reference}", data, {"Content-Type": media_type}, want=(201,))

    def image(self, pushed: Image):
        for data in pushed.blobs:
            self.blob(pushed.repo, data)
        self.manifest(pushed.repo, pushed.tag, pushed.manifest)

    def close(self):
        self.connection.close()


def fill(server, images, blobs=()):
    """The same content for each server: images as pushes, blobs as (repo, bytes)."""
    if server.is_registry:
        pusher = Pusher(server.port, tls=server.tls_port == server.port)
        for one in images:
            pusher.image(one)
        for repo, data in blobs:
            pusher.blob(repo, data)
        pusher.close()
        return
    for one in images:
        for data in one.blobs:
            server.place(f"/v2/{one.repo}/blobs/{sha256(data)}", data)
        for reference in (one.tag, one.digest):
            server.place(f"/v2/{one.repo}/manifests/{reference}", one.manifest)
    for repo, data in blobs:
        server.place(f"/v2/{repo}/blobs/{sha256(data)}", data)
