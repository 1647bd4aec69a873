"""Through every operation, once at least, with every answer held against the document."""

import re

import pytest
from conftest import PASSWORD, Caller, Server


@pytest.fixture
def people(world):
    return {name: world.add_user(name) for name in ("ann", "bob")}


def set_up(world, folder):
    """A registry without accounts, which has the document and one way in."""
    server = Server(folder, is_set_up=False)
    try:
        stranger = Caller(server, world.contract, world.seen)
        stranger.get("/openapi.json")
        stranger.get("/users", status=401)
        wanted = {"token": "berth_set_wrong", "name": "first", "password": PASSWORD}
        stranger.post("/setup", wanted, status=403)
        wanted["token"] = re.search(r"/setup#(\S+)", server.said.read_text())[1]
        stranger.post("/setup", wanted | {"password": "short"}, status=422)
        assert stranger.post("/setup", wanted).json()["admin"] is True
        stranger.post("/setup", wanted | {"name": "second"}, status=403)
        assert Caller(server, world.contract, world.seen, auth=("first", PASSWORD)).get("/user").json()["name"] == "first"
    finally:
        server.stop()


def account(world, ann):
    me = ann.get("/user").json()
    assert (me["name"], me["kind"], me["email"], me["organizations"]) == ("ann", "user", None, [])
    changed = ann.patch("/user", {"email": "ann@example.com", "display_name": "Ann"}).json()
    assert changed["email"] == "ann@example.com"
    ann.put("/user/password", {"current": "wrong", "new": PASSWORD + "!"}, status=403)
    ann.put("/user/password", {"current": PASSWORD, "new": PASSWORD + "!"}, status=204)
    world.root.put("/users/ann/password", {"new": PASSWORD}, status=204)


def tokens(world, ann):
    made = ann.post("/user/tokens", {"name": "laptop", "scopes": ["ann/**:read,write"], "expires_in": "90d"})
    token = made.json()
    assert token["scopes"] == ["ann/**:read,write"] and made.headers["Location"] == f"/api/v1/user/tokens/{token['id']}"
    shown = ann.get(f"/user/tokens/{token['id']}").json()
    assert shown == {key: value for key, value in token.items() if key != "secret"}
    assert [row["id"] for row in ann.get("/user/tokens").json()["items"]] == [token["id"]]
    narrow = world.bearer(token["secret"])
    assert narrow.get("/user").json()["name"] == "ann"
    narrow.get("/user/tokens", status=403)
    world.root.get(f"/user/tokens/{token['id']}", status=404)
    short = narrow.post("/auth/short-lived", {"expires_in": "1h"}).json()
    assert short["scopes"] == token["scopes"], "what was made from a narrow secret is as narrow"
    own = world.bearer(ann.post("/user/tokens", {"name": "own", "scopes": ["user", "org:admin:ann"]}).json()["secret"])
    assert own.get("/user/sessions").json()["items"] != []
    own.get("/namespaces/ann")
    assert own.get("/users", status=403).json()["code"] == "denied"
    assert own.get("/user/tokens", status=403).json()["scope"] is None
    assert own.get("/namespaces/bob", status=403).json()["scope"] == "org:admin:bob"
    ann.delete(f"/user/tokens/{token['id']}")
    ann.delete(f"/user/tokens/{token['id']}", status=404)
    narrow.get("/user", status=401)


def sessions(world, ann):
    ann.post("/auth/short-lived", {"expires_in": "1h"})
    listed = ann.get("/user/sessions").json()["items"]
    assert {row["kind"] for row in listed} == {"short_lived"}
    ann.delete(f"/user/sessions/{listed[0]['id']}")
    ann.delete(f"/user/sessions/{listed[0]['id']}", status=404)
    ann.post("/auth/short-lived", {"expires_in": "1h"})
    ann.delete("/user/sessions")
    assert ann.get("/user/sessions").json()["items"] == []
    world.root.delete("/users/ann/sessions")
    world.root.delete("/users/nobody/sessions", status=404)


