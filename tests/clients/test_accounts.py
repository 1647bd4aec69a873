"""What every client does, and what its user gets to read, where a registry has accounts."""
import itertools
from typing import NamedTuple

import pytest

from account_clients import CLIENTS, Containerd, Crane, Docker, Podman
from accounts import Account, AccountsRegistry
from processes import eventually
from wiretap import Wiretap

TAG = "1.0.0"  # one that helm takes, too
MODES = {"token": list(CLIENTS), "basic": list(CLIENTS)}
QUICK = {("token", "docker"), ("token", "crane"), ("basic", "crane")}

# The sentences of the server, by situation. They are the same whether a repository exists or not (A10).
SAYS = {
    "anonymous": "authentication required to pull from {repo}",
    "stranger pulls": "{who} may not pull from {repo}: the right read is missing, which an owner of {ns} or an "
                      "administrator can grant",
    "stranger pushes": "{who} may not push to {repo}: the right write is missing, which an owner of {ns} or an "
                       "administrator can grant",
    "wrong password": "wrong user name or password",
    "old password": "wrong user name or password",
    "wrong login": "wrong user name or password",
    "push with a revoked token": "wrong user name or password",
    "push with an old password": "wrong user name or password",
    "tag exists": "the tag {tag} exists, and moving it needs the right overwrite on {repo}; push another tag, or ask "
                  "an owner of {ns} or an administrator for it",
    "delete": "{who} may not delete from {repo}: the right delete is missing, which an owner of {ns} or an "
              "administrator can grant",
}
SAYS_BASIC = {"stranger pulls": "no such repository, or {who} may not see it"}

# What a client shows in the place of the server's sentence, by client, or by client and mode.
CONTAINERD = {"anonymous": "repository does not exist or may require authorization",
              "stranger pulls": "repository does not exist or may require authorization",
              "stranger pushes": "insufficient_scope: authorization failed"}
NOT_FOUND = {"stranger pulls": "not found"}
CONTAINERS_LOGIN = {"wrong login": "invalid username/password"}
CONTAINERS_PUSH = {"stranger pushes": "requested access to the resource is denied"}


def pushed_in_vain(words):
    return dict.fromkeys(("push with a revoked token", "push with an old password"), words)


OWN_WORDS = {
    ("docker", "token"): {
        "anonymous": "repository does not exist or may require 'docker login'",
        "stranger pulls": "repository does not exist or may require 'docker login'",
        "stranger pushes": "denied: requested access to the resource is denied",
        "old password": "the refresh token is not valid; sign in again",
        "push with an old password": "the refresh token is not valid; sign in again"},
    ("docker", "basic"): {"anonymous": "no basic auth credentials", "wrong login": "failed with status: 401"},
    "podman": CONTAINERS_LOGIN, "buildah": CONTAINERS_LOGIN, "skopeo": CONTAINERS_LOGIN,
    ("podman", "token"): CONTAINERS_PUSH, ("buildah", "token"): CONTAINERS_PUSH, ("skopeo", "token"): CONTAINERS_PUSH,
    ("containerd", "token"): CONTAINERD, ("cri", "token"): CONTAINERD,
    # With a password it asks again and again, until it is told to wait for a second or gives up before.
    ("containerd", "basic"): {**NOT_FOUND, "push with an old password": "ctr: unexpected status: 4"},
    ("cri", "basic"): NOT_FOUND,
    # Before they push they ask for the manifest or a blob with a HEAD, whose answer has no body.
    **{(name, "basic"): pushed_in_vain("unauthorized: authentication required")
       for name in ("podman", "buildah", "skopeo")},
    ("crane", "basic"): pushed_in_vain("unexpected status code 401 Unauthorized"),
    ("crane", "token"): {"stranger pushes": "unexpected status code 401 Unauthorized"},
    ("oras", "token"): {"stranger pushes": "response status code 401: Unauthorized"},
    ("helm", "token"): {"stranger pushes": "response status code 401: Unauthorized"},
    **{(name, "basic"): {"anonymous": "basic credential not found", **NOT_FOUND,
                         **pushed_in_vain("response status code 401: Unauthorized")} for name in ("oras", "helm")},
    ("regctl", "basic"): NOT_FOUND,
    # It has one word for every 401; and a tag that it may not delete it tries to overwrite.
    "regctl": {**dict.fromkeys(SAYS, "unauthorized"), "delete": SAYS["tag exists"], "tag exists": SAYS["tag exists"]},
}


