"""Slow peers in the middle of a transfer: readers that do not read, senders that trickle (S22, U7, U11)."""

import hashlib
import re

from conftest import eventually
from crowd import Crowd

KIB = 1024
MIB = 1024 * KIB


def push(server, repository, size):
    body = bytes(size)
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    assert server.ask("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", body).status == 201
    return digest


def test_readers_that_do_not_read_cost_little_and_are_cut_off(serve, figure):
    count = 200
    server = serve(limits__stall_timeout="3s")
    digest = push(server, "slow", 64 * MIB)
    assert len(server.ask(path=f"/v2/slow/blobs/{digest}").body) == 64 * MIB
    before = server.resident_bytes()
    with Crowd(server.port, count, receive_buffer=4 * KIB) as crowd:
        crowd.say(f"GET /v2/slow/blobs/{digest} HTTP/1.1\r\nHost: flood\r\n\r\n".encode())
        # None of them is listened to: what the server says stays in the sockets.
        eventually(lambda: server.metric("berth_http_timeouts_total") > 0, "they are cut off")
        each = (server.resident_bytes() - before) / count
        figure(f"slow reader of a blob: {each / KIB:.1f} KiB")
        assert each < 128 * KIB
        assert server.ask().status == 200, "others are served meanwhile"
        eventually(lambda: server.metric("berth_http_timeouts_total") == count, "each is cut off")
        eventually(lambda: server.metric("berth_http_connections") == 0, "and gone")
    eventually(lambda: sum(line["count"] for line in server.lines("http.timed_out")) == count, "the log counts them")


def test_a_trickled_upload_is_cut_off_and_what_came_can_be_resumed(serve):
    count = 50
    server = serve(limits__stall_timeout="2s", limits__progress="64 KiB")
    first, body = 100 * KIB, bytes(200 * KIB)
    locations = []
    with Crowd(server.port, count) as crowd:
        for member in crowd.members:
            location = server.ask("POST", "/v2/slow/blobs/uploads/").getheader("Location")
            locations.append(location)
            member.sock.setblocking(True)
            member.sock.sendall(f"PATCH {location} HTTP/1.1\r\nHost: flood\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            member.sock.sendall(body[:first])
            member.sock.setblocking(False)

        def trickle(crowd):
            for member in crowd.members:
                if not member.ended and not member.heard:
                    member.sock.send(b"\0")

        crowd.listen(lambda c: c.ended() == count, "each is cut off", say=trickle)
        assert crowd.count(408) == count, crowd.summary()
    assert server.metric("berth_http_timeouts_total") == count
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    for location in locations[:5]:
        status = server.ask(path=location)
        assert status.status == 204
        confirmed = int(re.fullmatch(r"0-(\d+)", status.getheader("Range")).group(1)) + 1
        assert first <= confirmed < len(body)
        path = status.getheader("Location")
        assert server.ask("PUT", path + ("&" if "?" in path else "?") + "digest=" + digest, body[confirmed:]).status == 201
