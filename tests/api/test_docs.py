"""docs/api.md: its examples run, and its table is the document's."""

import os
import re
import subprocess

from conftest import PASSWORD, SECONDS
from contract import ROOT

PAGE = (ROOT / "docs/api.md").read_text(encoding="utf-8")


def test_examples_run(world, tmp_path):
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    script = "\n".join(["set -euo pipefail", *blocks]).replace("http://localhost:5000", world.server.url)
    ran = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS,
                         env={**os.environ, "PASSWORD": PASSWORD})
    assert ran.returncode == 0, script + ran.stdout + ran.stderr
    assert ran.stdout.count('"status":422') == 1 and ran.stdout.count('"status":412') == 1, ran.stdout
    refused = re.search(r"^```json\n(.*?)\n```$", PAGE, re.DOTALL | re.MULTILINE)[1]
    assert re.sub(r'"request_id":"[^"]*"', '"request_id":"…"', ran.stdout).count(refused) == 1, ran.stdout
    assert world.root.get("/namespaces/acme").json()["visibility"] == "internal"
    assert world.root.get("/namespaces/acme/robots/acme+ci").json()["live_secrets"] == 2
    verdict = '"subject":"acme+ci","repo":"acme/web","tag":null,"right":"write","allowed":true'
    assert verdict in ran.stdout


def test_table_is_the_documents():
    subprocess.run(["/usr/bin/python3", str(ROOT / "tools/api_table.py"), "--check"], check=True)