def users(world, ann):
    root = world.root
    made = root.post("/users", {"name": "carl", "email": "carl@example.com", "admin": False})
    assert made.headers["Location"] == "/api/v1/users/carl"
    assert made.json()["has_password"] is False
    root.post("/users", {"name": "carl"}, status=409)
    root.post("/users", {"name": "No"}, status=422)
    assert "carl" in [user["name"] for user in root.get("/users").json()["items"]]
    seen = root.get("/users/carl")
    changed = root.patch("/users/carl", {"disabled": True}, headers={"If-Match": seen.headers["ETag"]})
    assert changed.json()["disabled"] is True
    linked = root.patch("/users/carl", {"issuer": "https://id.example.com", "subject": "17"})
    assert (linked.json()["issuer"], linked.json()["subject"]) == ("https://id.example.com", "17")
    root.patch("/users/root", {"issuer": "https://id.example.com", "subject": "17"}, status=409)
    root.patch("/users/carl", {"issuer": "https://id.example.com"}, status=422)
    changed = root.patch("/users/carl", {"issuer": None, "subject": None})
    root.delete("/users/carl", status=412, headers={"If-Match": seen.headers["ETag"]})
    root.delete("/users/carl", headers={"If-Match": changed.headers["ETag"]})
    root.get("/users/carl", status=404)
    root.patch("/users/root", {"admin": False}, status=409)
    root.delete("/users/root", status=409)
    ann.get("/users", status=403)
    invite = root.post("/invites", {"note": "for dora", "expires_in": "1d"}).json()
    root.post("/invites", {"expires_in": "soon"}, status=422)
    assert [(row["id"], row["created_by"]) for row in root.get("/invites").json()["items"]] == [(invite["id"], "root")]
    root.delete(f"/invites/{invite['id']}")
    root.delete(f"/invites/{invite['id']}", status=404)
    wanted = {"name": "dora", "password": PASSWORD, "invite": invite["secret"]}
    world.anonymous.post("/signup", wanted, status=403)
    wanted["invite"] = root.post("/invites").json()["secret"]
    assert world.anonymous.post("/signup", wanted, status=201).json()["name"] == "dora"
    world.anonymous.post("/signup", wanted | {"name": "eve"}, status=403)
    world.anonymous.get("/users", status=401)


def organizations(world, ann, bob):
    root = world.root
    made = root.post("/orgs", {"name": "acme", "display_name": "Acme", "owner": "ann"})
    assert made.headers["Location"] == "/api/v1/namespaces/acme"
    assert ann.get("/user").json()["organizations"] == ["acme"]
    assert [org["name"] for org in ann.get("/orgs").json()["items"]] == ["acme"]
    assert [org["name"] for org in root.get("/orgs").json()["items"]] == ["acme"]
    ann.put("/orgs/acme/members/bob", {"role": "reader"}, status=201)
    ann.put("/orgs/acme/members/bob", {"role": "writer"}, status=200)
    ann.put("/orgs/acme/members/bob", {"role": "reader"}, status=412, headers={"If-None-Match": "*"})
    ann.put("/orgs/acme/members/nobody", {"role": "reader"}, status=404)
    ann.put("/orgs/acme/members/ann", {"role": "reader"}, status=409)
    members = ann.get("/orgs/acme/members").json()["items"]
    assert {row["user"]: row["role"] for row in members} == {"ann": "owner", "bob": "writer"}
    bob.get("/orgs/acme/members", status=403)

    team = ann.post("/orgs/acme/teams", {"name": "devs"})
    assert team.json() == {"name": "acme/devs", "groups": []}
    assert ann.get("/orgs/acme/teams/devs").json() == team.json()
    assert ann.get("/orgs/acme/teams").json()["items"] == [{"name": "acme/devs"}]
    assert ann.patch("/orgs/acme/teams/devs", {"groups": ["developers"]}).json()["groups"] == ["developers"]
    ann.patch("/orgs/acme/teams/devs", {"groups": [""]}, status=422)
    ann.put("/orgs/acme/teams/devs/members/bob", status=201)
    ann.put("/orgs/acme/teams/devs/members/bob", status=200)
    ann.put("/orgs/acme/teams/devs/members/bob", status=412, headers={"If-None-Match": "*"})
    assert ann.get("/orgs/acme/teams/devs/members").json()["items"] == [{"user": "bob"}]
    ann.delete("/orgs/acme/teams/devs/members/bob")
    ann.delete("/orgs/acme/teams/devs")
    ann.get("/orgs/acme/teams/devs", status=404)
    ann.delete("/orgs/acme/members/bob")
    ann.delete("/orgs/acme/members/ann", status=409)


