"""Accounts from the command line: on the folder of a stopped registry, and through a running one after berth login."""

import base64
import concurrent.futures
import crypt
import datetime
import hashlib
import http.client
import json
import pathlib
import signal
import stat
import subprocess
import time

import pytest

from conftest import ANN, BERTH, BOB, SECONDS, Person, run


def bcrypt(password):
    """As an htpasswd file has it."""
    return crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=32))


@pytest.fixture
def registry(ann, serve):
    return f"localhost:{serve().port}"


@pytest.fixture
def signed_in(ann, registry):
    ann.ok("login", "-u", "ann", "--password-stdin", registry, given=ANN)
    ann.environment["BERTH_SERVER"] = registry
    return ann


def test_a_registry_with_accounts_may_listen_on_the_network_without_being_told_so(ann, serve, tmp_path):
    server = serve("--listen", "0.0.0.0:0")
    assert "no account" not in server.welcome()


def test_the_folder_is_for_nobody_else_to_read(ann, registry, tmp_path):
    for path in (tmp_path / "data").rglob("*"):
        assert path.stat().st_mode & stat.S_IRWXO == 0, path
    keys = list((tmp_path / "data/keys").iterdir())
    assert len(keys) == 1
    assert stat.S_IMODE(keys[0].stat().st_mode) == 0o600


def test_users_are_added_listed_changed_and_removed_while_nothing_runs(ann, tmp_path):
    data = ("--data", str(tmp_path / "data"))
    made_up = ann.ok("user", "add", "bob", *data)
    assert "Password (shown once): " in made_up
    assert ann.ok("user", "ls", *data).split()[5:] and "bob" in ann.ok("user", "ls", *data)
    for verb, key, value in (("disable", "disabled", True), ("enable", "disabled", False), ("promote", "admin", True),
                             ("demote", "admin", False)):
        ann.ok("user", verb, "bob", *data)
        assert json.loads(ann.ok("user", "show", "bob", "--format", "json", *data))[key] is value
    ann.ok("user", "passwd", "bob", "--password-stdin", *data, given=BOB)
    ann.ok("user", "rm", "bob", "--yes", *data)
    assert "there is no user 'bob'" in ann.refused("user", "show", "bob", *data)


@pytest.mark.parametrize("arguments, given, said", [
    (("add", "Ann"), BOB, "not a name"),
    (("add", "library"), BOB, "reserved"),
    (("add", "ann"), BOB, "taken"),
    (("add", "bob"), "short", "at least 8"),
    (("rm", "ann", "--yes"), "", "last administrator"),
    (("disable", "ann"), "", "last administrator"),
    (("demote", "ann"), "", "last administrator"),
])
def test_what_cannot_be_is_refused_with_a_sentence(ann, tmp_path, arguments, given, said):
    more = ("--password-stdin",) if arguments[0] == "add" else ()
    assert said in ann.refused("user", *arguments, *more, "--data", str(tmp_path / "data"), given=given)


def test_while_it_runs_the_folder_is_its_own(ann, registry, tmp_path):
    done = ann.berth("user", "ls", "--data", str(tmp_path / "data"))
    assert done.returncode == 75
    assert "--server" in done.stderr


def test_a_login_proves_the_password_and_keeps_no_password(ann, registry):
    assert "wrong user name or password" in ann.refused("login", "-u", "ann", "--password-stdin", registry, given="wrong")
    assert not (ann.home / ".docker/config.json").exists()
    done = ann.berth("login", "-u", "ann", "--password-stdin", registry, given=ANN)
    assert (done.returncode, done.stdout) == (0, "Login Succeeded\n")
    assert "WARNING! Your credentials are stored unencrypted" in done.stderr
    entry = ann.docker_config()["auths"][registry]
    assert base64.b64decode(entry["auth"]) == b"ann:"
    assert entry["identitytoken"].startswith("berth_ref_")
    assert stat.S_IMODE((ann.home / ".docker/config.json").stat().st_mode) == 0o600
    assert "Authenticating with existing credentials" in ann.berth("login", registry).stderr
    assert ann.ok("logout", registry) == f"Removing login credentials for {registry}\n"
    assert ann.ok("logout", registry) == f"Not logged in to {registry}\n"
    assert "berth login" in ann.refused("user", "ls", "--server", registry)


def test_a_login_leaves_the_rest_of_dockers_configuration_as_it_is(ann, registry):
    path = ann.home / ".docker/config.json"
    path.parent.mkdir()
    path.write_text('{"zeta":[1,2],"auths":{"other":{"auth":"eDp5"}},"alpha":{"deep":true}}')
    ann.ok("login", "-u", "ann", "--password-stdin", registry, given=ANN)
    text = path.read_text()
    assert list(json.loads(text)) == ["zeta", "auths", "alpha"]
    assert json.loads(text)["auths"]["other"] == {"auth": "eDp5"}
    assert '\n\t"zeta"' in text


@pytest.mark.parametrize("arguments, said", [
    (("--password-stdin",), "the --password-stdin option requires --username to be set"),
    ((), "Cannot perform an interactive login from a non TTY device"),
])
def test_login_says_what_docker_says(ann, registry, arguments, said):
    assert said in ann.refused("login", *arguments, registry)


def test_explain_tells_why_a_request_was_refused_and_how_it_is_by_now(signed_in, registry):
    signed_in.ok("user", "add", "bob", "--password-stdin", given=BOB)
    signed_in.ok("org", "create", "acme")
    line = http.client.HTTPConnection(registry, timeout=SECONDS)
    secret = base64.b64encode(f"bob:{BOB}".encode()).decode()
    line.request("POST", "/v2/acme/web/blobs/uploads/", headers={"Authorization": f"Basic {secret}"})
    refused = line.getresponse()
    assert refused.status == 403
    name = refused.headers["X-Request-Id"]
    signed_in.ok("grant", "add", "bob", "acme/web", "write")  # written after it
    said = signed_in.ok("explain", name)
    assert " bob from 127.0.0.1 was refused pull,push on acme/web:\nbob may not push to acme/web: the right write" in said
    assert "By now, whatever token is used: bob may push acme/web: the grant " in said
    assert signed_in.ok("explain", name, "--format", "{{.Actor}} {{.Action}} {{.Target}}") == "bob pull,push acme/web\n"
    assert "no refusal to a request of that name is on record" in signed_in.refused("explain", "none-1")


def test_texts_of_others_do_not_command_the_terminal(signed_in):
    evil = "x\x1b[31mred\nforged/row   public\x07\x9b2J"
    signed_in.ok("repo", "create", "ann/web", "--description", evil)
    signed_in.ok("token", "create", "--name", evil)
    for command in (("repo", "ls"), ("repo", "show", "ann/web"), ("token", "ls")):
        said = signed_in.ok(*command)
        assert "x?[31mred?forged/row" in said and not set("\x1b\x07\x9b") & set(said), said
        assert len(said.splitlines()) == 2, said
    assert json.loads(signed_in.ok("repo", "show", "ann/web", "--format", "json"))["description"] == evil


def test_names_that_are_empty_are_refused_before_anything_is_asked(signed_in):
    for command in (("repo", "show", ""), ("user", "rm", ""), ("token", "revoke", ""), ("explain", ""),
                    ("explain", "ann", "", "ann/web"), ("token", "create", "--expires", ""), ("logout", "http://a:s3cr@h")):
        said = signed_in.refused(*command)
        assert "nothing at this address" not in said and "s3cr" not in said, said
    assert "one namespace" in signed_in.refused("grant", "add", "ann", "**", "read")


