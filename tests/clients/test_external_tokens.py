"""Real clients at a registry whose tokens come from another server (auth.mode external)."""
import re
import sys
from pathlib import Path

import pytest

from account_clients import CLIENTS
from accounts import Account
from conftest import LISTENING, berth_binary, watched
from processes import Daemon
from registry_http import Registry

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from token_server import TokenServer  # noqa: E402

ALL = ["pull", "push", "delete"]
ANN = Account("ann", "correct horse battery")
BOB = Account("bob", "battery staple")
NAMES = ["docker", "podman", "skopeo", "containerd", "crane", "oras"]
QUICK = {"docker", "crane"}


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    server = TokenServer(tmp_path_factory.mktemp("tokens"))
    server.passwords = {ANN.name: ANN.secret, BOB.name: BOB.secret}
    yield server
    server.close()


@pytest.fixture(scope="module")
def registry(session_directory, tokens):
    directory = session_directory / "external"
    directory.mkdir()
    daemon = Daemon("berth", [berth_binary(), "serve", "--listen", "127.0.0.1:0", "--data", directory / "data",
                              *tokens.flags()], directory / "log")
    with watched(daemon):
        address = daemon.wait_until(15, "berth says where it listens", lambda: LISTENING.search(daemon.log()))[1]
        yield Registry(address.replace("127.0.0.1", "localhost"))


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.quick] if name in QUICK else []) for name in NAMES])
def client(request, registry, engines, scratch):
    return CLIENTS[request.param](registry.address, scratch, engines(request.param))


def test_pushes_and_pulls_with_what_the_token_server_allows(client, tokens, repo):
    copy = f"{repo}/copy"
    tokens.rights = {"ann": {repo: ALL, copy: ALL}, "bob": {repo: ["pull"]}, "": {}}
    client.login(ANN)
    done = client.push(repo, "1")
    assert done.returncode == 0, done.stderr
    assert client.pull(repo, "1").returncode == 0
    if client.copies:
        tokens.asked.clear()
        done = client.copy(repo, copy, "1")
        assert done.returncode == 0, done.stderr
    client.logout()
    assert client.pull(repo, "1").returncode != 0, "nobody may pull it"
    client.login(BOB)
    assert client.pull(repo, "1").returncode == 0
    assert client.push(repo, "2").returncode != 0, "bob may only pull"
    client.logout()
    tokens.rights[""] = {repo: ["pull"]}
    assert client.pull(repo, "1").returncode == 0, "everybody may, since the token server says so"


def test_a_source_that_the_token_server_denies_is_uploaded_instead(client, tokens, repo):
    """The mount of A14: who pulled it once may push it elsewhere without the right to read where it came from."""
    if not (client.copies and client.keeps_images):
        return  # the others read the source while they copy
    copy = f"{repo}/copy"
    tokens.rights = {"ann": {repo: ALL, copy: ALL}}
    client.login(ANN)
    assert client.push(repo, "1").returncode == 0
    assert client.pull(repo, "1").returncode == 0
    tokens.rights = {"ann": {copy: ALL}}
    done = client.copy(repo, copy, "1")
    assert done.returncode == 0, done.stderr


def test_a_wrong_password_is_the_token_servers_business(client, registry, tokens):
    done = client.login(Account("ann", "wrong"))
    assert not client.checks_logins or (done.returncode != 0 and re.search("40[01]|unauthorized|invalid", done.stderr))
