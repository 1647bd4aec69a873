"""Concurrent tag moves behave as one register per tag with compare-and-swap (M6, D1): whatever clients were told has
one order in time that explains all of it. Reads race with caches, so this is also the test that no cache lags a 2xx."""

import random
import threading
import time
from collections import defaultdict

import pytest

from harness.client import Client, Unanswered
from harness.content import CONFIG_TYPE, descriptor, digest_of, image_manifest
from harness.server import Server
from linearize import NEVER, Call, linearization, shortest_unexplained

REPO, CONFIG = "linear/a", b'{"linear":true}'
CLIENTS, CALLS, TAGS = 6, 220, ("one", "two", "three")
WANTED = {"write": (201,), "cas": (201, 412), "read": (200, 404), "delete": (202, 404)}


class TagClient(threading.Thread):
    def __init__(self, name, seed, port, calls):
        super().__init__(name=name, daemon=True)
        self.rng, self.client, self.calls = random.Random(seed), Client(port), calls
        self.histories = defaultdict(list)
        self.last_read: dict = {}
        self.wrong: list[str] = []

    def run(self):
        try:
            for number in range(self.calls):
                tag = self.rng.choice(TAGS)
                kind = self.rng.choices(("read", "write", "cas", "delete"), (45, 20, 28, 7))[0]
                self.call(kind, tag, image_manifest(descriptor(CONFIG_TYPE, CONFIG), [], f"{self.name} {number}"))
        except BaseException as error:
            self.wrong.append(repr(error))

    def call(self, kind, tag, manifest):
        new, argument, headers = digest_of(manifest), None, {}
        if kind == "write":
            argument = new
        elif kind == "cas":
            expected = self.last_read.get(tag)
            argument = (expected, new)
            headers = {"If-Match": f'"{expected}"'} if expected else {"If-None-Match": "*"}
        invoked = time.monotonic()
        try:
            response = self.send(kind, tag, manifest, headers)
        except Unanswered as silence:
            self.histories[tag].append(Call(kind, argument, None, invoked, NEVER, self.name))
            self.wrong.append(f"no answer from a living server: {silence}")
            return
        responded = time.monotonic()
        if response.status not in WANTED[kind]:
            self.wrong.append(f"{kind} {headers}: {response.brief()}")
            return
        result = response.status in (200, 201, 202)
        if kind == "read":
            result = response.header("docker-content-digest") if result else None
            if result and response.body and digest_of(response.body) != result:
                self.wrong.append(f"tag {tag} reads {result} with bytes of {digest_of(response.body)}")
            self.last_read[tag] = result
        elif kind == "cas" and result:
            self.last_read[tag] = new
        self.histories[tag].append(Call(kind, argument, result, invoked, responded, self.name))

    def send(self, kind, tag, manifest, headers):
        if kind == "read":
            return self.client.get_manifest(REPO, tag, self.rng.choice(("GET", "HEAD")))
        if kind == "delete":
            return self.client.delete_manifest(REPO, tag)
        return self.client.put_manifest(REPO, tag, manifest, headers)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_tag_moves_reads_and_swaps_have_one_order(seed, tmp_path):
    (tmp_path / "data").mkdir()
    with Server(tmp_path / "data", tmp_path / "server.log") as server:
        server.start()
        assert Client(server.port).put_blob_at_once(REPO, digest_of(CONFIG), CONFIG).status == 201
        clients = [TagClient(f"c{n}", f"{seed} {n}", server.port, CALLS) for n in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(timeout=60)
        assert [wrong for client in clients for wrong in client.wrong] == []
        assert not any(client.is_alive() for client in clients)
    swaps = 0
    for tag in TAGS:
        history = [call for client in clients for call in client.histories[tag]]
        swaps += sum(1 for call in history if call.kind == "cas" and call.result)
        if linearization(history) is None:
            shown = sorted(shortest_unexplained(history), key=lambda call: call.invoked)[-25:]
            pytest.fail(f"tag {tag}, seed {seed}: no order explains\n" + "\n".join(map(str, shown)))
    assert swaps > 20, "too few swaps succeeded to prove anything"
