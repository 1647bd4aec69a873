"""Floods of upload sessions: bounded in all and for each repository, refused with Retry-After, expired (U12, H8)."""

import json
import re

from conftest import eventually
from crowd import Crowd

KIB = 1024
MANY = 10_000


def start(repository):
    return f"POST /v2/{repository}/blobs/uploads/ HTTP/1.1\r\nHost: flood\r\nContent-Length: 0\r\n\r\n".encode()


def open_sessions(crowd, requests):
    """Asks all of `requests` over the crowd's connections, pipelined; the heads of the answers."""
    share = -(-len(requests) // len(crowd.members))
    for at, member in enumerate(crowd.members):
        member.heard = b""
        for request in requests[at * share:(at + 1) * share]:
            member.sock.sendall(request)
            heads = member.heard.count(b"HTTP/1.1 ")
            crowd.listen(lambda _: member.heard.count(b"HTTP/1.1 ") > heads, "an answer")  # noqa: B023
    return [answer for member in crowd.members for answer in member.heard.split(b"HTTP/1.1 ")[1:]]


def test_ten_thousand_sessions_are_bounded_refused_and_expire(serve, figure):
    server = serve(limits__uploads=MANY, limits__uploads_per_repository=MANY // 2, limits__upload_idle="10s")
    before = server.resident_bytes()
    with Crowd(server.port, 100) as crowd:
        answers = open_sessions(crowd, [start(f"flood/{i % 4}") for i in range(MANY)])
        assert all(answer.startswith(b"202 ") for answer in answers)
        each = (server.resident_bytes() - before) / MANY
        figure(f"idle upload session: {each / KIB:.1f} KiB")
        assert each < 8 * KIB
        assert server.metric("berth_upload_sessions") == MANY
        refused = server.ask("POST", "/v2/other/blobs/uploads/")
        assert refused.status == 429 and int(refused.getheader("Retry-After")) > 0
        assert json.loads(refused.body)["errors"][0]["code"] == "TOOMANYREQUESTS"
        assert server.ask().status == 200, "everything else is served"
    eventually(lambda: server.metric("berth_upload_sessions") == 0, "what nobody goes on with expires")
    assert server.ask("POST", "/v2/other/blobs/uploads/").status == 202


def test_one_repository_cannot_use_up_the_sessions_of_the_others(serve):
    server = serve(limits__uploads_per_repository=50)
    with Crowd(server.port, 1) as crowd:
        answers = open_sessions(crowd, [start("greedy")] * 60)
    assert [answer[:3] for answer in answers] == [b"202"] * 50 + [b"429"] * 10
    for answer in answers[50:]:
        assert re.search(rb"\r\nRetry-After: [1-9]\d*\r\n", answer) and b"TOOMANYREQUESTS" in answer
    assert server.ask("POST", "/v2/other/blobs/uploads/").status == 202
    location = re.search(rb"\r\nLocation: (\S+)\r\n", answers[0]).group(1).decode()
    assert server.ask("DELETE", location).status == 204
    assert server.ask("POST", "/v2/greedy/blobs/uploads/").status == 202, "a cancelled one makes room"