def test_a_name_that_is_a_namespace_and_a_repository_is_asked_about(signed_in):
    signed_in.ok("org", "create", "plain")
    signed_in.ok("repo", "create", "plain")
    assert "--repository" in signed_in.refused("repo", "set", "plain", "--visibility", "public")
    signed_in.ok("repo", "set", "plain", "--visibility", "public", "--repository")
    assert "public" in signed_in.ok("repo", "show", "plain")
    assert "Changed the namespace plain" in signed_in.ok("repo", "set", "plain", "--visibility", "internal", "--namespace")
    signed_in.ok("repo", "set", "plain", "--description", "all of it")
    assert "read" in signed_in.ok("explain", "plain")


def test_explain_of_a_repository_alone_tells_what_one_may_do_with_it(signed_in):
    rows = signed_in.ok("explain", "acme/web").splitlines()
    assert [row.split()[:2] for row in rows[1:]] == [[right, "yes"] for right in ("read", "write", "overwrite", "delete", "admin")]
    assert all("ann is an administrator of the registry" in row for row in rows[1:])


def test_organisations_teams_and_grants(signed_in):
    signed_in.ok("user", "add", "bob", "--password-stdin", given=BOB)
    signed_in.ok("org", "create", "acme")
    signed_in.ok("org", "member", "add", "acme", "bob")
    assert "bob is writer of acme now" in signed_in.ok("org", "member", "role", "acme", "bob", "writer")
    signed_in.ok("org", "member", "role", "acme", "bob", "--role", "reader")
    signed_in.ok("org", "team", "create", "acme", "devs")
    signed_in.ok("org", "team", "add", "acme", "devs", "bob")
    assert "bob" in signed_in.ok("org", "team", "members", "acme", "devs")
    assert "bob may not push acme/web" in signed_in.ok("explain", "bob", "push", "acme/web")
    assert "bob may pull acme/web: bob is a reader of acme" in signed_in.ok("explain", "bob", "pull", "acme/web")
    assert "bob may not admin acme: no office gives it" in signed_in.ok("explain", "bob", "admin", "acme")
    assert "ann may appoint owners of acme: ann is an administrator" in signed_in.ok("explain", "ann", "owners", "acme")
    assert "bob may not admin the registry: no office gives it" in signed_in.ok("explain", "bob", "admin")
    signed_in.ok("grant", "add", "acme/devs", "acme/web-*", "--allow", "write,overwrite")
    said = signed_in.ok("explain", "bob", "push", "acme/web-shop")
    assert "bob may push acme/web-shop: the grant" in said and "to the team acme/devs" in said
    signed_in.ok("grant", "add", "bob", "acme/web-secret", "--deny", "read")
    assert "may not pull" in signed_in.ok("explain", "bob", "pull", "acme/web-secret")
    rows = [json.loads(line) for line in signed_in.ok("grant", "ls", "acme", "--format", "json").splitlines()]
    assert {row["repo"]: (row["allow"], row["deny"]) for row in rows} == {
        "acme/web-*": (["write", "overwrite"], []), "acme/web-secret": ([], ["read"])}
    signed_in.ok("grant", "rm", "acme", rows[0]["id"])
    signed_in.ok("org", "team", "drop", "acme", "devs", "bob")
    signed_in.ok("org", "member", "rm", "acme", "bob")
    assert "last owner" in signed_in.refused("org", "member", "rm", "acme", "ann")
    signed_in.ok("org", "rm", "acme", "--force")
    assert "acme" not in signed_in.ok("org", "ls")


def test_robots_are_made_rotated_and_removed(signed_in):
    signed_in.ok("org", "create", "acme")
    said = signed_in.ok("robot", "create", "acme+ci", "--repo", "acme/*:pull,push", "--expires", "90d",
                        "--description", "the builds")
    secret = said.split("Secret (shown once): ")[1].strip()
    assert secret.startswith("berth_rob_")
    assert secret not in signed_in.ok("robot", "ls", "acme")
    robot = signed_in.berth("login", "-u", "acme+ci", "--password-stdin", signed_in.environment["BERTH_SERVER"], given=secret)
    assert robot.returncode == 0, robot.stderr
    rotated = signed_in.ok("robot", "rotate", "acme+ci", "--overlap", "0s")  # it is the robot now who is signed in
    assert "berth_rob_" in rotated and secret not in rotated
    signed_in.ok("login", "-u", "ann", "--password-stdin", signed_in.environment["BERTH_SERVER"], given=ANN)
    assert "berth_rob_" in signed_in.ok("robot", "rotate", "acme+ci", "--overlap", "1h")
    assert "two live secrets" in signed_in.refused("robot", "rotate", "acme+ci", "--overlap", "1h")
    assert "berth_rob_" in signed_in.ok("robot", "rotate", "acme+ci", "--overlap", "0s")
    signed_in.ok("robot", "rm", "acme+ci", "--yes")


class Robot:
    """A machine that has its secret in a file, made as the arguments say."""

    def __init__(self, owner, name, *flags):
        self.owner, self.file = owner, owner.home / f"{name}.secret"
        self.keep(owner.ok("robot", "create", name, "--format", "{{.Secret}}", *flags))

    def keep(self, said):
        assert said.startswith("berth_rob_") and said.count("\n") == 1, said
        self.file.write_text(said)

    def berth(self, *args):
        return self.owner.berth(*args, BERTH_TOKEN_FILE=str(self.file))

    def is_let_in(self):
        return self.berth("repo", "ls").returncode == 0


def test_a_robot_rotates_its_own_secret_and_no_other(signed_in):
    signed_in.ok("org", "create", "acme")
    robot, other = Robot(signed_in, "acme+ci"), Robot(signed_in, "acme+cd")
    before = robot.file.read_text()
    robot.keep(robot.berth("robot", "rotate", "acme+ci", "--overlap", "0s", "--format", "{{.Secret}}").stdout)
    assert robot.file.read_text() != before
    assert robot.is_let_in()
    stolen = robot.berth("robot", "rotate", "acme+cd")
    assert stolen.returncode == 1 and "there is no such thing, or you may not see it" in stolen.stderr
    assert other.is_let_in()
    robot.file.write_text(before)
    assert not robot.is_let_in(), "without overlap the one before is over"
    plain = Robot(signed_in, "build-bot", "--namespace", "acme")
    plain.keep(plain.berth("robot", "rotate", "build-bot", "--format", "{{.secret}}").stdout)
    assert plain.is_let_in(), "it needs no namespace to name itself"


def test_a_dry_run_tells_and_changes_nothing(signed_in):
    signed_in.ok("user", "add", "bob", "--password-stdin", given=BOB)
    signed_in.ok("org", "create", "acme", "--owner", "ann")
    signed_in.ok("org", "member", "add", "acme", "bob", "--role", "reader")
    signed_in.ok("org", "team", "create", "acme", "devs")
    signed_in.ok("robot", "create", "acme+ci", "--repo", "acme/**:pull")
    token = json.loads(signed_in.ok("token", "create", "--format", "json"))["id"]
    grant = json.loads(signed_in.ok("grant", "add", "bob", "acme/x", "read", "--format", "json"))["id"]
    for words in (("robot", "disable", "acme+ci"), ("robot", "rm", "acme+ci"), ("user", "disable", "bob"),
                  ("user", "signout", "bob"), ("user", "rm", "bob"), ("grant", "rm", "acme", grant),
                  ("token", "revoke", token), ("org", "team", "rm", "acme", "devs"),
                  ("org", "member", "rm", "acme", "bob"), ("org", "rm", "acme")):
        said = signed_in.ok(*words, "--dry-run")
        assert said.startswith("Nothing was changed. Without --dry-run: "), said
        plan = json.loads(signed_in.ok(*words, "--dry-run", "--format", "json"))
        assert plan["dry_run"] is True
    assert "  secrets: 1\n  grants: 1\n" in signed_in.ok("robot", "rm", "acme+ci", "--dry-run")
    assert "last owner" in signed_in.refused("org", "member", "rm", "acme", "ann", "--dry-run")
    assert json.loads(signed_in.ok("user", "show", "bob", "--format", "json"))["disabled"] is False
    for words in (("robot", "rm", "acme+ci", "-y"), ("token", "revoke", token), ("org", "rm", "acme", "-f"),
                  ("user", "rm", "bob", "--yes")):
        assert "Nothing was changed" not in signed_in.ok(*words)


