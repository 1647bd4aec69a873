"""The conventions of docs/api.md, over the wire."""

import concurrent.futures
import socket

import pytest
import requests
from conftest import PASSWORD, SECONDS


@pytest.fixture(scope="module")
def ann(world):
    out = world.add_user("ann")
    world.root.post("/orgs", {"name": "acme", "owner": "ann"})
    return out


def pointers(response):
    return [error["pointer"] for error in response.json().get("errors", [])]


def test_unknown_parameters_are_refused(world):
    for query in ("limt=5", "limit=5&other=1", "If-Match=x"):
        refused = world.root.get("/users?" + query, status=400)
        assert "there is no parameter" in refused.json()["detail"]
    assert "Did you mean 'limit'?" in world.root.get("/users?limt=5", status=400).json()["detail"]
    world.root.get("/user?limit=5", status=400)


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "limit=1&limit=2", "cursor=*", "cursor=eA%3D%3D"])
def test_bad_pages_are_refused(world, ann, query):
    world.root.get("/users?" + query, status=400)
    ann.get("/orgs?" + query, status=400)


@pytest.mark.parametrize("path", ["/user/tokens", "/namespaces/acme/grants", "/orgs/acme/members", "/audit"])
def test_a_cursor_of_another_list_is_refused(world, path):
    world.root.get(path + "?cursor=YW5u", status=400)  # "ann"


def test_pages_follow_one_another(world):
    for name in ("page-a", "page-b", "page-c"):
        world.root.post("/users", {"name": name})
    names, path = [], "/users?limit=2"
    while path:
        page = world.root.get(path)
        names += [row["name"] for row in page.json()["items"]]
        following = page.links.get("next", {}).get("url")
        assert (following is None) == (page.json()["next"] is None)
        path = following and following.removeprefix("/api/v1")
    assert names == sorted(set(names)) and {"page-a", "page-b", "page-c"} <= set(names)
    assert len(world.root.get("/users?limit=100000").json()["items"]) == len(names), "a large limit is clamped"


def test_own_organizations_are_paged(world, ann):
    for name in ("org-a", "org-b"):
        world.root.post("/orgs", {"name": name, "owner": "ann"})
    first = ann.get("/orgs?limit=2").json()
    second = ann.get(f"/orgs?limit=2&cursor={first['next']}").json()
    assert [org["name"] for org in first["items"] + second["items"]] == ["acme", "org-a", "org-b"]
    assert second["next"] is None


@pytest.mark.parametrize("content_type, method, status", [
    ("application/json", "PATCH", 200),
    ("application/json; charset=utf-8", "PATCH", 200),
    ("Application/JSON", "PATCH", 200),
    ("application/merge-patch+json", "PATCH", 200),
    ("application/x-www-form-urlencoded", "PATCH", 415),
    ("text/plain", "PATCH", 415),
    ("application/merge-patch+json", "POST", 415),
])
def test_bodies_are_json(ann, content_type, method, status):
    path = "/user" if method == "PATCH" else "/user/tokens"
    ann.ask(method, path, status=status, data="{}", headers={"Content-Type": content_type})


@pytest.mark.parametrize("body", ["", "null", "[]", "{", '{"email":1}', '{"emial":null}', '{"email":null,"email":null}', "\xff"])
def test_bodies_of_another_shape_are_400(ann, body):
    ann.ask("PATCH", "/user", status=400, data=body.encode("latin-1"), headers={"Content-Type": "application/json"})


def test_large_bodies_are_413(ann):
    name = "x" * (1024 * 1024)
    ann.ask("PATCH", "/user", {"display_name": name}, 413)


