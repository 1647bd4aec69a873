"""Clients that push, resume, mount, move and delete at random; everything they ask and hear goes into the model.

Each worker owns two repositories, so it knows its own state exactly. One repository is shared: there tags are
moved by everybody, the same content is pushed by several at once, and no manifest is deleted.
"""

import random
import threading
import time

from .client import Client, Unanswered
from .content import CONFIG_TYPE, LAYER_TYPE, blob_bytes, descriptor, digest_of, image_manifest, some_size
from .model import Model
from .sessions import Session, append_some, complete

SHARED = "crash/shared"
SHARED_TAGS = ("latest", "stable", "1.0", "Latest")   # two that a careless file system would merge (G2)
SHARED_CONFIG = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
OPEN_SESSIONS_MAX = 4


class Worker(threading.Thread):
    """Runs until `stop` is set, `ops_max` operations are done, or the server stops answering."""

    def __init__(self, name, seed, model: Model, port, stop: threading.Event, sessions: list, state: dict, ops_max=None):
        super().__init__(name=name, daemon=True)
        self.rng, self.model, self.stop_event, self.ops_max = random.Random(seed), model, stop, ops_max
        self.client, self.seed, self.sessions = Client(port), seed, sessions
        self.own, self.other = f"crash/{name}", f"crash/{name}-mounts"
        self.blobs = state.setdefault("blobs", {})          # own digest -> (seed, size), unreferenced by manifests
        self.gone = state.setdefault("gone", {})            # deleted ones, to be pushed again some day
        self.manifests = state.setdefault("manifests", {})  # own digest -> descriptor
        self.cancelled: list[str] = []
        self.made = 0
        self.error: BaseException | None = None
        self.sessions_left = 0       # sessions that may exist on the server though nobody here will go on with them
        self.unanswered_at: float | None = None

    def run(self):
        actions = [(14, self.push_blob_at_once), (9, self.push_blob_with_put), (9, self.open_session), (2, self.cancel_session),
                   (10, self.feed_session), (7, self.close_session), (16, self.push_image), (18, self.move_shared_tag),
                   (3, self.delete_shared_tag), (5, self.delete_own_manifest), (4, self.delete_own_tag),
                   (5, self.delete_own_blob), (6, self.mount_blob), (4, self.push_again), (6, self.push_same_as_others)]
        weights, functions = zip(*actions)
        try:
            while not self.stop_event.is_set() and (self.ops_max is None or self.made < self.ops_max):
                self.made += 1
                self.rng.choices(functions, weights)[0]()
        except Unanswered:
            self.unanswered_at = time.monotonic()
        except BaseException as error:   # shown by the main thread
            self.error = error
        finally:
            self.client.close()

    # -- helpers
    def act(self, name, effects, send, want, subject=None) -> bool:
        """Journals, sends, journals the answer. A refusal that nothing explains is reported."""
        operation = self.model.begin(name, self.name, effects, subject)
        response = send()
        if response.status == want:
            self.model.succeed(operation, response.status)
            return True
        self.refused(operation, response)
        return False

    def refused(self, operation, response):
        if response.status < 500:
            self.model.refuse(operation, response)
        operation.outcome = response.brief()
        self.model.report(f"{operation.name} wants success, got {response.brief()}\n{operation.line()}")

    def fresh(self) -> tuple[str, int, bytes]:
        seed, size = f"{self.seed}/{self.made}/{self.rng.random()}", some_size(self.rng)
        return seed, size, blob_bytes(seed, size)

    def known(self, key, value) -> bool:
        try:
            return self.model.value(key) == value
        except KeyError:
            return False

    def put_blob(self, repo, data, name="blob POST", algorithm="sha256") -> bool:
        digest = digest_of(data, algorithm)
        return self.act(name, {("blob", repo, digest): True}, lambda: self.client.put_blob_at_once(repo, digest, data), 201)

    # -- blobs
    def push_blob_at_once(self):
        seed, size, data = self.fresh()
        algorithm = self.rng.choices(("sha256", "sha512"), (5, 1))[0]
        if self.put_blob(self.own, data, "blob POST", algorithm):
            self.blobs[digest_of(data, algorithm)] = (seed, size)

    def push_same_as_others(self):
        data = blob_bytes(f"common {self.seed.split('/')[0]} {self.made // 4}", 30_000)
        self.put_blob(SHARED, data, "blob POST of common content")

    def new_session(self, repo) -> Session | None:
        seed, size, _ = self.fresh()
        self.sessions_left += 1
        response = self.client.start_upload(repo)
        self.sessions_left -= 1
        if response.status != 202:
            self.model.report(f"upload start: {response.brief()}")
            return None
        return Session(repo, response.header("location"), seed, size)

    def push_blob_with_put(self):
        session = self.new_session(self.own)
        if session is None:
            return
        self.sessions_left += 1
        digest = digest_of(session.data, self.rng.choices(("sha256", "sha512"), (3, 1))[0])   # U8: known only now
        if self.act("blob PUT with body", {("blob", self.own, digest): True},
                    lambda: self.client.finish(session.location, digest, session.data), 201):
            self.blobs[digest] = (session.seed, session.size)
            self.sessions_left -= 1

    def open_session(self):
        if len(self.sessions) >= OPEN_SESSIONS_MAX:
            return self.close_session()
        session = self.new_session(self.own)
        if session is not None:
            self.sessions.append(session)

    def cancel_session(self):
        """A cancelled session stays cancelled (U12)."""
        if not self.sessions:
            return
        session = self.sessions.pop(self.rng.randrange(len(self.sessions)))
        self.sessions_left += 1
        response = self.client.request("DELETE", session.location)
        self.sessions_left -= 1
        if response.status == 204:
            self.cancelled.append(session.location)
        else:
            self.model.report(f"session DELETE: {response.brief()}")

    def feed_session(self):
        if self.sessions:
            wrong = append_some(self.client, self.rng.choice(self.sessions), self.rng)
            if wrong:
                self.model.report(wrong)

    def close_session(self):
        """Sends the rest by PATCH, then a PUT without a body, so that the PUT can be repeated after a crash."""
        if not self.sessions:
            return
        session = self.rng.choice(self.sessions)
        while session.sent < session.size:
            wrong = append_some(self.client, session, self.rng)
            if wrong:
                self.sessions.remove(session)
                return self.model.report(wrong)
        effects = {("blob", session.repo, session.digest): True}
        session.finishing = self.model.begin("blob closing PUT", self.name, effects)
        response = self.client.finish(session.location, session.digest)
        self.sessions.remove(session)
        if response.status == 201:
            self.model.succeed(session.finishing, 201)
            self.blobs[session.digest] = (session.seed, session.size)
        else:
            self.refused(session.finishing, response)

    def push_again(self):
        if self.gone:
            digest = self.rng.choice(list(self.gone))
            seed, size = self.gone.pop(digest)
            if self.put_blob(self.own, blob_bytes(seed, size), "blob POST after delete", digest.split(":")[0]):
                self.blobs[digest] = (seed, size)

    def delete_own_blob(self):
        digest = self.pick(self.blobs, "blob")
        if digest:
            entry = self.blobs.pop(digest)
            if self.act("blob DELETE", {("blob", self.own, digest): False},
                        lambda: self.client.delete_blob(self.own, digest), 202):
                self.gone[digest] = entry

    def pick(self, table, kind):
        """A random one of our own things that is certainly there."""
        candidates = [digest for digest in table if self.known((kind, self.own, digest), True)]
        return self.rng.choice(candidates) if candidates else None

    def mount_blob(self):
        digest = self.pick(self.blobs, "blob")
        if digest:
            target = self.rng.choice((self.other, SHARED))
            self.act("mount", {("blob", target, digest): True}, lambda: self.client.mount(target, digest, self.own), 201)

    # -- manifests and tags
    def push_image(self):
        config = b'{"architecture":"amd64","os":"linux","made":"%s"}' % f"{self.seed} {self.made}".encode()
        layers = [self.fresh()[2] for _ in range(self.rng.randint(1, 2))]
        if not all(self.put_blob(self.own, data, "image blob POST") for data in (config, *layers)):
            return
        subject = self.manifests.get(self.pick(self.manifests, "manifest")) if self.rng.random() < 0.3 else None
        manifest = image_manifest(descriptor(CONFIG_TYPE, config), [descriptor(LAYER_TYPE, d) for d in layers],
                                  f"{self.name} {self.made}", subject)
        digest, tags = digest_of(manifest), {f"{self.name}-{self.rng.randint(0, 5)}"}
        reference, name = next(iter(tags)), "manifest PUT by tag"
        if self.rng.random() < 0.3:   # M5: by digest with several tags, all or nothing
            tags |= {f"{self.name}-{self.rng.randint(0, 5)}" for _ in range(2)}
            reference, name = f"{digest}?{'&'.join(f'tag={tag}' for tag in sorted(tags))}", "manifest PUT with tags"
        effects = {("manifest", self.own, digest): True} | {("tag", self.own, tag): digest for tag in tags}
        if self.act(name, effects, lambda: self.client.put_manifest(self.own, reference, manifest), 201,
                    subject and subject["digest"]):
            self.manifests[digest] = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest,
                                      "size": len(manifest)}

    def move_shared_tag(self):
        config = descriptor(CONFIG_TYPE, SHARED_CONFIG)
        manifest = image_manifest(config, [], f"{self.seed} move {self.made}")
        tag, digest = self.rng.choice(SHARED_TAGS), digest_of(manifest)
        self.act("shared tag PUT", {("manifest", SHARED, digest): True, ("tag", SHARED, tag): digest},
                 lambda: self.client.put_manifest(SHARED, tag, manifest), 201)

    def delete_shared_tag(self):
        """Another worker may have deleted it first, so 404 is a fair answer here."""
        tag = self.rng.choice(SHARED_TAGS)
        operation = self.model.begin("shared tag DELETE", self.name, {("tag", SHARED, tag): None})
        response = self.client.delete_manifest(SHARED, tag)
        if response.status == 202:
            self.model.succeed(operation, 202)
        elif response.status == 404:
            self.model.refuse(operation, response)
        else:
            self.refused(operation, response)

    def own_tags(self) -> dict:
        tags = {}
        for number in range(6):
            key = ("tag", self.own, f"{self.name}-{number}")
            try:
                tags[key] = self.model.value(key)
            except KeyError:
                tags[key] = None
        return {key: digest for key, digest in tags.items() if digest}

    def delete_own_tag(self):
        tags = self.own_tags()
        if tags:
            key = self.rng.choice(list(tags))
            self.act("tag DELETE", {key: None}, lambda: self.client.delete_manifest(self.own, key[2]), 202)

    def delete_own_manifest(self):
        """Takes every tag pinned to it along (D1)."""
        digest = self.pick(self.manifests, "manifest")
        if digest:
            del self.manifests[digest]
            effects = {("manifest", self.own, digest): False}
            effects |= {key: None for key, pinned in self.own_tags().items() if pinned == digest}
            self.act("manifest DELETE", effects, lambda: self.client.delete_manifest(self.own, digest), 202)


def prepare_shared(model: Model, port: int):
    """The one config blob every shared manifest points at."""
    client, digest = Client(port), digest_of(SHARED_CONFIG)
    operation = model.begin("set-up", "main", {("blob", SHARED, digest): True})
    response = client.put_blob_at_once(SHARED, digest, SHARED_CONFIG)
    if response.status != 201:
        raise AssertionError(f"the first push fails: {response.brief()}")
    model.succeed(operation, 201)
    client.close()


def complete_all(client: Client, model: Model, sessions: list, worker: str):
    """Finishes sessions that were kept over a crash; what they close counts like every other push."""
    while sessions:
        session = sessions.pop()
        operation = model.begin("resumed session closing PUT", worker, {("blob", session.repo, session.digest): True})
        wrong = complete(client, session)
        if wrong:
            model.report(wrong)
        else:
            model.succeed(operation, 201)
