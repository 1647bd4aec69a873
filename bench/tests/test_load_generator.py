"""The generator against servers that misbehave: every wrong response is counted, none ends it. ./dev bench runs this first."""

import json
import socket
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

BINARY = Path(__file__).resolve().parents[2] / "build" / "release" / "berth_load"
FIVE = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"   # of "hello"


@contextmanager
def server(answer: bytes):
    """Gives this answer to whatever is asked; closes when the answer says so."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection):
        with connection:
            while connection.recv(65536):
                try:
                    connection.sendall(answer)
                except OSError:
                    return
                if b"close" in answer or not answer:
                    return

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def trace(folder, port, line, *flags, count=3):
    file = folder / "trace"
    file.write_text("\n".join([line] * count) + "\n", encoding="utf-8")
    done = subprocess.run([str(BINARY), "trace", "--port", str(port), "--file", str(file), "--once", "1", "--seconds", "5", *flags],
                          capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDocker-Content-Digest: " + FIVE.encode() + b"\r\n\r\nhello"


@pytest.mark.parametrize("answer, line, why", [
    (GOOD, f"0 GET /x 200 5 {FIVE}", ""),
    (GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), f"0 GET /x 200 5 {FIVE}", ""),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", f"0 GET /x 200 5 {FIVE}", ""),
    (GOOD.replace(b"hello", b"hellO"), f"0 GET /x 200 5 {FIVE}", "other bytes"),
    (GOOD.replace(b"2cf2", b"ffff"), f"0 GET /x 200 5 {FIVE}", "another digest"),
    (GOOD, f"0 GET /x 200 6 {FIVE}", "5 bytes instead of 6"),
    (GOOD, f"0 GET /x 206 5 {FIVE}", "answered 200"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\nhello", "0 GET /x 200 - -", "ended inside"),
    (b"SSH-2.0-OpenSSH\r\n\r\n", "0 GET /x 200 - -", "no status line"),
    (GOOD + b"HTTP/1.1 ", "0 GET /x 200 5 -", "bytes after the response"),
    (b"", "0 GET /x 200 - -", "ended inside"),
])
def test_each_response_is_judged(tmp_path, answer, line, why):
    with server(answer) as port:
        figures = trace(tmp_path, port, line, "--hash", "1")
    assert figures["requests"] == (0 if why else 3)
    assert figures["errors"] == (3 if why else 0)
    assert not why or why in figures["samples"][0], figures


def test_nobody_listening_is_an_error(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))   # bound but not listening: connections are refused
        assert trace(tmp_path, probe.getsockname()[1], "0 GET /x 200 - -")["errors"] == 3


def test_an_open_loop_charges_the_wait_for_a_free_connection(tmp_path):
    """Two hundred requests are due at once on one connection: the later ones waited for the earlier, and that counts."""
    with server(GOOD) as port:
        figures = trace(tmp_path, port, "0 GET /x 200 5 -", "--replay", "1", count=200)
    operation = figures["operations"]["GET"]
    assert operation["count"] == 200
    # In a closed loop the median would be about the run's length / 200; here it is about half the run.
    assert operation["p50_us"] > figures["seconds"] * 1e6 / 20