@pytest.mark.parametrize("method, path, body, status, pointer", [
    ("POST", "/users", {}, 400, "/name"),
    ("POST", "/users", {"name": 7}, 400, "/name"),
    ("POST", "/users", {"name": "dora", "a/b~c": 1}, 400, "/a~1b~0c"),
    ("POST", "/users", {"name": "dora", "admin": None}, 400, "/admin"),
    ("POST", "/users", {"name": "D"}, 422, "/name"),
    ("POST", "/users", {"name": "dora", "email": "x"}, 422, "/email"),
    ("POST", "/users", {"name": "dora", "password": "short"}, 422, "/password"),
    ("POST", "/users", {"name": "dora", "display_name": "a\nb"}, 422, "/display_name"),
    ("POST", "/users", {"name": "dora", "display_name": "a\0b"}, 422, "/display_name"),
    ("POST", "/user/tokens", {"name": "t", "scopes": ["acme/web"]}, 422, "/scopes"),
    ("POST", "/user/tokens", {"name": "t", "expires_in": "1s"}, 422, "/expires_in"),
    ("POST", "/user/tokens", {"name": "t", "expires_in": "soon"}, 422, "/expires_in"),
    ("POST", "/auth/short-lived", {"expires_in": "13h"}, 422, "/expires_in"),
    ("PUT", "/orgs/acme/members/ann", {"role": "king"}, 422, "/role"),
    ("PATCH", "/namespaces/acme", {"visibility": None}, 400, "/visibility"),
    ("PATCH", "/namespaces/acme", {"visibility": "secret"}, 422, "/visibility"),
    ("PUT", "/namespaces/acme/grants", {"subject": "ann", "repo": "acme/**", "allow": ["fly"]}, 422, "/allow"),
    ("PUT", "/namespaces/acme/grants", {"subject": "ann", "repo": "**", "allow": ["pull"]}, 422, "/repo"),
    ("POST", "/namespaces/acme/robots", {"name": "acme+ci", "permissions": [
        {"repo": "acme/a", "actions": ["pull"]}, {"repo": "else/a", "actions": ["pull"]}]}, 422, "/permissions/1/repo"),
    ("POST", "/namespaces/acme/robots", {"name": "acme+ci", "permissions": [{"repo": 1}]}, 400, "/permissions/0/repo"),
    ("PATCH", "/namespaces/acme/robots/acme+ci", {"expires_in": "1s"}, 422, "/expires_in"),
    ("PATCH", "/namespaces/acme/robots/acme+ci", {"expires_in": ""}, 422, "/expires_in"),
    ("PATCH", "/namespaces/acme/robots/acme+ci", {"description": "x" * 1001}, 422, "/description"),
    ("PATCH", "/namespaces/acme/robots/acme+ci", {"name": "acme+cd"}, 400, "/name"),
    ("PATCH", "/namespaces/acme/trust/1", {"robot": "acme+cd"}, 400, "/robot"),
    ("POST", "/repos/none/-/rename", {}, 400, "/to"),
    ("POST", "/repos/none/-/rename", {"to": "none"}, 422, "/to"),
    ("POST", "/repos", {}, 400, "/name"),
    ("POST", "/repos", {"name": "acme/Web"}, 422, "/name"),
    ("POST", "/repos", {"name": "acme/web", "visibility": "secret"}, 422, "/visibility"),
    ("POST", "/repos", {"name": "acme/web", "description": "x" * 1001}, 422, "/description"),
])
def test_errors_tell_where(world, ann, method, path, body, status, pointer):
    assert pointers(world.root.ask(method, path, body, status)) == [pointer]


def test_null_takes_away(ann):
    ann.patch("/user", {"email": "ann@example.com", "display_name": "Ann"})
    assert ann.patch("/user", {"display_name": "An"}).json()["email"] == "ann@example.com"
    cleared = ann.patch("/user", {"email": None, "display_name": None}).json()
    assert (cleared["email"], cleared["display_name"]) == (None, "")


def test_changes_take_if_match(world):
    root = world.root
    tag = root.post("/users", {"name": "gina"}).headers["ETag"]
    for stale in ('"v999"', "W/" + tag, "v1", '"v1x"'):
        root.patch("/users/gina", {"admin": False}, status=412, headers={"If-Match": stale})
        root.delete("/users/gina", status=412, headers={"If-Match": stale})
    root.patch("/users/gina", {"admin": False}, headers={"If-Match": tag})
    root.delete("/users/gina", status=412, headers={"If-Match": tag})
    root.delete("/users/gina", headers={"If-Match": "*"})


def test_conditions_that_nobody_looks_at_are_refused(world, ann):
    ann.put("/orgs/acme/members/ann", {"role": "owner"}, status=412, headers={"If-Match": '"v1"'})
    world.root.put("/users/ann/password", {"new": PASSWORD}, status=412, headers={"If-None-Match": "*"})


