"""Where and how berth serve listens: TLS, several addresses, Unix sockets, sockets of the service manager, proxies."""

import contextlib
import http.client
import os
import pathlib
import re
import select
import signal
import socket
import socketserver
import ssl
import struct
import subprocess
import threading

import pytest

from conftest import BERTH, SECONDS, run


def certificate(folder, name, kind):
    """A self-signed certificate for localhost: (certificate, key)."""
    key = ["-newkey", "rsa:2048"] if kind == "rsa" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    files = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-nodes", *key, "-days", "30", "-subj", f"/CN={name}", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out", files[0], "-keyout", files[1]],
                   check=True, capture_output=True)
    return [str(file) for file in files]


def client_context(path):
    return ssl.create_default_context(cafile=path)


def get(connection, path="/v2/", headers=None):
    connection.request("GET", path, headers=headers or {})
    response = connection.getresponse()
    return response.status, response.read()


def https(port, context):
    return http.client.HTTPSConnection("localhost", port, timeout=SECONDS, context=context)


def test_nothing_goes_in_the_clear_to_a_server_whose_certificate_is_not_known(serve, tmp_path):
    cert, key = certificate(tmp_path, "ec", "ec")
    server = serve("--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key)
    address = f"localhost:{server.ports(1)[0]}"
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "BERTH_TOKEN_FILE": str(tmp_path / "token")}
    (tmp_path / "token").write_text("berth_pat_x\n")
    for words in (("repo", "ls", "--server", address), ("login", "-u", "ann", "--password-stdin", address)):
        done = run(*words, input="a password", env=home)
        assert done.returncode != 0 and "certificate" in done.stderr and "--ca-file" in done.stderr, done.stderr
        missing = run(*words, "--ca-file", str(tmp_path / "nowhere.pem"), input="a password", env=home)
        assert missing.returncode == 1 and "cannot read" in missing.stderr and "nowhere.pem" in missing.stderr
        (tmp_path / "letter.pem").write_text("dear bob")
        no_pem = run(*words, "--ca-file", str(tmp_path / "letter.pem"), input="a password", env=home)
        assert no_pem.returncode == 1 and "no certificates in" in no_pem.stderr, no_pem.stderr
        known = run(*words, "--ca-file", cert, input="a password", env=home)
        assert "certificate" not in known.stderr
        told = run(*words, input="a password", env=home | {"SSL_CERT_FILE": cert})
        assert "certificate" not in told.stderr
    trusted = tmp_path / ".config/containers/certs.d" / address
    trusted.mkdir(parents=True)
    (trusted / "ca.crt").write_bytes(pathlib.Path(cert).read_bytes())
    for words in (("repo", "ls", "--server", address), ("login", "-u", "ann", "--password-stdin", address)):
        assert "certificate" not in run(*words, input="a password", env=home).stderr, "as podman finds it"
    (trusted / "ca.crt").unlink()
    typed = run("repo", "ls", "--server", f"https://{address}", env=home)
    assert "--ca-file" in typed.stderr, "the same of what is typed with a scheme"
    plain = run("repo", "ls", "--server", f"http://{address}", env=home)
    assert f"{address} is not a registry: it answers 400" in plain.stderr, "before a secret went there"


