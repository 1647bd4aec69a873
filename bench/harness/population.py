"""Large stores written straight into Berth's database: what would take hours of pushes takes minutes.

The server makes the schema and two real blobs; the rest are rows in the form its own writer gives them. A store of N has
  gen/tags   N manifests with a tag and a config blob of their own (config blobs are rows without a file: scrubbing must be off)
  gen/refs   N referrers of one subject, but no more than the 100,000 that Berth allows
  many/…     N / 10 repositories with one tagged manifest each
"""

import hashlib
import json
import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from .content import CONFIG, LAYER, MANIFEST, Pusher, image

TAGS, REFS, SHARE = "gen/tags", "gen/refs", 10
REFERRERS_MAX = 100_000
BATCH = 20_000


@dataclass
class Store:
    size: int
    subject: str        # the digest that has the referrers
    layer: str          # a blob that has bytes
    manifests: int      # in all
    database_bytes: int = 0

    def tag(self, i: int) -> str:
        return f"v{i:07d}"

    def digest(self, i: int) -> str:
        return "sha256:" + hashlib.sha256(self.body(i)).hexdigest()

    def body(self, i: int) -> bytes:
        return tagged_body(i, self.layer)

    def repo(self, i: int) -> str:
        return f"many/r{i:07d}"


def config_digest(i: int) -> bytes:
    return hashlib.sha256(f"config {i}".encode()).digest()


def tagged_body(i: int, layer: str) -> bytes:
    return (f'{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"{CONFIG}","digest":"sha256:'
            f'{config_digest(i).hex()}","size":3000}},"layers":[{{"mediaType":"{LAYER}","digest":"{layer}","size":100}}],'
            f'"annotations":{{"org.example.number":"{i}"}}}}').encode()


def stored(digest: str) -> bytes:
    """A digest as the database keeps it: one byte for the algorithm, then the hash."""
    return b"\x01" + bytes.fromhex(digest.split(":")[1])


class Writer:
    """Appends rows with ids of its own after those that are there."""

    def __init__(self, path: Path):
        self.path = path
        self.db = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1500000", "temp_store=MEMORY", "locking_mode=EXCLUSIVE"):
            self.db.execute("PRAGMA " + pragma)
        self.db.execute("BEGIN")
        self.now = int(time.time() * 1000)
        self.next = {table: self.db.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0]
                     for table in ("ns", "repo", "blob", "manifest_body", "manifest", "tag_history")}
        self.pending = {}

    def id(self, table: str) -> int:
        self.next[table] += 1
        return self.next[table] - 1

    def row(self, table: str, **values):
        key = (table, tuple(values))
        rows = self.pending.setdefault(key, [])
        rows.append(tuple(values.values()))
        if len(rows) >= BATCH:
            self._write(key, rows)

    def _write(self, key, rows):
        table, columns = key
        self.db.executemany(f"INSERT INTO {table}({','.join(columns)}) VALUES({','.join('?' * len(columns))})", rows)
        rows.clear()

    def close(self):
        for key, rows in self.pending.items():
            self._write(key, rows)
        self.db.execute("COMMIT")
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.close()
        # Else the first push of the measurement would wait for gigabytes that this process left unwritten.
        with open(self.path, "rb") as file:
            os.fsync(file.fileno())

    # -- nouns
    def namespace(self, name: str) -> int:
        found = self.db.execute("SELECT id FROM ns WHERE name = ?", (name,)).fetchone()
        if found:
            return found[0]
        made = self.id("ns")
        self.row("ns", id=made, name=name, kind=0)
        return made

    def repository(self, ns: int, name: str, manifests: int, blobs, tags: int) -> int:
        made = self.id("repo")
        self.row("repo", id=made, ns_id=ns, name=name, visibility=0, used_bytes=100, n_tags=tags, n_manifests=manifests,
                 created_at=self.now)
        for blob in blobs:
            self.link(made, blob)
        return made

    def link(self, repo: int, blob: int):
        self.row("repo_blob", repo_id=repo, blob_id=blob, linked_at=self.now)

    def blob(self, raw: bytes, size: int) -> int:
        made = self.id("blob")
        self.row("blob", id=made, digest=b"\x01" + raw, size=size, state=1, inc=made + (1 << 60), created_at=self.now)
        return made

    def manifest(self, repo: int, body: bytes, blobs, subject=None) -> tuple[int, bytes]:
        raw = hashlib.sha256(body).digest()
        body_id, made = self.id("manifest_body"), self.id("manifest")
        self.row("manifest_body", id=body_id, sha256=raw, bytes=body)
        described = subject and json.dumps({"mediaType": MANIFEST, "digest": "sha256:" + raw.hex(), "size": len(body),
                                            "artifactType": CONFIG}, separators=(",", ":"))
        self.row("manifest", id=made, repo_id=repo, digest=b"\x01" + raw, body_id=body_id, kind=1, media_type=MANIFEST,
                 size=len(body), artifact_type=CONFIG, subject=subject, ref_desc=described, pushed_at=self.now)
        for blob in blobs:
            self.row("manifest_blob", manifest_id=made, blob_id=blob, repo_id=repo)
        return made, raw

    def tag(self, repo: int, name: str, manifest: int, raw: bytes):
        self.row("tag", repo_id=repo, name=name, manifest_id=manifest, version=1, created_at=self.now, updated_at=self.now)
        self.row("tag_history", id=self.id("tag_history"), repo_id=repo, name=name, at=self.now, op=1, digest=b"\x01" + raw)


