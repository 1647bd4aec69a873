"""berth serve: what it says, what it refuses, how it ends."""

import hashlib
import http.client
import os
import resource

import pytest

from conftest import run


def get(server, path):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_it_says_where_it_is_where_its_data_is_and_what_to_try(serve, tmp_path):
    server = serve()
    text = server.welcome()
    assert f"data {tmp_path}/data" in text
    for verb in ("pull", "tag ", "push"):
        assert f"docker {verb}" in text
    assert f"docker push localhost:{server.port}/team/app:1.0.0" in text
    assert get(server, "/v2/") == (200, b"{}")
    assert server.stop() == 0


def test_a_second_process_is_refused_with_the_pid_of_the_first(serve, tmp_path):
    first = serve()
    for command in (("serve", "--listen", "127.0.0.1:0"), ("fsck",)):
        second = run(*command, "--data", str(tmp_path / "data"))
        assert second.returncode == 75, command
        assert str(first.pid) in second.stderr, command
    assert get(first, "/v2/")[0] == 200


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("--listen", "0.0.0.0:0"), 1, ("berth user add", "--anonymous=read", "--anonymous=write")),
        (("--listen", "[::]:0"), 1, ("berth user add", "--anonymous=read")),
        (("--listen", ":0"), 1, ("0.0.0.0", "--anonymous=write")),
        (("--listen", "5000"), 125, ("HOST:PORT", "127.0.0.1:5000")),
        (("--listen", "127.0.0.1:99999"), 125, ("99999", "0 to 65535")),
        (("--listen", "no.such.name:1"), 125, ("no.such.name",)),
        (("--anonymous", "maybe"), 125, ("off, read or write",)),
        (("--reference-policy", "loose"), 125, ("strict, sparse-index or sparse",)),
        (("--deletes", "sometimes"), 125, ("on or off",)),
        (("--log-level", "loud"), 125, ("debug, info, warn, error or off",)),
        (("--lisen", "127.0.0.1:0"), 125, ("--lisen", "Did you mean '--listen'?")),
        (("--threads", "x"), 125, ("--threads",)),
        (("extra",), 1, ("extra",)),
    ],
)
def test_a_wrong_command_line_is_a_usage_error_that_says_what_is_right(args, code, says, tmp_path):
    done = run("serve", "--data", str(tmp_path / "data"), *args)
    assert done.returncode == code, done.stderr
    for words in says:
        assert words in done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("mode", "ping"), [("off", 401), ("read", 200), ("write", 200)]
)
def test_an_open_address_needs_the_owners_word(serve, mode, ping):
    server = serve("--listen", "0.0.0.0:0", "--anonymous", mode)
    assert get(server, "/v2/")[0] == ping


def test_a_flag_given_twice_means_the_later_one(serve):
    assert get(serve("--anonymous", "write", "--anonymous", "off"), "/v2/")[0] == 401


def test_a_taken_port_is_named(serve, tmp_path):
    first = serve()
    done = run("serve", "--listen", f"127.0.0.1:{first.port}", "--data", str(tmp_path / "other"))
    assert done.returncode == 1
    assert f"127.0.0.1:{first.port}" in done.stderr and "in use" in done.stderr


def test_somebody_elses_folder_is_left_alone(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"photo")
    done = run("serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "not empty" in done.stderr and "holiday.jpg" in done.stderr
    assert os.listdir(tmp_path) == ["holiday.jpg"]


def descriptors(count):
    return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))}


def test_too_few_descriptors_are_refused_with_a_sentence(tmp_path):
    done = run("serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), **descriptors(512))
    assert done.returncode == 1
    assert "ulimit -n" in done.stderr


def test_with_few_descriptors_many_blobs_and_sessions_are_served_all_the_same(serve):
    server = serve(**descriptors(1024))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)

    def ask(method, path, body=None):
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read(), response.getheader("Location")

    blobs = {"sha256:" + hashlib.sha256(body).hexdigest(): body for body in (b"blob %d" % i for i in range(1200))}
    for digest, body in blobs.items():
        assert ask("POST", f"/v2/team/app/blobs/uploads/?digest={digest}", body)[0] == 201
        status, _, session = ask("POST", "/v2/team/app/blobs/uploads/")
        assert status == 202
        assert ask("PATCH", session, b"x")[0] == 202
    for digest, body in blobs.items():
        assert ask("GET", f"/v2/team/app/blobs/{digest}")[:2] == (200, body)
    connection.close()