def test_an_error_of_the_registry_is_an_object_with_its_code(signed_in):
    for words, code in ((("org", "rm", "none", "--yes"), "account_unknown"), (("user", "add", "ann"), "already_exists"),
                        (("user", "disable", "ann"), "state_conflict")):
        done = signed_in.berth(*words, BERTH_ERRORS="json")
        assert done.returncode == 1 and json.loads(done.stderr)["error"]["code"] == code, done.stderr


REMOVALS = {"robot acme+ci": ("robot", "rm", "acme+ci"), "team acme/devs": ("org", "team", "rm", "acme", "devs"),
            "organisation acme": ("org", "rm", "acme"), "user bob": ("user", "rm", "bob")}


def test_what_no_command_brings_back_is_asked_about(signed_in):
    signed_in.ok("user", "add", "bob", "--password-stdin", given=BOB)
    signed_in.ok("org", "create", "acme", "--owner", "ann")
    signed_in.ok("org", "team", "create", "acme", "devs")
    signed_in.ok("robot", "create", "acme+ci", "--repo", "acme/**:pull")
    for what, words in REMOVALS.items():
        said = signed_in.refused(*words)
        assert f"this removes {what} for good" in said and "--yes" in said, said
        for no in ("n\n", "\n", "\x04"):
            code, said = signed_in.at_terminal(*words, given=no)
            assert code == 0 and f"This removes {what} for good." in said and said.endswith("Nothing was changed.\n"), said
    code, said = signed_in.at_terminal("robot", "rm", "acme+ci", given="y\n")
    assert code == 0 and "  secrets: 1\n  grants: 1\n" in said and "Removed robot acme+ci" in said
    code, said = signed_in.at_terminal("robot", "rm", "acme+ci", given="y\n")
    assert code == 1 and "there is no robot" in said and "Go on?" not in said
    assert json.loads(signed_in.ok("org", "team", "rm", "acme", "devs", "--yes", "--format", "json")) == {
        "message": "Removed team acme/devs"}
    assert "no field 'nme'" in signed_in.refused("org", "rm", "acme", "--yes", "--format", "{{.nme}}")
    assert signed_in.ok("org", "rm", "acme", "--yes", "--format", "{{.Message}}!") == "Removed organisation acme!\n"


def test_a_team_tells_its_groups_and_loses_them_only_when_told_to(signed_in):
    signed_in.ok("org", "create", "acme")
    signed_in.ok("org", "team", "create", "acme", "devs")
    signed_in.ok("org", "team", "groups", "acme", "devs", "developers", "interns")
    for _ in range(2):
        shown = json.loads(signed_in.ok("org", "team", "groups", "acme", "devs", "--format", "json"))
        assert shown["groups"] == ["developers", "interns"]
    assert "--none" in signed_in.refused("org", "team", "groups", "acme", "devs", "x", "--none")
    signed_in.ok("org", "team", "groups", "acme", "devs", "--none")
    assert json.loads(signed_in.ok("org", "team", "groups", "acme", "devs", "--format", "json"))["groups"] == []


def test_a_person_shows_himself_and_changes_his_own_password(signed_in, registry, tmp_path):
    signed_in.ok("user", "add", "bob", "--password-stdin", given=BOB)
    bob = Person(tmp_path / "bob")
    bob.environment["BERTH_SERVER"] = registry
    bob.ok("login", "-u", "bob", "--password-stdin", registry, given=BOB)
    assert json.loads(bob.ok("user", "show", "--format", "json"))["name"] == "bob"
    assert "needs an administrator" in bob.refused("user", "passwd", "ann", "--password-stdin", given="whatever 1")
    assert "the current password is not right" in bob.refused("user", "passwd", "--password-stdin",
                                                              given="wrong\nbob's secret 2\n")
    said = bob.ok("user", "passwd", "--password-stdin", given=BOB + "\nbob's secret 2\n")
    assert "has to sign in again" in said
    assert "wrong user name or password" in bob.refused("login", "-u", "bob", "--password-stdin", registry, given=BOB)
    bob.ok("login", "-u", "bob", "--password-stdin", registry, given="bob's secret 2")
    code, said = bob.in_dialog("user", "passwd", answers=[("Current password: ", "bob's secret 2\n"), (
        "New password: ", "bob's secret 3\n"), ("Again: ", "bob's secret 3\n")])
    assert code == 0 and "Changed your password" in said, said


def test_a_password_that_is_piped_is_taken_and_only_a_new_user_gets_one_without(ann, serve, tmp_path):
    data = ("--data", str(tmp_path / "data"))
    assert "shown once" not in ann.ok("user", "add", "bob", *data, given=BOB + "\n")
    assert "no password was given" in ann.refused("user", "passwd", "bob", *data)
    assert "shown once" in ann.ok("user", "add", "eve", *data)
    assert "shown once" in ann.ok("user", "passwd", "eve", "--generate", *data, given="not this one")
    assert "who is named" in ann.refused("user", "passwd", "--generate", *data)
    ann.ok("user", "passwd", "ann", *data, given="ann's secret 2")
    registry = f"localhost:{serve().port}"
    for name, password in (("bob", BOB), ("ann", "ann's secret 2")):
        ann.ok("login", "-u", name, "--password-stdin", registry, given=password)


def test_a_registry_that_is_asked_too_often_is_one(ann, serve):
    server = serve("--limits-subject-requests", "1", "--limits-subject-requests-burst", "1")
    said = [ann.berth("login", "-u", "ann", "--password-stdin", f"localhost:{server.port}", given="x").stderr
            for _ in range(4)]
    assert any("is asked too often" in text and "try again in" in text for text in said), said
    assert not any("is not a registry" in text for text in said), said


def test_a_file_with_a_secret_that_others_can_read_is_warned_of(signed_in):
    file = signed_in.home / "token"
    file.write_text(signed_in.ok("token", "create", "--format", "{{.Secret}}"))
    for mode, warned in ((0o600, False), (0o640, True), (0o604, True)):
        file.chmod(mode)
        done = signed_in.berth("user", "show", BERTH_TOKEN_FILE=str(file))
        assert done.returncode == 0 and ("chmod 600" in done.stderr) is warned, (oct(mode), done.stderr)


def test_a_token_is_ended_by_its_number(signed_in):
    signed_in.ok("token", "create", "--name", "laptop")
    assert "berth token ls shows them" in signed_in.refused("token", "revoke", "laptop")


def test_teams_are_a_command_of_their_own_too(signed_in):
    signed_in.ok("org", "create", "acme")
    signed_in.ok("team", "create", "acme", "devs")
    assert signed_in.ok("team", "ls", "acme") == signed_in.ok("org", "team", "ls", "acme") == "TEAM\nacme/devs\n"


def test_a_login_that_is_over_is_told_with_what_helps(signed_in, registry):
    for row in signed_in.ok("user", "sessions", "--format", "{{.Id}}").split():
        signed_in.berth("user", "sessions", "--revoke", row)
    assert f"berth login {registry}" in signed_in.refused("user", "show")


def test_an_end_of_input_at_the_first_password_leaves_nothing(tmp_path):
    eve = Person(tmp_path / "eve")
    words = ("user", "add", "eve", "--admin", "--data", str(tmp_path / "new"))
    code, said = eve.in_dialog(*words, answers=[("Password for eve: ", "\x04")])
    assert code == 1 and "no password was given" in said and not (tmp_path / "new").exists()
    code, said = eve.in_dialog(*words, answers=[("Password for eve: ", "eve's secret 1\n"), ("Again: ", "eve's secret 1\n")])
    assert code == 0 and "Created user eve (administrator)" in said, said


