"""regctl: image copies with referrers, sha512 digests, artifacts, tags, blobs, archives."""
import json

import pytest

from images import OciLayout, noise, sample_image, sample_index
from local_images import layout_objects, layout_root
from processes import run
from registry_http import OCI_INDEX, assert_same_objects, digest_of

SBOM, SIGNATURE = "application/vnd.example.sbom.v1", "application/vnd.example.signature.v1"


@pytest.fixture
def regctl(quiet_home, registry, scratch):
    host = f"reg={registry.address},tls=disabled"
    return lambda *command, **options: run("regctl", "--host", host, *command, env=quiet_home, cwd=scratch, **options)


@pytest.fixture
def name(registry, repo):
    return lambda tag, below="": f"{registry.address}/{repo}{below}:{tag}"


@pytest.fixture
def layout(scratch, hello, repo):
    """A layout with an image `one` and an index `both`."""
    layout = OciLayout(scratch / "layout")
    layout.tag(sample_image(layout, hello, f"{repo}/one"), "one")
    layout.tag(sample_index(layout, hello, f"{repo}/both"), "both")
    return layout


@pytest.mark.parametrize("tag", ["one", "both"], ids=["image", "index"])
def test_copy_from_a_layout_and_back_keeps_every_byte(regctl, layout, name, registry, repo, scratch, tag):
    regctl("image", "copy", f"ocidir://{layout.path}:{tag}", name(tag))
    local = layout_objects(layout.path, layout_root(layout.path, tag))
    assert_same_objects(registry.closure(repo, tag), local, "copy to the registry")
    regctl("image", "copy", name(tag), f"ocidir://{scratch}/back:{tag}")
    assert_same_objects(layout_objects(scratch / "back", layout_root(scratch / "back", tag)), local, "copy back")


def test_copy_between_repositories_takes_referrers_along(regctl, layout, name, registry, repo):
    regctl("image", "copy", f"ocidir://{layout.path}:both", name("both"))
    for artifact_type in (SBOM, SIGNATURE):
        regctl("artifact", "put", "--artifact-type", artifact_type, "--subject", name("both"),
               "--file-media-type", "text/plain", stdin=f"about the image: {artifact_type}")
    digest = registry.manifest(repo, "both").digest
    listed = registry.referrers(repo, digest)
    assert sorted(entry["artifactType"] for entry in listed) == [SBOM, SIGNATURE]  # R2
    assert registry.tags(repo) == ["both"], "regctl found the referrers API and made no fallback tag"
    found = json.loads(regctl("artifact", "list", name("both"), "--filter-artifact-type", SBOM, "--format", "body"))
    assert [entry["artifactType"] for entry in found["manifests"]] == [SBOM]  # R3

    regctl("image", "copy", "--referrers", "--digest-tags", name("both"), name("both", "/copy"))
    copied = registry.referrers(f"{repo}/copy", digest)
    assert sorted(copied, key=lambda entry: entry["digest"]) == sorted(listed, key=lambda entry: entry["digest"])
    for reference in ("both", *(entry["digest"] for entry in listed)):
        assert_same_objects(registry.closure(f"{repo}/copy", reference), registry.closure(repo, reference), reference)


def test_an_artifact_comes_back_byte_for_byte(regctl, name, registry, repo, scratch):
    data = noise(repo, 100_000)
    (scratch / "weights.bin").write_bytes(data)
    regctl("artifact", "put", "--artifact-type", "application/vnd.example.weights", "--file", "weights.bin",
           "--file-media-type", "application/octet-stream", "--file-title", name("v1"))
    assert digest_of(data) in registry.closure(repo, "v1")
    (scratch / "out").mkdir()
    regctl("artifact", "get", "--output", scratch / "out", name("v1"))
    assert (scratch / "out" / "weights.bin").read_bytes() == data


def test_an_image_rewritten_to_sha512_keeps_its_digest_under_its_tag(regctl, layout, name, registry, repo, scratch):
    regctl("image", "copy", f"ocidir://{layout.path}:one", name("one"))
    regctl("image", "mod", name("one"), "--digest-algo", "sha512", "--create", name("long"))
    served = registry.manifest(repo, "long")
    assert served.digest.startswith("sha512:")  # M4: the tag keeps the pushed algorithm
    assert {key.partition(":")[0] for key in registry.closure(repo, "long")} == {"sha512"}  # G3
    regctl("image", "copy", name("long"), f"ocidir://{scratch}/back:long")
    back = layout_objects(scratch / "back", layout_root(scratch / "back", "long"))
    assert_same_objects(registry.closure(repo, "long"), back, "copy of a sha512 image")


def test_an_index_is_made_from_two_images(regctl, layout, name, registry, repo):
    regctl("image", "copy", f"ocidir://{layout.path}:both", name("both"))
    amd64, arm64 = (child["digest"] for child in registry.manifest(repo, "both").json()["manifests"])
    base = f"{registry.address}/{repo}"
    regctl("index", "create", name("made"), "--ref", f"{base}@{amd64}", "--ref", f"{base}@{arm64}")
    made = registry.manifest(repo, "made")
    assert made.media_type == OCI_INDEX
    assert [child["digest"] for child in made.json()["manifests"]] == [amd64, arm64]


def test_tags_and_repositories_are_listed_and_a_tag_deleted_alone(regctl, layout, name, registry, repo):
    for tag in ("1.0", "latest"):
        regctl("image", "copy", f"ocidir://{layout.path}:one", name(tag))
    assert regctl("tag", "ls", name("1.0").rpartition(":")[0]).split() == ["1.0", "latest"]  # L1
    assert repo in regctl("repo", "ls", registry.address).split()  # L3
    digest = registry.manifest(repo, "1.0").digest
    regctl("tag", "delete", name("1.0"))
    assert registry.tags(repo) == ["latest"]  # D1
    assert registry.manifest(repo, "latest").digest == digest
    regctl("manifest", "delete", f"{registry.address}/{repo}@{digest}")
    assert registry.tags(repo) == []
    assert registry.status_of(repo, "manifests", digest) == 404


def test_single_blobs_and_manifests(regctl, layout, name, registry, repo, scratch):
    place = name("x").rpartition(":")[0]
    digest = regctl("blob", "put", place, stdin="one small blob").strip()
    assert registry.blob(repo, digest) == b"one small blob"
    assert regctl("blob", "get", place, digest) == "one small blob"
    regctl("blob", "delete", place, digest)
    assert registry.status_of(repo, "blobs", digest) == 404
    regctl("image", "copy", f"ocidir://{layout.path}:one", name("one"))
    raw = regctl("manifest", "get", "--format", "raw-body", name("one"))
    assert raw.encode() == registry.manifest(repo, "one").body
    assert regctl("image", "digest", name("one")).strip() == layout_root(layout.path, "one")


def test_export_and_import_keep_the_image(regctl, layout, name, registry, repo, scratch):
    regctl("image", "copy", f"ocidir://{layout.path}:both", name("both"))
    regctl("image", "export", name("both"), scratch / "both.tar")
    regctl("image", "import", name("both", "/imported"), scratch / "both.tar")
    assert_same_objects(registry.closure(f"{repo}/imported", "both"), registry.closure(repo, "both"), "import")
