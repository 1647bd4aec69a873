"""People who sign in at Dex, a real OpenID Connect provider, through its own pages and in a real browser; both with the
configurations that docs/sign-in.md shows. Berth is reached over TLS, as a browser's cookies are stricter there."""
import re
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from account_clients import CLIENTS
from accounts import Account, AccountsRegistry
from conftest import berth_binary, watched
from dex import Dex
from documented import block, filled

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from chromium_browser import errors, fill, press, shown_text, start_chromium, wait_for_text  # noqa: E402
from oidc_provider import Browser  # noqa: E402
from ports import free_port  # noqa: E402
from slapd import Authority  # noqa: E402
from web_login import WebLogin  # noqa: E402

PAGE = "sign-in.md"
OUTSIDE, ISSUER = "https://registry.example.com", "https://id.example.com/dex"
EMAIL, PASSWORD = "ann@acme.example", "a password to try with"
CLIENT_SECRET = "a secret that both know"
ROOT = AccountsRegistry.ROOT


class World:
    """Dex, and a registry at which people may sign in there."""

    def __init__(self, folder):
        self._running = ExitStack()
        self.authority = Authority(folder)
        self._port = free_port()
        self.address = f"localhost:{self._port}"
        self.url = f"https://{self.address}"
        self.dex = Dex(folder, self.configure_dex)
        certificate, key = self.authority.certificate("berth", "DNS:localhost")
        secret = folder / "oidc-secret"
        secret.write_text(CLIENT_SECRET + "\n")
        secret.chmod(0o600)
        settings = folder / "server.toml"
        settings.write_text(filled(block(PAGE, "toml", "dex"), {
            OUTSIDE: self.url, ISSUER: self.dex.issuer, "/etc/berth/oidc-secret": secret, "10.1.0.0/16": "127.0.0.0/8"}))
        self.dex.start()
        self._running.callback(self.dex.stop)
        try:
            self.registry = AccountsRegistry(
                berth_binary(), folder / "berth", "--config", settings, "--tls-cert", certificate, "--tls-key", key,
                listen=(f"https://127.0.0.1:{self._port}", "http://127.0.0.1:0"))
            self._watch = self._running.enter_context(ExitStack())
            self._watch.enter_context(watched(self.registry.daemon))
        except BaseException:
            self._running.close()
            raise

    def configure_dex(self, issuer, address):
        return filled(block(PAGE, "yaml", "dex"), {ISSUER: issuer, "127.0.0.1:5556": address, OUTSIDE: self.url})

    def change_dex(self, places):
        """The registry is started anew, too: a key that it does not know is asked for once a minute at most."""
        self._watch.close()
        self.dex.start(lambda issuer, address: filled(self.configure_dex(issuer, address), places))
        self.registry.start()
        self._watch.enter_context(watched(self.registry.daemon))

    def stop(self):
        self._running.close()

    def api(self, *words, **options):
        return self.registry.api(*words, **options)

    def may_pull(self, name, repo):
        return self.api(200, "GET", f"explain?subject={name}&action=pull&repo={repo}")["allowed"]

    def make_team(self):
        """acme/devs, as the page says, which may read acme/web."""
        self.api(201, "POST", "orgs", {"name": "acme", "owner": ROOT.name})
        self.api(201, "POST", "orgs/acme/teams", {"name": "devs"})
        self.api(200, "PATCH", "orgs/acme/teams/devs", {"groups": ["engineering"]})
        self.api(201, "PUT", "namespaces/acme/grants", {"subject": "acme/devs", "repo": "acme/web", "allow": ["read"]})
        self.registry.as_(ROOT).push_image("acme/web", "1", "of the team")


@pytest.fixture
def world(scratch):
    made = World(scratch)
    yield made
    made.stop()


@pytest.fixture
def browsers(scratch):
    """`browsers()`: another person's each time, without a cookie."""
    with ExitStack() as running:
        count = 0

        def start():
            nonlocal count
            count += 1
            browser = start_chromium(scratch / f"chromium{count}", any_certificate=True)
            running.callback(browser.quit)
            return browser
        yield start


def pass_dex(browser):
    """From Dex's first page to where it sends the browser then."""
    wait_for_text(browser, "Log in to Your Account")
    fill(browser, login=EMAIL, password=PASSWORD)
    press(browser, "Login")
    wait_for_text(browser, "Grant Access")
    press(browser, "Grant Access")


def sign_in(browser, world, name="ann"):
    browser.get(world.url + "/login")
    press(browser, "Sign in with Acme")
    pass_dex(browser)
    wait_for_text(browser, "Make a token")
    assert browser.current_url == world.url + "/settings/tokens" and name in shown_text(browser)


def made_token(browser):
    fill(browser, name="laptop")
    press(browser, "Make the token")
    wait_for_text(browser, "berth_pat_")
    return re.search(r"berth_pat_\w+", shown_text(browser))[0]