def test_a_password_that_is_typed_for_all_to_see_is_taken_with_dockers_warning(ann, registry):
    done = ann.berth("login", "-u", "ann", "-p", ANN, registry)
    assert (done.returncode, done.stdout) == (0, "Login Succeeded\n")
    assert "WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n" in done.stderr
    assert ann.berth("login", "-u", "ann", "-p", ANN, "--password-stdin", registry, given=ANN).returncode == 1


def test_a_robot_is_disabled_enabled_and_given_another_end(signed_in):
    signed_in.ok("org", "create", "acme")
    robot = Robot(signed_in, "acme+ci", "--expires", "90d")

    def shown():
        return json.loads(signed_in.ok("robot", "ls", "acme", "--format", "json"))

    def days_left():
        return (datetime.datetime.fromisoformat(shown()["expires_at"]) - datetime.datetime.now(datetime.UTC)).days

    assert days_left() == 89
    assert signed_in.ok("robot", "disable", "acme+ci") == "Disabled robot acme+ci\n"
    assert shown()["disabled"] is True and not robot.is_let_in()
    assert "acme+ci may not pull acme/web: acme+ci is disabled\n" in signed_in.ok("explain", "acme+ci", "pull", "acme/web")
    signed_in.ok("robot", "enable", "acme+ci")
    assert shown()["disabled"] is False and robot.is_let_in()
    assert signed_in.ok("robot", "extend", "acme+ci", "--expires", "180d") == "Robot acme+ci ends in 180d\n"
    assert days_left() == 179 and robot.is_let_in()
    signed_in.ok("robot", "extend", "acme+ci", "--expires", "never")
    assert shown()["expires_at"] is None and robot.is_let_in()
    assert "--expires is required" in signed_in.refused("robot", "extend", "acme+ci")
    for wrong in ("soon", "1s", ""):
        assert signed_in.berth("robot", "extend", "acme+ci", "--expires", wrong).returncode == 1
    assert robot.berth("robot", "extend", "acme+ci", "--expires", "9d").returncode == 1
    assert "there is no robot 'acme+none'" in signed_in.refused("robot", "disable", "acme+none")


def test_an_answer_says_what_the_secret_leaves_and_who_could_change_it(signed_in):
    assert signed_in.ok("explain", "ann", "push", "ann/app:1.0") == (
        "ann may push ann/app:1.0: the tag 1.0 is new: ann is an administrator of the registry\n"
        "This can be changed by another administrator.\n")
    file = signed_in.home / "token"
    file.write_text(signed_in.ok("token", "create", "--name", "laptop", "--scope", "ann/*:read", "--format", "{{.Secret}}"))
    assert signed_in.ok("explain", "ann", "push", "ann/app", BERTH_TOKEN_FILE=str(file)) == (
        "ann may not push ann/app: the token 'laptop' that asks is narrowed to ann/*:read\n"
        "This can be changed by ann, by another token.\n")
    assert "about its own account" in signed_in.refused("explain", "anonymous", "pull", "ann/app", BERTH_TOKEN_FILE=str(file))
    assert signed_in.ok("explain", "anonymous", "pull", "ann/app", "--format", "{{.Subject}} {{.Right}} {{.Allowed}}") == (
        "anonymous read no\n")


FORMATS = [
    (("user", "ls"), "{{.Name}} {{.Admin}}", "ann yes\nbob no\n"),
    (("user", "ls"), r"{{.name}}\t{{.HasPassword}}", "ann\tyes\nbob\tyes\n"),
    (("user", "show", "bob"), "<{{ .DisplayName }}>", "<>\n"),
    (("org", "ls"), "{{.Name}} is {{.Visibility}}", "acme is private\n"),
    (("org", "member", "ls", "acme"), "{{.User}}", "ann\n"),
    (("robot", "ls", "acme"), "{{.Name}} {{.ExpiresAt}} {{.live_secrets}}", "acme+ci  1\n"),
    (("grant", "ls", "acme"), "{{.Subject}}: {{.Allow}}", "acme+ci: read,write\n"),
    (("trust", "ls", "acme"), "{{.ID}}", ""),
    (("robot", "disable", "acme+ci"), "{{.Name}} {{.Disabled}}", "acme+ci yes\n"),
    (("audit", "verify"), "{{.Whole}}", "yes\n"),
]


def test_a_template_says_how_to_print(signed_in):
    signed_in.ok("user", "add", "bob", "--password-stdin", given=BOB)
    signed_in.ok("org", "create", "acme")
    signed_in.ok("robot", "create", "acme+ci", "--repo", "acme/*:pull,push")
    for command, template, said in FORMATS:
        assert signed_in.ok(*command, "--format", template) == said, command
    wrong = signed_in.berth("user", "ls", "--format", "{{.Name}} {{.Age}}")
    assert wrong.returncode == 1 and wrong.stdout == ""
    assert "there is no field 'Age' here; the fields are name, admin, disabled, email, created_at" in wrong.stderr
    assert "no field" in signed_in.refused("trust", "ls", "acme", "--format", "{{.Nmae}}"), "also where nothing is listed"
    for text in ("yaml", "{{.Name", "{{Name}}"):
        assert signed_in.berth("user", "ls", "--format", text).returncode == 125, text


def test_a_slip_in_a_template_loses_no_secret(signed_in):
    signed_in.ok("org", "create", "acme")
    for command in (("robot", "create", "acme+ci"), ("token", "create")):
        assert "no field 'Secert'" in signed_in.refused(*command, "--format", "{{.Secert}}")
    assert signed_in.ok("robot", "ls", "acme", "--format", "json") == signed_in.ok("token", "ls", "--format", "json") == ""
    signed_in.ok("robot", "create", "acme+ci")
    assert "no field 'Secert'" in signed_in.refused("robot", "rotate", "acme+ci", "--format", "{{.Secert}}")
    assert signed_in.ok("robot", "ls", "acme", "--format", "{{.LiveSecrets}}") == "1\n"


def test_ones_own_sessions_are_listed_and_ended(signed_in, tmp_path):
    registry = signed_in.environment["BERTH_SERVER"]
    phone = Person(tmp_path / "phone")
    phone.ok("login", "-u", "ann", "--password-stdin", registry, given=ANN)
    signed_in.ok("login-password", "--registry", registry)
    listed = [json.loads(line) for line in signed_in.ok("user", "sessions", "--format", "json").splitlines()]
    assert [(row["kind"], row["current"]) for row in listed] == [("login", True), ("login", False), ("short_lived", False)]
    for arguments in (("--all",), ("--revoke",), ("--revoke", listed[1]["id"], "--all")):
        assert signed_in.berth("user", "sessions", *arguments).returncode == 1, arguments
    assert phone.berth("user", "ls", "--server", registry).returncode == 0
    said = signed_in.ok("user", "sessions", "--revoke", listed[1]["id"])
    assert said == f"Ended session {listed[1]['id']}\n"
    assert phone.berth("user", "ls", "--server", registry).returncode != 0
    assert "you have no session" in signed_in.refused("user", "sessions", "--revoke", listed[1]["id"])
    assert signed_in.ok("user", "sessions", "--format", "{{.Kind}}") == "login\nshort_lived\n"
    assert "access tokens stay" in signed_in.ok("user", "sessions", "--revoke", "--all")
    assert signed_in.berth("user", "sessions").returncode != 0, "this login was one of them"


def test_the_owner_of_a_folder_is_signed_in_nowhere(ann, tmp_path):
    assert "--server" in ann.refused("user", "sessions", "--data", str(tmp_path / "data"))


