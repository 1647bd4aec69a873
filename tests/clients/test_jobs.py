"""Jobs of a CI platform with real clients: the ID token is the password, the robot's name the user."""
import sys
from pathlib import Path

import pytest

from account_clients import CLIENTS
from accounts import Account, AccountsRegistry
from conftest import berth_binary, watched

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from id_issuer import Issuer, Key  # noqa: E402

AUDIENCE = "registry.example.com"
MODES = {"token": ["docker", "podman", "skopeo", "containerd", "crane", "oras", "helm", "regctl"],
         "basic": ["docker", "crane"]}
CASES = [(mode, name) for mode, names in MODES.items() for name in names]


@pytest.fixture(scope="module")
def issuer(session_directory):
    folder = session_directory / "issuer"
    folder.mkdir()
    issuer = Issuer(folder, Key(folder, "first"))
    yield issuer
    issuer.close()


@pytest.fixture(scope="module")
def registries(session_directory, issuer):
    """By mode: a registry in which acme+ci, that may push to acme/**, is whoever the issuer says is acme's job."""
    started = {}

    def get(mode):
        if mode not in started:
            registry = AccountsRegistry(berth_binary(), session_directory / f"jobs-{mode}", "--auth-mode", mode,
                                        "--auth-trusted-networks", "127.0.0.0/8")
            running = watched(registry.daemon)
            running.__enter__()
            started[mode] = registry, running
            owner = registry.add_user("acme")
            registry.ns = owner.name
            registry.robot = registry.add_robot(owner.name, "ci", **{f"{owner.name}/**": ["pull", "push"]})
            registry.api(201, "POST", f"namespaces/{owner.name}/trust", {
                "issuer": issuer.url, "audience": AUDIENCE, "robot": registry.robot.name,
                "claims": {"repository": "acme/*"}})
        return started[mode][0]
    yield get
    for _, running in started.values():
        running.__exit__(None, None, None)


@pytest.mark.parametrize(("mode", "name"), [
    pytest.param(mode, name, id=f"{name}-{mode}", marks=[pytest.mark.quick] if name in ("docker", "skopeo") else [])
    for mode, name in CASES])
def test_a_job_pushes_and_pulls_with_its_id_token(mode, name, registries, engines, scratch, issuer):
    registry = registries(mode)
    client = CLIENTS[name](registry.address, scratch, engines(name))
    repo, tag = f"{registry.ns}/{name}", "1.0.0"
    if client.checks_logins:
        stranger = client.login(Account(registry.robot.name, issuer.token(repository="evil/web")))
        assert stranger.returncode != 0, "a job of somebody else's"
    login = client.login(Account(registry.robot.name, issuer.token()))
    assert login is None or login.returncode == 0, login.stderr
    for done in (client.push(repo, tag), client.pull(repo, tag)):
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    beyond = client.push("other/app", tag)
    assert beyond.returncode != 0, "the robot's grants are what it may do"
