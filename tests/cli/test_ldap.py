"""Signing in with passwords of an LDAP directory: a server, and an OpenLDAP beside it."""

import base64
import contextlib
import json
import pathlib
import socket
import sys
import threading
import time

import pytest

from conftest import run
from test_trust import Registry

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from ports import free_port  # noqa: E402
from slapd import BASE, GROUPS, PEOPLE, SERVICE, SERVICE_PASSWORD, Authority, Slapd  # noqa: E402

ROOT = ("root", "the first of all passwords")
ANN = ("ann", "ann's own password")
WRONG = "wrong user name or password"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def directory(tmp_path_factory, authority):
    """Ann, and what tests add under names of their own."""
    slapd = Slapd(tmp_path_factory.mktemp("slapd"), authority.certificate("slapd", "IP:127.0.0.1"))
    slapd.ann = slapd.add_person(*ANN, cn="Ann Lee")
    slapd.add_group("devs", slapd.ann)
    slapd.add_group("ops")
    yield slapd
    slapd.stop()


class Directed(Registry):
    """A registry whose people are in a directory."""

    def status(self, name, password):
        """Of signing in as docker does."""
        return self.ask("GET", "/token?service=berth", who=(name, password))[0]

    def says(self, name, password):
        return json.dumps(self.ask("GET", "/token?service=berth", who=(name, password))[1])

    def signed_in_as(self, name, password):
        """The account's name, from the token."""
        status, document = self.ask("GET", "/token?service=berth", who=(name, password))
        assert status == 200, document
        claims = document["token"].split(".")[1]
        return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]

    def forget(self):
        """What was verified before: a change of the account does that."""
        for user in self.api(200, "GET", "users")["items"]:
            self.api(200, "PATCH", "users/" + user["name"], {"display_name": user["display_name"] + "."})

    def teams(self, org, user):
        teams = [team["name"].split("/")[1] for team in self.api(200, "GET", f"orgs/{org}/teams")["items"]]
        return [team for team in teams
                if user in [row["user"] for row in self.api(200, "GET", f"orgs/{org}/teams/{team}/members")["items"]]]


def settings(directory, folder, **changed):
    """Flags of berth serve, without those that are None."""
    secret = folder / "ldap-password"
    if not secret.exists():
        secret.write_text(SERVICE_PASSWORD + "\n")
        secret.chmod(0o600)
    values = {"urls": directory.url, "user_base": PEOPLE, "group_base": GROUPS, "bind_dn": SERVICE,
              "bind_password_file": secret, **changed}
    flags = []
    for key, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                flags += [f"--ldap-{key.replace('_', '-')}", str(one)]
    return flags


@pytest.fixture
def start(serve, tmp_path):
    """`start(directory, …settings)`: a registry whose people are in the directory."""
    def start(directory, teams=None, **changed):
        done = run("user", "add", ROOT[0], "--admin", "--password-stdin", "--data", str(tmp_path / "data"),
                   input=ROOT[1])
        assert done.returncode == 0, done.stderr
        if teams:
            link_groups(tmp_path / "data", teams)
        return Directed(serve(*settings(directory, tmp_path, **changed)))
    return start


def link_groups(data, teams):
    """Teams of the organisation acme, each with a group of the directory."""
    for args in [("create", "acme", "--owner", "root"), *(("team", "create", "acme", team) for team in teams),
                 *(("team", "groups", "acme", team, group) for team, group in teams.items())]:
        done = run("org", *args, "--data", str(data))
        assert done.returncode == 0, done.stderr


def test_names_and_passwords_of_the_directory_open_the_registry(start, directory):
    registry = start(directory)
    assert registry.signed_in_as(*ANN) == "ann"
    user = registry.api(200, "GET", "users/ann")
    assert user["email"] == "ann@acme.example" and user["display_name"] == "Ann Lee" and not user["admin"]
    assert registry.ask("POST", "/v2/ann/app/blobs/uploads/", "", who=ANN)[0] == 202
    entry = registry.api(200, "GET", "audit?limit=1&actor=ann&action=sign_in")["items"][0]
    assert entry["rule"] == "LDAP" and entry["allowed"] and entry["detail"]["issuer"] == "ldap:directory"


