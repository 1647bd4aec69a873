"""`berth migrate distribution`: real registries filled by real clients, stopped, taken over, served to the clients."""
import json
import os
import random
import subprocess
import time

import pytest

from conftest import LISTENING, ROOT
from engines import ContainersStore, DockerEngine
from images import GREETING, OciLayout, docker_context, noise, sample_image, sample_index
from old_registry import PROGRAMS, OldRegistry
from processes import Daemon, run
from registry_http import OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST, Registry, descriptor, digest_of
from test_podman import SMALL_LIMITS

quick = pytest.mark.quick
BERTH = os.environ.get("BERTH_BIN", str(ROOT / "build" / "release" / "berth"))
SBOM = "application/vnd.example.sbom.v1"


@pytest.fixture(params=sorted(PROGRAMS))
def old(request, scratch):
    old = OldRegistry(scratch / "old", PROGRAMS[request.param])
    yield old
    old.stop()


@pytest.fixture
def berth(scratch):
    """Migrates into, checks and serves one data folder."""
    berth = Berth(scratch)
    yield berth
    berth.stop()


class Berth:
    def __init__(self, scratch):
        self.data, self._scratch, self._server = scratch / "data", scratch, None

    def migrate(self, old, *extra, code=0):
        """Runs it to its end; returns the summary and the skipped, as --report has them."""
        report = self._scratch / "report.jsonl"
        done = run(BERTH, "migrate", "distribution", old.folder, "--data", self.data, "--report", report, *extra,
                   check=False)
        assert done.returncode == code, f"exit code {done.returncode}:\n{done.stdout}{done.stderr}"
        lines = [json.loads(line) for line in report.read_text().splitlines()]
        assert lines[-1]["type"] == "summary"
        return lines[-1], [line for line in lines if line["type"] == "skipped"]

    def check(self):
        return run(BERTH, "fsck", "--deep", "--data", self.data)

    def serve(self):
        self._server = Daemon("berth", [BERTH, "serve", "--listen", "127.0.0.1:0", "--data", self.data],
                              self._scratch / "berth.log")
        found = self._server.wait_until(15, "berth says where it listens", lambda: LISTENING.search(self._server.log()))
        return Registry(found[1])

    def stop(self):
        if self._server:
            self._server.stop()


def push_image(registry, repo, tag, seed, layers=2, size=40_000):
    """By hand: a registry full of small images in no time."""
    blobs = [noise(f"{seed}/{number}", size) for number in range(layers)]
    config = json.dumps({"architecture": "amd64", "os": "linux", "seed": seed}).encode()
    for blob in [*blobs, config]:
        registry.upload_blob(repo, blob)
    return registry.put_manifest(repo, tag, {
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, config),
        "layers": [descriptor(OCI_LAYER_GZIP, blob) for blob in blobs]})


def snapshot(registry):
    """{repo: {tag: {digest: bytes}}} of all that a registry serves under a tag."""
    return {repo: {tag: registry.closure(repo, tag) for tag in registry.tags(repo)} for repo in registry.catalog()}


def fill(registry, scratch, hello, home):
    """What clients leave in a registry over the years."""
    address = registry.address
    layout = OciLayout(scratch / "layout")
    layout.tag(sample_index(layout, hello, "multi"), "multi")
    layout.tag(sample_image(layout, hello, "single"), "single")
    # skopeo: an index with all its platforms, in a nested repository
    run("skopeo", "copy", "--all", "--dest-tls-verify=false", f"oci:{layout.path}:multi",
        f"docker://{address}/team/deep/er/app:multi", env=home)
    # crane: the same image under two tags, one of which moves; a copy to a second repository mounts its blobs
    for tag in ("v1", "latest"):
        run("skopeo", "copy", "--dest-tls-verify=false", f"oci:{layout.path}:single", f"docker://{address}/team/app:{tag}",
            env=home)
    run("crane", "mutate", "--insecure", "--label", "release=2", "--tag", f"{address}/team/app:v2",
        f"{address}/team/app:v1", env=home)
    run("crane", "tag", "--insecure", f"{address}/team/app:v2", "latest", env=home)
    run("crane", "copy", "--insecure", f"{address}/team/app:v1", f"{address}/other:v1", env=home)
    # podman: docker's formats
    podman = ContainersStore(scratch / "podman").podman
    context = docker_context(scratch / "context", hello, [("a.bin", noise("podman", 60_000))])
    podman("build", "--quiet", "--isolation", "chroot", "--format", "docker", "--tag", f"{address}/team/run:1", context)
    podman("push", "--quiet", "--tls-verify=false", f"{address}/team/run:1")
    # oras: an artifact, and one attached to it
    (scratch / "model.bin").write_bytes(noise("model", 100_000))
    (scratch / "sbom.json").write_text("{}")
    run("oras", "push", "--plain-http", "--no-tty", f"{address}/models/big:v1", "model.bin:application/octet-stream",
        env=home, cwd=scratch)
    told = run("oras", "attach", "--plain-http", "--no-tty", "--format", "json", "--artifact-type", SBOM,
               f"{address}/models/big:v1", "sbom.json:application/json", env=home, cwd=scratch)
    # and one that is deleted again
    gone = push_image(registry, "team/app", "gone", "gone")
    registry.expect(202, "DELETE", f"/v2/team/app/manifests/{gone}")
    return {"sbom": json.loads(told)["digest"], "gone": gone}


