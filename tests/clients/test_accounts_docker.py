"""docker where a registry has accounts, beyond push and pull: builds, manifest lists, and what its login leaves behind."""
import itertools
import json
from pathlib import Path

import pytest

from account_clients import Docker
from engines import ContainersStore
from processes import run

_numbers = itertools.count(1)


@pytest.fixture(scope="module", params=["token", "basic"])
def registry(request, registries_with_accounts):
    return registries_with_accounts(request.param)


@pytest.fixture(scope="module")
def owner(registry):
    return registry.add_user("docker-owner")


@pytest.fixture
def repo(registry, owner):
    """A private repository with the tag 1.0."""
    repo = f"{owner.name}/app-{next(_numbers)}"
    registry.as_(owner).push_image(repo, "1.0", repo)
    return repo


@pytest.fixture
def docker(registry, engines, scratch):
    return Docker(registry.address, scratch, engines("docker"))


@pytest.fixture
def call(docker):
    return lambda *command: run("docker", *command, env=docker.environment)


def config_of(docker):
    return Path(docker.environment["DOCKER_CONFIG"]) / "config.json"


def test_a_build_pulls_its_private_base_with_the_login(docker, call, owner, repo):
    context = docker.fresh_path("context")
    context.mkdir()
    (context / "Dockerfile").write_text(f"FROM {docker.name(repo, '1.0')}\nLABEL made=here\n")
    refused = docker.run("docker", "build", "--quiet", "--pull", context)
    assert refused.returncode != 0
    assert "'docker login'" in refused.stderr or "no basic auth credentials" in refused.stderr, refused.stderr
    docker.login(owner)
    call("build", "--quiet", "--pull", "--tag", docker.name(repo, "1.1"), context)
    call("push", docker.name(repo, "1.1"))


def test_a_manifest_list_is_made_and_pushed_with_the_login(docker, call, registry, owner, repo):
    docker.login(owner)
    assert docker.push(repo, "amd64").returncode == 0
    call("manifest", "create", "--insecure", docker.name(repo, "multi"), docker.name(repo, "amd64"))
    call("manifest", "push", "--insecure", docker.name(repo, "multi"))
    assert "multi" in registry.as_(owner).tags(repo)


def test_the_login_of_docker_serves_the_other_clients(docker, registry, owner, repo, scratch):
    docker.login(owner)
    file, image = config_of(docker), docker.name(repo, "1.0")
    is_token = "identitytoken" in json.loads(file.read_bytes())["auths"][registry.address]
    asks_for_tokens = registry.request("GET", "/v2/").headers["WWW-Authenticate"].startswith("Bearer")
    assert is_token == asks_for_tokens, "docker keeps a refresh token where it can get one, else the password"
    assert owner.secret not in file.read_text()
    run("crane", "--insecure", "copy", image, docker.name(repo, "by-crane"), env=docker.environment)
    run("oras", "copy", "--no-tty", "--from-plain-http", "--to-plain-http", image, docker.name(repo, "by-oras"),
        env=docker.environment)
    run("skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--authfile", file,
        f"docker://{image}", f"docker://{docker.name(repo, 'by-skopeo')}")
    ContainersStore(scratch / "podman").podman("pull", "--tls-verify=false", "--authfile", file, image)
    assert registry.as_(owner).tags(repo) == ["1.0", "by-crane", "by-oras", "by-skopeo"]


@pytest.mark.parametrize("kind", ["token", "robot"])
def test_the_file_of_a_login_with_a_token_or_a_robot_is_a_pull_secret(docker, registry, owner, repo, engines, kind):
    """kubelet reads no refresh token: to those who sign in with something that can be revoked alone, none is given."""
    if kind == "token":
        account, _ = registry.add_token(owner)
    else:
        account = registry.add_robot(owner.name, f"pull{next(_numbers)}", **{f"{owner.name}/**": ["pull"]})
    docker.login(account)
    entry = json.loads(config_of(docker).read_bytes())["auths"][registry.address]
    assert "identitytoken" not in entry
    engines("cri").crictl("pull", "--auth", entry["auth"], docker.name(repo, "1.0"))


def test_logout_forgets_and_the_next_login_is_another_account(docker, registry, owner, repo):
    stranger = registry.add_user("docker-stranger")
    docker.login(owner)
    assert docker.pull(repo, "1.0").returncode == 0
    docker.logout()
    assert registry.address not in json.loads(config_of(docker).read_bytes()).get("auths", {})
    docker.login(stranger)
    assert docker.pull(repo, "1.0").returncode != 0