def namespaces(ann):
    seen = ann.get("/namespaces/acme")
    assert seen.json() == {"name": "acme", "kind": "organization", "display_name": "Acme", "visibility": "private"}
    changed = ann.patch("/namespaces/acme", {"visibility": "internal"}, headers={"If-Match": seen.headers["ETag"]})
    assert changed.json()["visibility"] == "internal"
    ann.patch("/namespaces/acme", {"visibility": "private"}, status=412, headers={"If-Match": seen.headers["ETag"]})
    ann.patch("/namespaces/acme", {"visibility": "secret"}, status=422)


def robots(world, ann):
    made = ann.post("/namespaces/acme/robots", {
        "name": "acme+ci", "description": "builds", "expires_in": "90d",
        "permissions": [{"repo": "acme/**", "actions": ["pull", "push"]}]})
    assert made.headers["Location"] == "/api/v1/namespaces/acme/robots/acme+ci"
    robot = world.caller("acme+ci", made.json()["secret"])
    assert robot.get("/user").json()["kind"] == "robot"
    assert ann.get("/namespaces/acme/robots/acme+ci").json()["live_secrets"] == 1
    rotated = ann.post("/namespaces/acme/robots/acme+ci/rotate", {"overlap": "1h"}).json()
    ann.post("/namespaces/acme/robots/acme+ci/rotate", {"overlap": "1h"}, status=409)
    ann.post("/namespaces/acme/robots/acme+ci/rotate", {"overlap": "0s"})
    world.caller("acme+ci", rotated["secret"]).get("/user", status=401)
    last = ann.post("/namespaces/acme/robots/acme+ci/rotate", {"overlap": "0s"}).json()
    own = world.bearer(last["secret"]).post("/robot/rotate").json()
    assert world.bearer(own["secret"]).get("/user").json()["name"] == "acme+ci"
    ann.post("/robot/rotate", status=403)
    change_robot(world, ann, own["secret"])
    assert [row["name"] for row in ann.get("/namespaces/acme/robots").json()["items"]] == ["acme+ci"]


def change_robot(world, ann, secret):
    where = "/namespaces/acme/robots/acme+ci"
    seen = ann.get(where)
    changed = ann.patch(where, {"disabled": True, "description": None}, headers={"If-Match": seen.headers["ETag"]})
    assert changed.json() == seen.json() | {"disabled": True, "description": "",
                                            "last_used_at": changed.json()["last_used_at"]}
    world.bearer(secret).get("/user", status=401)
    ann.patch(where, {"disabled": False}, status=412, headers={"If-Match": seen.headers["ETag"]})
    ann.patch(where, {"disabled": False, "expires_in": None}, headers={"If-Match": changed.headers["ETag"]})
    world.bearer(secret).get("/user")
    assert ann.get(where).json()["expires_at"] is None
    ann.patch(where, {"expires_in": "soon"}, status=422)
    ann.patch(where, {"disabled": "no"}, status=400)
    ann.patch(where + "x", {"disabled": True}, status=404)


def trust(ann):
    wanted = {"robot": "acme+ci", "issuer": "https://token.actions.githubusercontent.com", "audience": "registry",
              "claims": {"repository": "acme/web", "ref": "refs/heads/*"}}
    made = ann.post("/namespaces/acme/trust", wanted)
    assert {key: made.json()[key] for key in wanted} == wanted
    where = made.headers["Location"].removeprefix("/api/v1")
    assert ann.get(where).json() == made.json()
    ann.post("/namespaces/acme/trust", wanted, status=409)
    ann.post("/namespaces/acme/trust", wanted | {"robot": "acme+none"}, status=404)
    ann.post("/namespaces/acme/trust", wanted | {"claims": {"ref": "*"}}, status=422)
    ann.post("/namespaces/acme/trust", wanted | {"claims": {"ref": 1}}, status=400)
    assert made.json()["issuer_trusted"] is True
    assert ann.get("/namespaces/acme/trust").json()["items"] == [made.json()]
    ann.get(where.replace("acme", "ann"), status=404)
    assert ann.patch(where, {"disabled": True}).json() == made.json() | {"disabled": True}
    ann.patch(where, {"disabled": None}, status=400)
    ann.patch(where.replace("acme", "ann"), {"disabled": False}, status=404)
    assert ann.patch(where, {"disabled": False}).json() == made.json()
    ann.delete(where)
    ann.get(where, status=404)


