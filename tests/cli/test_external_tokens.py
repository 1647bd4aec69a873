"""A registry whose tokens another server makes, and what is said of one that is not set up rightly."""

import http.client
import pathlib
import sys

import pytest

from conftest import run

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from id_issuer import Issuer, Key  # noqa: E402
from token_server import TokenServer  # noqa: E402

REALM = "https://auth.example.com/token"


def config(tmp_path, **auth):
    values = {"mode": "external", "external_realm": REALM, "external_service": "s", "external_issuer": "i",
              "external_keys": ["keys.pem"], **auth}
    file = tmp_path / "server.toml"
    file.write_text("[auth]\n" + "".join(f"{name} = {value!r}\n" for name, value in values.items() if value is not None))
    return str(file)


def test_a_whole_configuration_is_fine(tmp_path):
    assert run("config", "check", config(tmp_path)).returncode == 0


@pytest.mark.parametrize("name", ["external_realm", "external_service", "external_issuer", "external_keys"])
def test_what_is_missing_is_named(tmp_path, name):
    done = run("config", "check", config(tmp_path, **{name: None}))
    assert done.returncode == 2 and f"auth.{name}" in done.stderr


@pytest.mark.parametrize("realm", ["auth.example.com/token", "/token", "ftp://auth.example.com", "https://", "https://a b"])
def test_a_realm_that_is_no_address_is_refused(tmp_path, realm):
    done = run("config", "check", config(tmp_path, external_realm=realm))
    assert done.returncode == 2 and "is not a URL" in done.stderr


@pytest.mark.parametrize(("content", "says"), [
    (None, "No such file"),
    ("", "neither a public key nor a certificate"),
    ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "private key"),
    ("-----BEGIN CERTIFICATE-----\nAAAA\n", "damaged"),
    ('{"keys": []}', "no key that could check"),
    ("x" * 1_100_000, "longer than 1 MiB"),
], ids=["none", "empty", "private", "cut off", "no keys", "too long"])
def test_keys_that_check_nothing_stop_the_start(tmp_path, content, says):
    keys = tmp_path / "keys.pem"
    if content is not None:
        keys.write_text(content)
    done = run("serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"),
               "--config", config(tmp_path, external_keys=[str(keys)]))
    assert done.returncode != 0 and str(keys) in done.stderr and says in done.stderr, done.stderr


def status_with(server, token):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", "/v2/", headers={"Authorization": "Bearer " + token})
        return connection.getresponse().status
    finally:
        connection.close()


def test_keys_that_a_token_points_at_are_not_asked_for(serve, tmp_path):  # S8
    tokens, elsewhere = TokenServer(tmp_path), Issuer(tmp_path, Key(tmp_path, "elsewhere"))
    try:
        server = serve(*tokens.flags())
        assert status_with(server, tokens.token("ann")) == 200
        claims = tokens.claims("ann")
        for name in ("jku", "x5u"):
            assert status_with(server, elsewhere.key.token(claims, **{name: f"{elsewhere.url}/jwks"})) == 401
        assert elsewhere.asked == []
    finally:
        elsewhere.close()
        tokens.close()


def test_the_log_tells_whoever_sets_it_up_what_is_wrong_with_a_token(serve, tmp_path):
    tokens = TokenServer(tmp_path)
    try:
        server = serve(*tokens.flags(), "--log-level", "debug")
        for changed, status in (({}, 200), ({"iss": "another"}, 401)):
            assert status_with(server, tokens.token("ann", **changed)) == status
        assert server.wait_for("auth.token_refused")[0]["err"] == "iss is another"
        assert "no account" not in server.welcome() and "/setup" not in server.welcome()
    finally:
        tokens.close()
