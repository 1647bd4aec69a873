"""berth k8s secret: what kubectl create secret docker-registry would print, whoever the credentials are from."""

import base64
import json
import zlib

import pytest
import yaml

from test_accounts import Person

HOST = "reg.example.com"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def person(tmp_path):
    return Person(tmp_path / "home")


def secret_of(kind):
    """One that Berth could have handed out: its checksum is right."""
    text = f"berth_{kind}_" + "x" * 32
    rest, checksum = zlib.crc32(text.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        checksum = DIGITS[digit] + checksum
    return text + checksum


def auth_of(user, secret):
    return base64.b64encode(f"{user}:{secret}".encode()).decode()


def config_in(text):
    return json.loads(base64.b64decode(yaml.safe_load(text)["data"][".dockerconfigjson"]))


def made(person, *arguments, given="x\n"):
    return person.berth("k8s", "secret", *arguments, "--registry", HOST, "--username", "acme+deploy",
                        "--password-stdin", given=given)


def test_a_secret_is_what_kubectl_makes_of_a_robots_name_and_what_is_typed(person):
    """As kubectl 1.32 prints it: kubectl create secret docker-registry pull --namespace shop --docker-server=…
    --docker-username=… --docker-password=… --dry-run=client -o yaml."""
    secret = secret_of("rob")
    done = made(person, "pull", "--namespace", "shop", given=secret + "\n")
    assert (done.returncode, done.stderr) == (0, "")
    config = json.dumps({"auths": {HOST: {"username": "acme+deploy", "password": secret,
                                          "auth": auth_of("acme+deploy", secret)}}}, separators=(",", ":"))
    assert done.stdout == f"""apiVersion: v1
data:
  .dockerconfigjson: {base64.b64encode(config.encode()).decode()}
kind: Secret
metadata:
  creationTimestamp: null
  name: pull
  namespace: shop
type: kubernetes.io/dockerconfigjson
"""


def test_nobodys_credentials_are_taken_unasked(person):
    (person.home / ".docker").mkdir()
    (person.home / ".docker/config.json").write_text(json.dumps({"auths": {HOST: {"auth": auth_of("ann", "a secret")}}}))
    for arguments, said in (((), "--from-login"), (("--username", "acme+deploy"), "--password-stdin"),
                            (("--password-stdin",), "--username"),
                            (("--from-login", "--username", "acme+deploy"), "--username")):
        done = person.berth("k8s", "secret", "--registry", HOST, *arguments)
        assert (done.returncode, done.stdout) == (1, ""), arguments
        assert said in done.stderr, arguments
    assert made(person, given="\n").returncode == 1, "an empty secret"


@pytest.mark.parametrize("entry, user, said", [
    pytest.param({"auth": auth_of("ann", "a password")}, "ann", "warning: this is the login of ann", id="password"),
    pytest.param({"auth": auth_of("ann", secret_of("pat"))}, "ann", "warning: this is the login of ann", id="token"),
    pytest.param({"auth": auth_of("acme+deploy", secret_of("rob"))}, "acme+deploy", None, id="robot"),
    pytest.param({"auth": auth_of("ann", ""), "identitytoken": "berth_ref_x"}, None, "refresh token", id="refresh token"),
    pytest.param({"auth": auth_of("token", secret_of("lgn"))}, None, "passwords for an hour", id="hourly password"),
    pytest.param(None, None, "there is no login for reg.example.com", id="none"),
])
def test_a_stored_login_is_taken_when_told_to_with_a_warning_unless_it_is_a_robots(person, entry, user, said):
    (person.home / ".docker").mkdir()
    (person.home / ".docker/config.json").write_text(json.dumps({"auths": {HOST: entry} if entry else {}}))
    done = person.berth("k8s", "secret", "--registry", HOST, "--from-login")
    if user is None:
        assert (done.returncode, done.stdout) == (1, "")
    else:
        assert done.returncode == 0, done.stderr
        assert config_in(done.stdout)["auths"][HOST]["auth"] == entry["auth"]
        assert yaml.safe_load(done.stdout)["metadata"]["name"] == "regcred"
    assert said in done.stderr if said else done.stderr == ""


@pytest.mark.parametrize("name", ["a", "pull-2.shop", "9lives", "123", "1e3", "2026-01-02", "yes", "null", "x" * 253])
def test_a_name_is_what_kubernetes_reads(person, name):
    assert yaml.safe_load(made(person, name).stdout)["metadata"]["name"] == name
    if "." not in name and len(name) <= 63:
        done = made(person, "pull", "-n", name)
        assert yaml.safe_load(done.stdout)["metadata"]["namespace"] == name


@pytest.mark.parametrize("name", ["", "Pull", "pull_it", "-a", "a-", ".a", "a.", "a..b", "a b", "ä", "x" * 254,
                                  "a\n  annotations: {}", "a: b", "a#b", "'a'"])
def test_what_kubernetes_takes_for_no_name_is_refused(person, name):
    done = made(person, f"--namespace={name}") if name else made(person, "")
    assert (done.returncode, done.stdout) == (1, ""), name
    if not name.startswith("-"):
        done = made(person, name)
        assert (done.returncode, done.stdout) == (1, ""), name


def test_a_namespace_is_one_label_of_63(person):
    assert made(person, "--namespace", "x" * 63).returncode == 0
    for name in ("a.b", "x" * 64):
        assert "no namespace" in made(person, "--namespace", name).stderr
