"""Huge heads: refused within limits, and the memory for those that are accepted is given back (G8, S2)."""

import pytest

from conftest import eventually
from crowd import PING, Crowd

KIB = 1024


def head(*fields):
    return b"GET /v2/ HTTP/1.1\r\nHost: flood\r\n" + b"".join(fields) + b"\r\n"


BIG = head(b"Authorization: Bearer " + b"x" * 60 * KIB + b"\r\n")
MANY_FIELDS = head(*(b"X-%d: y\r\n" % i for i in range(190)))


@pytest.mark.parametrize("name, request_head", [("one field of 60 KiB", BIG), ("190 small fields", MANY_FIELDS)],
                         ids=["one large field", "many fields"])
def test_memory_of_large_heads_is_given_back(serve, figure, name, request_head):
    count = 1_000
    server = serve()
    before = server.resident_bytes()
    with Crowd(server.port, count) as crowd:
        for member in crowd.members:
            member.sock.setblocking(True)
            member.sock.sendall(request_head)
            member.sock.setblocking(False)
            crowd.listen(lambda _: member.status() == 200, "large heads are answered")  # noqa: B023
        each = (server.resident_bytes() - before) / count
        figure(f"idle connection after {name}: {each / KIB:.1f} KiB")
        assert each < 32 * KIB
        assert server.ask().status == 200


@pytest.mark.parametrize("status, request_head", [
    (431, head(b"Authorization: Bearer " + b"x" * 100 * KIB + b"\r\n")),
    (431, head(*(b"X-%d: y\r\n" % i for i in range(250)))),
    (431, head(*(b"X: y\r\n" for _ in range(15_000)))),
    (414, b"GET /v2/?" + b"x" * 20 * KIB + b" HTTP/1.1\r\nHost: flood\r\n\r\n"),
], ids=["one large field", "many fields", "very many fields", "url"])
def test_floods_of_oversized_heads_are_refused_and_leave_nothing(serve, status, request_head):
    count = 2_000
    server = serve()
    before = server.resident_bytes()
    with Crowd(server.port) as crowd:
        crowd.grow(count, first=request_head)  # as much of it as the peer takes: it need not read on
        crowd.listen(lambda c: c.ended() == count, "each is refused")
        assert crowd.count(status) == count, crowd.summary()
        assert server.resident_bytes() - before < 64 * KIB * KIB
    assert server.metric("berth_http_malformed_total") == count
    eventually(lambda: sum(line["count"] for line in server.lines("http.malformed")) == count, "the log counts them")
    assert len(server.lines("http.malformed")) < 30
    with Crowd(server.port, 100) as crowd:
        crowd.say(PING)
        crowd.listen(lambda c: c.count(200) == 100, "others are served")
