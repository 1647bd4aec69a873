"""What schemathesis makes up from the document, right and wrong, as several callers: never a 5xx, and nothing that the
document does not tell of. The seed is fixed, so that a run finds what the one before found; BERTH_FUZZ_SEED and
BERTH_FUZZ_EXAMPLES (of each operation) are for longer hunts."""

import os
import pathlib
import re
import subprocess
import sys

import pytest
from conftest import Server, World
from contract import ROOT

SEED = os.environ.get("BERTH_FUZZ_SEED", "1")
EXAMPLES = os.environ.get("BERTH_FUZZ_EXAMPLES")
CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
          "response_schema_conformance,negative_data_rejection,unsupported_method,allow_header_conformance")


def secret_of(world, name):
    """Of an access token: a made-up request for a new password must not end the run."""
    caller = world.caller(name, "correct horse battery")
    return caller.post("/user/tokens", {"name": "fuzz"}).json()["secret"]


def subjects(world):
    """By name, the secret to come with. What the document's examples name is there: ann, acme, acme/web."""
    world.add_user("ann")
    world.add_user("owner-of-acme")
    world.add_user("second-admin", admin=True)
    world.root.post("/orgs", {"name": "acme", "owner": "owner-of-acme"})
    world.root.put("/orgs/acme/members/ann", {"role": "reader"}, status=201)
    world.root.post("/orgs/acme/teams", {"name": "devs"})
    world.push("acme/web")
    robot = world.root.post("/namespaces/acme/robots", {"name": "acme+worker"}).json()["secret"]
    return {"anonymous": None, "user": secret_of(world, "owner-of-acme"), "robot": robot,
            "admin": secret_of(world, "second-admin")}


# Who may do little is given what is made up systematically; drawn at random it is refused all the same.
@pytest.mark.parametrize("subject, phases, examples", [
    ("anonymous", "coverage", "1"),
    ("user", "examples,coverage,fuzzing", "3"),
    ("robot", "coverage", "1"),
    ("admin", "examples,coverage,fuzzing", "3"),
])
def test_nothing_surprises(subject, phases, examples, tmp_path, contract):
    server = Server(tmp_path / "server")
    try:
        secret = subjects(World(server, contract))[subject]
        command = [str(pathlib.Path(sys.executable).with_name("schemathesis")), "run", str(ROOT / "api/openapi.yaml"),
                   "--url", server.url + "/api/v1", "--checks", CHECKS, "--max-examples", EXAMPLES or examples,
                   "--phases", "examples,coverage,fuzzing" if EXAMPLES else phases, "--seed", SEED, "--workers", "1", "--no-color",
                   "--suppress-health-check", "all", "--warnings", "off", "--request-timeout", "10"]
        if secret:
            command += ["--header", f"Authorization: Bearer {secret}"]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=None if EXAMPLES else 120)
        assert ran.returncode == 0, ran.stdout[-20000:] + ran.stderr[-2000:]
        assert int(re.search(r"(\d+) generated", ran.stdout)[1]) > 400, ran.stdout
        assert server.is_running(), server.log.read_text()[-5000:]
    finally:
        server.stop()
