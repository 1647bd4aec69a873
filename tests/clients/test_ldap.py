"""People of an LDAP directory with real clients: name and password are those of the directory."""
import sys
from pathlib import Path

import pytest

from account_clients import CLIENTS
from accounts import Account, AccountsRegistry
from conftest import berth_binary, watched

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from slapd import PEOPLE, SERVICE, SERVICE_PASSWORD, Slapd  # noqa: E402

MODES = {"token": ["docker", "podman", "skopeo"], "basic": ["docker", "skopeo"]}
CASES = [(mode, name) for mode, names in MODES.items() for name in names]
ANN = Account("ann", "ann's own password")


@pytest.fixture(scope="module")
def directory(session_directory):
    slapd = Slapd(session_directory / "slapd")
    slapd.add_person(*ANN)
    yield slapd
    slapd.stop()


@pytest.fixture(scope="module")
def registries(session_directory, directory):
    """By mode: a registry in which nobody but its administrator has an account yet."""
    secret = session_directory / "ldap-password"
    secret.write_text(SERVICE_PASSWORD)
    secret.chmod(0o600)
    started = {}

    def get(mode):
        if mode not in started:
            registry = AccountsRegistry(berth_binary(), session_directory / f"ldap-{mode}", "--auth-mode", mode,
                                        "--ldap-urls", directory.url, "--ldap-user-base", PEOPLE, "--ldap-bind-dn",
                                        SERVICE, "--ldap-bind-password-file", str(secret))
            running = watched(registry.daemon)
            running.__enter__()
            started[mode] = registry, running
        return started[mode][0]
    yield get
    for _, running in started.values():
        running.__exit__(None, None, None)


@pytest.mark.parametrize(("mode", "name"), [
    pytest.param(mode, name, id=f"{name}-{mode}", marks=[pytest.mark.quick] if name == "skopeo" else [])
    for mode, name in CASES])
def test_a_person_of_the_directory_pushes_and_pulls(mode, name, registries, engines, scratch):
    registry = registries(mode)
    client = CLIENTS[name](registry.address, scratch, engines(name))
    repo, tag = f"ann/{name}", "1.0.0"
    wrong = client.login(Account(ANN.name, "not her password"))
    assert wrong.returncode != 0, "a wrong password"
    login = client.login(ANN)
    assert login.returncode == 0, login.stderr
    for done in (client.push(repo, tag), client.pull(repo, tag)):
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert client.push("other/app", tag).returncode != 0, "her own namespace only"