def test_access_tokens_are_made_shown_once_and_revoked(signed_in):
    said = signed_in.ok("token", "create", "--name", "laptop", "--scope", "ann/*:read", "--expires", "30d")
    secret = said.split("Secret (shown once): ")[1].strip()
    listed = json.loads(signed_in.ok("token", "ls", "--format", "json"))
    assert secret not in json.dumps(listed)
    assert listed["scopes"] == ["ann/*:read"]
    file = signed_in.home / "token"
    file.write_text(secret)
    narrow = signed_in.refused("user", "ls", BERTH_TOKEN_FILE=str(file))
    assert "the scope admin:read is not among" in narrow
    wider = signed_in.home / "wider"
    wider.write_text(signed_in.ok("token", "create", "--scope", "admin:read", "--scope", "user", "--format", "{{.Secret}}"))
    assert "ann" in signed_in.ok("user", "ls", BERTH_TOKEN_FILE=str(wider))
    assert "admin:write" in signed_in.refused("user", "disable", "ann", BERTH_TOKEN_FILE=str(wider))
    assert "narrowed to user, admin:read" in signed_in.ok("explain", "ann", "admin", "ann", BERTH_TOKEN_FILE=str(wider))
    assert "is not a scope" in signed_in.refused("token", "create", "--scope", "everything")
    signed_in.ok("token", "revoke", listed["id"])
    assert f"the secret in {file} is not valid any more" in signed_in.refused("repo", "ls", BERTH_TOKEN_FILE=str(file))
    file.write_text("\n")
    assert f"there is no token in {file}" in signed_in.refused("repo", "ls", BERTH_TOKEN_FILE=str(file))


def test_certificates_are_a_servers_however_it_is_named(signed_in, tmp_path):
    (tmp_path / "ca.pem").write_text("of nobody")
    flags = ("--ca-file", str(tmp_path / "ca.pem"))
    registry = signed_in.environment["BERTH_SERVER"]
    assert "no certificates in" in signed_in.refused("user", "ls", *flags)
    assert "ann" in signed_in.ok("user", "ls", *flags, BERTH_SERVER=f"http://{registry}"), "which needs none"
    for words in (("--data", str(tmp_path / "data")), ()):
        done = signed_in.berth("user", "ls", *flags, *words, BERTH_SERVER="" if not words else registry)
        assert done.returncode == 1 and "$BERTH_SERVER" in done.stderr, done.stderr


def test_a_token_says_itself_whose_it_is(signed_in):
    registry = signed_in.environment["BERTH_SERVER"]
    secret = signed_in.ok("token", "create", "--name", "laptop").split("Secret (shown once): ")[1].strip()
    other = Person(signed_in.home.parent / "other")
    other.environment["BERTH_SERVER"] = registry
    other.ok("login", "--token-stdin", registry, given=secret)
    assert "laptop" in other.ok("token", "ls")
    for more in (("-u", "ann"), ("--web",), ("--password-stdin",)):
        assert "a token alone" in other.refused("login", "--token-stdin", *more, registry, given=secret)


def test_a_login_of_podman_counts_too(signed_in):
    registry = signed_in.environment["BERTH_SERVER"]
    other = Person(signed_in.home.parent / "other")
    other.environment["BERTH_SERVER"] = registry
    assert "not signed in" in other.refused("user", "ls")
    auth = base64.b64encode(f"ann:{ANN}".encode()).decode()
    files = {"XDG_RUNTIME_DIR": other.home / "run/containers/auth.json",
             "REGISTRY_AUTH_FILE": other.home / "my-auth.json",
             "HOME": other.home / ".config/containers/auth.json"}
    for variable, file in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"auths": {registry: {"auth": auth}}}))
        value = {"XDG_RUNTIME_DIR": other.home / "run", "REGISTRY_AUTH_FILE": file, "HOME": other.home}[variable]
        assert "ann" in other.ok("user", "ls", **{variable: str(value)}), variable
        file.unlink()


@pytest.mark.parametrize("host, tool", [("1.dkr.ecr.eu-west-1.amazonaws.com", "aws ecr"), ("gcr.io", "gcloud"),
                                        ("europe-docker.pkg.dev", "gcloud"), ("acme.azurecr.io", "az acr")])
def test_others_registries_have_their_own_way_to_short_lived_passwords(ann, host, tool):
    assert tool in ann.refused("login-password", "--registry", host)


def test_a_password_for_one_login(signed_in):
    registry = signed_in.environment["BERTH_SERVER"]
    for verb in ("get-login-password", "login-password"):
        secret = signed_in.ok(verb, "--registry", registry, "--ttl", "1h").strip()
        assert secret.startswith("berth_lgn_") and "\n" not in secret
    other = Person(signed_in.home.parent / "other")
    other.ok("login", "-u", "ann", "--password-stdin", registry, given=secret)
    assert "a minute to twelve hours" in signed_in.refused("login-password", "--registry", registry, "--ttl", "13h")


@pytest.fixture
def helper(ann):
    """docker-credential-berth on the PATH; what the command links beside the program is taken away again."""
    folder = ann.home / "bin"
    folder.mkdir()
    (folder / "docker-credential-berth").symlink_to(pathlib.Path(BERTH).resolve())
    ann.environment["PATH"] = f"{folder}:{ann.environment['PATH']}"
    before = set(pathlib.Path(BERTH).parent.glob("docker-credential-berth"))
    yield str(folder / "docker-credential-berth")
    for made in set(pathlib.Path(BERTH).parent.glob("docker-credential-berth")) - before:
        made.unlink()


def kept_by_the_helper(person):
    return json.loads((person.home / ".config/berth/credentials.json").read_text())["hosts"]


def test_docker_asks_the_credential_helper(signed_in, helper):
    registry = signed_in.environment["BERTH_SERVER"]
    assert "credHelpers" in signed_in.ok("configure-docker", registry, "--dry-run")
    assert "credHelpers" not in signed_in.docker_config()
    moved = signed_in.berth("configure-docker", registry, "--yes")
    assert moved.returncode == 0 and f"the login to {registry} moved" in moved.stderr, moved.stderr
    config = signed_in.docker_config()
    assert config["credHelpers"] == {registry: "berth"}
    assert registry not in config["auths"], "what was in the open moved along"

    given = json.loads(signed_in.ok("get", program=helper, given=registry))
    assert given["Username"] == "token" and given["Secret"].startswith("berth_lgn_")
    assert json.loads(signed_in.ok("get", program=helper, given=registry)) == given, "kept while it is good"
    assert json.loads(signed_in.ok("list", program=helper)) == {registry: "ann"}
    unknown = signed_in.berth("get", program=helper, given="other.example.com")
    assert (unknown.returncode, unknown.stdout) == (1, "credentials not found in native keychain\n")
    store = signed_in.home / ".config/berth/credentials.json"
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert "ann" in signed_in.ok("user", "ls"), "berth itself asks it, too"
    signed_in.ok("logout", registry)
    assert json.loads(signed_in.ok("list", program=helper)) == {}
    assert "--yes" in signed_in.refused("configure-docker", registry, "--remove"), "nobody is there to agree"
    nothing_lost = signed_in.berth("configure-docker", registry, "--remove", "--yes")
    assert nothing_lost.returncode == 0 and "signed out" not in nothing_lost.stderr, nothing_lost.stderr
    assert signed_in.docker_config()["credHelpers"] == {}


def test_nobody_is_not_signed_in(ann, serve):
    registry = f"localhost:{serve().port}"
    for typed in ("\n", "\x04"):
        code, said = ann.at_terminal("login", registry, given=typed)
        assert code != 0 and "no user name was given" in said
    for given in ("\n", ""):
        assert "no password was given" in ann.refused("login", "-u", "ann", "--password-stdin", registry, given=given)
    assert not (ann.home / ".docker/config.json").exists()


def test_what_is_stored_without_a_name_is_no_login(ann, serve):
    registry = f"localhost:{serve('--anonymous', 'read').port}"
    (ann.home / ".docker").mkdir()
    config = ann.home / ".docker/config.json"
    for pair in (":x", "ann:", ":"):
        config.write_text(json.dumps({"auths": {registry: {"auth": base64.b64encode(pair.encode()).decode()}}}))
        assert "you are not signed in" in ann.refused("repo", "ls", "--server", registry), pair
        code, said = ann.at_terminal("login", registry, given="\n")
        assert code != 0 and "existing credentials" not in said, pair


