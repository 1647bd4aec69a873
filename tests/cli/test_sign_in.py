"""People who sign in with a browser: by password, at an identity provider, for a program on another machine."""

import http.client
import pathlib
import re
import subprocess
import sys
import time
import urllib.parse

import pytest

from conftest import BERTH, SECONDS, run
from test_trust import Registry

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from oidc_provider import Browser, Provider  # noqa: E402
from web_login import WebLogin  # noqa: E402

ROOT = ("root", "the first of all passwords")
CALLBACK = "/login/oidc/callback"


@pytest.fixture(scope="module")
def provider_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("provider")


@pytest.fixture
def provider(provider_folder):
    provider = Provider(provider_folder)
    yield provider
    provider.close()


class Here(Registry):
    """A registry, and the browsers of people."""

    def __init__(self, server):
        super().__init__(server)
        self.url = f"http://localhost:{server.port}"

    def browser(self):
        return Browser(self.url)

    def signed_in(self, name, password):
        browser = self.browser()
        browser.open("/login")
        browser.submit("/login", name=name, password=password)
        assert browser.status == 200 and name in browser.page.text, browser.page.text
        return browser

    def by_provider(self, next="/settings/tokens"):
        browser = self.browser()
        browser.open("/login?next=" + urllib.parse.quote(next, safe=""))
        browser.open(next_link(browser.page, "/login/oidc"))
        return browser

    def name_of(self, secret, user="token"):
        return self.api(200, "GET", "user", who=(user, secret))["name"]


def next_link(page, start):
    return next(link for link in page.links if link.startswith(start))


def start(serve, tmp_path, provider=None, *flags):
    done = run("user", "add", ROOT[0], "--admin", "--password-stdin", "--data", str(tmp_path / "data"), input=ROOT[1])
    assert done.returncode == 0, done.stderr
    if provider:
        secret = tmp_path / "client-secret"
        secret.write_text(provider.client[1] + "\n")
        secret.chmod(0o600)
        flags = ("--auth-trusted-networks", "127.0.0.0/8", "--auth-oidc-issuer", provider.url, "--auth-oidc-client-id",
                 provider.client[0], "--auth-oidc-client-secret-file", str(secret), "--auth-oidc-label", "Acme", *flags)
    here = Here(serve(*flags))
    if provider:
        provider.redirects.append(here.url + CALLBACK)
    return here


@pytest.fixture
def here(serve, tmp_path, provider):
    return start(serve, tmp_path, provider)


@pytest.fixture
def plain(serve, tmp_path):
    """Without a provider."""
    return start(serve, tmp_path)


def made_token(browser, **fields):
    browser.open("/settings/tokens")
    browser.submit("/settings/tokens", **{"name": "laptop", "expires_in": "30d", "scopes": "", **fields})
    found = re.search(r"berth_pat_\w+", browser.page.text)
    assert found, browser.page.text
    return found[0]


# ---- by password

def test_a_password_opens_a_session_that_lists_and_makes_tokens(plain):
    browser = plain.signed_in(*ROOT)
    secret = made_token(browser, scopes="root/web:read,write\r\n")
    assert plain.name_of(secret) == "root"
    browser.open("/settings/tokens")
    assert "root/web:read,write" in browser.page.text and secret not in browser.page.text
    browser.submit("/settings/tokens/revoke")
    assert "laptop" not in browser.page.text
    plain.api(401, "GET", "user", who=("token", secret))


def test_a_token_outlives_the_session_it_was_made_in(plain):
    browser = plain.signed_in(*ROOT)
    secret = made_token(browser)
    ends = plain.api(200, "GET", "user/tokens")["items"][0]["expires_at"]
    assert time.mktime(time.strptime(ends, "%Y-%m-%dT%H:%M:%SZ")) - time.time() > 20 * 86400, "not with the session"
    browser.submit("/logout")
    assert browser.page.form("/login") is not None
    browser.open("/settings/tokens")
    assert browser.history[-1].startswith(plain.url + "/login?next=")
    assert plain.name_of(secret) == "root"


def test_what_is_wrong_opens_nothing_and_tells_nothing(plain):
    for name, password in [("root", "wrong"), ("nobody", "wrong"), ("root", ""), ("", "")]:
        browser = plain.browser()
        browser.open("/login")
        browser.submit("/login", name=name, password=password)
        assert browser.status == 403 and "Wrong user name or password." in browser.page.text, (name, password)
        assert not browser.cookies[f"localhost:{plain.server.port}"]