def test_what_is_wrong_is_refused_with_one_sentence(start, directory):
    registry = start(directory)
    directory.add_person("wendy", "wendy's own password")
    for name, password in [("wendy", "wrong"), ("wendy", ""), ("wendy", " "), ("nobody", "wendy's own password"),
                           ("", "wendy's own password"), ("berth", SERVICE_PASSWORD), ("wendy", "x" * 2000)]:
        status, document = registry.ask("GET", "/token?service=berth", who=(name, password))
        assert status == 401 and WRONG in json.dumps(document), (name, password, document)
    entry = registry.api(200, "GET", "audit?limit=1&actor=nobody")["items"][0]
    assert not entry["allowed"] and entry["rule"].startswith("LDAP: wrong password")
    assert registry.status(*ROOT) == 200


NAMES = ["*", "ivy*", "iv?", "ivy)(uid=*", "*)(uid=*))(|(uid=*", "ivy))%00", "ivy\0", "ivy\0*", "\\69vy", "ivy\n",
         "uid=ivy", f"uid=ivy,{PEOPLE}", "ivy@acme.example", "(ivy)", "ivy)", "ivy\\", "iv\u200by", "i" * 300]


def test_a_name_is_never_more_than_a_name(start, directory):
    registry = start(directory)
    directory.add_person("ivy", "ivy's own password")
    for name in NAMES:
        assert registry.status(name, "ivy's own password") == 401, name
    assert registry.signed_in_as("IVY", "ivy's own password") == "ivy", "names in directories have no case"


def test_a_name_that_several_have_is_nobodys(start, directory):
    registry = start(directory)
    directory.add(f"ou=branch,{PEOPLE}", objectClass="organizationalUnit", ou="branch")
    for under in (PEOPLE, f"ou=branch,{PEOPLE}"):
        directory.add_person("twin", "the twins' password", under=under)
    assert registry.status("twin", "the twins' password") == 401
    assert "uid=twin" in registry.server.wait_for("ldap.ambiguous")[0]["err"]


def test_wrong_passwords_are_slowed_down_for_an_entry_whatever_it_is_called(start, directory):
    registry = start(directory)
    directory.add_person("slow", "slow's own password")
    assert [registry.status(name, "wrong") for name in ("slow", "Slow", "sLow", "slOw", "sloW", "SLow")] == [401] * 6
    assert registry.status("SLOW", "slow's own password") == 429


@pytest.mark.parametrize("groups", ["attribute", "search"])
def test_groups_are_teams(start, directory, groups):
    dn = directory.add_person(f"gil-{groups}", "gil's own password")
    gil = (f"gil-{groups}", "gil's own password")
    directory.enter("devs", dn)
    directory.add(f"ou=other-{groups},{BASE}", objectClass="organizationalUnit", ou=f"other-{groups}")
    directory.add_group("ops", dn, under=f"ou=other-{groups},{BASE}")  # anybody's group of a name that counts
    registry = start(directory, {"dev": "devs", "ops": "ops"}, groups=groups)
    assert registry.signed_in_as(*gil) == gil[0]
    assert registry.teams("acme", gil[0]) == ["dev"]
    directory.leave("devs", dn)
    directory.enter("ops", dn)
    registry.forget()
    assert registry.signed_in_as(*gil) == gil[0]
    assert registry.teams("acme", gil[0]) == ["ops"]


def test_signs_that_mean_something_in_filters_mean_nothing_in_names_of_entries(start, directory):
    branch = f"ou=R\\, D (*) \\\\ \\#1,{PEOPLE}"
    directory.add(branch, objectClass="organizationalUnit", ou="R, D (*) \\ #1")
    dn = directory.add_person("odd", "odd's own password", under=branch)
    directory.add_group("Odd (all) *", dn)
    registry = start(directory, {"dev": "Odd (all) *"}, groups="search")
    assert registry.signed_in_as("odd", "odd's own password") == "odd"
    assert registry.teams("acme", "odd") == ["dev"]


