"""The servers that ./dev bench compares with: their settings, what they do not support, how their programs are built."""

import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from harness import report, servers                               # noqa: E402
from harness.wrk import Refused                                   # noqa: E402
from scenarios import accounts, mixes                             # noqa: E402


def zot_config(server) -> dict:
    program, verb, config = server.command()
    assert (program, verb) == (server.binary, "serve")
    return json.loads(Path(config).read_text(encoding="utf-8"))


def test_zot_runs_with_nothing_that_slows_it(tmp_path):
    server = servers.Zot(tmp_path / "zot", {0})
    config = zot_config(server)
    assert config["storage"] == {"rootDirectory": str(tmp_path / "zot" / "data"), "dedupe": False, "gc": False, "commit": False}
    assert config["log"] == {"level": "error"}
    assert "extensions" not in config and "auth" not in config["http"]


def test_zot_synced_is_zot_that_syncs(tmp_path):
    plain, synced = (zot_config(kind(tmp_path / kind.name, {0})) for kind in (servers.Zot, servers.SyncedZot))
    assert (plain["storage"].pop("commit"), synced["storage"].pop("commit")) == (False, True)
    assert plain["storage"].pop("rootDirectory") != synced["storage"].pop("rootDirectory")
    assert plain["storage"] == synced["storage"] and plain["log"] == synced["log"]


def test_zot_asks_for_a_password_once_it_is_set_up(tmp_path):
    server = accounts.SecuredZot(tmp_path, {0})
    assert "auth" not in zot_config(server)["http"]
    server.stop, server.start = lambda: None, lambda: None
    server.set_up([])
    assert zot_config(server)["http"]["auth"] == {"htpasswd": {"path": str(tmp_path / "htpasswd")}, "failDelay": 0}
    assert (tmp_path / "htpasswd").read_text(encoding="utf-8").startswith("ann:$2b$05$")
    assert server.ready_status == 401


def test_versions_are_those_that_are_pinned(monkeypatch, tmp_path):
    rows = dict(line.split(None, 1) for line in (ROOT / "tools" / "go_tools.txt").read_text(encoding="utf-8").splitlines()
                if not line.startswith("#"))
    monkeypatch.setattr(servers.Zot, "binary", str(servers.TOOLS / "zot"))
    assert servers.Zot(tmp_path, {0}).version().split() == rows["zot"].split()[:2]
    assert servers.Distribution3(tmp_path, {0}).version().split() == rows["distribution"].split()


def test_another_zot_is_named_with_what_it_says_of_itself(monkeypatch, tmp_path):
    program = tmp_path / "zot"
    program.write_text("#!/bin/sh\necho v9.9; echo more\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(servers.Zot, "binary", str(program))
    assert servers.Zot(tmp_path, {0}).version() == f"{program} v9.9"
    assert servers.missing("zot") == ""


@pytest.mark.parametrize("status", [200, 401, 503])
def test_a_server_is_ready_when_it_answers_with_the_status_wanted(status):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/v2/"
        assert [servers.answers(url, wanted) for wanted in (200, 401)] == [status == 200, status == 401]
    finally:
        server.shutdown()
        server.server_close()


def test_only_a_server_known_not_to_have_it_may_lack_it(tmp_path):
    seen = {"GET blob": {}, "mount (202)": {}, "push of a blob": {}}
    assert list(mixes.refusals(servers.Zot(tmp_path, {0}), seen)) == ["mount (202)"]
    assert not mixes.refusals(servers.Berth(tmp_path, {0}), {"mount": {}, "referrers": {}})
    for operation in ("mount (202)", "referrers (404)"):
        with pytest.raises(Refused, match="which it should support"):
            mixes.refusals(servers.Berth(tmp_path, {0}), {operation: {}})


def test_the_page_says_what_is_not_supported_and_why():
    result = {"machine": {"revision": "r", "measured_at": "2026-01-01T00:00", "cores": 2}, "rounds": 5, "cores": {"mode": "split"}, "targets": [],
              "points": [], "metrics": ["p50_us"], "unsupported": {"zot": {"mount (202)": "does not mount"}}}
    assert "Not supported: zot: mount (202), as it does not mount." in report.section(mixes, result)
    del result["unsupported"]
    assert "Not supported" not in "\n".join(report.section(mixes, result))


# Stands for the Go toolchain: notes its words and where it was called, and "builds" what it finds there.
GO = """#!/bin/bash
echo "$*" >>"$FAKE/calls"
case "$1 ${2:-}" in
  "env GOVERSION") echo go1.99 ;;
  "mod download") printf '{\\n\\t"Dir": "%s",\\n\\t"Sum": "h1:x"\\n}\\n' "$FAKE/served" ;;
  "build "*)
    while [[ $1 != -o ]]; do shift; done
    { echo '#!/bin/sh'; echo "# $(ls | tr '\\n' ' ')"; } >"$2" && chmod +x "$2" ;;
esac
"""


@pytest.fixture(name="tools")
def copied_tools(tmp_path, monkeypatch):
    """go_tools.sh beside a list of its own and a toolchain that is none; calls it with names."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "path").mkdir()
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "go.mod").write_text("module other.example/name\n", encoding="utf-8")
    (tmp_path / "served" / "go.mod").chmod(0o444)
    shutil.copy(ROOT / "tools" / "go_tools.sh", tmp_path / "tools")
    (tmp_path / "path" / "go").write_text(GO, encoding="utf-8")
    (tmp_path / "path" / "go").chmod(0o755)
    monkeypatch.setenv("FAKE", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}{os.pathsep}{os.environ['PATH']}")

    def call(rows, *names):
        (tmp_path / "tools" / "go_tools.txt").write_text(rows, encoding="utf-8")
        (tmp_path / "calls").write_text("", encoding="utf-8")
        done = subprocess.run([tmp_path / "tools" / "go_tools.sh", *names], capture_output=True, text=True, check=False)
        return done, (tmp_path / "calls").read_text(encoding="utf-8")

    return call


PLAIN = "one a.example/one/cmd v1.2.3\n"
RENAMED = "two b.example/two/cmd v2.0.0 from=c.example/two tags=pure,small\n"


def test_a_tool_is_built_in_a_throw_away_module_once(tools, tmp_path):
    done, calls = tools(PLAIN + RENAMED, "one")
    assert done.returncode == 0, done.stderr
    assert "get a.example/one/cmd@v1.2.3" in calls and "build" in calls and "two" not in calls
    assert os.access(tmp_path / "build" / "tools" / "bin" / "one", os.X_OK)
    _, calls = tools(PLAIN + RENAMED, "one")
    assert calls == "env GOVERSION\n"


def test_a_tool_served_under_another_name_is_built_as_the_main_module(tools, tmp_path):
    done, calls = tools(PLAIN + RENAMED, "two")
    assert done.returncode == 0, done.stderr
    assert "mod download -json c.example/two@v2.0.0" in calls
    assert "-tags pure,small" in calls and calls.rstrip().endswith(" b.example/two/cmd")
    assert "mod init" not in calls and "a.example" not in calls
    assert "go.mod" in (tmp_path / "build" / "tools" / "bin" / "two").read_text(encoding="utf-8")
    _, calls = tools(PLAIN + RENAMED.replace("pure,small", "pure"), "two")
    assert "-tags pure" in calls   # other tags are another program


def test_a_word_that_means_nothing_is_refused(tools):
    done, calls = tools(PLAIN.rstrip() + " form=c.example/one\n", "one")
    assert done.returncode == 1 and "form=c.example/one" in done.stderr and "build" not in calls
