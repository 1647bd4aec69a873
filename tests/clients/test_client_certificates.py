"""Real clients that have a certificate and no password (docs/client-certificates.md). docker is not among them: to a
registry on a loopback address it shows none."""
import re
import shutil
import sys
from pathlib import Path

import pytest

from accounts import Account
from conftest import berth_binary, watched
from engines import ContainersStore
from images import OciLayout, tar_of
from processes import Daemon, run

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from client_pki import Pki  # noqa: E402

LISTENING = re.compile(r"berth: listening on https://[0-9.]+:([0-9]+)")
ROOT = Account("root", "the first of all passwords")


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def address(session_directory, pki):
    directory = session_directory / "certificates"
    directory.mkdir()
    data = directory / "data"
    run(berth_binary(), "user", "add", ROOT.name, "--admin", "--password-stdin", "--data", data, stdin=ROOT.secret)
    run(berth_binary(), "org", "create", "acme", "--owner", ROOT.name, "--data", data)
    run(berth_binary(), "robot", "create", "acme+ci", "--repo", "acme/**:pull,push", "--data", data)
    daemon = Daemon("berth", [
        berth_binary(), "serve", "--listen", "127.0.0.1:0", "--data", data, "--tls-cert", pki.server.certificate,
        "--tls-key", pki.server.key, "--tls-client-certificates", "request", "--tls-client-authorities", pki.ca,
        "--auth-certificate-rules", "uri:spiffe://acme.example/ci/*=acme+ci"], directory / "log")
    with watched(daemon):
        yield "localhost:" + daemon.wait_until(15, "berth says where it listens",
                                               lambda: LISTENING.search(daemon.log()))[1]


def certificates_for(folder, pki, pair=None):
    """As containers/image and docker expect them."""
    folder.mkdir()
    shutil.copy(pki.ca, folder / "ca.crt")
    if pair:
        shutil.copy(pair.certificate, folder / "client.cert")
        shutil.copy(pair.key, folder / "client.key")
    return folder


@pytest.fixture
def with_one(scratch, pki):
    return certificates_for(scratch / "with", pki, pki.issue("ci", "URI:spiffe://acme.example/ci/web"))


@pytest.fixture
def without(scratch, pki):
    return certificates_for(scratch / "without", pki)


@pytest.mark.quick
def test_skopeo_pushes_and_pulls(address, with_one, without, scratch, quiet_home):
    layout = OciLayout(scratch / "layout")
    layout.tag(layout.add_image([tar_of({"seed": b"skopeo"})]), "it")
    image = f"docker://{address}/acme/skopeo:1"
    copy = ["skopeo", "copy", f"oci:{scratch / 'layout'}:it", image]
    assert run(*copy, "--dest-cert-dir", without, env=quiet_home, check=False).returncode != 0
    run(*copy, "--dest-cert-dir", with_one, env=quiet_home)
    run("skopeo", "copy", "--src-cert-dir", with_one, image, f"dir:{scratch / 'pulled'}", env=quiet_home)
    elsewhere = run("skopeo", "copy", "--dest-cert-dir", with_one, f"oci:{scratch / 'layout'}:it",
                    f"docker://{address}/root/app:1", env=quiet_home, check=False)
    assert elsewhere.returncode != 0 and "denied" in elsewhere.stderr, elsewhere.stderr


def test_podman_pushes_and_pulls_and_is_a_stranger_without(address, with_one, without, scratch):
    store = ContainersStore(scratch / "podman")
    image = f"{address}/acme/podman:1"
    archive = scratch / "import.tar"
    archive.write_bytes(tar_of({"seed": b"podman"}))
    store.podman("import", "--quiet", archive, image)
    assert store.podman("push", "--cert-dir", without, image, check=False).returncode != 0
    store.podman("push", "--cert-dir", with_one, image)
    store.podman("rmi", "--force", image)
    store.podman("pull", "--cert-dir", with_one, image)
