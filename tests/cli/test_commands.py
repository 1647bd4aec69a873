"""The command line around the commands: help, versions, words that are no command; fsck's exit codes."""

import hashlib
import http.client
import json
import re

import pytest

from conftest import ROOT, run


@pytest.mark.parametrize("args", [("--help",), ("serve", "--help"), ("fsck", "--help"),
                                  ("migrate", "--help"), ("migrate", "distribution", "--help"), ("version", "--help")])
def test_help_goes_to_standard_output_and_succeeds(args):
    done = run(*args)
    assert done.returncode == 0
    assert "Usage: berth" in done.stdout


def test_nothing_at_all_is_help_and_a_usage_error():
    done = run()
    assert done.returncode == 1
    assert "serve" in done.stderr and "fsck" in done.stderr


@pytest.mark.parametrize("args", [("version",), ("--version",)])
def test_the_version_has_one_form(args):
    done = run(*args)
    assert done.returncode == 0
    assert re.fullmatch(r"berth \d+\.\d+\.\d+ \([0-9a-f]+\)\n|berth \d+\.\d+\.\d+ \(unknown\)\n", done.stdout)


@pytest.mark.parametrize(
    ("word", "says"),
    [("srve", "Did you mean 'serve'?"), ("fsk", "Did you mean 'fsck'?"), ("migrte", "Did you mean 'migrate'?"),
     ("frobnicate", "berth --help")],
)
def test_a_word_that_is_no_command_gets_a_sentence(word, says):
    done = run(word)
    assert done.returncode == 1
    assert f"'{word}' is not a berth command" in done.stderr and says in done.stderr
    assert "Did you mean" not in done.stderr or says.startswith("Did")


ALIASES = {"role": ("org", "member", "role"), "get-login-password": ("get-login-password",), "key": ("key", "rotate")}


@pytest.mark.parametrize("words", ALIASES.values(), ids=ALIASES)
def test_a_command_goes_by_its_other_name_too(words):
    done = run(*words, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage: berth" in done.stdout


def test_every_other_name_is_tried():
    text = "".join(path.read_text() for path in (ROOT / "src/cli").glob("*.cpp"))
    assert set(re.findall(r'alias\("([^"]+)"\)', text)) == set(ALIASES)


@pytest.mark.parametrize("words, says", [
    (("get-login-passwrd",), "'get-login-passwrd' is not a berth command. Did you mean 'get-login-password'?"),
    (("org", "member", "roll"), "'roll' is not a berth org member command. Did you mean 'role'?"),
])
def test_a_slip_in_another_name_is_seen_as_one(words, says):
    done = run(*words)
    assert done.returncode == 1 and says in done.stderr, done.stderr


@pytest.mark.parametrize("words, code, says", [
    (("org", "ls", "--frmat", "json"), 125, "Did you mean '--format'?"),
    (("org", "ls", "--format"), 125, "--format"),
    (("org", "ls", "--format", "{{.name"), 125, "is not closed"),
    (("audit", "ls", "--limit", "many"), 125, "--limit"),
    (("org", "ls", "acme", "more"), 1, "See 'berth org ls --help'"),
    (("org", "rm"), 1, "ORG is required"),
    (("org",), 1, "subcommand is required"),
    (("--frob",), 125, "berth: unknown option '--frob'"),
    (("user", "--fromat", "json"), 125, "berth user: unknown option '--fromat'"),
    (("--data=x", "org", "ls"), 125, "berth: unknown option '--data'"),
    (("trust", "add", "acme+ci"), 1, "--issuer is required"),
    (("org", "ls", "--server", "a", "--data", "b"), 1, "--server"),
])
def test_a_flag_that_cannot_be_read_is_told_from_what_else_is_wrong_with_a_line(words, code, says):
    done = run(*words)
    assert (done.returncode, done.stdout) == (code, "") and says in done.stderr, done.stderr


@pytest.mark.parametrize("words, code", [(("org", "ls", "--frmat"), 125), (("srve",), 1),
                                         (("user", "ls", "--data", "/nowhere"), 1)])
def test_errors_are_an_object_where_a_program_reads_them(words, code):
    done = run(*words, env={"PATH": "/usr/bin", "HOME": "/nowhere", "BERTH_ERRORS": "json"})
    error = json.loads(done.stderr)["error"]
    assert done.returncode == code and set(error) == {"code", "message", "cause"} and error["message"]


def test_help_is_asked_for_in_front_too():
    assert run("help", "org", "member").stdout == run("org", "member", "--help").stdout
    assert run("help").stdout == run("--help").stdout
    assert run("help", "frob").returncode == 1


def test_fsck_of_nothing_says_so(tmp_path):
    for folder in (tmp_path / "absent", tmp_path):
        done = run("fsck", "--data", str(folder))
        assert done.returncode == 1
        assert str(folder) in done.stderr


def test_fsck_of_a_healthy_store_and_of_a_damaged_one(serve, tmp_path):
    server = serve()
    body = b"content"
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", f"/v2/team/app/blobs/uploads/?digest={digest}", body)
    assert connection.getresponse().status == 201
    connection.close()
    assert server.stop() == 0

    data = str(tmp_path / "data")
    healthy = run("fsck", "--data", data, "--deep")
    assert healthy.returncode == 0, healthy.stdout + healthy.stderr
    (file,) = (tmp_path / "data/blobs/sha256").glob("*/*")
    file.write_bytes(b"c0ntent")
    assert run("fsck", "--data", data).returncode == 0, "the size is right"
    damaged = run("fsck", "--data", data, "--deep")
    assert damaged.returncode == 2
    assert digest in damaged.stdout
    assert file.exists(), "nothing is changed without --repair"
