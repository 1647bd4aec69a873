"""Repositories from the command line: through a running registry, and on the folder of a stopped one."""

import base64
import hashlib
import http.client
import json

import pytest

from conftest import ANN, BOB, SECONDS, Person


class Registry:
    """One that runs, ann signed in, and what a client pushes there."""

    def __init__(self, ann, server):
        self.ann = ann
        self.server = server
        self.address = f"localhost:{server.port}"
        ann.environment["BERTH_SERVER"] = self.address
        ann.ok("login", "-u", "ann", "--password-stdin", self.address, given=ANN)

    def ask(self, method, path, body=b"", name="ann", password=ANN, media_type=None):
        headers = {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}
        if media_type:
            headers["Content-Type"] = media_type
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=SECONDS)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text

    def push_blob(self, repo, content):
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        assert self.ask("POST", f"/v2/{repo}/blobs/uploads/?digest={digest}", content)[0] == 201
        return digest

    def push(self, repo, tag, content=b"{}"):
        """An image of that one blob."""
        digest = self.push_blob(repo, content)
        media_type = "application/vnd.oci.image.manifest.v1+json"
        descriptor = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest, "size": len(content)}
        manifest = {"schemaVersion": 2, "mediaType": media_type, "artifactType": "application/vnd.example",
                    "config": descriptor, "layers": [descriptor]}
        text = json.dumps(manifest).encode()
        assert self.ask("PUT", f"/v2/{repo}/manifests/{tag}", text, media_type=media_type)[0] == 201
        return text

    def rows(self, *args):
        return [json.loads(line) for line in self.ann.ok(*args, "--format", "json").splitlines()]


@pytest.fixture
def registry(ann, serve):
    return Registry(ann, serve())


@pytest.mark.parametrize("typed", ["ann/web#x", "ann/web?x", "ann/web/-/usage", "ann/web/", "/ann/web", "ann/./web",
                                   "ann/x/../web", "ann/we b", "ann/%77eb", "ann/WEB", "ann#x", "..", "."])
def test_what_is_no_name_is_never_another_repository(registry, typed):
    ann = registry.ann
    ann.ok("repo", "create", "ann/web", "--visibility", "public")
    for words in (("rm", typed, "--confirm", typed), ("set", typed, "--visibility", "private"), ("show", typed),
                  ("show", typed, "--readme"), ("set", typed, "--readme", "/dev/null"), ("du", typed),
                  ("rename", typed, "ann/other"), ("transfer", typed, "acme/web"), ("create", typed),
                  ("rename", "ann/web", typed), ("transfer", "ann/web", typed),
                  ("set", typed, "--namespace", "--visibility", "private")):
        done = ann.berth("repo", *words)
        assert done.returncode == 1 and "repository name" in done.stderr, words
        away = ann.berth("repo", *words, BERTH_SERVER="localhost:1")
        assert "repository name" in away.stderr, (words, "no server is asked")
    assert [(row["name"], row["visibility"]) for row in registry.rows("repo", "ls")] == [("ann/web", "public")]


def test_a_name_is_one_step_of_a_path(registry):
    """orgs/acme/teams/../members/bob is another call."""
    ann = registry.ann
    ann.ok("org", "create", "acme")
    ann.ok("user", "add", "bob", "--password-stdin", given=BOB)
    ann.ok("org", "member", "add", "acme", "bob", "--role", "writer")
    for name in ("..", "."):
        for words in (("org", "team", "drop", "acme", name, "bob"), ("org", "rm", name), ("user", "rm", name),
                      ("user", "show", name), ("grant", "rm", "acme", name), ("token", "revoke", name),
                      ("robot", "rm", "ci", "--namespace", name), ("trust", "rm", "acme", name),
                      ("user", "sessions", "--revoke", name), ("user", "uninvite", name), ("explain", name)):
            done = ann.berth(*words)
            assert done.returncode == 1 and f"'{name}' is nobody's name" in done.stderr, (words, done.stderr)
    for name in ("bob#x", "bob?x", "x/../bob", "%62ob"):
        for words in (("user", "rm", name), ("user", "disable", name), ("org", "member", "rm", "acme", name)):
            assert ann.berth(*words).returncode != 0, words
    assert {row["user"] for row in registry.rows("org", "member", "ls", "acme")} == {"ann", "bob"}
    assert {row["name"]: row["disabled"] for row in registry.rows("user", "ls")} == {"ann": False, "bob": False}