def test_the_helper_keeps_nothing_without_a_name(ann, helper):
    nameless = json.dumps({"ServerURL": "reg.example.com", "Username": "", "Secret": "x"})
    assert "no user name" in ann.refused("store", program=helper, given=nameless)
    assert json.loads(ann.ok("list", program=helper)) == {}


def test_the_end_of_the_input_agrees_to_nothing(signed_in, helper):
    registry = signed_in.environment["BERTH_SERVER"]
    before = signed_in.docker_config()
    signed_in.at_terminal("configure-docker", registry, given="\x04")
    assert "--yes" in signed_in.refused("configure-docker", registry)
    assert signed_in.docker_config() == before


def test_berth_needs_no_link_on_the_path_to_ask_itself(signed_in, helper):
    registry = signed_in.environment["BERTH_SERVER"]
    signed_in.ok("configure-docker", registry, "--yes")
    pathlib.Path(helper).unlink()
    assert "ann" in signed_in.ok("user", "ls")
    signed_in.ok("logout", registry)
    assert kept_by_the_helper(signed_in) == {}


def test_docker_is_configured_for_all_that_one_is_signed_in_to(signed_in, helper):
    registry = signed_in.environment["BERTH_SERVER"]
    path = signed_in.home / ".docker/config.json"
    config = signed_in.docker_config()
    config["auths"] |= {"other.example.com": {"auth": "eDp5"}, "ours.example.com": {}}
    config["credHelpers"] = {"ours.example.com": "ecr-login"}
    path.write_text(json.dumps(config))
    assert signed_in.berth("configure-docker", registry, "--all").returncode != 0, "one or the other"
    said = signed_in.ok("configure-docker", "--all", "--yes")
    assert registry in said and "other.example.com" in said and "ours.example.com" not in said
    assert signed_in.docker_config()["credHelpers"] == {
        "ours.example.com": "ecr-login", registry: "berth", "other.example.com": "berth"}
    signed_in.ok("configure-docker", "--all", "--remove", "--yes")
    assert signed_in.docker_config()["credHelpers"] == {"ours.example.com": "ecr-login"}
    assert "asks berth for no registry" in signed_in.refused("configure-docker", "--all", "--remove")
    assert "or --all" in signed_in.refused("configure-docker")


def test_docker_is_configured_again_without_losing_the_login(signed_in, helper):
    registry = signed_in.environment["BERTH_SERVER"]
    signed_in.ok("configure-docker", registry, "--yes")
    kept = kept_by_the_helper(signed_in)[registry]
    assert kept["refresh"] and kept["secret"].startswith("berth_ref_")
    signed_in.ok("get", program=helper, given=registry)
    signed_in.ok("configure-docker", registry, "--yes")
    assert kept_by_the_helper(signed_in)[registry]["secret"] == kept["secret"], "not the password made with it"
    lost = signed_in.berth("configure-docker", registry, "--remove", "--yes")
    assert f"you are signed out of {registry}; sign in anew: berth login {registry}" in lost.stderr
    assert kept_by_the_helper(signed_in) == {}, "nobody would look for it any more"


def test_what_a_keychain_of_the_system_keeps_is_not_copied_into_a_file(signed_in, helper):
    registry = signed_in.environment["BERTH_SERVER"]
    vault = pathlib.Path(helper).parent / "docker-credential-vault"
    vault.write_text("#!/bin/sh\nread -r host\n"
                     "printf '{\"ServerURL\":\"%s\",\"Username\":\"ann\",\"Secret\":\"kept-in-a-vault\"}' \"$host\"\n")
    vault.chmod(0o755)
    path = signed_in.home / ".docker/config.json"
    path.write_text(json.dumps({"credsStore": "vault"}))
    done = signed_in.berth("configure-docker", registry, "--yes")
    assert done.returncode == 0 and "stays there" in done.stderr, done.stderr
    assert signed_in.docker_config()["credHelpers"] == {registry: "berth"}
    assert not (signed_in.home / ".config/berth/credentials.json").exists()


def test_a_login_stays_where_it_is_if_it_cannot_be_moved(signed_in, helper, tmp_path):
    registry = signed_in.environment["BERTH_SERVER"]
    before = signed_in.docker_config()
    open_key = tmp_path / "open.key"
    open_key.write_text(base64.b64encode(bytes(32)).decode())
    open_key.chmod(0o644)
    assert "others may read" in signed_in.refused("configure-docker", registry, "--yes",
                                                  BERTH_CREDENTIALS_KEY_FILE=str(open_key))
    assert signed_in.docker_config() == before


def test_a_login_is_forgotten_though_the_registry_is_away(ann, helper, serve):
    server = serve()
    address = f"localhost:{server.port}"
    ann.ok("login", "-u", "ann", "--password-stdin", address, given=ANN)
    ann.ok("configure-docker", address, "--yes")
    server.stop()
    assert "Removing" in ann.ok("logout", address)
    assert kept_by_the_helper(ann) == {}
    assert "Not logged in" in ann.ok("logout", address)


def test_the_helper_hands_out_a_password_for_an_hour_instead_of_a_lasting_secret(signed_in, helper):
    registry = signed_in.environment["BERTH_SERVER"]
    secret = signed_in.ok("token", "create", "--name", "laptop").split("Secret (shown once): ")[1].strip()
    signed_in.ok("configure-docker", registry, "--yes")
    signed_in.ok("store", program=helper, given=json.dumps({"ServerURL": registry, "Username": "ann", "Secret": secret}))
    given = json.loads(signed_in.ok("get", program=helper, given=registry))
    assert given["Username"] == "token" and given["Secret"].startswith("berth_lgn_")
    foreign = json.dumps({"ServerURL": "other.example.com", "Username": "ann", "Secret": "of another registry"})
    signed_in.ok("store", program=helper, given=foreign)
    assert json.loads(signed_in.ok("get", program=helper, given="other.example.com"))["Secret"] == "of another registry"


def test_a_helper_that_drips_is_ended(signed_in, helper):
    slow = pathlib.Path(helper).parent / "docker-credential-slow"
    slow.write_text("#!/bin/sh\nwhile :; do printf x; sleep 1; done\n")
    slow.chmod(0o755)
    (signed_in.home / ".docker/config.json").write_text(json.dumps({"credsStore": "slow"}))
    assert "does not answer" in signed_in.refused("login-password", "--registry", signed_in.environment["BERTH_SERVER"])