@pytest.fixture
def things(world, ann):
    """Of every kind of single resource one: its path, a change, whether it may go."""
    world.add_user("tagged")
    ann.put("/orgs/acme/members/tagged", {"role": "reader"}, status=None)
    ann.post("/orgs/acme/teams", {"name": "tagged"})
    ann.post("/namespaces/acme/robots", {"name": "acme+tagged"})
    ann.post("/namespaces/acme/robots", {"name": "acme+jobs"})
    rule = ann.post("/namespaces/acme/trust", {"robot": "acme+jobs", "issuer": "https://ci.example.com", "audience": "b",
                                               "claims": {"repository": "acme/web"}})
    token = ann.post("/user/tokens", {"name": "tagged"})
    world.push("acme/tagged", auth=("ann", PASSWORD))
    made = {
        "/users/tagged": ({"display_name": "T"}, True),
        "/namespaces/acme": ({"display_name": "Acme"}, False),
        "/orgs/acme/teams/tagged": ({"groups": ["staff"]}, True),
        "/namespaces/acme/robots/acme+tagged": ({"description": "T"}, True),
        rule.headers["Location"].removeprefix("/api/v1"): ({"disabled": True}, True),
        token.headers["Location"].removeprefix("/api/v1"): (None, True),
        "/repos/acme/tagged": ({"description": "T"}, False),
    }
    yield made
    for path in [path for path, (_, goes) in made.items() if goes] + ["/namespaces/acme/robots/acme+jobs"]:
        (ann if path.startswith("/user/") else world.root).ask("DELETE", path)


def test_single_resources_are_changed_and_removed_only_at_their_tag(world, ann, things):
    for path, (change, goes) in things.items():
        caller = ann if path.startswith("/user/") else world.root
        first = caller.get(path).headers["ETag"]
        assert caller.get(path, status=304, headers={"If-None-Match": '"x", ' + first}).headers["ETag"] == first
        assert caller.get(path, headers={"If-None-Match": '"x"'}).headers["ETag"] == first, path
        tag = first
        if change:
            caller.patch(path, change, status=412, headers={"If-Match": '"x"'})
            tag = caller.patch(path, change, headers={"If-Match": '"x", ' + first}).headers["ETag"]
            assert tag != first, path
            caller.patch(path, change, status=412, headers={"If-Match": first})
            assert caller.get(path).headers["ETag"] == tag, path
        if goes:
            caller.delete(path, status=412, headers={"If-Match": "W/" + tag})
            caller.delete(path, headers={"If-Match": tag})


def test_what_put_leaves_has_a_tag(world, ann):
    world.add_user("placed")
    ann.post("/orgs/acme/teams", {"name": "placing"})
    for path, body, other in [
            ("/orgs/acme/members/placed", {"role": "reader"}, {"role": "writer"}),
            ("/namespaces/acme/grants", {"subject": "placed", "repo": "acme/x", "allow": ["read"]},
             {"subject": "placed", "repo": "acme/x", "allow": ["write"]}),
            ("/orgs/acme/teams/placing/members/placed", None, None)]:
        ann.put(path, body, status=412, headers={"If-Match": '"x"'})
        made = ann.put(path, body, status=201)
        first = made.headers["ETag"]
        tag = ann.put(path, other, headers={"If-Match": first}).headers["ETag"]
        if other:
            assert tag != first
            ann.put(path, body, status=412, headers={"If-Match": first})
        gone = path + "/" + made.json()["id"] if path.endswith("/grants") else path
        if path.startswith("/orgs/acme/members"):
            continue
        ann.delete(gone, status=412, headers={"If-Match": '"x"'})
        ann.delete(gone, headers={"If-Match": tag})
    ann.delete("/orgs/acme/members/placed", status=412, headers={"If-Match": '"x"'})
    ann.delete("/orgs/acme/members/placed")


def test_use_does_not_change_a_tag(world, ann):
    made = ann.post("/user/tokens", {"name": "used"})
    path = "/user/tokens/" + made.json()["id"]
    world.bearer(made.json()["secret"]).get("/user")
    assert ann.get(path).headers["ETag"] == made.headers["ETag"]


