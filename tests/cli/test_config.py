"""berth config, and how settings reach a running server."""

import http.client
import json
import os
import pathlib
import pty
import re
import signal
import socket
import subprocess
import time

import pytest

from conftest import BERTH, ROOT, SECONDS, run


def write(path, text):
    path.write_text(text)
    return str(path)


def test_a_good_file_is_fine_and_a_bad_one_is_named_line_by_line(tmp_path):
    good = write(tmp_path / "good.toml", '[limits]\nmanifest = "8 MiB"\n')
    assert run("config", "check", good).returncode == 0
    bad = write(tmp_path / "bad.toml", '[limits]\nmanifst = "8 MiB"\n\n[log]\nlevel = "loud"\n')
    checked = run("config", "check", bad)
    assert checked.returncode == 2
    assert f"{bad}:2: unknown key 'limits.manifst'. Did you mean 'limits.manifest'?" in checked.stderr
    assert f"{bad}:5: log.level" in checked.stderr
    refused = run("serve", "--config", bad)
    assert refused.returncode == 1 and f"{bad}:2" in refused.stderr


def test_show_says_what_is_in_force_and_why(tmp_path):
    path = write(tmp_path / "c.toml", "[limits]\ntag = 64\nranges = 7\n")
    environment = {**os.environ, "BERTH_LIMITS__RANGES": "9"}
    shown = run("config", "show", "--origin", "--config", path, "--log-level", "warn", env=environment)
    assert shown.returncode == 0
    lines = shown.stdout.splitlines()
    assert f"tag = 64  # {path}:2" in lines
    assert "ranges = 9  # environment BERTH_LIMITS__RANGES" in lines
    assert 'level = "warn"  # flag --log-level' in lines
    assert "json_depth = 64  # default" in lines


def test_the_default_file_is_a_configuration_and_changes_nothing(tmp_path):
    path = write(tmp_path / "defaults.toml", run("config", "defaults").stdout.replace("\n#", "\n# "))
    assert run("config", "check", path).returncode == 0
    enabled = "\n".join(line[1:] if line.startswith("#") and " = " in line and not line.startswith("# ") else line
                        for line in run("config", "defaults").stdout.splitlines())
    path = write(tmp_path / "enabled.toml", enabled)
    assert run("config", "check", path).returncode == 0, run("config", "check", path).stderr


@pytest.mark.parametrize(("file", "command"), [("docs/configuration.md", "reference"), ("packaging/server.toml", "defaults")])
def test_what_the_program_writes_into_the_repository_is_current(file, command):
    assert (ROOT / file).read_text() == run("config", command).stdout, "run ./dev docs"


def test_help_shows_every_flag_with_its_default():
    text = " ".join(run("serve", "--help").stdout.split())
    for flag in ("--config", "--listen", "--data", "--tls-cert", "--tls-key", "--metrics", "--external-url", "--anonymous",
                 "--reference-policy", "--deletes", "--log-level", "--log-format", "--access-log", "--scrub-rate"):
        assert flag in text
    reference = (ROOT / "docs/configuration.md").read_text()
    flags = re.findall(r"^\| `\w+`.*\| `(--[a-z-]+)` \|", reference, re.M)
    assert len(flags) == len(re.findall(r"^\| `\w+`", reference, re.M)) > 40
    for flag in flags:
        assert f" {flag} " in text
    assert "Default: 127.0.0.1:5000." in text and "Default: 4 MiB." in text


def test_a_hangup_applies_what_may_change_and_keeps_connections(serve, tmp_path):
    config = tmp_path / "c.toml"
    write(config, '[server]\nlisten = ["127.0.0.1:0"]\n[limits]\ntags_page = 2\n')
    server = serve("--config", str(config))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)

    def page():
        connection.request("GET", "/v2/_catalog?n=1000000")
        return json.loads(connection.getresponse().read())

    page()
    socket_before = connection.sock
    write(config, '[server]\nlisten = ["127.0.0.1:1"]\n[limits]\ntags_page = 3\n[log]\nlevel = "debug"\n')
    server.process.send_signal(signal.SIGHUP)
    assert server.wait_for("config.reloaded")[0]["changed"] == "log.level, limits.tags_page"
    assert server.wait_for("config.restart_needed")[0]["keys"] == "server.listen"
    page()
    assert connection.sock is socket_before, "the connection outlived the reload"

    write(config, "[limits]\ntags_page = -1\n")
    server.process.send_signal(signal.SIGHUP)
    assert "tags_page" in server.wait_for("config.reload_refused")[0]["err"]
    page()
    assert server.stop() == 0