def test_the_credential_helpers_file_is_encrypted_if_there_is_a_key(ann, tmp_path):
    helper = tmp_path / "docker-credential-berth"
    helper.symlink_to(pathlib.Path(BERTH).resolve())
    store, key = ann.home / ".config/berth/credentials.json", tmp_path / "keys/berth.key"

    def keep(host, secret, **environment):
        ann.ok("store", program=str(helper), given=json.dumps({"ServerURL": host, "Username": "ann", "Secret": secret}),
               **environment)

    keep("one.example.com", "hidden-one")
    assert "hidden-one" in store.read_text()
    with_key = {"BERTH_CREDENTIALS_KEY_FILE": str(key)}
    keep("two.example.com", "hidden-two", **with_key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600, "made with the first use"
    text = store.read_text()
    assert list(json.loads(text)) == ["sealed"]
    for word in ("hidden", "example.com", "ann"):
        assert word not in text, "what was there before, too"
    for host, secret in (("one.example.com", "hidden-one"), ("two.example.com", "hidden-two")):
        assert json.loads(ann.ok("get", program=str(helper), given=host, **with_key))["Secret"] == secret

    other = tmp_path / "other.key"
    other.write_text(base64.b64encode(bytes(32)).decode())
    other.chmod(0o600)
    open_key = tmp_path / "open.key"
    open_key.write_text(base64.b64encode(bytes(32)).decode())
    open_key.chmod(0o644)
    no_key = tmp_path / "no.key"
    no_key.write_text("a password")
    no_key.chmod(0o600)
    for named, says in (("", "set BERTH_CREDENTIALS_KEY_FILE"), (other, "another key"), (open_key, "others may read"),
                        (no_key, "32 bytes in Base64"), (tmp_path / "gone.key", "key is not there")):
        refused = ann.berth("get", program=str(helper), given="one.example.com", BERTH_CREDENTIALS_KEY_FILE=str(named))
        assert refused.returncode == 1 and says in refused.stdout and "hidden" not in refused.stdout, refused.stdout
    assert not (tmp_path / "gone.key").exists()
    sealed = json.loads(text)["sealed"]
    for broken in (sealed[:20], ("B" if sealed[0] == "A" else "A") + sealed[1:], "?"):
        store.write_text(json.dumps({"sealed": broken}))
        assert "cannot be decrypted" in ann.berth("get", program=str(helper), given="one.example.com", **with_key).stdout


def test_programs_that_want_the_first_key_at_once_get_the_same(ann, tmp_path):
    helper = tmp_path / "docker-credential-berth"
    helper.symlink_to(pathlib.Path(BERTH).resolve())
    with_key = {"BERTH_CREDENTIALS_KEY_FILE": str(tmp_path / "keys/berth.key")}
    hosts = [f"r{number}.example.com" for number in range(8)]
    with concurrent.futures.ThreadPoolExecutor(len(hosts)) as pool:
        list(pool.map(lambda host: ann.ok("store", program=str(helper), **with_key, given=json.dumps(
            {"ServerURL": host, "Username": "ann", "Secret": "x"})), hosts))
    assert json.loads(ann.ok("list", program=str(helper), **with_key)) == {host: "ann" for host in hosts}
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["berth.key"], "no draft is left"


def test_the_record_of_what_was_done_is_whole_until_somebody_changes_it(signed_in, tmp_path):
    signed_in.ok("user", "add", "bob", "--password-stdin", given=BOB)
    rows = [json.loads(line) for line in signed_in.ok("audit", "ls", "--format", "json").splitlines()]
    assert {"createUser", "sign_in"} <= {row["action"] for row in rows}
    assert BOB not in json.dumps(rows)
    verified = json.loads(signed_in.ok("audit", "verify", "--format", "json"))
    assert verified["whole"] is True and verified["entries"] >= 3
    exported = [json.loads(line) for line in signed_in.ok("audit", "export").splitlines()]
    assert [line["seq"] for line in exported] == list(range(1, len(exported) + 1))
    for now, before in zip(exported[1:], exported):
        assert now["prev"] == before["hash"]
    database = str(tmp_path / "data/meta.db")
    subprocess.run(["sqlite3", database, "UPDATE audit SET actor = 'nobody' WHERE seq = 2"], check=True)
    done = signed_in.berth("audit", "verify")
    assert done.returncode == 2 and "entry 2 was changed" in done.stdout
    subprocess.run(["sqlite3", database, "DELETE FROM audit WHERE seq = 2"], check=True)
    assert "entries 2 to 2 are missing" in signed_in.berth("audit", "verify").stdout


def test_what_was_cut_off_at_the_end_shows_against_a_head_kept_elsewhere(signed_in, tmp_path):
    end = time.monotonic() + SECONDS
    while '"refresh token"' not in signed_in.ok("audit", "export"):  # the command's own sign-in, written a moment later
        assert time.monotonic() < end
    head = json.loads(signed_in.ok("audit", "verify", "--format", "json"))["head"]
    signed_in.ok("audit", "verify", "--head", head)
    subprocess.run(["sqlite3", str(tmp_path / "data/meta.db"), f"DELETE FROM audit WHERE hash = X'{head}'"], check=True)
    assert "not in the log any more" in signed_in.berth("audit", "verify", "--head", head).stdout
    for no_head in ("", head[:12], head + "0", head.upper()):
        done = signed_in.berth("audit", "verify", "--head", no_head)
        assert done.returncode == 1 and "64 hexadecimal digits" in done.stderr, "a slip is no alarm"


def test_a_slip_in_a_head_is_seen_before_anything_is_read(tmp_path):
    for no_head in ("", "9fe690fe", "z" * 64, "a" * 63 + "&"):
        done = run("audit", "verify", "--head", no_head, "--data", str(tmp_path / "none"))
        assert done.returncode == 1 and "64 hexadecimal digits" in done.stderr, (no_head, done.stderr)
        assert done.stdout == ""


def ask(server, path, authorization):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    connection.request("GET", path, headers={"Authorization": authorization})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def kid_of(token):
    head = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]


def test_a_new_key_signs_after_a_hang_up_and_the_old_tokens_stay_good(ann, serve, tmp_path):
    server = serve()
    by_password = "Basic " + base64.b64encode(f"ann:{ANN}".encode()).decode()

    def fetch_token():
        status, body = ask(server, "/token?scope=registry:catalog:*", by_password)
        assert status == 200, body
        return json.loads(body)["token"]

    def published():
        return [key["kid"] for key in json.loads(ask(server, "/.well-known/jwks.json", by_password)[1])["keys"]]

    old = fetch_token()
    assert published() == [kid_of(old)]
    said = ann.ok("keys", "rotate", "--data", str(tmp_path / "data"))
    assert "after SIGHUP" in said
    assert kid_of(fetch_token()) == kid_of(old), "before it is told so"
    server.process.send_signal(signal.SIGHUP)
    server.wait_for("config.reloaded")
    new = fetch_token()
    assert kid_of(new) != kid_of(old)
    assert f"New key {kid_of(new)}." in said
    assert sorted(published()) == sorted([kid_of(old), kid_of(new)])
    for token in (old, new):
        assert ask(server, "/v2/_catalog", f"Bearer {token}")[0] == 200
    assert ask(server, "/v2/_catalog", f"Bearer {old[:-8]}AAAAAAAA")[0] == 401
    status, body = ask(server, "/api/v1/audit?action=keys.rotated", by_password)
    assert [(row["actor"], row["detail"]) for row in json.loads(body)["items"]] == [
        ("(owner of the data folder)", {"signing": kid_of(new), "keys": 2})]