def grants(world, ann):
    wanted = {"subject": "bob", "repo": "acme/web-*", "allow": ["pull"], "deny": ["delete"]}
    grant = ann.put("/namespaces/acme/grants", wanted, status=201).json()
    assert (grant["allow"], grant["deny"]) == (["read"], ["delete"])
    again = ann.put("/namespaces/acme/grants", wanted | {"allow": ["push"]}, status=200).json()
    assert again["id"] == grant["id"] and again["allow"] == ["write"]
    ann.put("/namespaces/acme/grants", wanted, status=412, headers={"If-None-Match": "*"})
    ann.put("/namespaces/acme/grants", wanted | {"repo": "else/**"}, status=422)
    assert again in ann.get("/namespaces/acme/grants").json()["items"]
    verdict = ann.get("/explain?repo=acme/web-1&action=push&subject=bob").json()
    assert verdict["allowed"] is True and f"grant {grant['id']}" in verdict["because"]
    assert verdict["changeable_by"] == "owners of acme or an administrator"
    verdict = ann.get("/explain?repo=acme/web-1:2.0&action=push&subject=bob").json()
    assert (verdict["repo"], verdict["tag"], verdict["right"]) == ("acme/web-1", "2.0", "write")
    ann.get("/explain?repo=acme/web-1:&action=push", status=400)
    verdict = ann.get("/explain?namespace=acme&action=owners").json()
    assert (verdict["namespace"], verdict["right"], verdict["allowed"]) == ("acme", "owners", True)
    assert ann.get("/explain?action=admin").json()["because"] == "no office gives it"
    refused = ann.get("/users", status=403).headers["X-Request-Id"]
    ann.get("/refusals/none-1", status=404)
    ann.delete(f"/namespaces/acme/grants/{grant['id']}")
    told = ann.get(f"/refusals/{refused}").json()  # written before what was changed after it
    assert (told["actor"], told["action"], told["target"], told["question"]) == ("ann", "listUsers", "users", None)
    assert ann.get("/explain?repo=acme/web-1&action=push&subject=bob").json()["allowed"] is False


def repositories(world, ann, bob):
    world.push("acme/team/web", auth=("ann", PASSWORD))
    seen = ann.get("/repos/acme/team/web")
    assert (seen.json()["tags"], seen.json()["visibility"]) == (1, "internal")
    changed = ann.patch("/repos/acme/team/web", {"visibility": "public", "description": "Static site"},
                        headers={"If-Match": seen.headers["ETag"]})
    assert changed.json()["description"] == "Static site"
    assert world.anonymous.get("/repos/acme/team/web").json()["permissions"] == ["read"]
    assert [row["name"] for row in world.anonymous.get("/repos?q=team").json()["items"]] == ["acme/team/web"]
    bob.patch("/repos/acme/team/web", {"visibility": "private"}, status=403)
    world.anonymous.get("/repos/acme/none", status=404)
    made = ann.post("/repos", {"name": "acme/team/new", "visibility": "public", "description": "Soon"})
    assert made.headers["Location"] == "/api/v1/repos/acme/team/new"
    assert (made.json()["visibility"], made.json()["description"], made.json()["tags"]) == ("public", "Soon", 0)
    assert ann.get("/repos/acme/team/new").headers["ETag"] == made.headers["ETag"]
    ann.post("/repos", {"name": "acme/team/new"}, status=409)
    readme(ann, bob)
    used = ann.get("/repos/acme/team/web/-/usage").json()
    assert (used["blobs"], used["unique"], used["shared"]) == (2, 2, 0)
    assert used["logical"] == used["manifests"] + 2 == ann.get("/repos/acme/team/web").json()["size"]
    ann.get("/repos/acme/none/-/usage", status=404)
    bob.post("/repos", {"name": "acme/team/new"}, status=403)
    bob.post("/repos", {"name": "acme/team/other"}, status=403)


