"""Repositories from the command line: through a running registry, and on the folder of a stopped one."""

import base64
import hashlib
import http.client
import json

import pytest

from conftest import ANN, BOB, SECONDS, Person


class Registry:
    """One that runs, ann signed in, and what a client pushes there."""

    def __init__(self, ann, server):
        self.ann = ann
        self.server = server
        self.address = f"localhost:{server.port}"
        ann.environment["BERTH_SERVER"] = self.address
        ann.ok("login", "-u", "ann", "--password-stdin", self.address, given=ANN)

    def ask(self, method, path, body=b"", name="ann", password=ANN, media_type=None):
        headers = {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}
        if media_type:
            headers["Content-Type"] = media_type
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=SECONDS)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text

    def push_blob(self, repo, content):
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        assert self.ask("POST", f"/v2/{repo}/blobs/uploads/?digest={digest}", content)[0] == 201
        return digest

    def push(self, repo, tag, content=b"{}"):
        """An image of that one blob."""
        digest = self.push_blob(repo, content)
        media_type = "application/vnd.oci.image.manifest.v1+json"
        descriptor = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest, "size": len(content)}
        manifest = {"schemaVersion": 2, "mediaType": media_type, "artifactType": "application/vnd.example",
                    "config": descriptor, "layers": [descriptor]}
        text = json.dumps(manifest).encode()
        assert self.ask("PUT", f"/v2/{repo}/manifests/{tag}", text, media_type=media_type)[0] == 201
        return text

    def rows(self, *args):
        return [json.loads(line) for line in self.ann.ok(*args, "--format", "json").splitlines()]


@pytest.fixture
def registry(ann, serve):
    return Registry(ann, serve())


def test_a_repository_is_created_empty(registry):
    ann = registry.ann
    ann.ok("org", "create", "acme")
    assert ann.ok("repo", "create", "acme/web", "--visibility", "public", "--description", "Site") == "Created acme/web\n"
    row, = registry.rows("repo", "show", "acme/web")
    assert (row["visibility"], row["description"], row["tags"], row["size"]) == ("public", "Site", 0, 0)
    assert "there is a repository acme/web already" in ann.refused("repo", "create", "acme/web")
    assert registry.ask("GET", "/v2/acme/web/tags/list") == (200, b'{"name":"acme/web","tags":[]}')
