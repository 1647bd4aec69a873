"""Floods of connections: idle ones, halves of heads, more than there may be, encrypted ones (S22)."""

import contextlib
import re
import socket
import ssl
import subprocess

from conftest import SECONDS, eventually
from crowd import PING, Crowd

KIB = 1024
MANY = 10_000


def certificate(folder):
    cert, key = str(folder / "cert"), str(folder / "key")
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days",
                    "30", "-subj", "/CN=localhost", "-out", cert, "-keyout", key], check=True, capture_output=True)
    return cert, key


def test_ten_thousand_idle_connections_are_served_and_cost_little(serve, figure):
    server = serve()
    before = server.resident_bytes()
    with Crowd(server.port, MANY) as crowd:
        crowd.say(PING)
        crowd.listen(lambda c: c.count(200) == MANY, "each is answered")
        each = (server.resident_bytes() - before) / MANY
        figure(f"idle connection: {each / KIB:.1f} KiB")
        assert each < 24 * KIB
        assert server.metric("berth_http_connections") == MANY
        assert server.ask().status == 200, "others are served meanwhile"
        for member in crowd.members:
            member.heard = b""
        crowd.say(PING)
        crowd.listen(lambda c: c.count(200) == MANY, "each is answered once more")
        assert server.metric("berth_http_connections_refused_total") == 0 and crowd.ended() == 0
    eventually(lambda: server.metric("berth_http_connections") == 0, "all are gone")
    assert server.ask().status == 200


def test_ten_thousand_halves_of_heads_end_with_408(serve, figure):
    server = serve(limits__head_timeout="3s")
    before = server.resident_bytes()
    with Crowd(server.port) as crowd:
        crowd.grow(MANY, first=b"GET /v2/ HTTP/1.1\r\nHost: flood\r\nX-Half: ")
        each = (server.resident_bytes() - before) / MANY
        figure(f"half a head: {each / KIB:.1f} KiB")
        assert each < 24 * KIB
        assert server.ask().status == 200, "others are served meanwhile"
        crowd.listen(lambda c: c.ended() == MANY, "each is ended")
        assert crowd.count(408) == MANY, crowd.summary()
    assert server.metric("berth_http_timeouts_total") == MANY
    eventually(lambda: server.metric("berth_http_connections") == 0, "all are gone")
    assert server.ask().status == 200
    lines = eventually(lambda: sum(line["count"] for line in server.lines("http.timed_out")) == MANY and
                       server.lines("http.timed_out"), "the log counts them")
    assert len(lines) < 30, "a flood does not flood the log"


def test_one_connection_too_many_is_told_when_to_come_back(serve):
    server = serve(limits__connections=100)
    with Crowd(server.port, 100) as full:
        full.say(PING)
        full.listen(lambda c: c.count(200) == 100, "each is answered")
        with Crowd(server.port, 20) as more:
            more.listen(lambda c: c.ended() == 20, "each is refused")
            for member in more.members:
                assert member.status() == 503 and re.search(rb"\r\nRetry-After: \d+\r\n", member.heard), member.heard
                assert b"UNAVAILABLE" in member.heard
        assert server.metric("berth_http_connections_refused_total") == 20
        assert server.metric("berth_http_connections") == 100
    eventually(lambda: server.metric("berth_http_connections") == 0, "all are gone")
    assert server.ask().status == 200
    eventually(lambda: sum(line["count"] for line in server.lines("http.refused")) == 20, "the log counts them")


def test_a_flood_beyond_the_limit_is_bounded_and_leaves_nothing(serve):
    """Not each of so many gets an answer, but each is let go, and the log stays short."""
    server = serve(limits__connections=100)
    with Crowd(server.port, 100) as full:
        full.say(PING)
        full.listen(lambda c: c.count(200) == 100, "each is answered")
        before = server.resident_bytes()
        with Crowd(server.port, 5_000) as more:
            more.listen(lambda c: c.ended() == 5_000, "each is refused")
            assert {member.status() for member in more.members} <= {0, 503}, more.summary()
            assert more.count(503) > 0
        assert server.resident_bytes() - before < 32 * KIB * KIB
        full.members[0].sock.send(PING)
        full.listen(lambda c: c.members[0].heard.count(b"HTTP/1.1 200") == 2, "who was there is served on")
    eventually(lambda: server.ask().status == 200, "new ones are served")
    lines = eventually(lambda: sum(line["count"] for line in server.lines("http.refused")) >= 5_000 and
                       server.lines("http.refused"), "the log counts them")
    assert len(lines) < 30


def test_two_thousand_idle_encrypted_connections_cost_little(serve, tmp_path, figure):
    cert, key = certificate(tmp_path)
    trusting = ssl._create_unverified_context()
    count = 2_000
    server = serve("--tls-cert", str(cert), "--tls-key", str(key), context=trusting)
    with contextlib.ExitStack() as open_ones:
        before = 0
        for index in range(count + 50):
            if index == 50:
                before = server.resident_bytes()  # what OpenSSL keeps for itself is there
            raw = socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)
            secure = open_ones.enter_context(trusting.wrap_socket(raw, server_hostname="localhost"))
            secure.sendall(PING)
            assert secure.recv(4096).startswith(b"HTTP/1.1 200")
        each = (server.resident_bytes() - before) / count
        figure(f"idle encrypted connection: {each / KIB:.1f} KiB")
        assert each < 64 * KIB
        assert server.metric("berth_http_connections") == count + 50
        assert server.ask().status == 200, "others are served meanwhile"
    eventually(lambda: server.metric("berth_http_connections") == 0, "all are gone")


def test_failed_handshakes_are_one_line_a_second(serve, tmp_path):
    cert, key = certificate(tmp_path)
    server = serve("--tls-cert", cert, "--tls-key", key, context=ssl._create_unverified_context())
    with Crowd(server.port) as crowd:
        crowd.grow(500, first=b"\x16\x03\x01\x00\x04nope")
        crowd.listen(lambda c: c.ended() == 500, "each is ended")
    assert server.metric("berth_http_tls_failures_total") == 500
    lines = eventually(lambda: sum(line["count"] for line in server.lines("http.handshakes_failed")) == 500 and
                       server.lines("http.handshakes_failed"), "the log counts them")
    assert len(lines) < 30