@contextlib.contextmanager
def both_at_one_port(cert, key):
    """Speaks TLS to whoever begins with that, and else asks for a password in the clear: its port, and what it was sent
    in the clear."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    in_the_clear = []

    class Both(socketserver.BaseRequestHandler):
        def handle(self):
            if self.request.recv(1, socket.MSG_PEEK) == b"\x16":
                with contextlib.suppress(OSError):
                    context.wrap_socket(self.request, server_side=True).close()
                return
            in_the_clear.append(self.request.recv(4096))
            self.request.sendall(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Both) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], in_the_clear
        server.shutdown()


def test_a_port_that_speaks_tls_is_asked_nothing_in_the_clear(tmp_path):
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "BERTH_TOKEN_FILE": str(tmp_path / "token")}
    (tmp_path / "token").write_text("berth_pat_x\n")
    with both_at_one_port(*certificate(tmp_path, "ec", "ec")) as (port, in_the_clear):
        for words in (("repo", "ls", "--server", f"localhost:{port}"),
                      ("login", "-u", "ann", "--password-stdin", f"localhost:{port}")):
            done = run(*words, input="a password", env=home)
            assert done.returncode == 1 and "--ca-file" in done.stderr, done.stderr
    assert in_the_clear == []


def test_of_a_server_that_is_away_the_first_try_is_told():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        done = run("login", "-u", "ann", "--password-stdin", address, input="x", env={"HOME": "/nonexistent"})
    assert done.returncode == 1 and f"cannot reach https://{address}" in done.stderr, done.stderr
    assert "--ca-file" not in done.stderr


def test_tls_with_two_kinds_of_key_resumption_and_large_bodies(serve, tmp_path):
    ec, rsa = certificate(tmp_path, "ec", "ec"), certificate(tmp_path, "rsa", "rsa")
    server = serve("--listen", "127.0.0.1:0", "--tls-cert", ec[0], "--tls-key", ec[1], "--tls-cert", rsa[0], "--tls-key",
                   rsa[1])
    port = server.ports(1)[0]
    context = client_context(ec[0])
    connection = https(port, context)
    assert get(connection) == (200, b"{}")
    assert connection.sock.selected_alpn_protocol() in (None, "http/1.1")
    assert connection.sock.version() == "TLSv1.3"

    body = os.urandom(3_000_000)
    digest = "sha256:" + __import__("hashlib").sha256(body).hexdigest()
    connection.request("POST", f"/v2/team/app/blobs/uploads/?digest={digest}", body)
    response = connection.getresponse()
    assert (response.status, response.read()) == (201, b"")
    assert get(connection, f"/v2/team/app/blobs/{digest}") == (200, body)
    assert get(connection, f"/v2/team/app/blobs/{digest}", {"Range": "bytes=1000-1999"}) == (206, body[1000:2000])

    session = connection.sock.session
    again = context.wrap_socket(socket.create_connection(("localhost", port)), server_hostname="localhost",
                                session=session)
    assert again.session_reused
    again.close()

    only_rsa = client_context(rsa[0])
    only_rsa.maximum_version = ssl.TLSVersion.TLSv1_2
    only_rsa.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    old = https(port, only_rsa)
    assert get(old) == (200, b"{}") and old.sock.version() == "TLSv1.2"
    assert server.stop() == 0


def test_plain_http_to_the_encrypted_port_is_told_so(serve, tmp_path):
    cert, key = certificate(tmp_path, "ec", "ec")
    server = serve("--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key)
    status, body = get(http.client.HTTPConnection("127.0.0.1", server.ports(1)[0], timeout=SECONDS))
    assert status == 400 and b"https://" in body


def test_a_renewed_certificate_is_taken_up_without_breaking_connections(serve, tmp_path):
    cert, key = certificate(tmp_path, "ec", "ec")
    server = serve("--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key)
    port = server.ports(1)[0]
    before = https(port, client_context(cert))
    assert get(before)[0] == 200
    old = ssl.get_server_certificate(("localhost", port))
    certificate(tmp_path, "ec", "ec")
    server.process.send_signal(signal.SIGHUP)
    server.wait_for("config.reloaded")
    assert ssl.get_server_certificate(("localhost", port)) != old
    assert get(before)[0] == 200, "the open connection goes on"
    with open(cert, "w") as broken:
        broken.write("nonsense")
    server.process.send_signal(signal.SIGHUP)
    assert cert in server.wait_for("config.reload_refused")[0]["err"]
    assert get(before)[0] == 200
    assert ssl.get_server_certificate(("localhost", port)), "the good one is still in use"


def test_unusable_certificates_are_refused_at_the_start_with_the_file_and_the_reason(tmp_path):
    cert, key = certificate(tmp_path, "ec", "ec")
    other = certificate(tmp_path, "other", "ec")
    for args, says in ((("--tls-cert", cert), "each certificate needs its key"),
                       (("--tls-cert", cert, "--tls-key", other[1]), "does not belong"),
                       (("--tls-cert", "/none", "--tls-key", key), "/none: the certificate file cannot be read"),
                       (("--listen", "https://127.0.0.1:0"), "--tls-cert")):
        refused = run("serve", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0", *args)
        assert refused.returncode in (1, 125) and says in refused.stderr, refused.stderr


def test_several_addresses_plain_encrypted_ipv6_and_unix(serve, tmp_path):
    cert, key = certificate(tmp_path, "ec", "ec")
    path = tmp_path / "b.sock"
    server = serve("--listen", "http://127.0.0.1:0", "--listen", "https://[::1]:0", "--listen", f"unix:{path}",
                   "--tls-cert", cert, "--tls-key", key)
    lines = server.wait_for("http.listening", 3)
    plain, secure = (int(line["address"].rsplit(":", 1)[1]) for line in lines[:2])
    assert get(http.client.HTTPConnection("127.0.0.1", plain, timeout=SECONDS))[0] == 200
    context = client_context(cert)
    context.check_hostname = False
    raw = context.wrap_socket(socket.create_connection(("::1", secure)))
    raw.sendall(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert raw.recv(100).startswith(b"HTTP/1.1 200")
    unix = http.client.HTTPConnection("localhost", timeout=SECONDS)
    unix.sock = socket.socket(socket.AF_UNIX)
    unix.sock.connect(str(path))
    assert get(unix)[0] == 200
    assert os.stat(path).st_mode & 0o777 == 0o660
    assert server.stop() == 0
    assert not path.exists()


def test_the_welcome_names_each_address_with_the_port_it_got(serve, tmp_path):
    path = tmp_path / "b.sock"
    server = serve("--listen", f"unix:{path}", "--listen", "127.0.0.1:0", "--listen", "[::1]:0", "--metrics", "127.0.0.1:0")
    unix, first, second, metrics = (line["address"] for line in server.wait_for("http.listening", 4))
    assert unix == f"unix:{path}"
    said = server.welcome()
    assert re.findall(r"listening on (\S+)", said) == [f"unix:{path}", f"http://{first}", f"http://{second}"]
    assert re.findall(r"metrics on (\S+)", said) == [f"http://{metrics}/metrics"]
    assert f"localhost:{first.rsplit(':', 1)[1]}/team/app" in said


def test_a_socket_left_by_a_dead_server_is_replaced_and_a_living_one_is_not(serve, tmp_path):
    path = tmp_path / "b.sock"
    first = serve("--listen", f"unix:{path}")
    first.wait_for("http.listening")
    second = run("serve", "--data", str(tmp_path / "other"), "--listen", f"unix:{path}")
    assert second.returncode != 0 and "the address is in use" in second.stderr
    first.process.kill()
    first.process.wait()
    assert path.exists()
    serve("--listen", f"unix:{path}").wait_for("http.listening")
    plain = tmp_path / "file"
    plain.write_text("precious")
    refused = run("serve", "--data", str(tmp_path / "third"), "--listen", f"unix:{plain}")
    assert refused.returncode != 0 and plain.read_text() == "precious"


def test_an_address_that_is_taken_ends_the_start_although_others_are_free(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run("serve", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0", "--listen", f"127.0.0.1:{port}")
    assert refused.returncode == 1 and "the address is in use" in refused.stderr, refused.stderr


def test_sockets_of_the_service_manager_and_readiness(serve, tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(tmp_path / "notify"))
    notify.settimeout(SECONDS)
    copy = os.dup(listener.fileno())

    # As systemd does: the sockets from descriptor 3 on, the pid of the very process in the environment.
    script = 'export LISTEN_PID=$$; exec "$@"'
    folder = tmp_path / "activated"
    folder.mkdir()
    log = folder / "log"
    process = subprocess.Popen(
        ["sh", "-c", script, "sh", BERTH, "serve", "--data", str(folder / "data"), "--listen", "systemd:registry",
         "--anonymous", "write"],
        stdout=subprocess.DEVNULL, stderr=open(log, "w"), pass_fds=(3,), preexec_fn=lambda: os.dup2(copy, 3),
        env={**os.environ, "LISTEN_FDS": "1", "LISTEN_FDNAMES": "registry", "NOTIFY_SOCKET": str(tmp_path / "notify")})
    try:
        assert notify.recv(100) == b"READY=1", log.read_text()
        port = listener.getsockname()[1]
        assert get(http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS))[0] == 200
        process.send_signal(signal.SIGHUP)
        assert notify.recv(100) == b"RELOADING=1"
        assert notify.recv(100) == b"READY=1"
        process.send_signal(signal.SIGTERM)
        assert notify.recv(100) == b"STOPPING=1"
        assert process.wait(SECONDS) == 0
    finally:
        if process.poll() is None:
            process.kill()
    refused = run("serve", "--data", str(tmp_path / "data"), "--listen", "systemd", "--anonymous", "read")
    assert refused.returncode != 0 and ".socket unit" in refused.stderr


def proxied(port, header):
    raw = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    for part in header if isinstance(header, list) else [header]:
        raw.sendall(part)
        select.select([raw], [], [], 0.05)  # so that it may arrive in pieces; it counts either way
    answer = b""
    with contextlib.suppress(ConnectionError):  # whoever is refused sees the connection break
        raw.sendall(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while part := raw.recv(1000):
            answer += part
    return answer


def test_trusted_proxies_say_whom_they_speak_for(serve, tmp_path):
    v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(">H", 12) + socket.inet_aton("203.0.113.7") + socket.inet_aton(
        "192.0.2.1") + struct.pack(">HH", 1234, 80)
    trusted = {**os.environ, "BERTH_SERVER__TRUSTED_PROXIES": "127.0.0.0/8", "BERTH_SERVER__PROXY_PROTOCOL": "true",
               "BERTH_SERVER__ANONYMOUS": "write"}
    server = serve("--listen", "127.0.0.1:0", env=trusted)
    port = server.ports(1)[0]
    v1 = b"PROXY TCP4 203.0.113.5 192.0.2.1 1234 80\r\n"
    for header in (v1, [v1[:9], v1[9:]], v2, [v2[:14], v2[14:]]):
        assert proxied(port, header).startswith(b"HTTP/1.1 200"), header
    assert proxied(port, b"") == b"", "a trusted proxy must say it"
    assert proxied(port, b"PROXY nonsense\r\n") == b""
    server.stop()
    peers = [line["peer"] for line in server.lines() if line["event"] == "http.request"]
    assert peers == ["203.0.113.5", "203.0.113.5", "203.0.113.7", "203.0.113.7"]

    stranger = serve("--listen", "127.0.0.1:0", env={**trusted, "BERTH_SERVER__TRUSTED_PROXIES": "10.0.0.0/8"})
    answer = proxied(stranger.ports(1)[0], v1)
    assert answer.startswith(b"HTTP/1.1 400"), "a stranger's header is no header"


def test_forwarded_addresses_are_believed_from_listed_peers_only(serve):
    for trusted, peer in (("127.0.0.1", "203.0.113.9"), ("10.0.0.0/8", "127.0.0.1")):
        server = serve("--listen", "127.0.0.1:0", "--anonymous", "write",
                       env={**os.environ, "BERTH_SERVER__TRUSTED_PROXIES": trusted})
        connection = http.client.HTTPConnection("127.0.0.1", server.ports(1)[0], timeout=SECONDS)
        get(connection, headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.9", "X-Request-Id": "edge-1"})
        server.stop()
        line = next(line for line in server.lines() if line["event"] == "http.request")
        assert line["peer"] == peer
        assert (line["req"] == "edge-1") == (peer != "127.0.0.1")


def test_metrics_can_have_an_address_of_their_own_or_none(serve):
    server = serve("--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0")
    main, metrics = server.ports(2)
    registry = http.client.HTTPConnection("127.0.0.1", main, timeout=SECONDS)
    operator = http.client.HTTPConnection("127.0.0.1", metrics, timeout=SECONDS)
    assert get(registry, "/metrics")[0] == 404
    assert get(registry, "/healthz")[0] == 200
    assert b"berth_build_info" in get(operator, "/metrics")[1]
    assert get(operator, "/readyz")[0] == 200
    assert get(operator, "/v2/")[0] == 404, "no registry on the operator's address"
    off = serve("--listen", "127.0.0.1:0", "--metrics", "off")
    assert get(http.client.HTTPConnection("127.0.0.1", off.ports(1)[0], timeout=SECONDS), "/metrics")[0] == 404


def test_a_stop_lets_an_upload_in_flight_finish(serve):
    server = serve("--listen", "127.0.0.1:0")
    port = server.ports(1)[0]
    body = os.urandom(1_000_000)
    digest = "sha256:" + __import__("hashlib").sha256(body).hexdigest()
    raw = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    raw.sendall(f"POST /v2/team/app/blobs/uploads/?digest={digest} HTTP/1.1\r\nHost: x\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:500_000])
    operator = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    while b"berth_upload_sessions 1\n" not in get(operator, "/metrics")[1]:
        pass
    operator.close()
    server.process.send_signal(signal.SIGTERM)
    server.wait_for("server.stopping")
    with pytest.raises(OSError):
        while True:  # until the listener is gone
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
    raw.sendall(body[500_000:])
    assert raw.recv(100).startswith(b"HTTP/1.1 201")
    assert server.process.wait(SECONDS) == 0


def test_what_was_confirmed_of_an_upload_survives_a_stop(serve):
    first = serve("--listen", "127.0.0.1:0")
    connection = http.client.HTTPConnection("127.0.0.1", first.ports(1)[0], timeout=SECONDS)
    connection.request("POST", "/v2/team/app/blobs/uploads/")
    location = connection.getresponse()
    location.read()
    path = location.getheader("Location")
    connection.request("PATCH", path, b"x" * 1000)
    response = connection.getresponse()
    response.read()
    path = response.getheader("Location")
    assert first.stop() == 0
    second = serve("--listen", "127.0.0.1:0", folder=first.folder)
    connection = http.client.HTTPConnection("127.0.0.1", second.ports(1)[0], timeout=SECONDS)
    connection.request("GET", path)
    response = connection.getresponse()
    assert (response.status, response.getheader("Range")) == (204, "0-999")