def test_a_group_makes_administrators_and_unmakes_them(start, directory):
    dn = directory.add_person("adam", "adam's own password")
    directory.add_group("admins", dn)
    registry = start(directory, admin_group="admins")
    assert registry.signed_in_as("adam", "adam's own password") == "adam"
    assert registry.api(200, "GET", "users/adam", who=("adam", "adam's own password"))["admin"]
    directory.leave("admins", dn)
    registry.forget()
    assert registry.signed_in_as("adam", "adam's own password") == "adam"
    assert not registry.api(200, "GET", "users/adam")["admin"]


def test_signing_in_may_be_for_a_group_alone(start, directory):
    directory.add_person("out", "the password of out")
    registry = start(directory, allowed_groups=["other", "devs"])
    assert registry.signed_in_as(*ANN) == "ann"
    status, document = registry.ask("GET", "/token?service=berth", who=("out", "the password of out"))
    assert status == 403 and "members of certain groups" in json.dumps(document)
    registry.api(404, "GET", "users/out")


def test_accounts_need_not_be_made_by_signing_in(start, directory):
    registry = start(directory, create_accounts="false")
    status, document = registry.ask("GET", "/token?service=berth", who=ANN)
    assert status == 403 and "no account here" in json.dumps(document)
    registry.api(404, "GET", "users/ann")


def test_a_name_that_is_taken_here_is_not_taken_over(start, directory):
    registry = start(directory)
    registry.api(201, "POST", "users", {"name": "ann", "password": "another ann's password"})
    assert registry.status(*ANN) == 401, "the account here has a password here"
    directory.add_person("ann.lee", "a third password")
    registry.api(201, "POST", "users", {"name": "ann.lee", "password": "another ann's password"})
    assert registry.status("ann.lee", "a third password") == 401


def test_an_account_is_followed_when_its_name_changes(start, directory):
    dn = directory.add_person("maiden", "the same password")
    registry = start(directory)
    assert registry.signed_in_as("maiden", "the same password") == "maiden"
    directory.rename(dn, "uid=married")
    registry.forget()
    assert registry.signed_in_as("married", "the same password") == "maiden"
    assert registry.status("maiden", "the same password") == 401
    directory.add_person("maiden", "another person")
    status, document = registry.ask("GET", "/token?service=berth", who=("maiden", "another person"))
    assert status == 403 and "belongs to another account" in json.dumps(document)


def test_who_leaves_the_directory_is_out(start, directory):
    dn = directory.add_person("leaver", "leaver's own password")
    registry = start(directory)
    assert registry.status("leaver", "leaver's own password") == 200
    directory.remove(dn)
    registry.forget()
    assert registry.status("leaver", "leaver's own password") == 401


# ---- encryption

@pytest.mark.parametrize("changed", [{}, {"urls": "tls"}], ids=["StartTLS", "ldaps"])
def test_connections_are_encrypted(start, directory, authority, changed):
    urls = [directory.tls_url] if changed else [directory.url]
    registry = start(directory, urls=urls, ca_file=authority.path, start_tls="always")
    assert registry.signed_in_as(*ANN) == "ann"


def refuses(registry, why):
    status, document = registry.ask("GET", "/token?service=berth", who=ANN)
    assert status == 503 and "the directory" in json.dumps(document), document
    assert why not in json.dumps(document), "only the log says why"
    assert why in registry.server.wait_for("ldap.failed")[0]["err"]
    assert registry.status(*ROOT) == 200


def test_a_directory_without_starttls_gets_no_password(start, tmp_path):
    slapd = Slapd(tmp_path / "slapd")
    try:
        slapd.add_person(*ANN)
        refuses(start(slapd, start_tls="always"), "cannot encrypt (StartTLS)")
    finally:
        slapd.stop()


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_a_certificate_of_somebody_else_is_refused(start, directory, tmp_path, scheme):
    stranger = Authority(tmp_path, "stranger")
    registry = start(directory, urls=directory.url if scheme == "ldap" else directory.tls_url, start_tls="always",
                     ca_file=stranger.path)
    refuses(registry, directory.url if scheme == "ldap" else directory.tls_url)


