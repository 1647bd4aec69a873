"""Pods with image pull secrets: a kubernetes.io/dockerconfigjson secret, read as kubelet reads it, and PullImage of CRI.

The secret is the one that `berth k8s secret` prints. That it is what kubectl would have printed is a matter of
tests/cli/test_kubernetes.py: Debian 12 has no kubectl of these years.
"""
import base64
import itertools
import json

import pytest
import yaml

from accounts import Account
from conftest import berth_binary
from engines import ContainersStore
from processes import run

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def runtime(engines):
    return engines("cri")


@pytest.fixture(scope="module", params=["token", "basic"])
def registry(request, registries_with_accounts):
    return registries_with_accounts(request.param)


@pytest.fixture(scope="module")
def org(registry):
    return registry.add_org("cluster", registry.add_user("owner"))


@pytest.fixture
def robot(registry, org):
    """One for a cluster, which only pulls."""
    return registry.add_robot(org, f"pull{next(_numbers)}", **{f"{org}/**": ["pull"]})


@pytest.fixture
def image(registry, org):
    repo = f"{org}/app-{next(_numbers)}"
    digest = registry.as_(registry.ROOT).push_image(repo, "1.0.0", repo)
    return Image(f"{registry.address}/{repo}:1.0.0", f"{registry.address}/{repo}@{digest}")


class Image:
    def __init__(self, tagged, pinned):
        self.tagged, self.pinned = tagged, pinned


def secret_for(account, host):
    """The manifest that `kubectl apply` gets."""
    secret = yaml.safe_load(run(berth_binary(), "k8s", "secret", "regcred", "--registry", host, "--username",
                                account.name, "--password-stdin", stdin=account.secret))
    assert (secret["kind"], secret["type"]) == ("Secret", "kubernetes.io/dockerconfigjson")
    return secret


def config_in(secret):
    return base64.b64decode(secret["data"][".dockerconfigjson"]).decode()


def kubelet_credentials(secret, image):
    """What kubelet hands to the runtime for an image: user name and password of the entry for its host."""
    entry = json.loads(config_in(secret))["auths"][image.partition("/")[0]]
    assert base64.b64decode(entry["auth"]).decode() == f"{entry['username']}:{entry['password']}"
    return entry


def pull(runtime, image, secret):
    """As kubelet does for a container with imagePullPolicy: Always."""
    entry = kubelet_credentials(secret, image)
    return runtime.crictl("pull", "--creds", f"{entry['username']}:{entry['password']}", image, check=False)


def test_a_pod_pulls_by_tag_and_by_digest_with_the_secret_of_a_robot(runtime, registry, robot, image):
    secret = secret_for(robot, registry.address)
    for name in (image.tagged, image.pinned):
        done = pull(runtime, name, secret)
        assert done.returncode == 0, done.stderr
    listed = json.loads(runtime.crictl("images", "--output", "json"))["images"]
    assert [found for found in listed if image.tagged in found["repoTags"] and image.pinned in found["repoDigests"]]


def test_the_auth_string_of_the_secret_alone_is_enough(runtime, registry, robot, image):
    auth = kubelet_credentials(secret_for(robot, registry.address), image.tagged)["auth"]
    runtime.crictl("pull", "--auth", auth, image.tagged)


def test_a_pods_events_say_what_is_wrong_with_the_secret(runtime, registry, org, robot, image):
    secret = secret_for(robot, registry.address)
    assert pull(runtime, image.tagged, secret).returncode == 0
    registry.api(204, "DELETE", f"namespaces/{org}/robots/{robot.name}")
    gone = pull(runtime, image.tagged, secret)
    assert gone.returncode != 0 and "401 wrong user name or password" in gone.stderr, gone.stderr


def test_a_pod_with_a_wrong_password_is_told_so(runtime, registry, robot, image):
    wrong = pull(runtime, image.tagged, secret_for(Account(robot.name, "not its secret"), registry.address))
    assert wrong.returncode != 0 and "401 wrong user name or password" in wrong.stderr, wrong.stderr
    runtime.crictl("pull", "--creds", f"{robot.name}:{robot.secret}", image.tagged)


def test_a_rotated_secret_and_its_successor_both_pull(runtime, registry, org, robot, image):
    made = registry.api(201, "POST", f"namespaces/{org}/robots/{robot.name}/rotate", {})
    for account in (robot, Account(robot.name, made["secret"])):
        done = pull(runtime, image.tagged, secret_for(account, registry.address))
        assert done.returncode == 0, done.stderr


def test_other_clients_read_the_secret_as_their_own_file(registry, robot, image, scratch, quiet_home):
    file = scratch / "config.json"
    file.write_text(config_in(secret_for(robot, registry.address)))
    run("skopeo", "inspect", "--tls-verify=false", "--authfile", file, f"docker://{image.tagged}")
    ContainersStore(scratch / "store").podman("pull", "--tls-verify=false", "--authfile", file, image.tagged)