def write(server, size: int) -> Store:
    """Fills the data folder of a Berth that is stopped on return; `server` must not have been started yet."""
    server.start()
    seed = image("gen/seed", "v1", 1, 100, "population")
    pusher = Pusher(server.port)
    pusher.image(seed)
    pusher.close()
    server.stop()
    path = server.folder / "data" / "meta.db"
    layer = "sha256:" + hashlib.sha256(seed.blobs[1]).hexdigest()
    writer = Writer(path)
    layer_id, = writer.db.execute("SELECT id FROM blob WHERE digest = ?", (stored(layer),)).fetchone()
    config = "sha256:" + hashlib.sha256(seed.blobs[0]).hexdigest()
    config_id, = writer.db.execute("SELECT id FROM blob WHERE digest = ?", (stored(config),)).fetchone()
    real = (config_id, layer_id)
    gen, many = writer.namespace("gen"), writer.namespace("many")

    repo = writer.repository(gen, TAGS, size, [layer_id], size)
    for i in range(size):
        own = writer.blob(config_digest(i), 3000)
        writer.link(repo, own)
        writer.row("ns_blob", ns_id=gen, blob_id=own, links=1)
        made, raw = writer.manifest(repo, tagged_body(i, layer), (own, layer_id))
        writer.tag(repo, f"v{i:07d}", made, raw)

    referrers = min(size, REFERRERS_MAX)
    refs = writer.repository(gen, REFS, referrers + 1, real, 0)
    _, subject = writer.manifest(refs, seed.manifest + b" ", real)
    subject = "sha256:" + subject.hex()
    small = (f'{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"{CONFIG}","digest":"{config}","size":'
             f'{len(seed.blobs[0])}}},"layers":[{{"mediaType":"{LAYER}","digest":"{layer}","size":100}}],'
             f'"subject":{{"mediaType":"{MANIFEST}","digest":"{subject}","size":{len(seed.manifest) + 1}}},"annotations":{{"n":"%s"}}}}')
    for i in range(referrers):
        writer.manifest(refs, (small % f"referrer {i}").encode(), real, subject)
    for i in range(size // SHARE):
        one = writer.repository(many, f"many/r{i:07d}", 1, real, 1)
        made, raw = writer.manifest(one, (small.replace('"subject"', '"x-subject"') % f"many {i}").encode(), real)
        writer.tag(one, "latest", made, raw)
    for blob in real:
        writer.row("ns_blob", ns_id=many, blob_id=blob, links=size // SHARE)
    writer.close()
    return Store(size, subject, layer, size + referrers + size // SHARE + 2, path.stat().st_size)


def write_distribution_tags(server, size: int, repo: str = TAGS) -> None:
    """`size` tags of one manifest in a stopped distribution's own layout of files."""
    server.start()
    one = image(repo, "v0000000", 1, 100, "population")
    pusher = Pusher(server.port)
    pusher.image(one)
    pusher.close()
    server.stop()
    hexed = one.digest.split(":")[1]
    tags = server.folder / "data" / "docker/registry/v2/repositories" / repo / "_manifests" / "tags"
    for i in range(size):
        folder = tags / f"v{i:07d}"
        (folder / "current").mkdir(parents=True, exist_ok=True)
        (folder / "current" / "link").write_text(one.digest, encoding="ascii")
        (folder / "index/sha256" / hexed).mkdir(parents=True, exist_ok=True)
        (folder / "index/sha256" / hexed / "link").write_text(one.digest, encoding="ascii")