def test_a_certificate_for_another_name_is_refused(start, authority, tmp_path):
    slapd = Slapd(tmp_path / "slapd", authority.certificate("other", "DNS:ldap.acme.example"))
    try:
        slapd.add_person(*ANN)
        refuses(start(slapd, start_tls="always", ca_file=authority.path), "cannot encrypt (StartTLS)")
    finally:
        slapd.stop()


# ---- what fails

def test_a_directory_that_is_away_keeps_out_its_own_people_only(start, tmp_path):
    slapd = Slapd(tmp_path / "slapd")
    try:
        slapd.add_person(*ANN)
        registry = start(slapd, urls=[f"ldap://127.0.0.1:{free_port()}", slapd.url])
        assert registry.signed_in_as(*ANN) == "ann", "by the second server"
        made = registry.api(201, "POST", "user/tokens", {"name": "laptop"}, who=ANN)
        slapd.stop()
        registry.forget()
        for _ in range(8):
            assert registry.status(*ANN) == 503
        assert registry.status(*ROOT) == 200
        assert registry.signed_in_as("ann", made["secret"]) == "ann", "access tokens are the registry's own"
        slapd.start()
        registry.server.wait_until(lambda: registry.status(*ANN) == 200, "sign-in after the outage")
    finally:
        slapd.stop()


@pytest.mark.parametrize(("scheme", "start_tls"), [("ldap", "never"), ("ldap", "always"), ("ldaps", "auto")])
def test_a_directory_that_says_nothing_is_waited_for_no_longer_than_is_set(start, directory, scheme, start_tls):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        registry = start(directory, urls=f"{scheme}://127.0.0.1:{silent.getsockname()[1]}", start_tls=start_tls,
                         connect_timeout="300ms", timeout="300ms")
        began = time.monotonic()
        assert registry.status(*ANN) == 503
        assert time.monotonic() - began < 10
        assert registry.status(*ROOT) == 200


def test_a_directory_that_agrees_to_starttls_and_says_nothing_more_is_not_waited_for(start, directory):
    agreed = bytes.fromhex("300c02010178070a010004000400")
    with socket.create_server(("127.0.0.1", 0)) as half:
        def agree():
            with contextlib.suppress(OSError), half.accept()[0] as peer:
                peer.recv(1000)
                peer.sendall(agreed)
                peer.recv(1)  # the beginning of the handshake
                release.wait(60)
        release = threading.Event()
        thread = threading.Thread(target=agree)
        thread.start()
        try:
            registry = start(directory, urls=f"ldap://127.0.0.1:{half.getsockname()[1]}", start_tls="always",
                             timeout="300ms")
            began = time.monotonic()
            assert registry.status(*ANN) == 503
            assert time.monotonic() - began < 10
            assert "cannot encrypt (StartTLS)" in registry.server.wait_for("ldap.failed")[0]["err"]
        finally:
            release.set()
            thread.join(60)


def test_a_wrong_service_account_is_nobodys_wrong_password(start, directory, tmp_path):
    secret = tmp_path / "wrong"
    secret.write_text("another password")
    secret.chmod(0o600)
    registry = start(directory, bind_password_file=secret)
    refuses(registry, "refuses " + SERVICE)
    secret.write_text(SERVICE_PASSWORD)
    registry.server.wait_until(lambda: registry.status(*ANN) == 200, "sign-in after the file was mended")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"user_base": None}, "ldap.user_base"),
        ({"user_base": "people"}, "is not a DN"),
        ({"user_filter": "(uid=ann)"}, "does not hold {name}"),
        ({"user_filter": "(uid={name}"}, "in parentheses"),
        ({"bind_password_file": None}, "set both, or neither"),
        ({"bind_password_file": "/dev/null/x"}, "cannot read /dev/null/x"),
        ({"bind_password_file": "/proc/self"}, "is not a file"),
        ({"ca_file": "/dev/null/x"}, "cannot read /dev/null/x"),
        ({"ca_file": "/proc/self"}, "cannot read /proc/self"),
        ({"groups": "off", "admin_group": "admins"}, "ldap.groups"),
        ({"groups": "search", "group_base": None}, "ldap.group_base"),
        ({"id_attribute": "a)(b"}, "no name of an attribute"),
        ({"urls": "ldap://a b"}, "not the address of a directory"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(directory, tmp_path, changed, says):
    done = run("serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"),
               *settings(directory, tmp_path, **changed))
    assert done.returncode != 0 and says in done.stderr, done.stderr