@quick
def test_everything_is_served_as_before_byte_for_byte(old, berth, scratch, hello, quiet_home):
    registry = old.start()
    known = fill(registry, scratch, hello, quiet_home)
    before = snapshot(registry)
    root = registry.manifest("models/big", "v1").digest
    old.stop()
    files = old.fingerprint()

    foretold, skipped = berth.migrate(old, "--dry-run")
    assert not berth.data.exists() and not skipped
    summary, skipped = berth.migrate(old)
    assert not skipped and summary["bytes_copied"] == 0, "both folders are on one file system"
    assert summary["bytes_linked"] == foretold["bytes_to_take"] and summary["manifests"] == foretold["manifests"]
    assert old.fingerprint() == files, "the old folder is only read"
    berth.check()

    now = berth.serve()
    assert snapshot(now) == before
    assert now.status_of("team/app", "manifests", known["gone"]) == 404
    assert [entry["digest"] for entry in now.referrers("models/big", root)] == [known["sbom"]]  # R1
    assert [entry["digest"] for entry in now.referrers("models/big", root, SBOM)] == [known["sbom"]]


@quick
def test_clients_pull_from_it_what_they_had_pushed(old, berth, scratch, hello, quiet_home):
    registry = old.start()
    known = fill(registry, scratch, hello, quiet_home)
    multi = registry.closure("team/deep/er/app", "multi")
    latest = run("crane", "digest", "--insecure", f"{registry.address}/team/app:latest", env=quiet_home)
    old.stop()
    berth.migrate(old)
    now = berth.serve()

    copied = scratch / "copied"
    run("skopeo", "copy", "--all", "--src-tls-verify=false", f"docker://{now.address}/team/deep/er/app:multi",
        f"oci:{copied}:multi", env=quiet_home)
    blobs = {f"sha256:{file.name}": file.read_bytes() for file in (copied / "blobs" / "sha256").iterdir()}
    assert blobs == multi
    assert run("crane", "digest", "--insecure", f"{now.address}/team/app:latest", env=quiet_home) == latest
    run("crane", "validate", "--insecure", "--remote", f"{now.address}/team/app:latest", env=quiet_home)

    podman = ContainersStore(scratch / "podman2").podman
    podman("pull", "--quiet", "--tls-verify=false", f"{now.address}/team/run:1")
    assert podman("run", "--rm", "--network", "none", *SMALL_LIMITS, f"{now.address}/team/run:1") == GREETING + "\n"

    (scratch / "pulled").mkdir()
    run("oras", "pull", "--plain-http", "--no-tty", f"{now.address}/models/big:v1", env=quiet_home,
        cwd=scratch / "pulled")
    assert (scratch / "pulled" / "model.bin").read_bytes() == noise("model", 100_000)
    told = json.loads(run("oras", "discover", "--plain-http", "--format", "json", f"{now.address}/models/big:v1",
                          env=quiet_home))
    assert [entry["digest"] for entry in told.get("referrers") or told["manifests"]] == [known["sbom"]]


@pytest.fixture
def subvolumes(scratch):
    """Two subvolumes of a btrfs: hard links do not cross them, reflinks do."""
    image, mount = scratch / "btrfs.image", scratch / "btrfs"
    with open(image, "wb") as file:
        file.truncate(512 << 20)
    run("mkfs.btrfs", "--quiet", image)
    mount.mkdir()
    run("mount", "-o", "loop", image, mount)
    for name in ("old", "new"):
        run("btrfs", "subvolume", "create", mount / name)
    yield mount / "old", mount / "new"
    run("umount", "--lazy", mount)


@quick
def test_where_links_end_at_a_subvolume_blobs_share_their_extents(subvolumes, scratch):
    old_volume, new_volume = subvolumes
    old = OldRegistry(old_volume / "registry", PROGRAMS["registry:2"])
    berth = Berth(scratch)
    berth.data = new_volume / "data"
    try:
        registry = old.start()
        for number in range(3):
            push_image(registry, "team/app", f"v{number}", f"cow {number}", size=3_000_000)
        before = snapshot(registry)
        old.stop()
        summary, skipped = berth.migrate(old)
        run("sync", "-f", new_volume)
        assert not skipped and summary["bytes_copied"] == summary["bytes_linked"] == 0
        assert summary["bytes_reflinked"] > 18_000_000
        total, exclusive, shared = run("btrfs", "filesystem", "du", "-s", "--raw", berth.data / "blobs").split()[-4:-1]
        assert int(shared) > 18_000_000 and int(exclusive) < 100_000, (total, exclusive, shared)
        berth.check()
        assert snapshot(berth.serve()) == before
    finally:
        berth.stop()
        old.stop()


