"""Real clients at a registry whose tokens come from another server (auth.mode external)."""
import re

import pytest

from account_clients import CLIENTS
from accounts import Account

ALL = ["pull", "push", "delete"]
ANN = Account("ann", "correct horse battery")
BOB = Account("bob", "battery staple")
NAMES = ["docker", "podman", "skopeo", "containerd", "crane", "oras"]
# The others read the source while they copy.
PUSH_WHAT_THEY_PULLED = [name for name in NAMES if CLIENTS[name].keeps_images]
QUICK = {"docker", "crane"}


@pytest.fixture
def tokens(token_server):
    token_server.passwords = {ANN.name: ANN.secret, BOB.name: BOB.secret}
    return token_server


@pytest.fixture
def client(request, external_registry, engines, scratch):
    return CLIENTS[request.param](external_registry.address, scratch, engines(request.param))


def every(names):
    return pytest.mark.parametrize(
        "client", [pytest.param(name, marks=[pytest.mark.quick] if name in QUICK else []) for name in names],
        indirect=True)


@every(NAMES)
def test_pushes_and_pulls_with_what_the_token_server_allows(client, tokens, repo):
    copy = f"{repo}/copy"
    tokens.rights = {"ann": {repo: ALL, copy: ALL}, "bob": {repo: ["pull"]}, "": {}}
    client.login(ANN)
    done = client.push(repo, "1")
    assert done.returncode == 0, done.stderr
    assert client.pull(repo, "1").returncode == 0
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


@every(PUSH_WHAT_THEY_PULLED)
def test_a_source_that_the_token_server_denies_is_uploaded_instead(client, tokens, repo):
    """The mount of A14: who pulled it once may push it elsewhere without the right to read where it came from."""
    copy = f"{repo}/copy"
    tokens.rights = {"ann": {repo: ALL, copy: ALL}}
    client.login(ANN)
    assert client.push(repo, "1").returncode == 0
    assert client.pull(repo, "1").returncode == 0
    tokens.rights = {"ann": {copy: ALL}}
    done = client.copy(repo, copy, "1")
    assert done.returncode == 0, done.stderr


@every(NAMES)
def test_a_wrong_password_is_the_token_servers_business(client, tokens, repo):
    tokens.rights = {"ann": {repo: ALL}, "": {repo: ["pull"]}}
    client.login(ANN)
    assert client.push(repo, "1").returncode == 0
    client.logout()
    assert client.pull(repo, "1").returncode == 0, "without a password everybody may: it is the wrong one that counts"
    refused = client.login(Account("ann", "wrong"))
    if not client.checks_logins:
        refused = client.pull(repo, "1")
    assert refused.returncode != 0
    assert re.search("40[01]|unauthorized|invalid", refused.stderr), refused.stderr
