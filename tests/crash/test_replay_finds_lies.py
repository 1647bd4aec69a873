"""The power-cut simulation is only worth something if it catches a store that acknowledges too early and clears one
that does not. Three small C programs stand in for the server."""

import os
import random
import subprocess

import pytest

from harness.shim import build_library, build_program, new_log_env
from recording import BadRecording, Recording, new_log
from replay import MODELS, STYLES, CrashState, difference_to


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    return build_library("record", folder), build_program("selftest", folder)


def record(built, mode, tmp_path) -> Recording:
    library, program = built
    data, log = tmp_path / "data", tmp_path / "log"
    data.mkdir()
    new_log(log, 1 << 24)
    subprocess.run([program, mode, data], env={**os.environ, **new_log_env(library, log, data)}, check=True, timeout=30)
    recording = Recording(log, data)
    assert difference_to(recording, data) is None
    assert len(recording.notes) == 20
    return recording


def lies(recording: Recording, model: str, tmp_path) -> list[str]:
    """Every acknowledged item that some crash state lacks or has damaged, over many cuts and all styles."""
    rng, found = random.Random(1), []
    for index in range(100):
        cut = rng.choice(recording.notes)[0] if index % 2 else rng.choice(recording.numbers)
        state = CrashState(recording, cut, model, STYLES[index % len(STYLES)], index)
        target = tmp_path / f"{model}-{index}"
        state.write(target)
        for number, name in recording.notes:
            letter = bytes([ord("a") + int(name.split("-")[1])])
            file = target / name
            if number <= cut and (not file.exists() or file.read_bytes() != letter * 2048):
                found.append(f"{name}: {state.describe()}")
    return found


@pytest.mark.parametrize("model", MODELS)
def test_a_store_that_syncs_file_and_folder_keeps_every_promise(built, model, tmp_path):
    assert lies(record(built, "good", tmp_path), model, tmp_path) == []


def test_a_store_that_never_syncs_its_bytes_is_caught(built, tmp_path):
    assert lies(record(built, "nosync", tmp_path), "strict", tmp_path)


def test_a_store_that_never_syncs_its_folder_is_caught_by_strict_names(built, tmp_path):
    recording = record(built, "nodirsync", tmp_path)
    assert lies(recording, "strict", tmp_path)
    assert any("item-" in lie for lie in lies(recording, "journal", tmp_path))   # its last rename follows its last sync


def test_the_same_choice_gives_the_same_state(built, tmp_path):
    recording = record(built, "nosync", tmp_path)
    cut = recording.numbers[len(recording.numbers) // 2]
    for name in ("first", "second"):
        CrashState(recording, cut, "strict", "torn", 7).write(tmp_path / name)
    files = [{p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("first", "second")]
    assert files[0] == files[1]


def test_a_recording_that_missed_a_write_is_refused(built, tmp_path):
    recording = record(built, "good", tmp_path)
    (tmp_path / "data" / "item-3").write_bytes(b"written behind the recorder's back")
    assert "item-3" in difference_to(recording, tmp_path / "data")


def test_an_overflowed_log_is_refused(built, tmp_path):
    library, program = built
    (tmp_path / "data").mkdir()
    new_log(tmp_path / "log", 8192)
    subprocess.run([program, "good", tmp_path / "data"], check=True, timeout=30,
                   env={**os.environ, **new_log_env(library, tmp_path / "log", tmp_path / "data")})
    with pytest.raises(BadRecording, match="overflowed"):
        Recording(tmp_path / "log", tmp_path / "data")