def test_docker_runs_what_it_pushed_to_the_old_one_and_pushes_on(old, berth, scratch, hello, session_directory):
    engine = DockerEngine(session_directory / f"dm-{old.path.parent.name}")
    try:
        registry = old.start()
        context = docker_context(scratch / "context", hello, [("a.bin", noise("docker", 100_000))])
        engine("build", "--quiet", "--tag", f"{registry.address}/library/hello:1", context)
        image = engine.image_id(f"{registry.address}/library/hello:1")
        engine("push", f"{registry.address}/library/hello:1")
        engine.forget_everything()
        old.stop()
        berth.migrate(old)
        now = berth.serve()
        name = f"{now.address}/library/hello:1"
        engine("pull", name)
        assert engine.image_id(name) == image
        assert engine("run", "--rm", "--network", "none", name) == GREETING + "\n"
        engine("tag", name, f"{now.address}/library/hello:2")
        assert "Layer already exists" in engine("push", f"{now.address}/library/hello:2")
    finally:
        engine.stop()


@quick
def test_a_second_run_takes_what_came_since_and_moves_tags_that_moved(old, berth):
    registry = old.start()
    push_image(registry, "team/app", "latest", "first")
    first, _ = berth.migrate(old)  # while it runs
    assert first["blobs_linked"] == 3 and first["tags_set"] == 1
    push_image(registry, "team/app", "latest", "second")
    push_image(registry, "team/late", "v1", "first")
    before = snapshot(registry)
    old.stop()
    second, skipped = berth.migrate(old)
    assert not skipped
    assert second["blobs_already_there"] == 3 and second["blobs_linked"] == 3
    assert second["tags_moved"] == 1 and second["tags_set"] == 1
    third, _ = berth.migrate(old)
    assert third["blobs_linked"] + third["memberships"] + third["manifests"] + third["tags_set"] == 0
    berth.check()
    assert snapshot(berth.serve()) == before


@quick
def test_the_old_registry_may_collect_its_garbage_afterwards_and_what_it_left_is_no_reason_to_complain(old, berth,
                                                                                                       scratch):
    registry = old.start()
    kept = push_image(registry, "team/app", "kept", "kept")
    gone = push_image(registry, "team/app", "gone", "gone")
    berth.migrate(old)
    registry.expect(202, "DELETE", f"/v2/team/app/manifests/{gone}")
    old.stop()
    run(*old.command("garbage-collect"))
    berth.check()
    berth.data = scratch / "second"
    summary, skipped = berth.migrate(old)
    assert not skipped and summary["manifests"] == 1
    now = berth.serve()
    assert now.tags("team/app") == ["kept"]
    assert now.closure("team/app", kept)


def test_damage_is_named_and_the_rest_is_taken(old, berth):
    registry = old.start()
    push_image(registry, "team/app", "good", "good")
    push_image(registry, "team/app", "bad", "bad")
    old.stop()
    layer = digest_of(noise("bad/0", 40_000))
    hex_part = layer.partition(":")[2]
    file = old.folder / "docker/registry/v2/blobs/sha256" / hex_part[:2] / hex_part / "data"
    file.write_bytes(b"\0" + file.read_bytes()[1:])
    summary, skipped = berth.migrate(old, code=2)
    assert {entry["kind"] for entry in skipped} == {"damaged blob", "incomplete manifest", "dangling tag"}
    assert any(layer in entry["reason"] for entry in skipped if entry["kind"] == "incomplete manifest")
    assert summary["skipped"] == 3 and summary["manifests"] == 1
    berth.check()
    assert berth.serve().tags("team/app") == ["good"]


@pytest.mark.parametrize("mode", [(), ("--copy",)], ids=["link", "copy"])
@pytest.mark.parametrize("old", ["registry:2"], indirect=True)
def test_killed_at_any_moment_it_goes_on_where_it_was(old, berth, mode):
    registry = old.start()
    for number in range(25):
        push_image(registry, f"team/app{number % 5}", f"v{number}", f"kill/{number}", layers=4, size=300_000)
    before = snapshot(registry)
    old.stop()
    berth.serve()  # makes the data folder, without which there is nothing to check
    berth.stop()
    command = [BERTH, "migrate", "distribution", old.folder, "--quiet", *mode, "--data"]
    began = time.monotonic()
    run(*command, berth.data.with_name("timed"))
    whole = time.monotonic() - began
    chance, kills = random.Random(7), 0
    for _ in range(25):
        process = subprocess.Popen([*command, berth.data], stdout=subprocess.DEVNULL)
        try:
            process.wait(whole * chance.random())
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        berth.check()
    assert kills > 0, "the clock never beat it"
    berth.migrate(old, *mode)
    berth.check()
    assert not any((berth.data / "uploads").iterdir()), "nothing is left behind"
    assert snapshot(berth.serve()) == before
