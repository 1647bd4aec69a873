"""`berth migrate`: what it refuses, with which words and exit status, and that a refusal leaves nothing behind."""

import hashlib
import json
import os
import pathlib
import shutil
import tempfile

import pytest

from conftest import run


@pytest.fixture
def old(tmp_path):
    """The folder of a distribution registry with one blob in one repository."""
    digest = hashlib.sha256(b"content").hexdigest()
    for name, text in ((f"blobs/sha256/{digest[:2]}/{digest}/data", "content"),
                       (f"repositories/team/app/_layers/sha256/{digest}/link", f"sha256:{digest}")):
        file = tmp_path / "old/docker/registry/v2" / name
        file.parent.mkdir(parents=True)
        file.write_text(text)
    return tmp_path / "old"


REFUSALS = [
    ("no path", (), 1, "PATH"),
    ("no such folder", ("{tmp}/absent",), 1, "there is no folder at {tmp}/absent"),
    ("a file", ("{tmp}/file",), 1, "there is no folder at"),
    ("a folder of something else", ("{tmp}/other",), 1, "is not the folder of a distribution registry"),
    ("two ways at once", ("{old}", "--hardlink", "--copy"), 1, "--copy"),
    ("a policy nobody knows", ("{old}", "--reference-policy", "lax"), 1, "must be strict, sparse-index or sparse"),
    ("an option nobody knows", ("{old}", "--dry-rum"), 125, "Did you mean '--dry-run'?"),
    ("a report that cannot be written", ("{old}", "--report", "{tmp}/absent/report"), 1, "cannot write the report"),
    ("a data folder that is none", ("{old}", "--data", "{tmp}/other"), 1, "not a data folder of berth"),
]


@pytest.mark.parametrize(("args", "code", "says"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_a_refusal_says_why_and_leaves_nothing_behind(old, tmp_path, args, code, says):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").write_text("of somebody")
    (tmp_path / "file").write_text("")
    data = tmp_path / "data"
    words = [word.format(tmp=tmp_path, old=old) for word in args]
    if "--data" not in words:
        words += ["--data", str(data)]
    done = run("migrate", "distribution", *words)
    assert done.returncode == code, done.stdout + done.stderr
    assert says.format(tmp=tmp_path) in done.stderr
    assert not data.exists()
    assert os.listdir(tmp_path / "other") == ["file"]


@pytest.mark.parametrize("extra", [(), ("--dry-run",)])
def test_a_data_folder_in_use_is_named_with_the_pid_of_its_server(serve, old, tmp_path, extra):
    server = serve()
    done = run("migrate", "distribution", str(old), "--data", str(tmp_path / "data"), *extra)
    assert done.returncode == 75
    assert f"pid {server.pid}" in done.stderr and "stop it first" in done.stderr


def test_exit_status_and_report_tell_what_became_of_it(old, tmp_path):
    words = ("migrate", "distribution", str(old), "--data", str(tmp_path / "data"))
    report = tmp_path / "report"
    dry = run(*words, "--dry-run")
    assert dry.returncode == 0 and "Nothing was written" in dry.stdout and not (tmp_path / "data").exists()
    done = run(*words, "--report", str(report))
    assert done.returncode == 0 and "Done." in done.stdout and "7 B linked" in done.stdout
    (summary,) = [json.loads(line) for line in report.read_text().splitlines()]
    assert summary["blobs_linked"] == 1 and summary["skipped"] == 0
    again = run(*words)
    assert again.returncode == 0 and "Nothing to do" in again.stdout

    (old / "docker/registry/v2/repositories/Upper/_layers/sha256").mkdir(parents=True)
    link = next((old / "docker/registry/v2/repositories/team").rglob("link"))
    (old / "docker/registry/v2/repositories/Upper/_layers/sha256" / link.parent.name).mkdir()
    (old / "docker/registry/v2/repositories/Upper/_layers/sha256" / link.parent.name / "link").write_text(link.read_text())
    skipped = run(*words, "--report", str(report))
    assert skipped.returncode == 2
    assert "repository name  Upper" in skipped.stdout
    assert json.loads(report.read_text().splitlines()[0])["object"] == "Upper"


@pytest.fixture
def elsewhere(tmp_path):
    """A folder to be on another file system than the tests' own."""
    here = os.stat(tmp_path).st_dev
    parent = next(place for place in ("/dev/shm", "/run", "/var/tmp") if os.stat(place).st_dev != here)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="berth-test-", dir=parent))
    yield folder
    shutil.rmtree(folder)


def test_links_that_are_impossible_are_refused_if_nothing_else_is_wanted(old, elsewhere):
    data = str(elsewhere / "data")
    done = run("migrate", "distribution", str(old), "--data", data, "--hardlink")
    assert done.returncode == 1
    assert "hard link" in done.stderr and "different file systems" in done.stderr
    copied = run("migrate", "distribution", str(old), "--data", data)
    assert copied.returncode == 0
    assert "7 B copied" in copied.stdout and "not hard linked" in copied.stdout
