"""Damaged bytes are never served as good (storage 1.5, 1.7): fsck finds them, repair sets them aside, a new push heals."""

import os
from pathlib import Path

import pytest

from harness.client import Client, Unanswered
from harness.content import CONFIG_TYPE, LAYER_TYPE, blob_bytes, descriptor, digest_of, image_manifest
from harness.server import Server, run_berth

LAYER, CONFIG = blob_bytes("rotting layer", 300_000), b'{"rot":true}'
MARK = "0b5e7d" + blob_bytes("mark", 60).hex()   # does not compress, so the manifest is stored as it is


def image() -> bytes:
    return image_manifest(descriptor(CONFIG_TYPE, CONFIG), [descriptor(LAYER_TYPE, LAYER)], MARK)


def push_image(client):
    for data in (CONFIG, LAYER):
        assert client.put_blob_at_once("rot/a", digest_of(data), data).status == 201
    assert client.put_manifest("rot/a", "latest", image()).status == 201


@pytest.fixture
def folder(tmp_path):
    """A data folder with one image whose server was stopped properly."""
    data = tmp_path / "data"
    data.mkdir()
    with Server(data, tmp_path / "server.log") as server:
        server.start()
        push_image(Client(server.port))
        assert server.stop() == 0
    return data


def file_of(data: Path, content: bytes) -> Path:
    hexadecimal = digest_of(content)[7:]
    files = list((data / "blobs" / "sha256" / hexadecimal[:2]).glob(f"{hexadecimal}.*"))
    assert len(files) == 1, f"storage 1.1: one file per digest, got {files}"
    return files[0]


def flip_byte(path: Path, offset: int):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x40]))
        os.fsync(file.fileno())


def served_as_good(client, path, right: bytes) -> bool:
    """True only for the harm: a complete 200 with other bytes."""
    try:
        response = client.request("GET", path)
    except Unanswered:
        return False
    return response.status == 200 and response.body != right


def test_a_flipped_byte_in_a_blob_is_found_set_aside_and_healed(folder, tmp_path):
    assert run_berth("fsck", "--deep", "--data", folder).returncode == 0
    file = file_of(folder, LAYER)
    flip_byte(file, 123_456)

    found = run_berth("fsck", "--deep", "--data", folder)
    assert found.returncode == 2, f"exit {found.returncode}: {found.stdout}{found.stderr}"
    assert digest_of(LAYER)[7:19] in found.stdout + found.stderr, "fsck names what is damaged"
    assert file.exists(), "without --repair nothing is changed"

    run_berth("fsck", "--deep", "--repair", "--data", folder)
    assert not file.exists()
    assert any((folder / "quarantine").iterdir()), "repair never deletes silently"
    assert run_berth("fsck", "--deep", "--data", folder).returncode == 2, "an image still lacks its layer"

    path = f"/v2/rot/a/blobs/{digest_of(LAYER)}"
    with Server(folder, tmp_path / "server.log") as server:
        client = Client(server.start().port)
        assert client.request("GET", path).status == 404
        assert client.get_blob("rot/a", digest_of(CONFIG)).body == CONFIG
        assert client.put_blob_at_once("rot/a", digest_of(LAYER), LAYER).status == 201   # storage 1.7: heals
        assert client.request("GET", path).body == LAYER
        assert server.stop() == 0
    assert run_berth("fsck", "--deep", "--data", folder).returncode == 0


def test_a_short_blob_file_is_never_served(folder, tmp_path):
    """storage 1.5: the size on disk must be the size in the row."""
    file = file_of(folder, LAYER)
    os.truncate(file, 100_000)
    path = f"/v2/rot/a/blobs/{digest_of(LAYER)}"
    with Server(folder, tmp_path / "server.log") as server:
        client = Client(server.start().port)
        for _ in range(3):
            response = client.request("GET", path)
            assert response.status == 404 or response.status >= 500, response.brief()
        assert client.put_blob_at_once("rot/a", digest_of(LAYER), LAYER).status == 201
        assert client.request("GET", path).body == LAYER
        assert server.alive()


def test_a_missing_blob_file_is_an_error_and_can_be_pushed_again(folder, tmp_path):
    file_of(folder, LAYER).unlink()
    path = f"/v2/rot/a/blobs/{digest_of(LAYER)}"
    with Server(folder, tmp_path / "server.log") as server:
        client = Client(server.start().port)
        response = client.request("GET", path)
        assert response.status == 404 or response.status >= 500, response.brief()
        assert client.put_blob_at_once("rot/a", digest_of(LAYER), LAYER).status == 201
        assert client.request("GET", path).body == LAYER
        assert server.alive()


def test_a_flipped_byte_in_a_manifest_is_never_served(folder, tmp_path):
    """storage §7: the body's hash is verified on a read that no cache answers."""
    database = folder / "meta.db"
    at = database.read_bytes().find(MARK.encode())
    assert at > 0, "the manifest is not in meta.db as it was pushed: this test must find its bytes another way"
    flip_byte(database, at + 40)
    with Server(folder, tmp_path / "server.log") as server:
        client = Client(server.start().port)
        for reference in ("latest", digest_of(image())):
            assert not served_as_good(client, f"/v2/rot/a/manifests/{reference}", image())
        assert client.get_blob("rot/a", digest_of(LAYER)).body == LAYER
        assert server.alive()
    assert run_berth("fsck", "--deep", "--data", folder).returncode == 2


def test_a_torn_end_of_the_wal_opens_at_the_last_whole_commit(tmp_path):
    """storage §7: the last frame is cut or damaged; the database opens and what was committed before is there."""
    for damage in ("cut", "flip"):
        data = tmp_path / damage
        data.mkdir()
        with Server(data, tmp_path / f"{damage}.log") as server:
            client = Client(server.start().port)
            push_image(client)
            assert client.put_blob_at_once("rot/last", digest_of(b"last"), b"last").status == 201
            server.kill9()
        wal = data / "meta.db-wal"
        size = wal.stat().st_size
        assert size > 4096
        if damage == "cut":
            os.truncate(wal, size - 700)
        else:
            flip_byte(wal, size - 300)
        with Server(data, tmp_path / f"{damage}.log") as server:
            client = Client(server.start().port)
            assert client.get_manifest("rot/a", "latest").body == image()
            answer = client.get_blob("rot/last", digest_of(b"last"))
            assert answer.status == 404 or answer.body == b"last"
            assert client.put_blob_at_once("rot/last", digest_of(b"last"), b"last").status == 201
