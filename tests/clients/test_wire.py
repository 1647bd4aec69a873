"""What goes over the wire, read byte by byte: framing, connections used again, clients that stop or wait midway."""
import re

import pytest

from images import noise
from registry_http import digest_of, with_query

pytestmark = pytest.mark.quick
SIZES = [*range(0, 2000, 50), 4095, 4096, 4097, 16_000, 32_768, 32_769, 70_000, 262_144, 1_048_577]


def everything(wire):
    """All bytes until the server closes, as (head, body)."""
    received = b""
    while data := wire.recv(65536):
        received += data
    head, _, body = received.partition(b"\r\n\r\n")
    return head.decode(), body


def test_nothing_follows_a_body_whatever_its_size(registry, repo):
    for size in SIZES:
        data = noise(f"{repo}/{size}", size)
        path = f"/v2/{repo}/blobs/{registry.upload_blob(repo, data)}"
        with registry.send_head("GET", path, "Connection: close") as wire:
            head, body = everything(wire)
        assert f"\r\nContent-Length: {size}" in head  # H2
        assert len(body) == size, f"{len(body)} bytes came for a blob of {size}"
        assert body == data


def test_nothing_follows_a_multipart_body_whatever_the_size_of_its_parts(registry, repo):
    data = noise(repo, 1_000_000)
    path = f"/v2/{repo}/blobs/{registry.upload_blob(repo, data)}"
    for size in SIZES[1:-1]:
        ranges = f"Range: bytes=0-{size - 1},300000-{300_000 + size - 1}"
        with registry.send_head("GET", path, ranges, "Connection: close") as wire:
            head, body = everything(wire)
        length = int(re.search(r"\r\nContent-Length: ([0-9]+)", head)[1])
        assert len(body) == length, f"{len(body)} bytes came for two parts of {size}, {length} were promised"  # P3
        assert data[:size] in body and data[300_000:300_000 + size] in body


def test_one_connection_serves_many_answers_of_every_size(registry, repo):
    blobs = [noise(f"{repo}/{size}", size) for size in SIZES]
    paths = [f"/v2/{repo}/blobs/{registry.upload_blob(repo, data)}" for data in blobs]
    with registry.send_head("GET", "/v2/") as wire, wire.makefile("rb") as answers:
        assert read_answer(answers) == (200, b"{}")
        for path, data in zip(paths, blobs):
            wire.sendall(f"GET {path} HTTP/1.1\r\nHost: {registry.address}\r\n\r\n".encode())
            assert read_answer(answers) == (200, data)


def test_pipelined_requests_are_answered_in_order(registry, repo):
    blobs = [noise(f"{repo}/{number}", 700) for number in range(8)]
    paths = [f"/v2/{repo}/blobs/{registry.upload_blob(repo, data)}" for data in blobs]
    more = "".join(f"GET {path} HTTP/1.1\r\nHost: {registry.address}\r\n\r\n" for path in paths[1:])
    with registry.send_head("GET", paths[0]) as wire, wire.makefile("rb") as answers:
        wire.sendall(more.encode())
        assert [read_answer(answers) for _ in blobs] == [(200, data) for data in blobs]


def read_answer(file):
    """One answer with a Content-Length from a connection that stays open: (status, body)."""
    status = file.readline()
    assert re.fullmatch(rb"HTTP/1\.1 [0-9]{3} [A-Za-z ]+\r\n", status), f"not the start of an answer: {status[:80]!r}"
    length = 0
    while (line := file.readline()) != b"\r\n":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return int(status.split()[1]), file.read(length)


def test_containerd_aborts_open_ended_reads_and_the_registry_goes_on(registry, repo):
    data = noise("abort", 8_000_000)
    digest = registry.upload_blob(repo, data)
    for first in (0, 2_000_000, 4_000_000):
        with registry.send_head("GET", f"/v2/{repo}/blobs/{digest}", f"Range: bytes={first}-") as wire:
            assert wire.recv(4096).startswith(b"HTTP/1.1 206 ")  # and hangs up with most of it unread
    assert registry.blob(repo, digest) == data


def test_curl_waits_for_100_continue_before_it_sends_a_blob(registry, repo):
    data = noise("expect", 200_000)
    session = registry.expect(202, "POST", f"/v2/{repo}/blobs/uploads/").headers["Location"]
    target = with_query(session, digest=digest_of(data))
    with registry.send_head("PUT", target, f"Content-Length: {len(data)}", "Expect: 100-continue") as wire:
        assert wire.recv(4096).startswith(b"HTTP/1.1 100 ")  # H6
        wire.sendall(data)
        assert wire.recv(4096).startswith(b"HTTP/1.1 201 ")
    assert registry.blob(repo, digest_of(data)) == data