class Case(NamedTuple):
    """One client against a registry in one mode, and the people of that registry."""
    client: object
    name: str
    mode: str
    registry: AccountsRegistry
    ann: Account
    bob: Account
    org: str
    number: int

    def repo(self, owner="ann", stem="app"):
        namespace = self.org if owner == "org" else getattr(self, owner).name
        return f"{namespace}/{self.name}/{stem}-{self.number}"

    def refused(self, done, situation, repo, who=None):
        """The client failed, and its user reads the sentence for the situation, or what the client says instead."""
        __tracebackhide__ = True
        shown = done.stdout + done.stderr
        assert done.returncode != 0, f"not refused:\n{shown[-2000:]}"
        own = {**OWN_WORDS.get(self.name, {}), **OWN_WORDS.get((self.name, self.mode), {})}
        says = {**SAYS, **(SAYS_BASIC if self.mode == "basic" else {}), **own}[situation]
        sentence = says.format(repo=repo, ns=repo.partition("/")[0], tag=TAG, who=who.name if who else "")
        assert sentence in shown, f"expected: {sentence}\nshown:\n{shown[-2000:]}"


def done_well(done):
    __tracebackhide__ = True
    assert done is None or done.returncode == 0, (done.stdout + done.stderr)[-3000:]


@pytest.fixture(scope="module")
def people(registries_with_accounts):
    known = {}

    def get(mode):
        if mode not in known:
            registry = registries_with_accounts(mode)
            ann, bob = registry.add_user("ann"), registry.add_user("bob")
            known[mode] = registry, ann, bob, registry.add_org("acme", ann)
        return known[mode]
    return get


_numbers = itertools.count(1)


@pytest.fixture
def case(request, people, engines, scratch):
    mode, name = request.param
    registry, ann, bob, org = people(mode)
    client = CLIENTS[name](registry.address, scratch, engines(name))
    return Case(client, name, mode, registry, ann, bob, org, next(_numbers))


def every(wanted=lambda client: True):
    """Runs a test with every client that `wanted` accepts, in every mode it is run in."""
    cases = [(mode, name) for mode, names in MODES.items() for name in names if wanted(CLIENTS[name])]
    return pytest.mark.parametrize(
        "case", [pytest.param(case, marks=[pytest.mark.quick] if case in QUICK else [], id=f"{case[1]}-{case[0]}")
                 for case in cases], indirect=True)


@every(lambda client: client.checks_logins)
def test_login_takes_a_password_a_token_and_a_robot_and_says_what_is_wrong(case):
    eve = case.registry.add_user("eve")
    token, _ = case.registry.add_token(eve)
    robot = case.registry.add_robot(case.org, f"login{case.number}", **{f"{case.org}/**": ["pull"]})
    for account in (eve, token, Account("token", token.secret), robot):
        done_well(case.client.login(account))
    case.refused(case.client.login(Account(eve.name, "not my password")), "wrong login", case.repo())


@every()
def test_a_private_repository_is_pushed_and_pulled_signed_in_and_not_without(case):
    client, repo = case.client, case.repo()
    done_well(client.login(case.ann))
    if client.pushes:
        done_well(client.push(repo, TAG))
        assert case.registry.as_(case.ann).tags(repo) == [TAG]
    else:
        client.seed(case.registry.as_(case.ann), repo, TAG)
    done_well(client.pull(repo, TAG))
    client.logout()
    case.refused(client.pull(repo, TAG), "anonymous", repo)


@every()
def test_a_public_repository_is_pulled_by_everybody(case):
    repo = case.repo()
    case.client.seed(case.registry.as_(case.ann), repo, TAG)
    case.registry.make_public(repo)
    if (case.name, case.mode) == ("docker", "basic"):
        # To a registry that asks for Basic, docker sends nothing at all before it has a login.
        case.refused(case.client.pull(repo, TAG), "anonymous", repo)
    else:
        done_well(case.client.pull(repo, TAG))
    done_well(case.client.login(case.bob))
    done_well(case.client.pull(repo, TAG))


@every()
def test_a_stranger_is_told_the_same_of_what_exists_and_what_does_not(case):
    client, private, absent = case.client, case.repo(), case.repo(stem="absent")
    case.client.seed(case.registry.as_(case.ann), private, TAG)
    client.login(case.bob)
    for repo in (private, absent):
        case.refused(client.pull(repo, TAG), "stranger pulls", repo, case.bob)
        if client.pushes:
            case.refused(client.push(repo, TAG), "stranger pushes", repo, case.bob)


@every()
def test_a_revoked_token_ends_with_the_next_pull(case):
    repo = case.repo()
    case.client.seed(case.registry.as_(case.ann), repo, TAG)
    token, token_id = case.registry.add_token(case.ann)
    done_well(case.client.login(token))
    done_well(case.client.pull(repo, TAG))
    case.registry.revoke(case.ann, token_id)
    case.refused(case.client.pull(repo, TAG), "wrong password", repo, token)


@every(lambda client: client.pushes)
def test_a_revoked_token_ends_with_the_next_push(case):
    client, repo = case.client, case.repo()
    token, token_id = case.registry.add_token(case.ann)
    done_well(client.login(token))
    done_well(client.push(repo, TAG))
    case.registry.revoke(case.ann, token_id)
    case.refused(client.push(repo, "1.0.1"), "push with a revoked token", repo, token)
    assert case.registry.as_(case.ann).tags(repo) == [TAG]


