"""Administration of a stopped registry's folder: every command on it, as its owner or as one of its users."""

import base64
import hashlib
import http.client
import json
import subprocess

import pytest

from conftest import ANN, BOB, SECONDS, Person, run


@pytest.fixture
def folder(tmp_path):
    return ("--data", str(tmp_path / "data"))


class Offline:
    """Commands on the folder."""

    def __init__(self, person, folder):
        self.person = person
        self.folder = folder

    def ok(self, *args, **kwargs):
        return self.person.ok(*args, *self.folder, **kwargs)

    def refused(self, *args, **kwargs):
        return self.person.refused(*args, *self.folder, **kwargs)

    def rows(self, *args):
        return [json.loads(line) for line in self.ok(*args, "--format", "json").splitlines()]


@pytest.fixture
def offline(ann, folder):
    return Offline(ann, folder)


def basic(name, secret):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def ask(server, method, path, body=b"", headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def with_repository(serve, name):
    """Pushes a blob, which is enough for a repository to be there, and stops the server."""
    server = serve()
    digest = "sha256:" + hashlib.sha256(b"x").hexdigest()
    assert ask(server, "POST", f"/v2/{name}/blobs/uploads/?digest={digest}", b"x", basic("ann", ANN))[0] == 201
    assert server.stop() == 0


# ---- a command of every kind

def test_organisations_members_and_teams(offline):
    offline.ok("user", "add", "bob", "--password-stdin", given=BOB)
    assert "name one as owner" in offline.refused("org", "create", "acme"), "the folder's owner is nobody in it"
    offline.ok("org", "create", "acme", "--owner", "ann")
    assert [row["name"] for row in offline.rows("org", "ls")] == ["acme"]
    offline.ok("org", "member", "add", "acme", "bob", "--role", "writer")
    assert {row["user"]: row["role"] for row in offline.rows("org", "member", "ls", "acme")} == {
        "ann": "owner", "bob": "writer"}
    offline.ok("org", "team", "create", "acme", "devs")
    offline.ok("org", "team", "add", "acme", "devs", "bob")
    offline.ok("org", "team", "groups", "acme", "devs", "developers")
    assert [row["name"] for row in offline.rows("org", "team", "ls", "acme")] == ["acme/devs"]
    assert [row["user"] for row in offline.rows("org", "team", "members", "acme", "devs")] == ["bob"]
    offline.ok("org", "team", "drop", "acme", "devs", "bob")
    offline.ok("org", "team", "rm", "acme", "devs", "--yes")
    offline.ok("org", "member", "rm", "acme", "bob")
    offline.ok("org", "rm", "acme", "--yes")
    assert offline.rows("org", "ls") == []


def test_robots_and_what_makes_jobs_be_them(offline, serve):
    offline.ok("org", "create", "acme", "--owner", "ann")
    made = offline.ok("robot", "create", "acme+ci", "--repo", "acme/*:pull,push")
    secret = made.split("Secret (shown once): ")[1].strip()
    offline.ok("trust", "add", "acme+ci", "--issuer", "https://ci.example.com", "--audience", "registry",
               "--claim", "repository=acme/web")
    (rule,) = offline.rows("trust", "ls", "acme")
    assert rule["robot"] == "acme+ci"
    offline.ok("trust", "rm", "acme", rule["id"])
    assert offline.rows("trust", "ls", "acme") == []
    server = serve()
    assert ask(server, "GET", "/v2/", headers=basic("acme+ci", secret))[0] == 200
    assert server.stop() == 0
    rotated = offline.ok("robot", "rotate", "acme+ci", "--overlap", "0s")
    assert [row["live_secrets"] for row in offline.rows("robot", "ls", "acme")] == [1]
    server = serve(folder=server.folder)
    assert ask(server, "GET", "/v2/", headers=basic("acme+ci", secret))[0] == 401
    assert ask(server, "GET", "/v2/", headers=basic("acme+ci", rotated.split("once): ")[1].strip()))[0] == 200
    assert server.stop() == 0
    offline.ok("robot", "rm", "acme+ci", "--yes")
    assert offline.rows("robot", "ls", "acme") == []


def test_repositories_grants_and_why(offline, serve):
    offline.ok("user", "add", "bob", "--password-stdin", given=BOB)
    with_repository(serve, "ann/web")
    assert [row["name"] for row in offline.rows("repo", "ls")] == ["ann/web"]
    assert offline.rows("repo", "ls", "other") == []
    offline.ok("repo", "set", "ann/web", "--description", "Our site")
    assert offline.rows("repo", "show", "ann/web")[0]["description"] == "Our site"
    offline.ok("grant", "add", "bob", "ann/web", "read,write")
    (grant,) = offline.rows("grant", "ls", "ann")
    assert (grant["subject"], grant["allow"]) == ("bob", ["read", "write"])
    may = offline.person.berth("explain", "bob", "push", "ann/web", *offline.folder)
    assert "bob may push ann/web: the grant" in may.stdout and may.stderr == ""
    offline.ok("grant", "rm", "ann", grant["id"])
    may_not = offline.person.berth("explain", "anonymous", "pull", "ann/web", *offline.folder)
    assert may_not.returncode == 0 and "anonymous may not pull ann/web" in may_not.stdout
    assert "server.anonymous was not looked at" in may_not.stderr, "what is in no folder"


def test_the_record(offline):
    offline.ok("user", "add", "bob", "--password-stdin", given=BOB)
    offline.ok("keys", "rotate")
    rows = offline.rows("audit", "ls")
    assert [row["action"] for row in rows] == ["keys.rotated", "createUser", "createUser"]
    assert {row["actor"] for row in rows} == {"(owner of the data folder)"}
    verified = json.loads(offline.ok("audit", "verify", "--format", "json"))
    assert verified["whole"] is True and verified["entries"] == 3
    offline.ok("audit", "verify", "--head", verified["head"])
    assert [json.loads(line)["seq"] for line in offline.ok("audit", "export").splitlines()] == [1, 2, 3]


def test_an_entry_is_found_however_far_back_it_is(offline, tmp_path):
    """One page of the API looks at 5,000 entries."""
    noise = """WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 12100)
               INSERT INTO audit SELECT i, 1700000000000, 'flood', NULL, iif(i = 100, 'rare', 'noise'), 'noise', 1, '', '',
               '', '{}', zeroblob(32), zeroblob(32) FROM n"""
    subprocess.run(["sqlite3", str(tmp_path / "data/meta.db"), noise], check=True)
    found = offline.rows("audit", "ls", "--actor", "flood", "--action", "rare")
    assert [row["seq"] for row in found] == [100]
    assert [row["action"] for row in offline.rows("audit", "ls", "--repo", "users")] == ["createUser"]
    assert [row["seq"] for row in offline.rows("audit", "ls", "--limit", "1200")] == list(range(12100, 10900, -1))
    assert len(offline.rows("audit", "ls")) == 50


# ---- as whom

def test_a_token_is_a_users_own_and_made_in_that_ones_name(offline, serve):
    assert "say with --user as whom" in offline.refused("token", "create", "--name", "lost")
    made = offline.ok("token", "create", "--name", "found", "--user", "ann")
    secret = made.split("Secret (shown once): ")[1].strip()
    (listed,) = offline.rows("token", "ls", "--user", "ann")
    assert listed["name"] == "found"
    server = serve()
    assert ask(server, "GET", "/api/v1/users", headers={"Authorization": f"Bearer {secret}"})[0] == 200
    assert server.stop() == 0
    offline.ok("token", "revoke", listed["id"], "--user", "ann")
    assert [row["actor"] for row in offline.rows("audit", "ls", "--action", "createToken")] == ["ann"]


@pytest.mark.parametrize("arguments", [("token", "ls"), ("token", "revoke", "1"), ("user", "invite")])
def test_what_is_a_users_own_needs_a_user(offline, arguments):
    assert "say with --user as whom" in offline.refused(*arguments)


def test_as_somebody_one_may_do_what_that_one_may(offline):
    offline.ok("user", "add", "bob", "--password-stdin", given=BOB)
    offline.ok("org", "create", "acme", "--user", "ann")
    assert [row["role"] for row in offline.rows("org", "member", "ls", "acme", "--user", "ann")] == ["owner"]
    assert "needs an administrator" in offline.refused("user", "ls", "--user", "bob")
    assert offline.rows("user", "sessions", "--user", "bob") == []
    assert "as whom" in offline.refused("user", "sessions")
    offline.ok("user", "passwd", "--user", "bob", given=BOB + "\nbob's secret 2\n")
    assert "the current password is not right" in offline.refused("user", "passwd", "--user", "bob", given=BOB + "\nx1234567\n")
    assert "there is no such thing" in offline.refused("org", "member", "ls", "acme", "--user", "bob")
    offline.ok("org", "member", "add", "acme", "bob", "--role", "writer")
    assert "bob is a writer of it" in offline.refused("org", "member", "ls", "acme", "--user", "bob"), "he sees it"
    offline.ok("org", "member", "rm", "acme", "bob")
    for name in ("eve", "acme+ci"):
        assert f"there is no user '{name}', or it is disabled" in offline.refused("token", "ls", "--user", name)
    offline.ok("user", "disable", "bob")
    assert "or it is disabled" in offline.refused("token", "ls", "--user", "bob")


def test_on_a_server_one_is_who_one_signed_in_as(ann):
    done = ann.berth("token", "ls", "--user", "ann", "--server", "localhost:1")
    assert done.returncode == 1 and "--user" in done.stderr
    done = ann.berth("token", "ls", "--user", "ann", BERTH_SERVER="localhost:1")
    assert done.returncode == 1 and "a server wants a login" in done.stderr


# ---- a folder that is none

@pytest.mark.parametrize("arguments", [
    ("user", "ls"), ("user", "add", "bob"), ("user", "import", "/dev/null"), ("org", "ls"), ("robot", "ls", "acme"),
    ("token", "ls"), ("repo", "ls"), ("grant", "ls", "acme"), ("trust", "ls", "acme"), ("explain", "ann", "pull", "ann/web"),
    ("audit", "ls"), ("audit", "verify"), ("audit", "export"), ("keys", "rotate"),
])
def test_a_slip_in_the_folders_name_makes_none(tmp_path, arguments):
    typo, others = tmp_path / "typo", tmp_path / "others"
    others.mkdir()
    (others / "letter").write_text("dear bob")
    for folder, says in ((typo, "there is no data folder at"), (others, "is not a data folder of berth")):
        done = run(*arguments, "--data", str(folder))
        is_check = arguments == ("audit", "verify")
        assert done.returncode == (3 if is_check else 1) and says in done.stderr, (arguments, done.stderr)
    assert not typo.exists()
    assert [path.name for path in others.iterdir()] == ["letter"]


def test_the_first_account_is_an_administrators_who_can_make_the_others(tmp_path, serve, folder):
    ann = Person(tmp_path / "ann")
    assert "must be an administrator's: berth user add NAME --admin" in ann.refused("user", "add", "bob", *folder)
    assert not (tmp_path / "data").exists()
    assert serve().stop() == 0  # makes the folder
    (tmp_path / "htpasswd").write_text("bob:$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n")
    for arguments in (("add", "bob", "--password-stdin"), ("import", str(tmp_path / "htpasswd"))):
        assert "the first must be an administrator's" in ann.refused("user", *arguments, *folder, given=BOB)
    server = serve(folder=tmp_path)
    assert "create the first administrator" in server.welcome(), "that way in is still open"
    assert server.stop() == 0
    ann.ok("user", "add", "ann", "--admin", "--password-stdin", *folder, given=ANN)
    ann.ok("user", "import", str(tmp_path / "htpasswd"), *folder)
    assert {row.split()[0] for row in ann.ok("user", "ls", *folder).splitlines()[1:]} == {"ann", "bob"}