@pytest.mark.parametrize("name", ["docker", "skopeo"])
def test_a_person_of_dex_logs_in_with_a_token_made_in_the_browser(name, world, browsers, engines, scratch):
    world.make_team()
    browser = browsers()
    sign_in(browser, world)
    cookie = browser.get_cookie("__Host-berth")
    assert cookie["httpOnly"] and cookie["secure"] and cookie["sameSite"] == "Lax"
    # The icon is asked for by the browser itself.
    assert [line for line in errors(browser) if "favicon" not in line] == []

    account = world.api(200, "GET", "users/ann")
    assert account["issuer"] == world.dex.issuer and account["subject"] and not account["has_password"]
    assert (account["email"], account["display_name"], account["admin"]) == (EMAIL, "Ann Lee", False)

    (scratch / "client").mkdir()
    client = CLIENTS[name](world.address, scratch / "client", engines(name))
    assert client.login(Account("ann", "berth_pat_made_up")).returncode != 0
    login = client.login(Account("ann", made_token(browser)))
    assert login.returncode == 0, login.stderr
    pushed = client.push("ann/app", "1")
    assert pushed.returncode == 0, pushed.stderr
    pulled = client.pull("acme/web", "1")
    assert pulled.returncode == 0, "by the team of a group at Dex: " + pulled.stderr
    assert client.push("acme/web", "2").returncode != 0, "the team may only read"


def test_a_second_sign_in_is_the_same_account_whatever_changed_at_dex(world, browsers):
    first, second, third = browsers(), browsers(), browsers()
    sign_in(first, world)
    made_token(first)
    before = world.api(200, "GET", "users/ann")
    sign_in(second, world)
    wait_for_text(second, "laptop")
    world.change_dex({"preferredUsername: ann": "preferredUsername: anna", "name: Ann Lee": "name: Anna Lee-Smith",
                      "groups: [engineering]": "groups: [visitors, registry-admins]"})
    sign_in(third, world)
    wait_for_text(third, "laptop")
    after = world.api(200, "GET", "users/ann")
    assert (after["issuer"], after["subject"]) == (before["issuer"], before["subject"])
    assert after["display_name"] == "Anna Lee-Smith"
    assert after["admin"] and not before["admin"], "by the group that the page names"
    assert {user["name"] for user in world.api(200, "GET", "users")["items"]} == {"ann", ROOT.name}


def test_a_group_left_at_dex_is_a_team_left_at_the_next_sign_in(world, browsers):
    world.make_team()
    sign_in(browsers(), world)
    assert world.may_pull("ann", "acme/web")
    world.change_dex({"groups: [engineering]": "groups: []"})
    assert world.may_pull("ann", "acme/web"), "nobody told us yet"
    sign_in(browsers(), world)
    assert not world.may_pull("ann", "acme/web")


def test_an_account_that_was_there_before_is_linked_by_its_owner(world, browsers):
    browser = browsers()
    browser.get(world.url + "/login")
    fill(browser, name=ROOT.name, password=ROOT.secret)
    press(browser, "Sign in")
    wait_for_text(browser, "Make a token")
    press(browser, "Sessions")
    press(browser, "Link this account to Acme")
    press(browser, "Continue to Acme")
    pass_dex(browser)
    wait_for_text(browser, "this one")
    assert world.api(200, "GET", "users/root")["issuer"] == world.dex.issuer
    sign_in(browsers(), world, name=ROOT.name)


def test_berth_login_web_signs_in_docker_by_way_of_dex(world, browsers, engines, scratch):
    waiting = WebLogin(berth_binary(), world.url, scratch / "person", "--ca-file", world.authority.path)
    browser = browsers()
    browser.get(waiting.address)
    press(browser, "Sign in with Acme")
    pass_dex(browser)
    wait_for_text(browser, waiting.code)
    press(browser, "Sign it in")
    wait_for_text(browser, "goes on by itself")
    status, out, said = waiting.ends()
    assert status == 0 and "Login Succeeded" in out, said
    (scratch / "client").mkdir()
    docker = CLIENTS["docker"](world.address, scratch / "client", engines("docker"))
    docker.environment["DOCKER_CONFIG"] = str(waiting.home / ".docker")
    pushed = docker.push("ann/app", "1")
    assert pushed.returncode == 0, pushed.stderr
    assert docker.push("root/app", "1").returncode != 0, "as ann, and as nobody else"


def stolen_answer(world):
    """What Dex sends a browser back with that went there by itself: the address, and its parameters."""
    asked = world.registry.request("GET", "/login/oidc")
    assert asked.status == 303, asked.body
    thief = Browser(world.dex.issuer, stops_before=world.url)
    thief.open(asked.headers["Location"])
    thief.submit(thief.page.forms[0][0], login=EMAIL, password=PASSWORD)
    address = thief.submit("", approval="approve")
    return address, dict(parse_qsl(urlsplit(address).query))


def test_a_code_of_dex_is_worth_nothing_in_another_browser_nor_without_the_verifier(world, browsers):
    """Login CSRF, and a code that leaked (RFC 9700 4.5, 4.7): the code is good, and that alone opens nothing."""
    address, answer = stolen_answer(world)
    victim = browsers()
    victim.get(address)
    wait_for_text(victim, "did not work")
    victim.get(world.url + "/settings/tokens")
    wait_for_text(victim, "Sign in with Acme")
    world.api(404, "GET", "users/ann")
    form = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": world.url + "/login/oidc/callback",
            "code_verifier": "A" * 43, "client_id": "berth", "client_secret": CLIENT_SECRET}
    refused = world.dex.ask("POST", "/token", urlencode(form).encode(),
                            {"Content-Type": "application/x-www-form-urlencoded"})
    assert refused.status == 400 and "code_verifier" in refused.json()["error_description"], refused.body
