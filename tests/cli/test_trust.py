"""CI without a stored secret: a server, an issuer of ID tokens beside it, and what jobs get from one with the other's."""

import base64
import datetime
import http.client
import json
import pathlib
import sys
import time
import urllib.parse

import pytest

from conftest import run

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from id_issuer import DISCOVERY, Issuer, Key, base64url  # noqa: E402

ROOT = ("root", "the first of all passwords")
AUDIENCE = "registry.example.com"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
REFUSED = "the ID token is not accepted here"


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return Key(tmp_path_factory.mktemp("keys"), "first")


@pytest.fixture
def issuer(tmp_path, key):
    issuer = Issuer(tmp_path, key)
    yield issuer
    issuer.close()


class Registry:
    def __init__(self, server):
        self.server = server

    def ask(self, method, path, body=None, who=None, **headers):
        """(status, document) of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            if who:
                headers["Authorization"] = "Basic " + base64.b64encode(":".join(who).encode()).decode()
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text else None
        finally:
            connection.close()

    def api(self, status, method, path, body=None, who=ROOT):
        done, document = self.ask(method, f"/api/v1/{path}", body and json.dumps(body), who,
                                  **{"Content-Type": "application/json"})
        assert done == status, document
        return document

    def trust(self, of, status=201, **changed):
        rule = {"issuer": of.url, "audience": AUDIENCE, "robot": "acme+ci",
                "claims": {"repository": "acme/web", "ref": "refs/heads/*"}, **changed}
        return self.api(status, "POST", "namespaces/acme/trust", rule)

    def token(self, secret, name="acme+ci", scope="repository:acme/web:pull,push"):
        """What docker login and docker push ask for."""
        return self.ask("GET", f"/token?service=berth&scope={scope}&offline_token=true", who=(name, secret))

    def exchange(self, token, **changed):
        form = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": ID_TOKEN,
                "scope": "repository:acme/web:pull,push", **changed}
        return self.ask("POST", "/token", urllib.parse.urlencode(form),
                        **{"Content-Type": "application/x-www-form-urlencoded"})

    def is_on_record(self, why, allowed):
        """Waits for it to be the last of the robot: sign-ins and refusals are written soon, not at once. Gives the entry."""
        found = []

        def look():
            found[:] = self.api(200, "GET", "audit?limit=1&actor=acme%2Bci")["items"]
            return found and found[0]["allowed"] == allowed and why in found[0]["rule"]

        self.server.wait_until(look, f"entry that says {why!r}")
        return found[0]

    def refuses(self, token, why):
        """Nobody learns why but who reads the audit log."""
        status, document = self.token(token)
        assert status == 401 and REFUSED in json.dumps(document), document
        self.is_on_record(why, allowed=False)


def start(serve, tmp_path, *flags):
    done = run("user", "add", ROOT[0], "--admin", "--password-stdin", "--data", str(tmp_path / "data"), input=ROOT[1])
    assert done.returncode == 0, done.stderr
    registry = Registry(serve(*flags))
    registry.api(201, "POST", "orgs", {"name": "acme", "owner": "root"})
    registry.api(201, "POST", "namespaces/acme/robots",
                 {"name": "acme+ci", "permissions": [{"repo": "acme/web", "actions": ["pull", "push"]}]})
    return registry


@pytest.fixture
def registry(serve, tmp_path):
    return start(serve, tmp_path, "--auth-trusted-networks", "127.0.0.0/8")


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a_job_signs_in_as_docker_does_and_may_what_the_robot_may(registry, issuer):
    registry.trust(issuer)
    ends = int(time.time()) + 200
    token = issuer.token(exp=ends)
    status, given = registry.token(token)
    assert status == 200
    claims = claims_of(given["token"])
    assert claims["sub"] == "acme+ci" and claims["exp"] <= ends
    assert claims["access"] == [{"type": "repository", "name": "acme/web", "actions": ["pull", "push"]}]
    assert given["refresh_token"].startswith("berth_ref_"), "for docker, which pushes when the ID token is over"
    assert registry.token(token, scope="repository:acme/other:push")[1]["token"], "less than was asked for is no error"
    bearer = {"Authorization": "Bearer " + given["token"]}
    assert registry.ask("POST", "/v2/acme/web/blobs/uploads/", "", **bearer)[0] == 202
    assert registry.ask("POST", "/v2/acme/other/blobs/uploads/", "", **bearer)[0] == 401
    assert registry.ask("POST", "/v2/acme/web/blobs/uploads/", "", who=("acme+ci", token))[0] == 202


def test_the_audit_log_tells_which_job_it_was(registry, issuer):
    rule = registry.trust(issuer)
    registry.token(issuer.token())
    entry = registry.is_on_record(f"trust rule {rule['id']}", allowed=True)
    assert entry["action"] == "sign_in" and entry["rule"] == f"trust rule {rule['id']}"
    assert entry["detail"] == {"issuer": issuer.url, "claims": {
        "sub": "repo:acme/web:ref:refs/heads/main", "repository": "acme/web", "ref": "refs/heads/main", "run_id": "77"}}
    assert registry.api(200, "GET", "namespaces/acme/trust")["items"][0]["last_used_at"]


def test_a_token_is_exchanged_as_oauth_has_it(registry, issuer):
    registry.trust(issuer)
    token = issuer.token()
    status, given = registry.exchange(token)
    assert status == 200
    assert given["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    assert given["token_type"] == "Bearer" and given["expires_in"] <= 300
    assert given["scope"] == "repository:acme/web:pull,push"
    assert "refresh_token" not in given
    assert registry.exchange(token, client_id="acme+ci")[0] == 200
    assert registry.exchange(token, client_id="acme+other")[0] == 401
    assert registry.exchange(token, subject_token_type="urn:ietf:params:oauth:token-type:jwt")[0] == 200
    assert registry.exchange(token, subject_token_type="urn:ietf:params:oauth:token-type:saml2")[0] == 400
    assert registry.exchange(token, requested_token_type="urn:ietf:params:oauth:token-type:refresh_token")[0] == 400
    assert registry.exchange(token, actor_token=token)[0] == 400
    assert registry.exchange("")[0] == 401
    assert registry.exchange("the first of all passwords", client_id="root")[0] == 401
    form = {"grant_type": "password", "username": "acme+ci", "password": token, "access_type": "offline"}
    status, given = registry.ask("POST", "/token", urllib.parse.urlencode(form))
    assert status == 200 and "refresh_token" in given


WRONG = [
    ({"aud": "https://github.com/acme"}, "wants the audience registry.example.com"),
    ({"aud": None}, "aud is missing"),
    ({"iss": "https://token.actions.githubusercontent.com"}, "no rule trusts https://token.actions"),
    ({"repository": "acme/web-copy"}, "wants repository acme/web, which is 'acme/web-copy'"),
    ({"ref": "refs/pull/7/merge"}, "wants ref refs/heads/*, which is 'refs/pull/7/merge'"),
    ({"ref": None}, "wants ref refs/heads/*, which is not there"),
    ({"nbf": int(time.time()) + 86400}, "nbf is still to come"),
]


def test_what_does_not_match_is_refused_and_the_audit_log_says_why(registry, issuer):
    registry.trust(issuer)
    for changed, why in WRONG:
        registry.refuses(issuer.token(**changed), why)
    header = base64url(json.dumps({"alg": "none", "kid": "first"}).encode())
    registry.refuses(f"{header}.{base64url(json.dumps(issuer.claims()).encode())}.", "alg does not fit the key")
    registry.refuses(issuer.key.token(issuer.claims(), kid="other"), "kid: no such key")
    assert registry.token(issuer.token())[0] == 200


def test_an_expired_token_is_told_so(registry, issuer):
    registry.trust(issuer)
    status, document = registry.token(issuer.token(exp=int(time.time()) - 5))
    assert status == 401 and "has expired" in json.dumps(document)


def test_the_next_key_of_the_issuer_is_seen(registry, issuer, tmp_path):
    registry.trust(issuer)
    stranger = Key(tmp_path, "stranger")
    issuer.rotate("second")  # before anybody asked
    assert registry.token(issuer.token())[0] == 200
    for _ in range(5):
        assert registry.token(stranger.token(issuer.claims()))[0] == 401
    assert issuer.asked == [DISCOVERY, "/jwks"], "once a minute, whatever tokens say"


@pytest.fixture
def elsewhere(tmp_path):
    """Where a forger keeps the keys that would make his tokens good."""
    server = Issuer(tmp_path, Key(tmp_path, "elsewhere"))
    yield server
    server.close()


@pytest.mark.parametrize("members", [("jku",), ("x5u",), ("jku", "x5u", "jwk")], ids="+".join)
def test_keys_that_a_token_points_at_are_not_asked_for(registry, issuer, elsewhere, members):  # S8
    registry.trust(issuer)
    values = {"jku": f"{elsewhere.url}/jwks", "x5u": f"{elsewhere.url}/jwks", "jwk": elsewhere.key.jwk}
    header = {name: values[name] for name in members}
    of_job = elsewhere.key.token(issuer.claims(), **header)
    assert registry.token(of_job)[0] == 401 and registry.exchange(of_job)[0] == 401
    made = registry.token(issuer.token())[1]["token"]
    ours = elsewhere.key.token(claims_of(made), **header)
    assert registry.ask("GET", "/v2/", Authorization="Bearer " + made)[0] == 200
    assert registry.ask("GET", "/v2/", Authorization="Bearer " + ours)[0] == 401
    assert elsewhere.asked == []


def answer(document, status=200, **headers):
    return status, headers, document if isinstance(document, bytes) else json.dumps(document).encode()


def broken(issuer, what):
    elsewhere = {"Location": f"{issuer.url}/elsewhere"}
    return {
        "another issuer's discovery": {DISCOVERY: answer({"issuer": "https://evil", "jwks_uri": f"{issuer.url}/jwks"})},
        "no discovery": {DISCOVERY: answer(b"", 404)},
        "a redirect of the discovery": {DISCOVERY: answer(b"", 302, **elsewhere)},
        "a redirect of the keys": {"/jwks": answer(b"", 302, **elsewhere)},
        "keys that are too long": {"/jwks": answer(b'{"keys":[' + b" " * 300_000 + b"]}")},
        "keys on the disk": {DISCOVERY: answer({"issuer": issuer.url, "jwks_uri": "file:///etc/passwd"})},
        "no keys": {"/jwks": answer({"keys": []})},
    }[what]


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("another issuer's discovery", "of another issuer"),
        ("no discovery", "status 404"),
        ("a redirect of the discovery", "status 302"),
        ("a redirect of the keys", "status 302"),
        ("keys that are too long", "too long"),
        ("keys on the disk", "no address of keys"),
        ("no keys", "no key that could check"),
    ],
)
def test_an_issuer_with_broken_documents_lets_nobody_in(registry, issuer, what, says):
    registry.trust(issuer)
    issuer.answers = broken(issuer, what)
    issuer.answers["/elsewhere"] = answer({"keys": issuer.published})
    status, document = registry.token(issuer.token())
    assert status == 503 and "cannot be fetched now" in json.dumps(document), document
    assert says in registry.server.wait_for("issuer.keys_failed")[0]["err"]
    assert "/elsewhere" not in issuer.asked


def test_this_machine_is_not_asked_unless_the_settings_say_so(serve, tmp_path, issuer):
    registry = start(serve, tmp_path)
    registry.trust(issuer)
    assert registry.token(issuer.token())[0] == 503
    assert "auth.trusted_networks" in registry.server.wait_for("issuer.keys_failed")[0]["err"]
    assert issuer.asked == []


def test_an_encrypted_address_on_this_machine_is_not_connected_to_either(serve, tmp_path, issuer):
    registry = start(serve, tmp_path)
    issuer.url = issuer.url.replace("http://127.0.0.1", "https://localhost")
    registry.trust(issuer)
    assert registry.token(issuer.token())[0] == 503
    assert "not a public address" in registry.server.wait_for("issuer.keys_failed")[0]["err"]


def test_a_rule_that_is_taken_away_counts_no_more_at_once(registry, issuer):
    rule = registry.trust(issuer)
    token = issuer.token()
    bearer = {"Authorization": "Bearer " + registry.token(token)[1]["token"]}
    assert registry.ask("GET", "/v2/acme/web/tags/list", who=("acme+ci", token))[0] == 404
    assert registry.ask("GET", "/v2/acme/web/tags/list", **bearer)[0] == 404
    registry.api(204, "DELETE", f"namespaces/acme/trust/{rule['id']}")
    assert registry.ask("GET", "/v2/acme/web/tags/list", who=("acme+ci", token))[0] == 401
    assert registry.ask("GET", "/v2/acme/web/tags/list", **bearer)[0] == 401
    assert registry.token(token)[0] == 401


def test_a_rule_that_is_switched_off_lets_nobody_in_until_it_is_on_again(registry, issuer):
    rule = registry.trust(issuer)
    token = issuer.token()
    bearer = {"Authorization": "Bearer " + registry.token(token)[1]["token"]}
    for is_off, status, listed in ((True, 401, 401), (False, 200, 404)):
        registry.api(200, "PATCH", f"namespaces/acme/trust/{rule['id']}", {"disabled": is_off})
        assert registry.token(token)[0] == status
        assert registry.ask("GET", "/v2/acme/web/tags/list", **bearer)[0] == listed


def test_a_strangers_rule_neither_catches_nor_blocks_a_job_that_says_its_name(registry, issuer):
    registry.trust(issuer)
    token = issuer.token()
    assert registry.token(token, name="token")[0] == 200
    registry.api(201, "POST", "users", {"name": "eve", "password": "correct horse battery"})
    eve = ("eve", "correct horse battery")
    registry.api(201, "POST", "namespaces/eve/robots", {"name": "eve+x"}, who=eve)
    rule = {"issuer": issuer.url, "audience": AUDIENCE, "robot": "eve+x", "claims": {"repository": "acme/*"}}
    made = registry.api(201, "POST", "namespaces/eve/trust", rule, who=eve)
    status, document = registry.token(token, name="token")
    assert status == 401 and "sign in with the robot's name, as acme+ci" in json.dumps(document), document
    status, document = registry.exchange(token)
    assert status == 401 and "sign in with the robot's name, as acme+ci" in json.dumps(document), document
    assert registry.token(token)[0] == 200
    assert registry.exchange(token, client_id="acme+ci")[0] == 200
    registry.api(204, "DELETE", f"namespaces/eve/trust/{made['id']}", who=eve)
    assert registry.exchange(token)[0] == 200


def test_a_job_makes_nothing_that_outlives_it(registry, issuer):
    registry.trust(issuer)
    registry.api(201, "PUT", "namespaces/acme/grants",
                 {"subject": "acme+ci", "repo": "acme/**", "allow": ["read", "write", "admin"]})
    job = ("acme+ci", issuer.token())
    assert registry.api(200, "GET", "user", who=job)["name"] == "acme+ci"
    registry.api(403, "POST", "robot/rotate", {}, who=job)
    made = registry.api(201, "POST", "auth/short-lived", {"expires_in": "12h"}, who=job)
    assert ends_within(made, 3600), "the longest a job may be signed in"
    for someone in (job, ("acme+ci", made["secret"])):
        registry.api(403, "POST", "robot/rotate", {}, who=someone)
        registry.api(403, "POST", "namespaces/acme/trust", {}, who=someone)
        registry.api(403, "POST", "namespaces/acme/robots", {"name": "acme+more"}, who=someone)
        registry.api(403, "PUT", "namespaces/acme/grants", {}, who=someone)
    again = registry.api(201, "POST", "auth/short-lived", {}, who=("acme+ci", made["secret"]))
    assert again["expires_at"] == made["expires_at"], "no life beyond that"


def ends_within(made, seconds):
    ends = datetime.datetime.fromisoformat(made["expires_at"].replace("Z", "+00:00")).timestamp()
    return time.time() < ends <= time.time() + seconds


def test_what_a_job_made_works_after_its_token_and_ends_with_the_rule(serve, tmp_path, issuer):
    registry = start(serve, tmp_path, "--auth-trusted-networks", "127.0.0.0/8", "--auth-job-life", "30m")
    rule = registry.trust(issuer)
    job = ("acme+ci", issuer.token(exp=int(time.time()) + 3))
    made = registry.api(201, "POST", "auth/short-lived", {}, who=job)
    assert ends_within(made, 1800)
    refused = registry.token(job[1])
    assert refused[0] == 401 and "within a minute" in json.dumps(refused[1]), "no token that ends before docker expects it"

    def begin(who):
        return registry.ask("POST", "/v2/acme/web/blobs/uploads/", "", who=who)[0]

    registry.server.wait_until(lambda: begin(job) == 401, "end of the ID token")
    by_secret = ("acme+ci", made["secret"])
    assert begin(by_secret) == 202
    registry.api(204, "DELETE", f"namespaces/acme/trust/{rule['id']}")
    assert begin(by_secret) == 401


def test_rules_are_made_listed_and_taken_away_by_who_administers_the_namespace(registry, issuer):
    made = registry.trust(issuer)
    assert {**made, "id": "", "created_at": ""} == {
        "id": "", "robot": "acme+ci", "issuer": issuer.url, "audience": AUDIENCE, "disabled": False, "issuer_trusted": True,
        "created_at": "", "claims": {"ref": "refs/heads/*", "repository": "acme/web"}, "last_used_at": None}
    second = registry.trust(issuer, claims={"repository": "acme/api"})
    listed = registry.api(200, "GET", "namespaces/acme/trust?limit=1")
    assert listed["items"] == [made]
    assert registry.api(200, "GET", f"namespaces/acme/trust?cursor={listed['next']}")["items"] == [second]
    registry.trust(issuer, status=409)
    registry.trust(issuer, status=404, robot="acme+none")
    registry.trust(issuer, status=404, robot="root")
    registry.trust(issuer, status=422, claims={"repository": "*"})
    registry.trust(issuer, status=422, claims={})
    registry.trust(issuer, status=400, claims={"run": 7})
    registry.trust(issuer, status=400, claims=["repository"])
    registry.trust(issuer, status=400, isuer="x")
    github = {"issuer": "https://token.actions.githubusercontent.com"}
    assert "everybody's jobs" in registry.trust(issuer, status=422, claims={"ref": "refs/heads/main"}, **github)["detail"]
    registry.trust(issuer, **github)
    registry.api(204, "DELETE", f"namespaces/acme/trust/{second['id']}")
    registry.api(404, "DELETE", f"namespaces/acme/trust/{second['id']}")
    registry.api(201, "POST", "users", {"name": "bob", "password": "correct horse battery"})
    bob = ("bob", "correct horse battery")
    registry.api(404, "GET", "namespaces/acme/trust", who=bob)
    registry.api(404, "DELETE", f"namespaces/bob/trust/{made['id']}", who=bob)
    actions = [entry["action"] for entry in registry.api(200, "GET", "audit?actor=root&limit=100")["items"]]
    assert actions.count("createTrustRule") == 3 and actions.count("removeTrustRule") == 1


def test_a_setting_that_is_no_network_is_refused(tmp_path):
    done = run("serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), "--auth-trusted-networks", "gitlab")
    assert done.returncode == 125 and "10.0.0.0/8" in done.stderr


def test_rules_about_issuers_that_are_not_taken_do_not_count(serve, tmp_path, issuer):
    inside = ("--auth-trusted-networks", "127.0.0.0/8")
    registry = start(serve, tmp_path, *inside)
    rule = registry.trust(issuer)
    assert rule["issuer_trusted"] is True
    made = registry.token(issuer.token())[1]["refresh_token"]
    registry.server.stop()
    registry = Registry(serve(*inside, "--auth-trusted-issuers", "https://*.example.com", folder=tmp_path))
    registry.refuses(issuer.token(), "auth.trusted_issuers does not name " + issuer.url)
    assert registry.api(200, "GET", f"namespaces/acme/trust/{rule['id']}")["issuer_trusted"] is False
    assert "auth.trusted_issuers" in registry.trust(issuer, status=422, audience="another")["detail"]
    form = {"grant_type": "refresh_token", "service": "berth", "client_id": "docker", "refresh_token": made}
    status, _ = registry.ask("POST", "/token", urllib.parse.urlencode(form),
                             **{"Content-Type": "application/x-www-form-urlencoded"})
    assert status == 401, "nor does what was made by them"
    registry.server.stop()
    registry = Registry(serve(*inside, "--auth-trusted-issuers", issuer.url, folder=tmp_path))
    assert registry.token(issuer.token())[0] == 200