def test_a_dry_run_tells_what_would_go_and_changes_nothing(world, ann, things):
    ann.put("/orgs/acme/teams/tagged/members/tagged", status=201)
    grant = ann.put("/namespaces/acme/grants", {"subject": "acme+tagged", "repo": "acme/x", "allow": ["read"]}, status=201)
    ann.post("/auth/short-lived", {})
    session = ann.get("/user/sessions").json()["items"][0]["id"]
    invite = world.root.post("/invites", {"note": "tried"}).json()["id"]
    wanted = {path: ("DELETE", None, {}) for path, (_, goes) in things.items() if goes}
    wanted |= {"/users/tagged": ("DELETE", None, {"organizations": 1, "teams": 1}),
               "/orgs/acme/teams/tagged": ("DELETE", None, {"members": 1, "grants": 0}),
               "/namespaces/acme/robots/acme+tagged": ("DELETE", None, {"secrets": 1, "grants": 1}),
               "/namespaces/acme/robots/acme+jobs": ("PATCH", {"disabled": True}, {}),
               "/users/ann": ("PATCH", {"disabled": True}, {}),
               "/orgs/acme/members/tagged": ("DELETE", None, {}),
               "/orgs/acme/teams/tagged/members/tagged": ("DELETE", None, {}),
               "/namespaces/acme/grants/" + grant.json()["id"]: ("DELETE", None, {}),
               "/user/sessions": ("DELETE", None, {"sessions": 1}),
               "/user/sessions/" + session: ("DELETE", None, {}),
               "/users/ann/sessions": ("DELETE", None, {"sessions": 1}),
               "/invites/" + invite: ("DELETE", None, {})}
    before = world.root.get("/audit?limit=1").json()["items"][0]["seq"]
    for path, (method, body, effects) in wanted.items():
        caller = ann if path.startswith("/user/") else world.root
        for _ in range(2):
            told = caller.ask(method, path + "?dry_run=true", body, status=200).json()
            assert (told["dry_run"], told["target"]) == (True, path[1:]), told
            assert told["effects"] == told["effects"] | effects, (path, told)
    since = [row for row in world.root.get("/audit?limit=100").json()["items"] if row["seq"] > before]
    assert {row["action"] for row in since} <= {"sign_in"}, "what was not done is not on record"
    ann.delete("/namespaces/acme/robots/acme+tagged?dry_run=false")


def test_a_dry_run_is_refused_as_the_call_is(world, ann):
    world.root.delete("/users/ann?dry_run=true", status=409)
    world.root.delete("/users/root?dry_run=true", status=409)
    world.root.delete("/users/nobody?dry_run=true", status=404)
    world.root.delete("/invites/999999?dry_run=true", status=404)
    world.root.delete("/user/tokens/999999?dry_run=true", status=404)
    world.root.delete("/user/sessions/999999?dry_run=true", status=404)
    ann.delete("/users/root?dry_run=true", status=403)
    world.root.delete("/users/ann?dry_run=true", status=412, headers={"If-Match": '"x"'})
    world.root.delete("/users/ann?dry_run=yes", status=400)
    ann.patch("/user?dry_run=true", {"display_name": "x"}, status=400)
    assert world.root.get("/users/ann").json()["disabled"] is False


def test_one_of_many_changes_at_the_same_tag_wins(world):
    tag = world.root.post("/users", {"name": "race"}).headers["ETag"]

    def change(index):
        caller = world.caller("root", PASSWORD)
        return caller.ask("PATCH", "/users/race", {"display_name": str(index)}, headers={"If-Match": tag}).status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(change, range(8)))
    assert statuses == [200] + [412] * 7


def keyed(key):
    return {"headers": {"Idempotency-Key": key}}


