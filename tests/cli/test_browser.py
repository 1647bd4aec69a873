"""The pages in a real browser (Chromium): cookies, redirects between sites and what forms may do are its to decide."""

import json
import pathlib
import sys

import pytest

from conftest import run
from test_sign_in import ROOT, here, plain, program_of, provider, provider_folder  # noqa: F401

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from chromium_browser import errors, fill, press, start_chromium, wait_for_text  # noqa: E402


@pytest.fixture
def chromium(tmp_path):
    browser = start_chromium(tmp_path / "chromium")
    yield browser
    browser.quit()


def test_a_person_signs_in_at_another_site_and_signs_in_a_program(here, chromium, tmp_path):  # noqa: F811
    program = program_of(here, tmp_path / "home")
    chromium.get(program.address)
    press(chromium, "Sign in with Acme")
    wait_for_text(chromium, program.code)
    cookie = chromium.get_cookie("berth")
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax"
    assert chromium.execute_script("return document.cookie") == ""
    press(chromium, "Sign it in")
    wait_for_text(chromium, "goes on by itself")
    assert program.ends()[0] == 0
    press(chromium, "Access tokens")
    wait_for_text(chromium, "berth on ")
    press(chromium, "Sign out")
    wait_for_text(chromium, "by password")
    chromium.get(here.url + "/settings/tokens")
    wait_for_text(chromium, "by password")
    # The icon is asked for by the browser itself.
    assert [line for line in errors(chromium) if "favicon" not in line] == []


def test_a_password_opens_a_session_and_a_token_is_shown_once(plain, chromium):  # noqa: F811
    chromium.get(plain.url + "/login")
    fill(chromium, name=ROOT[0], password="wrong")
    press(chromium, "Sign in")
    wait_for_text(chromium, "Wrong user name or password.")
    fill(chromium, password=ROOT[1])
    press(chromium, "Sign in")
    wait_for_text(chromium, "Make a token")
    fill(chromium, name="laptop")
    press(chromium, "Make the token")
    wait_for_text(chromium, "berth_pat_")
    chromium.get(plain.url + "/settings/tokens")
    wait_for_text(chromium, "laptop")
    assert "berth_pat_" not in chromium.page_source
    press(chromium, "Sessions")
    wait_for_text(chromium, "this one")


def test_a_form_of_another_site_does_nothing(plain, provider, chromium):  # noqa: F811
    chromium.get(plain.url + "/login")
    fill(chromium, name=ROOT[0], password=ROOT[1])
    press(chromium, "Sign in")
    wait_for_text(chromium, "Make a token")
    chromium.get(provider.url + "/jwks")  # a page of another site, from which the victim's browser sends a form
    chromium.execute_script("""
        const form = document.createElement("form");
        form.method = "post"; form.action = arguments[0];
        for (const [name, value] of [["name", "stolen"], ["expires_in", ""], ["scopes", ""]]) {
          const field = document.createElement("input");
          field.name = name; field.value = value; form.append(field);
        }
        document.body.append(form); form.submit();""", plain.url + "/settings/tokens")
    wait_for_text(chromium, "not sent by a page of this registry")
    assert plain.api(200, "GET", "user/tokens")["items"] == []


def test_the_first_administrator_is_made_on_the_page_that_the_server_names(serve, chromium):
    server = serve()
    address = next(word for word in server.welcome().split() if "/setup#" in word)
    chromium.get(address)
    fill(chromium, name="first", password="the first of all passwords")
    press(chromium, "Create administrator")
    wait_for_text(chromium, "is the administrator now")
    server.stop()
    done = run("audit", "ls", "--action", "setUp", "--format", "{{.Detail}}", "--data", str(server.folder / "data"))
    assert json.loads(done.stdout) == {"name": "first", "admin": True}, "whom it made"