def test_a_repository_is_created_empty(registry):
    ann = registry.ann
    ann.ok("org", "create", "acme")
    assert ann.ok("repo", "create", "acme/web", "--visibility", "public", "--description", "Site") == "Created acme/web\n"
    row, = registry.rows("repo", "show", "acme/web")
    assert (row["visibility"], row["description"], row["tags"], row["size"]) == ("public", "Site", 0, 0)
    assert "there is a repository acme/web already" in ann.refused("repo", "create", "acme/web")
    assert registry.ask("GET", "/v2/acme/web/tags/list") == (200, b'{"name":"acme/web","tags":[]}')


def test_a_renamed_repository_is_pulled_by_its_new_name_and_its_grants_go_along(registry):
    ann = registry.ann
    ann.ok("org", "create", "acme")
    ann.ok("user", "add", "bob", "--password-stdin", given=BOB)
    manifest = registry.push("acme/web", "1.0")
    ann.ok("grant", "add", "bob", "acme/web", "read")
    assert registry.ask("GET", "/v2/acme/web/manifests/1.0", name="bob", password=BOB)[0] == 200
    assert ann.ok("repo", "rename", "acme/web", "acme/site") == "acme/web is acme/site now\n"
    for name, password in (("ann", ANN), ("bob", BOB)):
        assert registry.ask("GET", "/v2/acme/site/manifests/1.0", name=name, password=password) == (200, manifest)
        assert registry.ask("GET", "/v2/acme/web/manifests/1.0", name=name, password=password)[0] == 404
    assert [row["repo"] for row in registry.rows("grant", "ls", "acme")] == ["acme/site"]
    registry.push("acme/web", "2.0")
    assert registry.ask("GET", "/v2/acme/web/manifests/1.0")[0] == 404, "the old name begins anew"
    assert "there is a repository acme/web already" in ann.refused("repo", "rename", "acme/site", "acme/web")
    assert "transfer it" in ann.refused("repo", "rename", "acme/site", "ann/site")


def test_a_transferred_repository_is_another_namespaces(registry):
    ann = registry.ann
    ann.ok("org", "create", "acme")
    manifest = registry.push("ann/web", "1.0")
    ann.ok("repo", "transfer", "ann/web", "acme/web")
    assert registry.ask("GET", "/v2/acme/web/manifests/1.0") == (200, manifest)
    assert registry.ask("GET", "/v2/ann/web/manifests/1.0")[0] == 404
    assert "there is no namespace 'none'" in ann.refused("repo", "transfer", "acme/web", "none/web")


def test_a_repository_is_deleted_by_its_name_said_twice(registry):
    ann = registry.ann
    ann.ok("org", "create", "acme")
    registry.push("acme/web", "1.0")
    said = ann.berth("repo", "rm", "acme/web")
    assert said.returncode == 1 and "--confirm=acme/web" in said.stderr
    said = ann.berth("repo", "rm", "acme/web", "--confirm=acme/site")
    assert said.returncode == 1 and "'acme/site' is not acme/web; nothing was deleted" in said.stderr
    tried = ann.ok("repo", "rm", "acme/web", "--dry-run")
    assert tried.startswith("Nothing was changed. Without --dry-run: Deleted acme/web: 1 tag") and "  manifests: 1\n" in tried, tried
    assert registry.ask("GET", "/v2/acme/web/manifests/1.0")[0] == 200
    assert "delete or move them first" in ann.refused("org", "rm", "acme", "--yes")
    assert ann.ok("repo", "rm", "acme/web", "--confirm=acme/web").startswith("Deleted acme/web: 1 tag, 1 manifest, ")
    assert registry.ask("GET", "/v2/acme/web/manifests/1.0")[0] == 404
    assert registry.rows("repo", "ls") == []
    ann.ok("org", "rm", "acme", "--yes")


def test_at_a_terminal_the_name_is_typed(registry):
    registry.push("ann/web", "1.0")
    wrong = registry.ann.at_terminal("repo", "rm", "ann/web", given="ann/wob\n")
    assert wrong[0] == 1 and "nothing was deleted" in wrong[1]
    for nothing in ("\n", "\x04"):
        code, said = registry.ann.at_terminal("repo", "rm", "ann/web", given=nothing)
        assert code == 0 and said.endswith("Nothing was deleted.\n"), said
    right = registry.ann.at_terminal("repo", "rm", "ann/web", given="ann/web\n")
    assert right[0] == 0 and "Deleted ann/web" in right[1]


