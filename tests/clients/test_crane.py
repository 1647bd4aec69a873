"""crane: push, pull, cp, append, mutate, tag, ls, catalog, delete, validate."""
import json

import pytest

from images import OciLayout, noise, sample_image, sample_index, tar_of
from local_images import layout_objects, layout_root, uncompressed
from processes import run
from registry_http import assert_same_objects

pytestmark = pytest.mark.quick


@pytest.fixture
def crane(quiet_home):
    return lambda command, *arguments, **options: run("crane", "--insecure", command, *arguments, env=quiet_home,
                                                      **options)


@pytest.fixture
def name(registry, repo):
    """Full image name of a tag in the test's repository or below it."""
    return lambda tag, below="": f"{registry.address}/{repo}{below}:{tag}"


@pytest.fixture
def make(scratch, hello, repo):
    """Makes a layout with one root and returns (its path, its objects)."""
    def make(sample):
        layout = OciLayout(scratch / f"layout-{sample.__name__}")
        layout.tag(sample(layout, hello, f"{repo}/{sample.__name__}"), "root")
        return layout.path, layout_objects(layout.path, layout_root(layout.path, "root"))
    return make


@pytest.mark.parametrize("sample", [sample_image, sample_index], ids=["image", "index"])
def test_push_and_pull_of_a_layout_keep_every_byte(crane, name, make, sample, registry, repo, scratch):
    path, local = make(sample)
    crane("push", path, name("v1"))
    assert_same_objects(registry.closure(repo, "v1"), local, "push")
    crane("pull", "--format", "oci", name("v1"), scratch / "back")
    assert_same_objects(layout_objects(scratch / "back", layout_root(scratch / "back")), local, "pull")
    assert crane("digest", name("v1")).strip() == layout_root(path, "root")
    crane("validate", "--remote", name("v1"))


def test_a_docker_tarball_can_be_pulled_and_pushed_again(crane, name, make, registry, repo, scratch):
    path, local = make(sample_image)
    crane("push", path, name("v1"))
    crane("pull", name("v1"), scratch / "image.tar")
    crane("push", scratch / "image.tar", name("again"))
    first, again = (registry.manifest(repo, tag).json() for tag in ("v1", "again"))
    assert again["config"]["digest"] == first["config"]["digest"]
    assert [layer["digest"] for layer in again["layers"]] == [layer["digest"] for layer in first["layers"]]


def test_copy_to_another_repository_mounts_and_keeps_the_digest(crane, name, make, registry, repo):
    path, local = make(sample_index)
    crane("push", path, name("v1"))
    crane("cp", name("v1"), name("v2", "/copy"))
    assert_same_objects(registry.closure(f"{repo}/copy", "v2"), local, "cp")
    crane("cp", "--all-tags", name("v1").rpartition(":")[0], name("x", "/all").rpartition(":")[0])
    assert registry.tags(f"{repo}/all") == ["v1"]


def test_append_adds_one_layer_on_top(crane, name, make, registry, repo, scratch):
    path, local = make(sample_image)
    crane("push", path, name("base"))
    layer = tar_of({"added.bin": noise(repo, 70_000)})
    (scratch / "layer.tar").write_bytes(layer)
    crane("append", "--base", name("base"), "--new_layer", scratch / "layer.tar", "--new_tag", name("grown"))
    base, grown = (registry.manifest(repo, tag).json()["layers"] for tag in ("base", "grown"))
    assert grown[:-1] == base
    assert uncompressed(registry.blob(repo, grown[-1]["digest"])) == layer


def test_mutate_changes_the_config_and_leaves_the_layers(crane, name, make, registry, repo):
    path, local = make(sample_image)
    crane("push", path, name("base"))
    crane("mutate", "--label", "team=harbour", "--env", "A=1", "--tag", name("changed"), name("base"))
    base, changed = (registry.manifest(repo, tag).json() for tag in ("base", "changed"))
    assert changed["layers"] == base["layers"]
    config = json.loads(registry.blob(repo, changed["config"]["digest"]))["config"]
    assert config["Labels"] == {"team": "harbour"} and config["Env"] == ["A=1"]


def test_tag_ls_and_catalog_show_what_was_made(crane, name, make, registry, repo):
    path, local = make(sample_image)
    crane("push", path, name("1.0.0"))
    for tag in ("latest", "1", "1.0"):
        crane("tag", name("1.0.0"), tag)
    assert crane("ls", f"{registry.address}/{repo}").split() == ["1", "1.0", "1.0.0", "latest"]  # L1
    assert len({registry.manifest(repo, tag).digest for tag in registry.tags(repo)}) == 1
    assert repo in crane("catalog", registry.address).split()  # L3


def test_delete_of_a_tag_leaves_the_manifest_and_delete_of_the_digest_removes_it(crane, name, make, registry, repo):
    path, local = make(sample_image)
    crane("push", path, name("v1"))
    crane("tag", name("v1"), "v2")
    digest = registry.manifest(repo, "v1").digest
    crane("delete", name("v1"))
    assert registry.tags(repo) == ["v2"]  # D1
    assert registry.status_of(repo, "manifests", digest) == 200
    crane("delete", f"{registry.address}/{repo}@{digest}")
    assert registry.tags(repo) == []
    assert registry.status_of(repo, "manifests", digest) == 404


def test_a_missing_tag_is_reported_with_its_code(crane, name, make):
    path, _ = make(sample_image)
    crane("push", path, name("v1"))
    failed = crane("manifest", name("nothing"), check=False)
    assert failed.returncode != 0
    assert "MANIFEST_UNKNOWN" in failed.stderr, failed.stderr