@every(lambda client: client.pushes)
def test_a_wrong_password_pushes_nothing(case):
    """Most clients have it looked at before they keep it: it becomes wrong afterwards, for all of them."""
    eve = case.registry.add_user("eve")
    client, repo = case.client, f"{eve.name}/{case.name}/app"
    # From an address of its own: failures from one address slow down whoever comes from there.
    with Wiretap(case.registry.address, source=f"127.1.{case.number // 250}.{case.number % 250 + 1}") as tap:
        client.address = tap.address
        done_well(client.login(eve))
        done_well(client.push(repo, TAG))
        changed = Account(eve.name, "another battery, another horse")
        case.registry.api(204, "PUT", f"users/{eve.name}/password", {"new": changed.secret})
        case.refused(client.push(repo, "1.0.1"), "push with an old password", repo, eve)
    assert case.registry.as_(changed).tags(repo) == [TAG]


@every(lambda client: client in (Docker, Podman, Containerd, Crane))
def test_a_changed_password_ends_what_was_signed_in_with_the_old_one(case):
    eve = case.registry.add_user("eve")
    repo = f"{eve.name}/app"
    case.client.seed(case.registry.as_(eve), repo, TAG)
    done_well(case.client.login(eve))
    done_well(case.client.pull(repo, TAG))
    changed = Account(eve.name, "another battery, another horse")
    case.registry.api(204, "PUT", f"users/{eve.name}/password", {"new": changed.secret})
    case.refused(case.client.pull(repo, TAG), "old password", repo, eve)
    done_well(case.client.login(changed))
    done_well(case.client.pull(repo, TAG))


@every(lambda client: client.pushes)
def test_a_robot_pushes_new_tags_and_moves_none(case):
    client, repo = case.client, case.repo("org")
    robot = case.registry.add_robot(case.org, f"ci{case.number}", **{f"{case.org}/**": ["pull", "push"]})
    done_well(client.login(robot))
    done_well(client.push(repo, TAG))
    before = case.registry.as_(case.ann).manifest(repo, TAG).digest
    case.refused(client.push(repo, TAG), "tag exists", repo, robot)
    assert case.registry.as_(case.ann).manifest(repo, TAG).digest == before
    done_well(client.push(repo, "1.0.1"))


@every(lambda client: client.deletes)
def test_only_who_has_the_right_deletes(case):
    client, repo = case.client, case.repo()
    owner = case.registry.as_(case.ann)
    client.seed(owner, repo, TAG)
    digest = owner.manifest(repo, TAG).digest
    case.registry.grant(case.bob, repo, "read", "write")
    done_well(client.login(case.bob))
    case.refused(client.delete(repo, TAG), "delete", repo, case.bob)
    assert owner.manifest(repo, TAG).digest == digest
    done_well(client.login(case.ann))
    done_well(client.delete(repo, TAG))
    assert owner.status_of(repo, "manifests", TAG) == 404


@every(lambda client: client.catalog is not None)
def test_a_catalog_lists_what_one_may_read(case):
    names = {owner: case.repo(owner, "listed") for owner in ("ann", "bob", "org")}
    for repo in names.values():
        case.client.seed(case.registry.as_(case.registry.ROOT), repo, TAG)
    for account, sees in ((case.ann, {"ann", "org"}), (case.bob, {"bob"}), (case.registry.ROOT, set(names))):
        done_well(case.client.login(account))
        listed = case.client.catalog()
        done_well(listed)
        assert {owner for owner, repo in names.items() if repo in listed.stdout.split()} == sees


@every(lambda client: client.copies)
def test_layers_are_mounted_from_what_another_owner_lets_one_read(case):
    client, source, target = case.client, case.repo(), case.repo("bob")
    client.seed(case.registry.as_(case.ann), source, TAG)
    case.registry.grant(case.bob, source, "read")
    done_well(client.login(case.bob))
    done_well(client.pull(source, TAG))  # skopeo mounts what it has seen before, and engines what they hold
    done_well(client.copy(source, target, TAG))
    assert case.registry.as_(case.bob).tags(target) == [TAG]
    # X1: nothing else answers 201 to the start of an upload.
    eventually(5, "a mount in the log", lambda: ("POST", "upload_start", 201) in case.registry.requests_below(target))


@every(lambda client: client.keeps_images)
def test_a_mount_from_what_one_may_read_no_longer_becomes_an_upload(case):
    client, source, target = case.client, case.repo(), case.repo("bob")
    client.seed(case.registry.as_(case.ann), source, TAG)
    take_back = case.registry.grant(case.bob, source, "read")
    with Wiretap(case.registry.address) as tap:
        client.address = tap.address
        done_well(client.login(case.bob))
        done_well(client.pull(source, TAG))
        take_back()
        done_well(client.copy(source, target, TAG))
    assert (b"mount=sha256" in tap.requests) != client.looks_before_it_mounts
    assert case.registry.as_(case.bob).tags(target) == [TAG]
    eventually(5, "an upload in the log", lambda: ("POST", "upload_start", 202) in case.registry.requests_below(target))
    assert ("POST", "upload_start", 201) not in case.registry.requests_below(target)  # X2