def test_while_nothing_runs(registry, tmp_path):
    """The same on the folder, which is whole afterwards."""
    ann = registry.ann
    ann.ok("org", "create", "acme")
    for name in ("ann/web", "ann/api", "acme/web"):
        registry.push(name, "1.0")
    registry.push("ann/web", "2.0", b"another")
    assert registry.server.stop() == 0
    folder = ("--data", str(tmp_path / "data"))
    del ann.environment["BERTH_SERVER"]
    ann.ok("repo", "create", "acme/new", *folder)
    ann.ok("repo", "rename", "acme/new", "acme/newer", *folder)
    ann.ok("repo", "transfer", "ann/web", "acme/moved", *folder)
    ann.ok("repo", "rm", "ann/api", "--confirm", "ann/api", *folder)
    names = [json.loads(line)["name"] for line in ann.ok("repo", "ls", "--format", "json", *folder).splitlines()]
    assert names == ["acme/moved", "acme/newer", "acme/web"]
    ann.ok("fsck", "--deep", "--data", str(tmp_path / "data"))


def test_how_much_a_repository_holds(registry):
    ann = registry.ann
    ann.ok("org", "create", "acme")
    first, second = b"1" * 3000, b"2" * 500
    registry.push("acme/web", "1.0", first)
    registry.push_blob("acme/web", second)
    manifest = registry.push("acme/api", "1.0", second)
    rows = registry.rows("repo", "du", "acme")
    assert [row.pop("name") for row in rows] == ["acme/api", "acme/web"]
    assert rows[0] == {"logical": 500 + len(manifest), "unique": 0, "shared": 500, "manifests": len(manifest), "blobs": 500}
    assert (rows[1]["blobs"], rows[1]["unique"], rows[1]["shared"]) == (3500, 3000, 500)
    assert registry.rows("repo", "du", "acme/api")[0]["shared"] == 500
    table = [line.split("   ")[0] for line in ann.ok("repo", "du", "acme").splitlines()]
    assert [name.strip() for name in table] == ["NAME", "acme/api", "acme/web", "total"]
    assert "3.5 kB" in ann.ok("repo", "du", "acme")
    assert "there is no repository in none" in ann.refused("repo", "du", "none")


def test_a_blob_is_shared_with_what_one_may_see(registry, tmp_path):
    """Else whoever pushes a guess would learn that somebody has it (S4)."""
    registry.ann.ok("user", "add", "bob", "--password-stdin", given=BOB)
    registry.push_blob("ann/secret", b"the guess")
    digest = "sha256:" + hashlib.sha256(b"the guess").hexdigest()
    pushed = registry.ask("POST", f"/v2/bob/app/blobs/uploads/?digest={digest}", b"the guess", "bob", BOB)
    assert pushed[0] == 201
    bob = Person(tmp_path / "bob")
    bob.ok("login", "-u", "bob", "--password-stdin", registry.address, given=BOB)
    def seen(person):
        said = person.ok("repo", "du", "bob/app", "--server", registry.address, "--format", "json")
        return json.loads(said)["unique"], json.loads(said)["shared"]
    assert (seen(bob), seen(registry.ann)) == ((9, 0), (0, 9))


def test_what_a_repository_says_of_itself(registry, tmp_path):
    ann = registry.ann
    registry.push_blob("ann/web", b"x")
    assert "ann/web has no readme" in ann.refused("repo", "show", "ann/web", "--readme")
    (tmp_path / "README.md").write_text("# Web \u2713\n")
    assert ann.ok("repo", "set", "ann/web", "--readme", str(tmp_path / "README.md")) == "Changed the readme of ann/web\n"
    assert ann.ok("repo", "show", "ann/web", "--readme") == "# Web \u2713\n"
    ann.ok("repo", "set", "ann/web", "--readme", "-", given="by hand")
    assert ann.ok("repo", "show", "ann/web", "--readme") == "by hand"
    assert "a change of its own" in ann.refused("repo", "set", "ann/web", "--readme", "-", "--description", "x", given="y")
    assert "at most 256 KiB" in ann.refused("repo", "set", "ann/web", "--readme", "-", given="x" * (256 * 1024 + 1))
    assert "cannot read" in ann.refused("repo", "set", "ann/web", "--readme", str(tmp_path / "none"))
    ann.ok("repo", "set", "ann/web", "--readme", "-", given="")
    ann.refused("repo", "show", "ann/web", "--readme")
