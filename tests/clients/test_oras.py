"""oras: artifacts, what is attached to them, and copies that take the attachments along."""
import json

import pytest

from images import OciLayout, noise, sample_index
from local_images import layout_objects, layout_root
from processes import run
from registry_http import OCI_EMPTY, assert_same_objects

pytestmark = pytest.mark.quick
SBOM, SIGNATURE, NOTE = (f"application/vnd.example.{kind}.v1" for kind in ("sbom", "signature", "note"))


@pytest.fixture
def oras(quiet_home, scratch):
    """Runs oras in the scratch directory."""
    def oras(*command, cwd=scratch, **options):
        return run("oras", *command, env=quiet_home, cwd=cwd, **options)
    return oras


@pytest.fixture
def name(registry, repo):
    return lambda tag, below="": f"{registry.address}/{repo}{below}:{tag}"


@pytest.fixture
def artifact(oras, scratch, name, repo):
    """Pushes two files as an artifact `v1`; returns their contents."""
    files = {"model.bin": noise(repo, 300_000), "readme.txt": b"made by a test\n"}
    for file, data in files.items():
        (scratch / file).write_bytes(data)
    oras("push", "--plain-http", "--no-tty", "--artifact-type", "application/vnd.example.model.v1", name("v1"),
         "model.bin:application/octet-stream", "readme.txt:text/plain")
    return files


def attach(oras, scratch, image, artifact_type, text):
    """Attaches one small file and returns the new manifest's digest."""
    (scratch / "attached.txt").write_text(text)
    told = oras("attach", "--plain-http", "--no-tty", "--format", "json", "--artifact-type", artifact_type, image,
                "attached.txt:text/plain")
    return json.loads(told)["digest"]


def discovered(oras, image, *extra):
    told = json.loads(oras("discover", "--plain-http", "--format", "json", "--depth", "1", *extra, image))
    return {entry["digest"]: entry["artifactType"] for entry in told.get("referrers") or told.get("manifests") or []}


def test_pushed_files_come_back_byte_for_byte(oras, artifact, name, registry, repo, scratch):
    manifest = registry.manifest(repo, "v1").json()
    assert manifest["artifactType"] == "application/vnd.example.model.v1"
    assert manifest["config"]["mediaType"] == OCI_EMPTY  # V6
    served = {layer["annotations"]["org.opencontainers.image.title"]: registry.blob(repo, layer["digest"])
              for layer in manifest["layers"]}
    assert served == artifact
    (scratch / "pulled").mkdir()
    oras("pull", "--plain-http", "--no-tty", name("v1"), cwd=scratch / "pulled")
    assert {file.name: file.read_bytes() for file in (scratch / "pulled").iterdir()} == artifact


def test_attached_artifacts_are_discovered_by_type(oras, artifact, name, registry, repo, scratch):
    sbom = attach(oras, scratch, name("v1"), SBOM, "sbom")
    signature = attach(oras, scratch, name("v1"), SIGNATURE, "signature")
    assert discovered(oras, name("v1")) == {sbom: SBOM, signature: SIGNATURE}
    assert discovered(oras, name("v1"), "--artifact-type", SBOM) == {sbom: SBOM}  # R3
    listed = registry.referrers(repo, registry.manifest(repo, "v1").digest)  # R1, R2
    assert {entry["digest"]: entry["artifactType"] for entry in listed} == {sbom: SBOM, signature: SIGNATURE}
    assert all(entry["size"] == len(registry.manifest(repo, entry["digest"]).body) for entry in listed)
    assert registry.tags(repo) == ["v1"], "oras found the referrers API and made no fallback tag"


def test_recursive_copy_takes_attachments_of_attachments_along(oras, artifact, name, registry, repo, scratch):
    sbom = attach(oras, scratch, name("v1"), SBOM, "sbom")
    note = attach(oras, scratch, f"{registry.address}/{repo}@{sbom}", NOTE, "about the sbom")
    oras("cp", "--no-tty", "-r", "--from-plain-http", "--to-plain-http", name("v1"), name("v1", "/copy"))
    for root in ("v1", sbom, note):
        assert_same_objects(registry.closure(f"{repo}/copy", root), registry.closure(repo, root), f"cp -r: {root}")
    assert set(discovered(oras, name("v1", "/copy"))) == {sbom}
    copied = f"{registry.address}/{repo}/copy@{sbom}"
    assert discovered(oras, copied) == {note: NOTE}


def test_recursive_copy_through_a_layout_and_back_keeps_everything(oras, artifact, name, registry, repo, scratch):
    sbom = attach(oras, scratch, name("v1"), SBOM, "sbom")
    oras("cp", "--no-tty", "-r", "--from-plain-http", "--to-oci-layout", name("v1"), f"{scratch}/kept:v1")
    assert_same_objects(layout_objects(scratch / "kept", sbom), registry.closure(repo, sbom), "copy out")
    oras("cp", "--no-tty", "-r", "--from-oci-layout", "--to-plain-http", f"{scratch}/kept:v1", name("v1", "/back"))
    for root in ("v1", sbom):
        assert_same_objects(registry.closure(f"{repo}/back", root), registry.closure(repo, root), "copy back")


def test_an_index_copied_from_a_layout_arrives_whole(oras, name, registry, repo, scratch, hello):
    layout = OciLayout(scratch / "layout")
    layout.tag(sample_index(layout, hello, repo), "both")
    oras("cp", "--no-tty", "--from-oci-layout", "--to-plain-http", f"{layout.path}:both", name("both"))
    local = layout_objects(layout.path, layout_root(layout.path, "both"))
    assert_same_objects(registry.closure(repo, "both"), local, "cp of an index")


def test_tags_and_listing(oras, artifact, name, registry, repo):
    oras("tag", "--plain-http", name("v1"), "stable", "v1.0")
    assert oras("repo", "tags", "--plain-http", f"{registry.address}/{repo}").split() == ["stable", "v1", "v1.0"]
    below = oras("repo", "ls", "--plain-http", f"{registry.address}/clients").split()
    assert repo.removeprefix("clients/") in below
    assert oras("resolve", "--plain-http", name("stable")).strip() == registry.manifest(repo, "v1").digest


def test_single_manifests_and_blobs_can_be_fetched_and_deleted(oras, artifact, name, registry, repo, scratch):
    manifest = registry.manifest(repo, "v1")
    oras("manifest", "fetch", "--plain-http", "--output", "manifest.json", name("v1"))
    assert (scratch / "manifest.json").read_bytes() == manifest.body
    layer = manifest.json()["layers"][0]
    pinned = f"{registry.address}/{repo}@{layer['digest']}"
    oras("blob", "fetch", "--plain-http", "--no-tty", "--output", "blob.bin", pinned)
    assert (scratch / "blob.bin").read_bytes() == registry.blob(repo, layer["digest"])
    oras("manifest", "delete", "--plain-http", "--force", name("v1"))
    oras("blob", "delete", "--plain-http", "--force", pinned)
    assert registry.status_of(repo, "manifests", manifest.digest) == 404
    assert registry.status_of(repo, "blobs", layer["digest"]) == 404
