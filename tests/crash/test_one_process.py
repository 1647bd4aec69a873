"""One process per data folder (storage 1.1): the second exits 75 and names the first; a killed one leaves no lock."""

import subprocess

import pytest

from harness.client import Client
from harness.content import digest_of
from harness.server import Server, StartFailed

LOCKED = 75


def test_a_second_process_exits_75_and_names_the_first(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    with Server(data, tmp_path / "first.log") as first:
        client = Client(first.start().port)
        assert client.put_blob_at_once("lock/a", digest_of(b"held"), b"held").status == 201
        second = Server(data, tmp_path / "second.log")
        result = subprocess.run(second.command, capture_output=True, text=True, timeout=15, check=False)
        assert result.returncode == LOCKED, result.stdout + result.stderr
        assert str(first.process.pid) in result.stdout + result.stderr
        assert first.alive() and client.get_blob("lock/a", digest_of(b"held")).body == b"held"


def test_a_killed_process_leaves_no_lock(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for _ in range(3):
        with Server(data, tmp_path / "server.log") as server:
            server.start()
            server.kill9()


def test_a_folder_of_another_store_is_refused(tmp_path):
    """storage 1.1: the id in `format` is also in the database; a WAL or folder of another store is not opened."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with Server(tmp_path / name, tmp_path / "server.log") as server:
            server.start()
            assert server.stop() == 0
    (tmp_path / "one" / "format").write_bytes((tmp_path / "two" / "format").read_bytes())
    with Server(tmp_path / "one", tmp_path / "mixed.log") as mixed, pytest.raises(StartFailed) as refused:
        mixed.start()
    assert refused.value.exit_code not in (None, 0, LOCKED)