def test_a_new_limit_holds_on_an_open_connection(serve, tmp_path):
    config = tmp_path / "c.toml"
    write(config, '[server]\nlisten = ["127.0.0.1:0"]\n')
    server = serve("--config", str(config))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)

    def push(size):
        connection.request("PUT", "/v2/team/app/manifests/v1", b" " * size)
        response = connection.getresponse()
        response.read()
        return response.status

    assert push(100_000) == 400
    write(config, '[server]\nlisten = ["127.0.0.1:0"]\n[limits]\nmanifest = "64 KiB"\n')
    server.process.send_signal(signal.SIGHUP)
    server.wait_for("config.reloaded")
    assert push(100_000) == 413
    assert server.stop() == 0


def test_data_are_where_systemd_says_unless_something_else_is_configured(tmp_path):
    environment = {**os.environ, "STATE_DIRECTORY": "/state/berth:/state/other"}
    assert 'data = "/state/berth"' in run("config", "show", env=environment).stdout
    path = write(tmp_path / "c.toml", '[server]\ndata = "/configured"\n')
    assert 'data = "/configured"' in run("config", "show", "--config", path, env=environment).stdout


@pytest.mark.parametrize("command", [("fsck",), ("migrate", "distribution", "old")])
def test_commands_on_the_data_look_where_serve_is_configured_to_keep_them(command, tmp_path):
    """In a folder that is not theirs: both name it and leave it alone."""
    (tmp_path / "old/docker/registry/v2/repositories").mkdir(parents=True)
    (tmp_path / "old/docker/registry/v2/blobs").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data/photo.jpg").write_bytes(b"")
    environment = {**os.environ, "BERTH_SERVER__DATA": str(tmp_path / "data")}
    done = run(*command, env=environment, cwd=tmp_path)
    assert done.returncode == 1 and str(tmp_path / "data") in done.stderr
    done = run(*command, env={**environment, "BERTH_SERVER__DTA": "x"}, cwd=tmp_path)
    assert done.returncode == 1 and "--data" in done.stderr and "BERTH_SERVER__DATA" in done.stderr


def test_every_setting_has_a_flag_which_is_the_strongest():
    environment = {**os.environ, "BERTH_LIMITS__RANGES": "9", "BERTH_SERVER__DRAIN": "1s"}
    shown = run("config", "show", "--origin", "--limits-ranges", "7", "--drain", "2s", env=environment).stdout
    assert "ranges = 7  # flag --limits-ranges" in shown
    assert 'drain = "2s"  # flag --drain' in shown


def test_a_word_that_is_no_command_of_config_gets_a_sentence():
    done = run("config", "chek")
    assert done.returncode == 1
    assert "'chek' is not a berth config command. Did you mean 'check'?" in done.stderr


def test_a_terminal_that_goes_away_ends_the_server(serve):
    owner, terminal = pty.openpty()
    server = serve(stdin=terminal, start_new_session=True)
    os.close(terminal)
    os.close(owner)
    server.process.send_signal(signal.SIGHUP)  # as the kernel or the shell does
    assert server.process.wait(SECONDS) == 0


def test_a_hangup_does_not_cut_a_stop_short(serve):
    server = serve()
    upload = socket.create_connection(("127.0.0.1", server.port), SECONDS)
    upload.sendall(b"POST /v2/team/app/blobs/uploads/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
    location = re.search(rb"Location: (\S+)", upload.recv(4096), re.I).group(1)
    upload.sendall(b"PATCH " + location + b" HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
    assert upload.recv(4096).startswith(b"HTTP/1.1 100"), "the request runs"
    server.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:  # until it has stopped to listen
        try:
            socket.create_connection(("127.0.0.1", server.port), 1).close()
        except ConnectionRefusedError:
            break
        except ConnectionResetError:  # was in the queue of the listener that closed
            pass
    server.process.send_signal(signal.SIGHUP)
    upload.sendall(b"data")
    assert upload.recv(4096).startswith(b"HTTP/1.1 202")
    upload.close()
    assert server.process.wait(SECONDS) == 0


@pytest.fixture
def units(tmp_path):
    """The systemd units, with the program that was built in the place of the installed one."""
    berth = str(pathlib.Path(BERTH).resolve())
    for name in ("berth.service", "berth.socket"):
        (tmp_path / name).write_text((ROOT / "packaging/systemd" / name).read_text().replace("/usr/bin/berth", berth))
    return [str(tmp_path / name) for name in ("berth.service", "berth.socket")]


def test_systemd_understands_the_units(units):
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, timeout=SECONDS)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_service_is_locked_down(units):
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", units[0]],
                          capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