def test_a_token_is_no_password_for_a_browser(plain):
    secret = made_token(plain.signed_in(*ROOT), scopes="root/web:read")
    browser = plain.browser()
    browser.open("/login")
    browser.submit("/login", name="root", password=secret)
    assert browser.status == 403 and "your password" in browser.page.text


def test_a_form_counts_only_from_a_page_of_ours(plain):
    form = urllib.parse.urlencode({"name": ROOT[0], "password": ROOT[1]})
    always = {"Content-Type": "application/x-www-form-urlencoded", "Host": plain.url.removeprefix("http://")}
    rows = [({"Sec-Fetch-Site": "same-origin"}, 303), ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "same-site"}, 403), ({"Sec-Fetch-Site": "none"}, 403), ({"Origin": plain.url}, 303),
            ({"Origin": plain.url, "Sec-Fetch-Site": "cross-site"}, 403),
            ({"Origin": "https://evil.example.com"}, 403), ({"Origin": "null"}, 403), ({}, 403)]
    for headers, wanted in rows:
        assert raw(plain, "POST", "/login", form, {**always, **headers})[0] == wanted, headers


def raw(here, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", here.server.port, timeout=SECONDS)
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    return response.status, (response.headers, response.read().decode())


def cookie_of(browser, here):
    return "; ".join(f"{k}={v}" for k, v in browser.cookies[f"localhost:{here.server.port}"].items())


def test_a_session_counts_for_the_api_if_a_page_of_ours_asks(plain):
    browser = plain.signed_in(*ROOT)
    cookie = cookie_of(browser, plain)
    browser.open("/settings/tokens")
    csrf = browser.page.form("/settings/tokens")["csrf"]
    body = '{"name":"by script"}'
    same = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    rows = [("GET", {"Cookie": cookie}, 401), ("GET", {"Cookie": cookie, "Sec-Fetch-Site": "cross-site"}, 401),
            ("GET", same, 200), ("POST", same, 401), ("POST", {**same, "X-CSRF-Token": "guessed"}, 401),
            ("POST", {**same, "X-CSRF-Token": csrf}, 201),
            ("POST", {"Cookie": cookie, "Sec-Fetch-Site": "cross-site", "X-CSRF-Token": csrf}, 401),
            ("GET", {**same, "Cookie": cookie + "; " + cookie}, 401)]
    for method, headers, wanted in rows:
        status, _ = raw(plain, method, "/api/v1/user/tokens", body if method == "POST" else None,
                        {"Content-Type": "application/json", **headers})
        assert status == wanted, (method, headers)
    for path in ("/v2/", "/v2/_catalog"):
        assert raw(plain, "GET", path, headers=same)[0] == 401, "never for the registry itself"
    token = raw(plain, "GET", "/token?service=berth&scope=repository:root/x:pull", headers=same)[1][1]
    assert '"access":[]' in claims_text(token) or '"sub":""' in claims_text(token), "nor for its tokens"


def claims_text(answer):
    import base64
    import json
    part = json.loads(answer)["token"].split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()


def test_a_form_of_another_session_is_refused(plain):
    browser, other = plain.signed_in(*ROOT), plain.signed_in(*ROOT)
    other.open("/settings/tokens")
    browser.open("/settings/tokens")
    browser.submit("/settings/tokens", name="x", csrf=other.page.form("/settings/tokens")["csrf"])
    assert browser.status == 403 and not plain.api(200, "GET", "user/tokens")["items"]
    browser.open("/logout", "POST", {})
    assert browser.status == 403
    assert browser.open("/settings/tokens") and browser.status == 200, "still signed in"


def test_pages_are_safe_against_frames_scripts_and_the_shelf(plain):
    for path in ("/login", "/device", "/settings/tokens"):
        status, (headers, body) = raw(plain, "GET", path)
        assert status in (200, 303)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert headers["Cache-Control"] == "no-store" and headers["X-Content-Type-Options"] == "nosniff"
        assert "<script" not in body
    hostile = '"><script>alert(1)</script>'
    status, (_, body) = raw(plain, "GET", "/login?next=" + urllib.parse.quote(hostile))
    assert status == 200 and "<script" not in body


def test_a_sign_in_goes_on_at_a_page_of_ours_alone(plain):
    for next in ("https://evil.example.com", "//evil.example.com", "/\\evil.example.com", "login",
                 "/x\r\nSet-Cookie: a=b", "javascript:alert(1)", "/" + "a" * 600):
        form = urllib.parse.urlencode({"name": ROOT[0], "password": ROOT[1], "next": next})
        status, (headers, _) = raw(plain, "POST", "/login", form, {
            "Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"})
        assert status == 303 and headers["Location"] == "/settings/tokens", next


def test_sessions_are_listed_and_ended_one_by_one_and_all_at_once(plain):
    browser, other = plain.signed_in(*ROOT), plain.signed_in(*ROOT)
    browser.open("/settings/sessions")
    assert browser.page.text.count("a browser of the tests") == 2 and "this one" in browser.page.text
    listed = plain.api(200, "GET", "user/sessions")["items"]
    assert [row["kind"] for row in listed] == ["browser", "browser"] and not any(row["current"] for row in listed)
    plain.api(204, "DELETE", f"user/sessions/{listed[1]['id']}")
    plain.api(404, "DELETE", f"user/sessions/{listed[1]['id']}")
    other.open("/settings/tokens")
    assert "/login" in other.history[-1]
    plain.api(204, "DELETE", "users/root/sessions")
    browser.open("/settings/tokens")
    assert "/login" in browser.history[-1]
    assert plain.api(200, "GET", "user/sessions")["items"] == []


# ---- at the provider

def test_a_person_signs_in_at_the_provider_and_gets_an_account(here, provider):
    browser = here.by_provider()
    assert browser.status == 200 and "ann" in browser.page.text, browser.page.text
    account = here.api(200, "GET", "users/ann")
    assert account["issuer"] == provider.url and account["subject"] == "17"
    assert account["email"] == "ann@acme.example" and not account["has_password"] and not account["admin"]
    assert here.name_of(made_token(browser)) == "ann"
    assert [row["action"] for row in here.api(200, "GET", "audit?actor=ann")["items"]][::-1][:2] == \
        ["account.create", "sign_in"]


def test_what_he_is_called_there_may_change_but_not_who_he_is(here, provider):
    here.by_provider()
    provider.person |= {"preferred_username": "root", "email": "root@acme.example"}
    browser = here.by_provider()
    assert "ann" in browser.page.text
    provider.person |= {"sub": "18"}
    browser = here.by_provider()
    assert browser.status == 409 and "belongs to another account" in browser.page.text
    assert here.api(200, "GET", "users/root")["issuer"] is None


def test_an_administrator_links_an_account_that_was_there_before(here, provider):
    provider.person["preferred_username"] = "root"
    here.api(200, "PATCH", "users/root", {"issuer": provider.url, "subject": "17"})
    assert "root" in here.by_provider().page.text
    here.api(200, "PATCH", "users/root", {"issuer": None, "subject": None})
    assert "belongs to another account" in here.by_provider().page.text


def test_whoever_is_signed_in_links_his_own_account(here, provider):
    browser = here.signed_in(*ROOT)
    browser.open("/settings/sessions")
    browser.submit("/settings/link")
    browser.open(next_link(browser.page, provider.url))
    assert browser.status == 200
    assert here.api(200, "GET", "users/root")["subject"] == "17"
    assert "root" in here.by_provider().page.text


def test_groups_are_teams(here, provider):
    here.api(201, "POST", "orgs", {"name": "acme", "owner": "root"})
    here.api(201, "POST", "orgs/acme/teams", {"name": "dev"})
    assert here.api(200, "PATCH", "orgs/acme/teams/dev", {"groups": ["developers"]})["groups"] == ["developers"]
    here.api(201, "PUT", "namespaces/acme/grants", {"subject": "acme/dev", "repo": "acme/web", "allow": ["read"]})

    def may_read():
        return here.api(200, "GET", "explain?subject=ann&action=pull&repo=acme/web")["allowed"]

    provider.person["groups"] = ["developers"]
    here.by_provider()
    assert may_read()
    provider.person["groups"] = []
    here.by_provider()
    assert not may_read()


def test_groups_may_come_from_userinfo(serve, tmp_path, provider):
    provider.userinfo = {"sub": "17", "groups": ["admins"]}
    here = start(serve, tmp_path, provider, "--auth-oidc-admin-group", "admins")
    here.by_provider()
    assert here.api(200, "GET", "users/ann")["admin"]


def test_groups_may_be_needed_and_make_administrators(serve, tmp_path, provider):
    here = start(serve, tmp_path, provider, "--auth-oidc-allowed-groups", "staff", "--auth-oidc-admin-group", "admins")
    assert "you are in none of them" in here.by_provider().page.text
    provider.person["groups"] = ["staff", "admins"]
    here.by_provider()
    assert here.api(200, "GET", "users/ann")["admin"]
    provider.person["groups"] = ["staff"]
    here.by_provider()
    assert not here.api(200, "GET", "users/ann")["admin"]


def test_no_account_is_made_where_that_is_off(serve, tmp_path, provider):
    here = start(serve, tmp_path, provider, "--auth-oidc-create", "false")
    browser = here.by_provider()
    assert browser.status == 403 and "no account here" in browser.page.text
    here.api(404, "GET", "users/ann")


def test_the_person_is_sent_on_to_where_he_wanted_to_go(here):
    browser = here.by_provider("/device?user_code=BCDF-GHJK")
    assert browser.history[-1] == here.url + "/device?user_code=BCDF-GHJK"


def test_a_code_of_another_browser_is_refused(here, provider):
    """Login CSRF: the attacker has the victim's browser finish the attacker's sign-in."""
    attacker, victim = here.browser(), here.browser()
    attacker.open("/login")
    back = []
    authorize = provider.authorize
    provider.authorize = lambda query: back.append(authorize(query)) or here.url + "/berth.css"
    attacker.open(next_link(attacker.page, "/login/oidc"))
    victim.open(back[0], site="cross-site")
    assert victim.status == 403 and "did not work" in victim.page.text
    victim.open("/settings/tokens")
    assert "/login" in victim.history[-1]
    victim.open("/login")
    victim.open(next_link(victim.page, "/login/oidc"))  # has a cookie of his own now
    victim.open(back[0], site="cross-site")
    assert victim.status == 403
    attacker.open(back[0], site="cross-site")
    assert attacker.status == 200 and "ann" in attacker.page.text
    attacker.open(back[0], site="cross-site")
    assert attacker.status == 403, "a code and its cookie are good once"


def test_an_id_token_that_is_not_for_this_sign_in_is_refused(here, provider):
    for claim, value in (("nonce", "another"), ("aud", "another"), ("iss", "https://evil.example.com"), ("exp", 1),
                         ("azp", "another")):  # five: a sixth would meet the limiter
        provider.tampers = lambda claims: {**claims, claim: value}
        browser = here.by_provider()
        assert browser.status == 403 and "did not work" in browser.page.text, claim
    here.api(404, "GET", "users/ann")
    assert len(here.server.wait_for("oidc.refused", 5)) == 5


def test_made_up_answers_keep_nobody_out_and_show_nothing_of_theirs(here):
    for n in range(12):
        browser = here.browser()
        browser.open(f"/login/oidc/callback?state=x&code={n}&error=x&error_description=call+0190", site="cross-site")
        assert browser.status == 403 and "call 0190" not in browser.page.text
    assert here.by_provider().status == 200


def test_what_the_provider_refuses_is_told(here, provider):
    provider.refuses = "access_denied"
    assert "broken off" in here.by_provider().page.text
    provider.refuses = "<b>temporarily_unavailable</b>"
    browser = here.by_provider()
    assert browser.status == 403 and "temporarily_unavailable" in browser.page.text


def test_a_wrong_client_secret_is_in_the_log_and_nowhere_else(here, provider):
    provider.client = (provider.client[0], "another")
    browser = here.by_provider()
    assert browser.status == 403
    said = here.server.wait_for("oidc.refused")[0]["err"]
    assert "invalid_client" in said
    assert "a client's secret" not in here.server.log.read_text()


def test_a_provider_that_is_away_keeps_nobody_else_out(here, provider):
    provider.close()
    browser = here.by_provider()
    assert browser.status == 503 and "cannot be reached" in browser.page.text
    here.signed_in(*ROOT)


def test_a_disabled_account_stays_outside(here, provider):
    browser = here.by_provider()
    secret = made_token(browser)
    here.api(200, "PATCH", "users/ann", {"disabled": True})
    browser.open("/settings/tokens")
    assert "/login" in browser.history[-1]
    here.api(401, "GET", "user", who=("token", secret))
    assert "disabled" in here.by_provider().page.text


# ---- for a program

def program_of(here, home):
    return WebLogin(BERTH, here.url, home)


def test_a_program_is_signed_in_by_a_person_elsewhere(here, tmp_path):
    program = program_of(here, tmp_path / "home")
    browser = here.by_provider(program.address.removeprefix(here.url))
    assert program.code in browser.page.text and "127.0.0.1" in browser.page.text and "berth on " in browser.page.text
    browser.submit("/device", verdict="allow")
    assert "goes on by itself" in browser.page.text
    status, out, said = program.ends()
    assert status == 0 and "Login Succeeded" in out, said
    tokens = subprocess.run([BERTH, "token", "ls"], capture_output=True, text=True, timeout=SECONDS,
                            env={"HOME": str(program.home), "BERTH_SERVER": here.url})
    assert tokens.returncode == 0 and "berth on " in tokens.stdout, tokens.stderr
    browser.submit("/logout")
    again = subprocess.run([BERTH, "token", "ls"], capture_output=True, text=True, timeout=SECONDS,
                           env={"HOME": str(program.home), "BERTH_SERVER": here.url})
    assert again.returncode == 0, "it does not end with the browser's session"


def test_a_program_that_is_refused_gets_nothing(plain, tmp_path):
    program = program_of(plain, tmp_path / "home")
    browser = plain.signed_in(*ROOT)
    browser.open(program.address)
    browser.submit("/device", verdict="deny")
    status, _, said = program.ends()
    assert status != 0 and "refused" in said
    assert not (program.home / ".docker/config.json").exists()


def test_what_somebody_agreed_to_ends_with_his_session(plain):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    _, begun = plain.ask("POST", "/token/device", "client_id=x", **form)
    browser = plain.signed_in(*ROOT)
    browser.open("/device?user_code=" + begun["user_code"])
    browser.submit("/device", verdict="allow")
    browser.submit("/logout")
    grant = urllib.parse.urlencode({"grant_type": "urn:ietf:params:oauth:grant-type:device_code",
                                    "device_code": begun["device_code"]})
    assert plain.ask("POST", "/token", grant, **form)[1]["error"] == "access_denied"
    assert plain.api(200, "GET", "user/tokens")["items"] == []


def test_codes_are_not_guessed(plain):
    browser = plain.signed_in(*ROOT)
    for _ in range(7):
        browser.open("/device?user_code=BCDF-GHJK")
    assert browser.status == 429 and int(browser.headers["Retry-After"]) >= 1


def test_a_device_code_is_worth_nothing_before_somebody_agreed(plain):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    status, begun = plain.ask("POST", "/token/device", "client_id=x%0d%0ay", **form)
    assert status == 200 and begun["verification_uri"].endswith("/device") and begun["interval"] >= 1
    grant = urllib.parse.urlencode({"grant_type": "urn:ietf:params:oauth:grant-type:device_code",
                                    "device_code": begun["device_code"]})
    assert plain.ask("POST", "/token", grant, **form) == (
        400, {"error": "authorization_pending", "error_description": "nobody has agreed yet"})
    assert plain.ask("POST", "/token", grant, **form)[1]["error"] == "slow_down"
    assert plain.ask("POST", "/token", grant + "x", **form)[1]["error"] == "expired_token"
    plain.api(401, "GET", "user", who=("token", begun["device_code"]))


# ---- people who make their own accounts

def sign_up(here, **fields):
    browser = here.browser()
    browser.open("/signup")
    if browser.status == 200:
        browser.submit("/signup", **{"name": "bob", "password": "bob's good password", **fields})
    return browser


def test_nobody_makes_an_account_where_that_is_off(plain):
    assert "made by an administrator" in sign_up(plain).page.text
    plain.api(403, "POST", "signup", {"name": "bob", "password": "bob's good password"}, who=None)
    assert "/signup" not in str(plain.browser().open("/login").links)


def test_whoever_comes_makes_an_account_where_that_is_open(serve, tmp_path):
    here = start(serve, tmp_path, None, "--auth-sign-up", "open")
    assert "/signup" in here.browser().open("/login").links
    assert "bob" in sign_up(here).page.text
    assert not here.api(200, "GET", "users/bob")["admin"]
    assert "taken" in sign_up(here).page.text
    assert "reserved" in sign_up(here, name="library").page.text
    assert "password" in sign_up(here, name="carl", password="short").page.text
    for n in range(6):
        last = sign_up(here, name=f"user{n}")
    assert last.status == 429, "a few accounts from one address, then fewer"


def test_an_invitation_makes_one_account(serve, tmp_path):
    here = start(serve, tmp_path, None, "--auth-sign-up", "invite")
    assert sign_up(here, invite="").status == 403
    assert sign_up(here, invite="berth_inv_guessed").status == 403
    secret = here.api(201, "POST", "invites", {"note": "for bob"})["secret"]
    assert sign_up(here, name="root", invite=secret).status == 409, "which does not use it up"
    assert "bob" in sign_up(here, invite=secret).page.text
    assert sign_up(here, name="carl", invite=secret).status == 403
    revoked = here.api(201, "POST", "invites", {})
    here.api(204, "DELETE", f"invites/{revoked['id']}")
    assert sign_up(here, name="carl", invite=revoked["secret"]).status == 403
    here.api(401, "GET", "user", who=("token", here.api(201, "POST", "invites", {})["secret"]))