def test_a_password_file_that_others_may_read_is_refused(directory, tmp_path):
    flags = settings(directory, tmp_path)
    (tmp_path / "ldap-password").chmod(0o640)
    done = run("serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), *flags)
    assert done.returncode != 0 and "others may read" in done.stderr and SERVICE_PASSWORD not in done.stderr


# ---- berth ldap check

def check(directory, folder, *args, stdin=None, **changed):
    flags = settings(directory, folder, **changed)
    lines = ["[ldap]"]
    for flag, value in zip(flags[::2], flags[1::2]):
        key = flag.removeprefix("--ldap-").replace("-", "_")
        lines.append(f"{key} = {json.dumps([value] if key in ('urls', 'allowed_groups') else value)}")
    (folder / "server.toml").write_text("\n".join(lines) + "\n")
    return run("ldap", "check", "--config", str(folder / "server.toml"), *args, input=stdin)


def test_what_is_set_up_can_be_checked(directory, authority, tmp_path):
    done = check(directory, tmp_path, start_tls="always", ca_file=authority.path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"connected to {directory.url}, encrypted\nsigned in as {SERVICE}\n"
    done = check(directory, tmp_path, "--user", "ann")
    assert done.returncode == 0 and f"found {directory.ann}" in done.stdout
    assert "name of a new account: ann\n" in done.stdout and "groups: devs\n" in done.stdout
    done = check(directory, tmp_path, "--user", "ann", "--password-stdin", stdin=ANN[1])
    assert done.returncode == 0 and "the password is right\n" in done.stdout
    done = check(directory, tmp_path, "--user", "ann", "--password-stdin", stdin="wrong")
    assert done.returncode == 2 and "refuses the password" in done.stdout


def test_what_is_wrong_with_a_setup_is_said(directory, tmp_path):
    done = check(directory, tmp_path, "--user", "nobody")
    assert done.returncode == 2 and "nobody in ou=people" in done.stdout
    done = check(directory, tmp_path, "--user", "ann", allowed_groups="ops")
    assert done.returncode == 2 and "not let in" in done.stdout
    done = check(directory, tmp_path, urls=f"ldap://127.0.0.1:{free_port()}")
    assert done.returncode == 1 and "cannot connect" in done.stderr
    done = check(directory, tmp_path, "--user", "ann", user_base=f"ou=nowhere,{BASE}")
    assert done.returncode == 1 and "No such object" in done.stderr
    done = check(directory, tmp_path, "--user", "ann", id_attribute="employeeNumber")
    assert done.returncode == 1 and "has not exactly one employeeNumber" in done.stderr
    done = check(directory, tmp_path, urls=None)
    assert done.returncode == 1 and "ldap.urls is not set" in done.stderr
    done = check(directory, tmp_path, user_filter="(uid=ann)")
    assert done.returncode == 1 and "does not hold {name}" in done.stderr


# ---- looked up again

def test_an_access_token_does_not_outlive_the_entry(start, directory):
    dn = directory.add_person("tess", "tess's own password")
    registry = start(directory, recheck="1s")
    registry.status(*ANN)  # one of two may go
    made = registry.api(201, "POST", "user/tokens", {"name": "laptop"}, who=("tess", "tess's own password"))
    assert registry.signed_in_as("tess", made["secret"]) == "tess"
    directory.remove(dn)
    registry.server.wait_until(lambda: registry.status("tess", made["secret"]) == 401, "end of the token")
    assert registry.api(200, "GET", "users/tess")["disabled"]
    entry = registry.api(200, "GET", "audit?limit=1&action=account.disable")["items"][0]
    assert entry["target"] == "tess" and entry["rule"] == "LDAP: the entry is gone"
    assert registry.status(*ANN) == 200