def test_a_call_sent_again_with_its_key_is_done_once(world, ann):
    first = ann.post("/orgs/acme/teams", {"name": "keyed"}, **keyed("k-1"))
    again = ann.post("/orgs/acme/teams", {"name": "keyed"}, **keyed("k-1"))
    assert "Idempotency-Replayed" not in first.headers and again.headers["Idempotency-Replayed"] == "true"
    for name in ("Location", "ETag", "Content-Type"):
        assert again.headers[name] == first.headers[name]
    assert again.json() == first.json()
    ann.post("/orgs/acme/teams", {"name": "keyed"}, status=409, **keyed("k-2"))
    ann.post("/orgs/acme/teams", {"name": "keyed2"}, status=422, **keyed("k-1"))
    ann.post("/namespaces/acme/robots", {"name": "keyed"}, status=422, **keyed("k-1"))
    entries = world.root.get("/audit?action=createTeam&limit=5").json()["items"]
    assert [entry["detail"]["name"] for entry in entries].count("acme/keyed") == 1


def test_what_was_refused_is_not_kept(world, ann):
    ann.post("/orgs/acme/teams", {"name": "No Name"}, status=422, **keyed("k-3"))
    ann.post("/orgs/acme/teams", {"name": "refused-first"}, **keyed("k-3"))


def test_a_key_is_its_callers_own(world, ann):
    ann.post("/user/tokens", {"name": "mine"}, **keyed("k-4"))
    assert world.root.post("/user/tokens", {"name": "mine"}, **keyed("k-4")).json()["secret"]


def test_no_secret_is_told_twice(world, ann):
    first = ann.post("/user/tokens", {"name": "told once"}, **keyed("k-5")).json()
    again = ann.post("/user/tokens", {"name": "told once"}, **keyed("k-5")).json()
    assert again == first | {"secret": None, "detail": again["detail"]} and "told once" in again["detail"]
    assert ann.get("/user/tokens?limit=500").text.count('"told once"') == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "\xe4"])
def test_keys_that_cannot_be_are_refused(ann, key):
    ann.post("/user/tokens", {"name": "none"}, status=400, **keyed(key.encode("latin-1")))


def test_of_many_calls_with_one_key_at_once_one_is_done(world, ann):
    def make(_):
        return world.caller("ann", PASSWORD).post("/user/tokens", {"name": "at once"}, status=None, **keyed("k-6"))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(8)))
    assert {answer.status_code for answer in made} <= {201, 409}
    assert sum(answer.status_code == 201 and answer.json()["secret"] is not None for answer in made) == 1
    assert ann.get("/user/tokens?limit=500").text.count('"at once"') == 1


def test_fields_trim_lists_and_single_resources(world, ann, things):
    for path in things:
        caller = ann if path.startswith("/user/") else world.root
        whole = caller.get(path)
        names = list(whole.json())
        trimmed = caller.get(f"{path}?fields={names[-1]},{names[0]}")
        assert trimmed.json() == {name: whole.json()[name] for name in (names[0], names[-1])}
        assert trimmed.headers["ETag"] == whole.headers["ETag"], "the tag is of the whole"
    for path in ("/users", "/orgs", "/orgs/acme/members", "/orgs/acme/teams", "/namespaces/acme/robots",
                 "/namespaces/acme/trust", "/namespaces/acme/grants", "/user/tokens", "/audit", "/repos", "/invites",
                 "/user/sessions", "/orgs/acme/teams/tagged/members"):
        whole = world.root.get(path + "?limit=2").json()
        for name in whole["items"][0] if whole["items"] else []:
            trimmed = world.root.get(f"{path}?limit=2&fields={name}").json()
            assert trimmed["next"] == whole["next"] or path == "/audit"
            assert all(list(item) == [name] for item in trimmed["items"]), (path, name)
        world.root.get(path + "?fields=none", status=400)
    refused = world.root.get("/users?fields=nam", status=400)
    assert refused.json()["detail"] == "there is no field 'nam' here. Did you mean 'name'?"
    for query in ("fields=", "fields=name,", "fields=name&fields=email"):
        world.root.get("/users?" + query, status=400)
    assert "fields=name" in world.root.get("/users?limit=1&fields=name").headers["Link"], "and on the page behind"


def pages(caller, path, **parameters):
    """The items of all pages, two at a time."""
    items = []
    query = "".join(f"&{name}={value}" for name, value in parameters.items())
    where = f"{path}?limit=2{query}"
    while where:
        page = caller.get(where)
        items += page.json()["items"]
        where = page.links.get("next", {}).get("url", "").removeprefix("/api/v1")
    return items