def push(server, repo):
    """A blob is enough to have the repository."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    digest = "sha256:" + hashlib.sha256(b"x").hexdigest()
    connection.request("POST", f"/v2/{repo}/blobs/uploads/?digest={digest}", b"x",
                       {"Authorization": "Basic " + base64.b64encode(f"ann:{ANN}".encode()).decode()})
    assert connection.getresponse().status == 201
    connection.close()


def test_repositories_are_searched_shown_and_described(ann, serve):
    server = serve()
    registry = f"localhost:{server.port}"
    ann.ok("login", "-u", "ann", "--password-stdin", registry, given=ANN)
    ann.environment["BERTH_SERVER"] = registry
    for repo in ("ann/web", "ann/web-shop", "ann/api"):
        push(server, repo)

    def names(*search):
        return [json.loads(line)["name"] for line in ann.ok("repo", "ls", *search, "--format", "json").splitlines()]

    assert names() == ["ann/api", "ann/web", "ann/web-shop"]
    assert names("web") == ["ann/web", "ann/web-shop"]
    assert names("shop") == ["ann/web-shop"]
    assert names("a&limit=1") == [], "what is typed is searched for"

    def shown(key):
        return json.loads(ann.ok("repo", "show", "ann/web", "--format", "json"))[key]

    ann.ok("repo", "set", "ann/web", "--description", "Our site", "--visibility", "public")
    assert (shown("description"), shown("visibility")) == ("Our site", "public")
    ann.ok("repo", "set", "ann/web", "--description", "")
    assert (shown("description"), shown("visibility")) == ("", "public")
    for arguments, said in ((("ann", "--description", "Mine"), "ann is a namespace"),
                            (("ann/web",), "say what to change")):
        done = ann.berth("repo", "set", *arguments)
        assert done.returncode == 1 and said in done.stderr, done.stderr


def test_visibility_of_a_namespace_is_what_its_new_repositories_get(signed_in):
    signed_in.ok("org", "create", "acme")
    signed_in.ok("repo", "set", "acme", "--visibility", "public")
    assert "acme   public" in signed_in.ok("org", "ls")
    assert "there is no such thing" in signed_in.refused("repo", "set", "acme/none", "--visibility", "public")


def test_how_new_namespaces_begin_is_a_setting(ann, serve):
    address = f"localhost:{serve('--auth-visibility', 'internal').port}"
    ann.environment["BERTH_SERVER"] = address
    ann.ok("login", "-u", "ann", "--password-stdin", address, given=ANN)
    ann.ok("org", "create", "acme")
    assert "acme   internal" in ann.ok("org", "ls")


def test_only_an_owner_makes_owners_and_only_an_administrator_robots_with_plain_names(signed_in):
    registry = signed_in.environment["BERTH_SERVER"]
    for name in ("bob", "eve"):
        signed_in.ok("user", "add", name, "--password-stdin", given=BOB)
    signed_in.ok("org", "create", "acme")
    signed_in.ok("org", "member", "add", "acme", "bob", "--role", "admin")
    bob = Person(signed_in.home.parent / "bob")
    bob.environment["BERTH_SERVER"] = registry
    bob.ok("login", "-u", "bob", "--password-stdin", registry, given=BOB)
    for role in ("owner", "reader"):
        assert "only an owner of acme" in bob.refused("org", "member", "add", "acme", "ann", "--role", role)
    assert "only an owner of acme" in bob.refused("org", "member", "add", "acme", "bob", "--role", "owner")
    assert "only an owner of acme" in bob.refused("org", "member", "rm", "acme", "ann")
    bob.ok("org", "member", "add", "acme", "eve", "--role", "writer")
    assert "plain names" in bob.refused("robot", "create", "payroll", "--namespace", "acme")
    bob.ok("robot", "create", "acme+builder")
    signed_in.ok("robot", "create", "payroll", "--namespace", "acme")


def test_invitations_are_every_administrators_to_see_and_take_back(ann, serve):
    server = serve("--auth-sign-up", "invite")
    address = f"localhost:{server.port}"
    ann.environment["BERTH_SERVER"] = address
    ann.ok("login", "-u", "ann", "--password-stdin", address, given=ANN)
    ann.ok("user", "add", "root", "--admin", "--password-stdin", given=BOB)
    secret = ann.ok("user", "invite", "--note", "for dora").strip()
    assert secret.startswith("berth_inv_")
    root = Person(ann.home.parent / "root")
    root.environment["BERTH_SERVER"] = address
    root.ok("login", "-u", "root", "--password-stdin", address, given=BOB)
    listed = json.loads(root.ok("user", "invites", "--format", "json"))
    assert (listed["note"], listed["created_by"]) == ("for dora", "ann") and "secret" not in listed
    root.ok("user", "uninvite", listed["id"])
    assert "there is no open invitation" in root.refused("user", "uninvite", listed["id"])
    assert root.ok("user", "invites", "--format", "json") == ""


def test_what_was_done_to_accounts_is_told_in_the_format_that_is_asked_for(signed_in):
    def told(*arguments, given=""):
        return json.loads(signed_in.ok("user", *arguments, "--format", "json", given=given))

    made = told("add", "carl")
    assert (made["name"], made["admin"]) == ("carl", False) and len(made["password"]) == 20
    assert told("add", "dora", "--password-stdin", given=BOB)["password"] is None
    assert len(told("passwd", "carl", "--generate")["password"]) == 20
    assert told("passwd", "carl", "--password-stdin", given=BOB) == {"name": "carl", "password": None}
    assert told("disable", "carl")["disabled"] is True
    assert told("signout", "carl") == {"name": "carl"}
    assert told("invite", "--note", "x")["secret"].startswith("berth_inv_")
    assert signed_in.ok("user", "promote", "dora", "--format", "{{.Name}} {{.Admin}}") == "dora yes\n"
    # A slip in a template is found before what is shown once is lost.
    for arguments in (("add", "eve"), ("passwd", "carl", "--generate"), ("invite",), ("signout", "carl")):
        assert signed_in.berth("user", *arguments, "--format", "{{.Nme}}").returncode == 1, arguments
    assert "there is no user 'eve'" in signed_in.refused("user", "show", "eve")


def test_commands_have_the_names_that_people_try(signed_in, tmp_path):
    assert "New key" in signed_in.ok("key", "rotate", "--data", str(tmp_path / "data"))
    signed_in.ok("org", "create", "acme")
    signed_in.ok("robot", "create", "acme+ci")
    signed_in.ok("robot", "trust", "add", "acme+ci", "--issuer", "https://ci.example.com", "--audience", "registry",
                 "--claim", "repository=acme/web")
    assert signed_in.ok("robot", "trust", "ls", "acme") == signed_in.ok("trust", "ls", "acme")
    signed_in.ok("robot", "trust", "rm", "acme", "1")


def test_the_users_of_an_htpasswd_file_keep_their_passwords(signed_in, tmp_path):
    registry = signed_in.environment["BERTH_SERVER"]
    # "old enough" by bcrypt, cost 5
    (tmp_path / "htpasswd").write_text("# users\ncarl:$2y$05$HASH\nweak:{SHA}xxxx\n".replace("$2y$05$HASH", bcrypt("old enough")))
    done = signed_in.berth("user", "import", str(tmp_path / "htpasswd"))
    assert done.returncode != 0 and "Imported 1 of 2 users" in done.stdout
    assert "htpasswd:3:" in done.stderr and "weak" in done.stderr
    carl = Person(tmp_path / "carl")
    carl.ok("login", "-u", "carl", "--password-stdin", registry, given="old enough")


def test_trust_rules_are_added_listed_and_removed(signed_in):
    signed_in.ok("org", "create", "acme")
    signed_in.ok("robot", "create", "acme+ci")
    signed_in.ok("trust", "add", "acme+ci", "--issuer", "https://ci.example.com", "--audience", "registry",
                 "--claim", "repository=acme/web", "--claim", "ref=refs/heads/*")
    rule = json.loads(signed_in.ok("trust", "ls", "acme", "--format", "json"))
    assert rule["claims"] == {"repository": "acme/web", "ref": "refs/heads/*"} and rule["robot"] == "acme+ci"
    assert "CLAIM=PATTERN" in signed_in.refused("trust", "add", "acme+ci", "--issuer", "https://ci.example.com",
                                                "--audience", "registry", "--claim", "repository")
    for verb, says, is_off in (("disable", "Disabled", True), ("enable", "Enabled", False)):
        assert signed_in.ok("trust", verb, "acme", rule["id"]) == f"{says} rule {rule['id']}\n"
        assert json.loads(signed_in.ok("trust", "ls", "acme", "--format", "json")) == rule | {"disabled": is_off}
    assert "there is no trust rule 77 in acme" in signed_in.refused("trust", "disable", "acme", "77")
    signed_in.ok("trust", "rm", "acme", rule["id"])
    assert signed_in.ok("trust", "ls", "acme", "--format", "json") == ""


def test_a_draft_that_was_left_open_to_others_is_not_written_into(ann, registry):
    draft = ann.home / ".docker/config.json.new"
    draft.parent.mkdir()
    draft.touch(0o644)
    ann.ok("login", "-u", "ann", "--password-stdin", registry, given=ANN)
    assert stat.S_IMODE((ann.home / ".docker/config.json").stat().st_mode) == 0o600
    assert not draft.exists()
