"""A server with accounts, and callers whose every answer is held against api/openapi.yaml."""

import hashlib
import json
import os
import re
import select
import subprocess
import time

import pytest
import requests
from contract import ROOT, Contract

BERTH = os.environ.get("BERTH_BIN", str(ROOT / "build/release/berth"))
SECONDS = 30
PASSWORD = "correct horse battery"


class Server:
    """berth serve, set up with the administrator `root` unless told not to be. What it logs goes to a file beside its
    data."""

    def __init__(self, folder, is_set_up=True):
        folder.mkdir(parents=True, exist_ok=True)
        data = str(folder / "data")
        if is_set_up:
            subprocess.run([BERTH, "user", "add", "root", "--admin", "--password-stdin", "--data", data], input=PASSWORD,
                           text=True, check=True, capture_output=True, timeout=SECONDS)
        self.said = folder / "welcome"
        self.log = folder / "log"
        with open(self.said, "w") as said, open(self.log, "w") as log:
            self.process = subprocess.Popen([BERTH, "serve", "--listen", "127.0.0.1:0", "--data", data,
                                             "--auth-sign-up", "invite"], stdout=said,
                                            stderr=log)
        deadline = time.monotonic() + SECONDS
        while not (found := re.search(r"listening on (http://\S+:\d+)", self.said.read_text())):
            assert time.monotonic() < deadline and self.process.poll() is None, self.log.read_text()
            select.select([], [], [], 0.02)
        self.url = found[1]

    def is_running(self):
        return self.process.poll() is None

    def stop(self):
        self.process.terminate()
        self.process.wait(SECONDS)


class Caller:
    """Sends requests as somebody; `seen` collects (operationId, status)."""

    def __init__(self, server, contract, seen, auth=None, bearer=None):
        self.server = server
        self.contract = contract
        self.seen = seen
        self.session = requests.Session()
        self.session.auth = auth
        if bearer:
            self.session.headers["Authorization"] = f"Bearer {bearer}"

    def raw(self, method, path, **kwargs):
        """Without a look at the document: for what it does not tell of."""
        return self.session.request(method, self.server.url + "/api/v1" + path, timeout=SECONDS, **kwargs)

    def ask(self, method, path, body=None, status=None, **kwargs):
        if body is not None:
            kwargs["json"] = body
        response = self.raw(method, path, **kwargs)
        operation = self.contract.find(method, path.partition("?")[0])
        assert operation, f"the document has no {method} {path}"
        operation.check(response)
        self.seen.add((operation.name, response.status_code))
        if status is not None:
            assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text}"
        return response

    def get(self, path, status=200, **kwargs):
        return self.ask("GET", path, status=status, **kwargs)

    def post(self, path, body=None, status=201, **kwargs):
        return self.ask("POST", path, body, status, **kwargs)

    def put(self, path, body=None, status=200, **kwargs):
        return self.ask("PUT", path, body, status, **kwargs)

    def patch(self, path, body=None, status=200, **kwargs):
        return self.ask("PATCH", path, body, status, **kwargs)

    def delete(self, path, status=204, **kwargs):
        return self.ask("DELETE", path, status=status, **kwargs)


class World:
    def __init__(self, server, contract):
        self.server = server
        self.contract = contract
        self.seen = set()
        self.anonymous = Caller(server, contract, self.seen)
        self.root = self.caller("root", PASSWORD)

    def caller(self, name, password):
        return Caller(self.server, self.contract, self.seen, auth=(name, password))

    def bearer(self, secret):
        return Caller(self.server, self.contract, self.seen, bearer=secret)

    def add_user(self, name, **fields):
        self.root.post("/users", {"name": name, "password": PASSWORD, **fields})
        return self.caller(name, PASSWORD)

    def push(self, name, tag="1.0", auth=("root", PASSWORD)):
        """An image of an empty config and nothing else."""
        config = b"{}"
        digest = "sha256:" + hashlib.sha256(config).hexdigest()
        url = f"{self.server.url}/v2/{name}"
        pushed = requests.post(f"{url}/blobs/uploads/?digest={digest}", data=config, auth=auth, timeout=SECONDS)
        assert pushed.status_code == 201, pushed.text
        descriptor = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest, "size": len(config)}
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "artifactType": "application/vnd.example", "config": descriptor, "layers": [descriptor]}
        put = requests.put(f"{url}/manifests/{tag}", data=json.dumps(manifest), auth=auth, timeout=SECONDS,
                           headers={"Content-Type": manifest["mediaType"]})
        assert put.status_code == 201, put.text


@pytest.fixture(scope="session")
def contract():
    return Contract()


@pytest.fixture(scope="module")
def world(tmp_path_factory, contract):
    """One for each file of tests."""
    server = Server(tmp_path_factory.mktemp("server"))
    yield World(server, contract)
    assert server.is_running(), server.log.read_text()
    server.stop()