BY_NAME = ["/users", "/orgs", "/orgs/acme/teams", "/namespaces/acme/robots", "/repos"]
BY_NUMBER = ["/user/tokens", "/user/sessions", "/invites", "/orgs/acme/members", "/orgs/acme/teams/sorted/members",
             "/namespaces/acme/trust", "/namespaces/acme/grants"]


@pytest.fixture(scope="module")
def many(world, ann):
    """More than two of everything that is listed."""
    for index in range(3):
        name = f"sorted-{index}"
        world.add_user(name)
        world.root.post("/orgs", {"name": f"sorted-org-{index}", "owner": "ann"})
        ann.put("/orgs/acme/members/" + name, {"role": "reader"}, status=201)
        ann.post("/orgs/acme/teams", {"name": name})
        ann.post("/orgs/acme/teams", {"name": "sorted"}, status=None)
        ann.put("/orgs/acme/teams/sorted/members/" + name, status=201)
        ann.post("/namespaces/acme/robots", {"name": "acme+" + name})
        ann.post("/namespaces/acme/trust", {"robot": "acme+" + name, "issuer": "https://ci.example.com", "audience": "b",
                                            "claims": {"repository": "acme/web"}})
        ann.put("/namespaces/acme/grants", {"subject": name, "repo": "acme/x", "allow": ["read"]}, status=201)
        ann.post("/user/tokens", {"name": name})
        ann.post("/auth/short-lived", {})
        world.root.post("/invites", {"note": name})
        world.push("acme/" + name, auth=("ann", PASSWORD))


@pytest.mark.parametrize("path", BY_NAME + BY_NUMBER)
def test_lists_go_both_ways_and_are_counted(world, ann, many, path):
    caller = ann if path.startswith("/user/") else world.root
    key = "name" if path in BY_NAME else "id"
    up = pages(caller, path)
    assert len(up) > 2 and pages(caller, path, sort=key) == up
    down = pages(caller, path, sort="-" + key)
    assert down == up[::-1]
    if key == "name":
        assert [row["name"] for row in up] == sorted(row["name"] for row in up)
    for count in ("exact", "estimate"):
        assert caller.get(f"{path}?limit=1&count={count}").json()["total"] == len(up)
        assert pages(caller, path, count=count, sort="-" + key) == down
    assert "total" not in caller.get(path).json()
    for query in ("sort=size", "sort=", "sort=" + ("id" if key == "name" else "name"), "count=yes"):
        caller.get(f"{path}?{query}", status=400)
    upward = caller.get(path + "?limit=1").json()["next"]
    downward = caller.get(f"{path}?limit=1&sort=-{key}").json()["next"]
    caller.get(f"{path}?sort=-{key}&cursor={upward}", status=400)
    caller.get(f"{path}?cursor={downward}", status=400)


def test_only_what_may_be_seen_is_counted(world, ann, many):
    everything = world.root.get("/repos?count=exact").json()["total"]
    world.push("root/hidden")
    assert world.root.get("/repos?count=exact").json()["total"] == everything + 1
    assert ann.get("/repos?count=exact").json()["total"] == len(pages(ann, "/repos")) < everything + 1
    assert world.anonymous.get("/repos?count=exact").json()["total"] == 0
    assert world.root.get("/repos?q=sorted&count=exact&limit=1").json()["total"] == 3
    assert ann.get("/orgs?count=exact").json()["total"] == len(pages(ann, "/orgs"))


def test_head_is_get_without_its_body(world):
    got = world.root.get("/users/root")
    headed = world.root.ask("HEAD", "/users/root", status=200)
    assert headed.headers["ETag"] == got.headers["ETag"]
    assert headed.headers["Content-Length"] == str(len(got.content))
    world.root.ask("HEAD", "/users/nobody", status=404)


def test_other_methods_are_405(world):
    for method, path, allow in [("PUT", "/users", "GET, HEAD, POST"), ("POST", "/user", "GET, HEAD, PATCH"),
                                ("OPTIONS", "/users", "GET, HEAD, POST"), ("TRACE", "/repos", "GET, HEAD, POST"),
                                ("GET", "/user/password", "PUT")]:
        refused = world.root.raw(method, path)
        assert (refused.status_code, refused.headers["Allow"]) == (405, allow), (method, path)
        assert refused.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/", "/none", "/users/", "/users//", "/users/ann/x", "/repos/", "/user/tokens/1/2"])
