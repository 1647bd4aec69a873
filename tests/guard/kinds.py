"""The hot requests: what is asked, how often, and the folder of data they need."""

from dataclasses import dataclass
from typing import Callable

from served import Served
from wire import IMAGE_TYPE, Connection, content, digest_of, image

REPO = "guard/app"
TAGS = 1000
MIB = 1024 * 1024

CONFIG = content("config", 2048)
SMALL = content("small", 4096)
LARGE = content("large", 4 * MIB)
MANIFEST = image(CONFIG, [SMALL, LARGE], "the one that is read")
MANIFEST_DIGEST = digest_of(MANIFEST)
BLOBS = f"/v2/{REPO}/blobs"
MANIFESTS = f"/v2/{REPO}/manifests"


@dataclass(frozen=True)
class Kind:
    name: str
    count: int  # how many are measured; enough that what happens each second or each hundredth time does not matter
    ask: Callable[[Connection, str], None]  # the text is different each time, the same in every run
    tls: bool = False
    writes: bool = False  # the server notes something about it later


def get_manifest_by_tag(to: Connection, _: str):
    to.ask(200, "GET", f"{MANIFESTS}/v0007", Accept=IMAGE_TYPE)


def get_manifest_by_digest(to: Connection, _: str):
    to.ask(200, "GET", f"{MANIFESTS}/{MANIFEST_DIGEST}", Accept=IMAGE_TYPE)


def head_manifest_by_tag(to: Connection, _: str):
    to.ask(200, "HEAD", f"{MANIFESTS}/v0007", Accept=IMAGE_TYPE)


def manifest_not_modified(to: Connection, _: str):
    to.ask(304, "GET", f"{MANIFESTS}/v0007", Accept=IMAGE_TYPE, If_None_Match=f'"{MANIFEST_DIGEST}"')


def get_small_blob(to: Connection, _: str):
    to.ask(200, "GET", f"{BLOBS}/{digest_of(SMALL)}")


def get_range(to: Connection, _: str):
    to.ask(206, "GET", f"{BLOBS}/{digest_of(LARGE)}", Range=f"bytes={MIB}-{MIB + 4095}")


def head_blob(to: Connection, _: str):
    to.ask(200, "HEAD", f"{BLOBS}/{digest_of(LARGE)}")


def tags_page(to: Connection, _: str):
    to.ask(200, "GET", f"/v2/{REPO}/tags/list?n=100&last=v0500")


def push_small_blob(to: Connection, seed: str):
    data = content(seed, 4096)
    to.ask(201, "POST", f"{BLOBS}/uploads/?digest={digest_of(data)}", data, Content_Type="application/octet-stream")


def push_in_chunks(to: Connection, seed: str):
    data = content(seed, MIB)
    session = to.ask(202, "POST", f"{BLOBS}/uploads/", b"").headers["location"]
    session = to.ask(202, "PATCH", session, data, Content_Type="application/octet-stream").headers["location"]
    to.ask(201, "PUT", f"{session}{'&' if '?' in session else '?'}digest={digest_of(data)}", b"")


def put_manifest(to: Connection, seed: str):
    to.ask(201, "PUT", f"{MANIFESTS}/{seed}", image(CONFIG, [SMALL, LARGE], seed), Content_Type=IMAGE_TYPE)


KINDS = [
    Kind("GET manifest by tag", 200, get_manifest_by_tag),
    Kind("GET manifest by digest", 200, get_manifest_by_digest),
    Kind("HEAD manifest by tag", 200, head_manifest_by_tag),
    Kind("GET manifest, not modified", 200, manifest_not_modified),
    Kind("GET manifest by tag, TLS", 200, get_manifest_by_tag, tls=True),
    Kind("GET blob of 4 KiB", 200, get_small_blob),
    Kind("GET 4 KiB of a large blob", 200, get_range),
    Kind("HEAD blob", 200, head_blob),
    Kind("GET 100 of 1,000 tags", 50, tags_page),
    Kind("POST blob of 4 KiB", 100, push_small_blob, writes=True),
    Kind("POST, PATCH 1 MiB, PUT", 10, push_in_chunks, writes=True),
    Kind("PUT manifest", 100, put_manifest, writes=True),
]
WARM_UP = 4  # before each measurement: caches filled, statements prepared, buffers grown


def fill(server: Served):
    """What the requests above read. Tags are written last, so the log of the database is long when the server stops."""
    to = server.plain
    for data in (CONFIG, SMALL, LARGE):
        to.ask(201, "POST", f"{BLOBS}/uploads/?digest={digest_of(data)}", data, Content_Type="application/octet-stream")
    for number in range(TAGS):
        to.ask(201, "PUT", f"{MANIFESTS}/v{number:04}", MANIFEST, Content_Type=IMAGE_TYPE)


def begin(server: Served):
    """Something in the log of the database: readers take another path while it is empty."""
    put_manifest(server.plain, "begin")


def run(kind: Kind, server: Served, first: int, count: int):
    to = server.secure if kind.tls else server.plain
    server.settle()
    for number in range(first, first + count):
        kind.ask(to, f"kind-{KINDS.index(kind)}-{number}")
        server.settle()
    if kind.writes:
        server.finish_later_work()