def readme(ann, bob):
    where, markdown = "/repos/acme/team/web/-/readme", {"Content-Type": "text/markdown"}
    ann.get(where, status=404)
    ann.delete(where, status=404)
    ann.put(where, status=412, data="# Web", headers=markdown | {"If-Match": "*"})
    made = ann.put(where, status=201, data="# Web \u2713".encode(), headers=markdown)
    shown = ann.get(where)
    assert (shown.content.decode(), shown.headers["ETag"]) == ("# Web \u2713", made.headers["ETag"])
    changed = ann.put(where, status=204, data="# Site", headers=markdown | {"If-Match": made.headers["ETag"]})
    ann.put(where, status=412, data="# Else", headers=markdown | {"If-Match": made.headers["ETag"]})
    ann.put(where, status=415, data="{}", headers={"Content-Type": "application/json"})
    ann.put(where, status=413, data="x" * (256 * 1024 + 1), headers=markdown)
    ann.put(where, status=422, data=b"\xff", headers=markdown)
    bob.put(where, status=403, data="# Bob", headers=markdown)
    assert ann.get(where).text == "# Site"
    ann.delete(where, status=412, headers={"If-Match": made.headers["ETag"]})
    ann.delete(where, headers={"If-Match": changed.headers["ETag"]})
    ann.get(where, status=404)


def names(world, ann, bob):
    renamed = ann.post("/repos/acme/team/new/-/rename", {"to": "acme/soon"}, status=200)
    assert renamed.json()["name"] == "acme/soon"
    ann.get("/repos/acme/team/new", status=404)
    assert ann.get("/repos/acme/soon").headers["ETag"] == renamed.headers["ETag"]
    ann.post("/repos/acme/soon/-/rename", {"to": "acme/team/web"}, status=409)
    ann.post("/repos/acme/soon/-/rename", {"to": "ann/soon"}, status=422)
    bob.post("/repos/acme/soon/-/rename", {"to": "acme/late"}, status=403)
    ann.post("/repos/acme/none/-/rename", {"to": "acme/late"}, status=404)
    ann.post("/repos/acme/soon/-/transfer", {"to": "bob/soon"}, status=403)
    ann.post("/repos/acme/soon/-/transfer", {"to": "acme/late"}, status=422)
    assert ann.post("/repos/acme/soon/-/transfer", {"to": "ann/soon"}, status=200).json()["name"] == "ann/soon"
    ann.get("/repos/acme/soon", status=404)
    world.root.post("/repos/ann/soon/-/transfer", {"to": "none/soon"}, status=404)
    seen = ann.get("/repos/ann/soon").headers["ETag"]
    bob.delete("/repos/ann/soon", status=403)
    ann.delete("/repos/ann/soon", status=412, headers={"If-Match": '"v999"'})
    ann.delete("/repos/ann/soon", headers={"If-Match": seen})
    ann.delete("/repos/ann/soon", status=404)
    ann.delete("/repos/acme/team/web")


def audit(world):
    root = world.root
    entries = root.get("/audit?action=createRobot").json()["items"]
    assert [(entry["actor"], entry["allowed"]) for entry in entries] == [("ann", True)]
    lines = root.get("/audit/export?after=0&limit=5").text.splitlines()
    assert len(lines) == 5
    verdict = root.get("/audit/verify").json()
    assert verdict["whole"] is True
    assert root.get(f"/audit/verify?head={verdict['head']}").json()["whole"] is True
    assert root.get("/audit/export?after=999999").text == ""


def removal(world, ann):
    world.push("acme/last", auth=("ann", PASSWORD))
    ann.delete("/orgs/acme", status=409)
    ann.delete("/repos/acme/last")
    ann.delete("/namespaces/acme/robots/acme+ci")
    ann.delete("/orgs/acme")
    world.root.post("/orgs", {"name": "brief"})
    world.root.delete("/orgs/brief")


def test_visits_every_operation(world, people, tmp_path):
    ann, bob = people["ann"], people["bob"]
    world.anonymous.get("/openapi.json")
    set_up(world, tmp_path)
    account(world, ann)
    tokens(world, ann)
    sessions(world, ann)
    users(world, ann)
    organizations(world, ann, bob)
    namespaces(ann)
    robots(world, ann)
    trust(ann)
    grants(world, ann)
    repositories(world, ann, bob)
    names(world, ann, bob)
    audit(world)
    removal(world, ann)
    succeeded = {name for name, status in world.seen if status < 300}
    assert {operation.name for operation in world.contract.operations} - succeeded == set()