def test_paths_that_are_none_are_404(world, path):
    refused = world.root.raw("GET", path)
    assert (refused.status_code, refused.json()["code"]) == (404, "route_unknown"), refused.text


def test_names_in_paths_keep_their_slashes(world):
    world.push("deep/er/web")
    assert world.root.get("/repos/deep/er/web").json()["name"] == "deep/er/web"
    world.root.get("/repos/deep%2Fer%2Fweb", status=400)


def test_answers_are_kept_by_nobody(world):
    for path in ("/users", "/users/root", "/users/nobody"):
        assert world.root.raw("GET", path).headers["Cache-Control"] == "no-store"


def test_problems_tell_what_was_asked_for(world):
    problem = world.root.get("/users/nobody", status=404).json()
    assert problem["type"] == "/help/errors/account-unknown" and problem["code"] == "account_unknown"
    assert problem["instance"] == "/api/v1/users/nobody"
    assert problem["request_id"]


def test_put_creates_or_replaces(world, ann):
    world.add_user("hugo")
    only_new = {"If-None-Match": "*"}
    for path, body in [("/orgs/acme/members/hugo", {"role": "reader"}), ("/orgs/acme/teams/ops/members/hugo", None),
                       ("/namespaces/acme/grants", {"subject": "hugo", "repo": "acme/x", "allow": ["read"]})]:
        if "teams" in path:
            ann.post("/orgs/acme/teams", {"name": "ops"})
        ann.put(path, body, status=201, headers=only_new)
        ann.put(path, body, status=412, headers=only_new)
        ann.put(path, body, status=200)


# -- what must not be taken for something else

def test_a_number_with_more_behind_it_is_none(ann):
    token = ann.post("/user/tokens", {"name": "kept"}).json()
    for text in (token["id"] + "x", "0" * 30 + "1x", "+" + token["id"], "99999999999999999999"):
        ann.delete("/user/tokens/" + text, status=404)
    assert ann.get(f"/user/tokens/{token['id']}").json()["revoked_at"] is None


def test_a_token_of_the_token_service_is_not_an_account(world):
    """It was made to pull or push one repository, and is handed to whoever does that."""
    url = world.server.url + "/token?scope=repository:acme/web:pull"
    token = requests.get(url, auth=("root", PASSWORD), timeout=SECONDS).json()["token"]
    for method, path in [("GET", "/user"), ("GET", "/users"), ("POST", "/user/tokens")]:
        refused = world.bearer(token).ask(method, path, {"name": "stolen"} if method == "POST" else None, 401)
        assert "Basic" in refused.headers["WWW-Authenticate"]


def test_an_endless_overlap_is_refused(ann):
    ann.post("/namespaces/acme/robots", {"name": "acme+spin"})
    for text in ("31d", "106751991167d", "9223372036854775807ms", "-1s", "soon"):
        refused = ann.post("/namespaces/acme/robots/acme+spin/rotate", {"overlap": text}, status=422)
        assert pointers(refused) == ["/overlap"]


def test_namespaces_that_are_none_are_404(world):
    for path in ("/namespaces/none", "/namespaces/none/robots", "/namespaces/none/grants", "/orgs/none/members",
                 "/orgs/none/teams"):
        world.root.get(path, status=404)


def test_a_narrow_token_administers_nothing(world, ann):
    secret = ann.post("/user/tokens", {"name": "narrow", "scopes": ["acme/**:all"]}).json()["secret"]
    narrow = world.bearer(secret)
    narrow.get("/user")
    for method, path, body in [("GET", "/user/tokens", None), ("GET", "/namespaces/acme", None), ("GET", "/users", None),
                               ("POST", "/namespaces/acme/robots", {"name": "acme+evil"}),
                               ("PUT", "/orgs/acme/members/ann", {"role": "owner"})]:
        refused = narrow.ask(method, path, body, 403).json()
        assert refused["code"] in ("insufficient_scope", "denied")


def test_a_body_that_stops_halfway_takes_nothing_down(world):
    host, port = world.server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), SECONDS) as peer:
        peer.sendall(b"PATCH /api/v1/user HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    world.root.get("/user")
