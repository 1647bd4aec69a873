"""Plain HTTP to a registry: what a test sends by hand, and what it fetches to compare with a client's own bytes."""
import hashlib
import http.client
import json
import socket
from typing import NamedTuple
from urllib.parse import quote, urlsplit

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFEST_TYPES = (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST)


def digest_of(data, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def blobs_of(manifest):
    """Descriptors of the config and the layers; none for an index."""
    return ([manifest["config"]] if "config" in manifest else []) + manifest.get("layers", [])


class Response(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)

    def error_codes(self):
        """The codes of an error body (H4)."""
        return [error["code"] for error in self.json()["errors"]]


class Manifest(NamedTuple):
    digest: str
    media_type: str
    body: bytes

    def json(self):
        return json.loads(self.body)


class Registry:
    """One registry at host:port. Requests follow no redirect and add no header of their own but Host and length."""

    def __init__(self, address):
        self.address = address

    def request(self, method, target, body=None, headers=None):
        """`target`: a path, or the Location of an earlier answer. An iterable body goes out chunked, without length."""
        url = urlsplit(target)
        path = url.path + (f"?{url.query}" if url.query else "")
        connection = http.client.HTTPConnection(self.address, timeout=120)
        chunked = body is not None and not isinstance(body, (bytes, str))
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            headers = dict(headers or {})
            if chunked:
                headers["Transfer-Encoding"] = "chunked"
            elif body is not None or method in ("POST", "PUT", "PATCH"):
                headers.setdefault("Content-Length", str(len(body or b"")))
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(body, encode_chunked=chunked)
            answer = connection.getresponse()
            return Response(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def send_head(self, method, target, *fields):
        """Sends the head of a request alone and returns the socket, for clients that stop or wait in the middle."""
        host, _, port = self.address.partition(":")
        wire = socket.create_connection((host, int(port)), timeout=30)
        url = urlsplit(target)
        path = url.path + (f"?{url.query}" if url.query else "")
        wire.sendall("\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {self.address}", *fields, "", ""]).encode())
        return wire

    def expect(self, status, method, target, **kwargs):
        __tracebackhide__ = True
        answer = self.request(method, target, **kwargs)
        assert answer.status == status, (
            f"{method} {target}: expected {status}, got {answer.status} {answer.body[:500]!r}")
        return answer

    def head_matches(self, path, answer, headers=None):
        """HEAD must announce exactly what GET delivered (H2, P1, P5)."""
        head = self.expect(200, "HEAD", path, headers=headers)
        assert head.body == b""
        for name in ("Content-Length", "Content-Type", "Docker-Content-Digest"):
            assert head.headers[name] == answer.headers[name], f"HEAD {path} and GET differ in {name}"

    def manifest(self, repo, reference):
        """The manifest behind a tag or digest, its headers checked against its bytes (H3, P5)."""
        path = f"/v2/{repo}/manifests/{reference}"
        accept = {"Accept": ", ".join(MANIFEST_TYPES)}
        answer = self.expect(200, "GET", path, headers=accept)
        digest = answer.headers["Docker-Content-Digest"]
        assert digest == digest_of(answer.body, digest.partition(":")[0]), f"{path}: digest header and body differ"
        assert digest == reference or ":" not in reference, f"{path}: answered as {digest}"
        assert answer.headers["Content-Length"] == str(len(answer.body))
        assert answer.headers["Content-Type"] in MANIFEST_TYPES
        self.head_matches(path, answer, accept)
        return Manifest(digest, answer.headers["Content-Type"], answer.body)

    def blob(self, repo, digest):
        """A blob's bytes, verified against the digest (P1)."""
        path = f"/v2/{repo}/blobs/{digest}"
        answer = self.expect(200, "GET", path)
        assert digest_of(answer.body, digest.partition(":")[0]) == digest, f"{path}: wrong bytes"
        assert answer.headers["Docker-Content-Digest"] == digest
        self.head_matches(path, answer)
        return answer.body

    def status_of(self, repo, kind, reference):
        return self.request("HEAD", f"/v2/{repo}/{kind}/{reference}").status

    def tags(self, repo):
        return self.expect(200, "GET", f"/v2/{repo}/tags/list").json()["tags"]

    def catalog(self):
        return self.expect(200, "GET", "/v2/_catalog?n=1000").json()["repositories"]

    def referrers(self, repo, digest, artifact_type=None):
        query = f"?artifactType={quote(artifact_type, safe='')}" if artifact_type else ""
        answer = self.expect(200, "GET", f"/v2/{repo}/referrers/{digest}{query}")
        assert answer.headers["Content-Type"] == OCI_INDEX  # R1
        return answer.json()["manifests"]

    def closure(self, repo, reference):
        """Every object an image or index consists of: {digest: bytes}, the root first."""
        root = self.manifest(repo, reference)
        objects = {root.digest: root.body}
        document = root.json()
        for child in document.get("manifests", []):
            if child["mediaType"] in MANIFEST_TYPES:
                objects.update(self.closure(repo, child["digest"]))
            else:
                objects[child["digest"]] = self.blob(repo, child["digest"])
        for blob in blobs_of(document):
            objects[blob["digest"]] = self.blob(repo, blob["digest"])
            assert len(objects[blob["digest"]]) == blob["size"]
        return objects

    def upload_blob(self, repo, data):
        """POST and one PUT; returns the digest."""
        session = self.expect(202, "POST", f"/v2/{repo}/blobs/uploads/").headers["Location"]
        digest = digest_of(data)
        self.expect(201, "PUT", with_query(session, digest=digest), body=data)
        return digest

    def put_manifest(self, repo, reference, document, media_type=OCI_MANIFEST):
        """Sends a manifest (bytes, or a document to be serialised) and returns its digest."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        answer = self.expect(201, "PUT", f"/v2/{repo}/manifests/{reference}", body=body,
                             headers={"Content-Type": media_type})
        assert answer.headers["Docker-Content-Digest"] == digest_of(body)
        return digest_of(body)


def with_query(location, **parameters):
    """A Location with parameters added, whether or not it already has some (U2)."""
    added = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    return f"{location}{'&' if '?' in location else '?'}{added}"


def descriptor(media_type, data, **extra):
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data), **extra}


def assert_same_objects(served, local, what):
    """Byte-for-byte: the two {digest: bytes} maps must be equal; a failure names the digests, not megabytes."""
    missing, surplus = sorted(local.keys() - served.keys()), sorted(served.keys() - local.keys())
    assert not missing, f"{what}: only the client has {missing}"
    assert not surplus, f"{what}: only the registry has {surplus}"
    for digest, data in local.items():
        assert served[digest] == data, f"{what}: the bytes of {digest} differ"
