"""skopeo: copies between layouts, directories and the registry, sync, delete, list-tags, inspect."""
import json

import pytest

from images import OciLayout, sample_image, sample_index
from local_images import layout_objects, layout_root, skopeo_dir_objects, uncompressed
from processes import run
from registry_http import DOCKER_LAYER, OCI_LAYER_ZSTD, assert_same_objects

quick = pytest.mark.quick


def skopeo(command, *arguments, **options):
    __tracebackhide__ = True
    return run("skopeo", "--insecure-policy", command, *arguments, **options)


@pytest.fixture
def layout(scratch, hello, repo):
    """A layout with a single image `one` and a two-platform index `both`."""
    layout = OciLayout(scratch / "layout")
    layout.tag(sample_image(layout, hello, f"{repo}/one"), "one")
    layout.tag(sample_index(layout, hello, f"{repo}/both"), "both")
    return layout


@pytest.fixture
def remote(registry, repo):
    return f"docker://{registry.address}/{repo}"


def push(layout, name, remote, *extra):
    skopeo("copy", "--quiet", "--dest-tls-verify=false", *extra, f"oci:{layout.path}:{name}", f"{remote}:{name}")


@quick
def test_copy_of_an_image_arrives_byte_for_byte_and_comes_back_the_same(layout, registry, repo, remote, scratch):
    push(layout, "one", remote)
    local = layout_objects(layout.path, layout_root(layout.path, "one"))
    assert_same_objects(registry.closure(repo, "one"), local, "copy to the registry")
    skopeo("copy", "--quiet", "--src-tls-verify=false", f"{remote}:one", f"dir:{scratch}/back")
    assert_same_objects(skopeo_dir_objects(scratch / "back"), local, "copy back")


@quick
def test_copy_all_moves_every_platform_of_an_index(layout, registry, repo, remote, scratch):
    push(layout, "both", remote, "--all")
    root = layout_root(layout.path, "both")
    local = layout_objects(layout.path, root)
    assert len(local) == 1 + 2 * (1 + 1 + 2) + 1, "per platform a manifest, a config, two layers; one layer is shared"
    assert registry.manifest(repo, "both").digest == root
    assert_same_objects(registry.closure(repo, "both"), local, "copy --all to the registry")
    skopeo("copy", "--quiet", "--all", "--src-tls-verify=false", f"{remote}:both", f"oci:{scratch}/back:both")
    assert_same_objects(layout_objects(scratch / "back", root), local, "copy --all back")


@quick
def test_copy_by_digest_between_repositories_mounts_the_layers(layout, registry, repo, remote):
    push(layout, "both", remote, "--all")
    digest = layout_root(layout.path, "both")
    skopeo("copy", "--quiet", "--all", "--src-tls-verify=false", "--dest-tls-verify=false",
           f"{remote}@{digest}", f"{remote}/copied:v1")
    assert_same_objects(registry.closure(f"{repo}/copied", "v1"), registry.closure(repo, "both"), "copy by digest")


@quick
def test_inspect_and_list_tags_tell_what_is_there(layout, registry, repo, remote):
    push(layout, "one", remote)
    push(layout, "both", remote, "--all")
    assert json.loads(skopeo("list-tags", "--tls-verify=false", remote))["Tags"] == ["both", "one"]
    raw = skopeo("inspect", "--tls-verify=false", "--raw", f"{remote}:one")
    assert raw.encode() == registry.manifest(repo, "one").body
    config = skopeo("inspect", "--tls-verify=false", "--raw", "--config", f"{remote}:one")
    assert config.encode() == registry.blob(repo, json.loads(raw)["config"]["digest"])
    told = json.loads(skopeo("inspect", "--tls-verify=false", f"{remote}:one"))
    assert told["Digest"] == layout_root(layout.path, "one")
    assert told["RepoTags"] == ["both", "one"]


@quick
def test_delete_removes_the_manifest_and_its_tag(layout, registry, repo, remote):
    push(layout, "one", remote)
    push(layout, "both", remote, "--all")
    digest = registry.manifest(repo, "one").digest
    skopeo("delete", "--tls-verify=false", f"{remote}:one")
    assert registry.tags(repo) == ["both"]  # D1
    assert registry.status_of(repo, "manifests", digest) == 404
    failed = skopeo("inspect", "--tls-verify=false", f"{remote}:one", check=False)
    assert failed.returncode != 0 and "manifest unknown" in failed.stderr, failed.stderr


@pytest.mark.parametrize("form", [("--format", "v2s2"), ("--format", "oci", "--dest-compress-format", "zstd")],
                         ids=["v2s2", "zstd"])
def test_copy_to_another_form_changes_the_form_and_no_layer(layout, registry, repo, remote, scratch, form):
    push(layout, "one", remote, *form)
    served = registry.manifest(repo, "one").json()
    # The lowest layer, the binary, may be taken over from an earlier push in gzip form.
    types = {layer["mediaType"] for layer in served["layers"][1:]}
    assert types == {OCI_LAYER_ZSTD if "zstd" in form else DOCKER_LAYER}
    local = layout_objects(layout.path, layout_root(layout.path, "one"))
    originals = json.loads(local[layout_root(layout.path, "one")])["layers"]
    assert [uncompressed(registry.blob(repo, layer["digest"])) for layer in served["layers"]] == [
        uncompressed(local[layer["digest"]]) for layer in originals]
    skopeo("copy", "--quiet", "--src-tls-verify=false", f"{remote}:one", f"dir:{scratch}/back")
    assert_same_objects(skopeo_dir_objects(scratch / "back"), registry.closure(repo, "one"), "copy back")


def test_sync_mirrors_a_repository_to_a_directory_and_into_another_repository(layout, registry, repo, remote, scratch):
    push(layout, "one", remote)
    push(layout, "both", remote, "--all")
    source = remote.removeprefix("docker://")
    skopeo("sync", "--all", "--src", "docker", "--dest", "dir", "--src-tls-verify=false", source, scratch / "mirror")
    name = repo.rpartition("/")[2]
    for tag in ("one", "both"):
        assert_same_objects(skopeo_dir_objects(scratch / "mirror" / f"{name}:{tag}"), registry.closure(repo, tag), tag)
    skopeo("sync", "--all", "--src", "dir", "--dest", "docker", "--dest-tls-verify=false", scratch / "mirror",
           f"{source}/synced")
    for tag in ("one", "both"):
        assert_same_objects(registry.closure(f"{repo}/synced/{name}", tag), registry.closure(repo, tag), tag)


def test_an_uncompressed_layer_is_kept_as_it_is(scratch, registry, repo, remote, hello):
    layout = OciLayout(scratch / "plain")
    layout.tag(layout.add_image([hello.read_bytes().ljust(1024 * 1024, b"\0")], compress=False), "plain")
    skopeo("copy", "--quiet", "--dest-tls-verify=false", "--preserve-digests", f"oci:{layout.path}:plain",
           f"{remote}:plain")
    local = layout_objects(layout.path, layout_root(layout.path, "plain"))
    assert_same_objects(registry.closure(repo, "plain"), local, "copy --preserve-digests")
