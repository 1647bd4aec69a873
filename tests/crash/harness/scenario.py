"""One fixed push of everything, made step by step so that any system call of it can be made to fail."""

import itertools

from .client import Client, Response, Unanswered
from .content import CONFIG_TYPE, LAYER_TYPE, blob_bytes, descriptor, digest_of, image_manifest
from .model import Model

LARGE = 1 << 20   # space is reserved from here on (storage 1.2); a refusal still drains this much (H7)


class Scenario:
    """`steps` run one after the other; each answers success or 5xx, anything else is in `wrong`."""

    def __init__(self, client: Client, model: Model, repo: str, server):
        self.client, self.model, self.repo, self.server = client, model, repo, server
        self.wrong: list[str] = []
        self.refused = 0
        self.exited: int | None = None

    def act(self, name, effects, send, want) -> Response | None:
        """The response when it is the success `want`, else None."""
        operation = self.model.begin(name, "main", effects)
        try:
            response = send()
        except Unanswered as silence:
            self._no_answer(name, silence)
            return None
        operation.outcome = response.brief()
        if response.status == want:
            self.model.succeed(operation, response.status)
            return response
        self.refused += 1
        if response.status < 500:
            self.model.refuse(operation, response)
            self.wrong.append(f"{name} answers {response.brief()}: a storage fault is a 5xx")
        elif not response.error_code().isupper():
            self.wrong.append(f"{name} answers {response.status} with {response.error_code()} (H4)")
        elif response.status == 503 and not response.header("retry-after").isdigit():
            self.wrong.append(f"{name} answers 503 without Retry-After (H8)")
        return None

    def _no_answer(self, name, silence):
        """Only a process that ended may leave a request without an answer."""
        try:
            self.exited = self.server.wait_exit(2.0)
        except Exception:
            self.wrong.append(f"{name}: no answer though the process lives: {silence}")

    def run(self):
        """Everything a push does; a chain ends at its first refusal, the next begins all the same."""
        for chain in (self.upload_in_chunks, self.push_image, self.push_again_and_cancel, self.move_and_delete):
            if self.exited is None and not self.wrong:
                chain()

    def upload_in_chunks(self):
        data = blob_bytes(f"{self.repo} chunks", 300_000)
        started = self.act("upload start", {}, lambda: self.client.start_upload(self.repo), 202)
        location = started and started.header("location")
        for start, end in ((0, 100_000), (100_000, 290_000)):
            answer = location and self.act("PATCH", {}, lambda a=start, b=end: self.client.append(location, data[a:b], a), 202)
            location = answer and (answer.header("location") or location)
        if location:
            self.act("closing PUT", {("blob", self.repo, digest_of(data)): True},
                     lambda: self.client.finish(location, digest_of(data), data[290_000:]), 201)

    def put_blob(self, data) -> bool:
        effects = {("blob", self.repo, digest_of(data)): True}
        return bool(self.act("blob POST", effects, lambda: self.client.put_blob_at_once(self.repo, digest_of(data), data), 201))

    def push_image(self):
        config, layer = f'{{"made by":"{self.repo}"}}'.encode(), blob_bytes(f"{self.repo} layer", LARGE)
        if not (self.put_blob(config) and self.put_blob(layer)):
            return
        for note in ("first", "second"):
            manifest = image_manifest(descriptor(CONFIG_TYPE, config), [descriptor(LAYER_TYPE, layer)], note)
            self.put_manifest("moving", manifest)

    def put_manifest(self, tag, manifest):
        digest = digest_of(manifest)
        self.act("manifest PUT", {("manifest", self.repo, digest): True, ("tag", self.repo, tag): digest},
                 lambda: self.client.put_manifest(self.repo, tag, manifest), 201)

    def push_again_and_cancel(self):
        """What the store has already, and a session nobody wants: both end with a file removed."""
        twice = blob_bytes(f"{self.repo} twice", 3_000)
        if not (self.put_blob(twice) and self.put_blob(twice)):
            return
        started = self.act("upload start", {}, lambda: self.client.start_upload(self.repo), 202)
        location = started and started.header("location")
        if location and self.act("PATCH", {}, lambda: self.client.append(location, twice), 202):
            self.act("session DELETE", {}, lambda: self.client.request("DELETE", location), 204)

    def move_and_delete(self):
        """Only deletes what is certainly there, so that 404 is never a fair answer."""
        try:
            digest = self.model.value(("tag", self.repo, "moving"))
        except KeyError:
            return
        if digest is None:
            return
        effects = {("tag", self.repo, "moving"): None}
        if self.act("tag DELETE", effects, lambda: self.client.delete_manifest(self.repo, "moving"), 202):
            self.act("manifest DELETE", {("manifest", self.repo, digest): False},
                     lambda: self.client.delete_manifest(self.repo, digest), 202)


def new_model() -> Model:
    return Model(itertools.count().__next__)


def push_and_read(client: Client, model: Model, repo: str, seed: str) -> str | None:
    """A healthy push, journaled; None when it went well."""
    data = blob_bytes(seed, 5_000)
    operation = model.begin("healthy push", "main", {("blob", repo, digest_of(data)): True})
    try:
        response = client.put_blob_at_once(repo, digest_of(data), data)
        if response.status != 201:
            return f"push: {response.brief()}"
        model.succeed(operation, 201)
        if client.get_blob(repo, digest_of(data)).body != data:
            return "push answered 201 and reads back other bytes"
    except Unanswered as silence:
        return f"push: {silence}"
    return None
