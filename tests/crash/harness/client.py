"""A registry client on one keep-alive connection that tells "answered" from "no answer" and nothing more clever."""

import http.client
import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

TIMEOUT_S = 20.0
IMAGE_TYPE = "application/vnd.oci.image.manifest.v1+json"
SESSION_RANGE = re.compile(r"0-(\d+)")


class Unanswered(Exception):
    """The connection ended before a whole response was read: the request may or may not have happened."""


@dataclass
class Response:
    status: int
    headers: dict
    body: bytes

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")

    def error_code(self) -> str:
        try:
            return json.loads(self.body)["errors"][0]["code"]
        except (ValueError, LookupError, TypeError):
            return f"no error body: {self.body[:120]!r}"

    def brief(self) -> str:
        is_text = self.header("content-type") == "application/json" or len(self.body) < 160
        return f"{self.status} {ascii(self.body[:160]) if is_text else f'with {len(self.body)} bytes'}"


class Client:
    def __init__(self, port: int, timeout_s: float = TIMEOUT_S):
        self.port, self.timeout_s = port, timeout_s
        self.connection = None

    def request(self, method: str, path: str, body=None, headers=None) -> Response:
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout_s)
        try:
            try:
                self.connection.request(method, path, body, headers or {})
            except (BrokenPipeError, ConnectionResetError):
                pass   # refused while the body was on its way: the answer may be there to read (H7)
            answer = self.connection.getresponse()
            response = Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unanswered(f"{method} {path}: {error!r}") from error
        if answer.will_close:
            self.close()
        return response

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    # -- blobs
    def get_blob(self, repo, digest):
        return self.request("GET", f"/v2/{repo}/blobs/{digest}")

    def put_blob_at_once(self, repo, digest, data):
        return self.request("POST", f"/v2/{repo}/blobs/uploads/?digest={digest}", data)

    def start_upload(self, repo):
        return self.request("POST", f"/v2/{repo}/blobs/uploads/", b"")

    def append(self, location, data, start=None):
        headers = {"Content-Type": "application/octet-stream"}
        if start is not None:
            headers["Content-Range"] = f"{start}-{start + len(data) - 1}"
        return self.request("PATCH", location, data, headers)

    def finish(self, location, digest, data=b""):
        joint = "&" if urlsplit(location).query else "?"
        return self.request("PUT", f"{location}{joint}digest={digest}", data)

    def mount(self, repo, digest, source):
        return self.request("POST", f"/v2/{repo}/blobs/uploads/?mount={digest}&from={source}", b"")

    def delete_blob(self, repo, digest):
        return self.request("DELETE", f"/v2/{repo}/blobs/{digest}")

    # -- manifests and tags
    def get_manifest(self, repo, reference, method="GET"):
        return self.request(method, f"/v2/{repo}/manifests/{reference}", None, {"Accept": IMAGE_TYPE})

    def put_manifest(self, repo, reference, data, headers=None):
        return self.request("PUT", f"/v2/{repo}/manifests/{reference}", data,
                            {"Content-Type": IMAGE_TYPE, **(headers or {})})

    def delete_manifest(self, repo, reference):
        return self.request("DELETE", f"/v2/{repo}/manifests/{reference}")

    def tags(self, repo):
        return self.request("GET", f"/v2/{repo}/tags/list")

    def referrers(self, repo, digest):
        return self.request("GET", f"/v2/{repo}/referrers/{digest}")


def stored_bytes(response: Response) -> tuple[int, int]:
    """The least and greatest size a session's Range can mean: `0-0` is no byte or one (U6)."""
    found = SESSION_RANGE.fullmatch(response.header("range"))
    if not found:
        raise AssertionError(f"session without a usable Range: {response.headers}")
    last = int(found[1])
    return (0, 1) if last == 0 else (last + 1, last + 1)
