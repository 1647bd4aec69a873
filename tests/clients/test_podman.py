"""podman: builds from scratch, pushes in every format it has, pulls into an empty store, runs."""
import json
import re
from pathlib import Path

import pytest

from engines import ContainersStore
from images import GREETING, docker_context, noise
from local_images import SavedImage, assert_registry_holds, uncompressed
from registry_http import DOCKER_MANIFEST, OCI_INDEX, OCI_LAYER_ZSTD, OCI_MANIFEST
from wiretap import Wiretap

quick = pytest.mark.quick
# Without rights to raise limits the runtime must not try to.
SMALL_LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")


@pytest.fixture
def podman(scratch, registry, repo, hello):
    return Podman(scratch, registry, repo, hello)


class Podman:
    """A store that starts empty, and the verbs with the test's names filled in."""

    def __init__(self, scratch, registry, repo, hello):
        self.scratch, self.registry, self.repo, self._hello = scratch, registry, repo, hello
        self._stores = self._saves = 0
        self.run = None
        self.use_empty_store()

    def use_empty_store(self, partial_pulls=False):
        self._stores += 1
        self.run = ContainersStore(self.scratch / f"store{self._stores}", partial_pulls).podman

    def name(self, tag):
        return f"{self.registry.address}/{self.repo}:{tag}"

    def build(self, tag, *extra, layers=None):
        layers = layers or [("a.bin", noise(f"{self.repo}/a", 100_000)), ("b.bin", noise(f"{self.repo}/b", 3000))]
        context = docker_context(self.scratch / f"context-{tag}", self._hello, layers, label=tag)
        self.run("build", "--quiet", "--layers", "--isolation", "chroot", *extra, "--tag", self.name(tag), context)
        return self.name(tag)

    def push(self, tag, *extra):
        """Pushes and returns the digest podman reports, which the registry must agree with."""
        file = self.scratch / "digest"
        self.run("push", "--quiet", "--tls-verify=false", "--digestfile", file, *extra, self.name(tag))
        assert self.registry.manifest(self.repo, tag).digest == file.read_text()
        return file.read_text()

    def pull(self, image, *extra):
        return self.run("pull", "--quiet", "--tls-verify=false", *extra, image).strip()

    def saved(self, image, form="oci-dir"):
        self._saves += 1
        target = self.scratch / f"saved{self._saves}"
        self.run("save", "--format", form, "--output", target, image)
        return SavedImage.from_layout(target) if form == "oci-dir" else SavedImage.from_docker_archive(target)


@quick
def test_an_oci_image_of_several_layers_survives_push_and_pull_and_runs(podman, registry):
    image = podman.build("1.0")
    built = podman.saved(image)
    assert len(built.layers) == 3
    podman.push("1.0")
    assert registry.manifest(podman.repo, "1.0").media_type == OCI_MANIFEST
    assert_registry_holds(registry, podman.repo, "1.0", built)

    podman.use_empty_store()
    assert f"sha256:{podman.pull(image)}" == built.image_id
    assert podman.saved(image) == built
    output = podman.run("run", "--rm", "--network", "none", *SMALL_LIMITS, image)
    assert output == GREETING + "\n"


@quick
def test_pull_by_digest_gives_the_pushed_image_although_the_tag_has_moved(podman, registry):
    built = podman.saved(podman.build("latest"))
    digest = podman.push("latest")
    podman.build("latest", layers=[("other.bin", noise("podman-other", 1000))])
    assert podman.push("latest") != digest
    podman.use_empty_store()
    pinned = f"{registry.address}/{podman.repo}@{digest}"
    podman.pull(pinned)
    assert podman.saved(pinned) == built


def test_docker_v2s2_keeps_its_media_types_and_bytes(podman, registry):
    image = podman.build("v2s2", "--format", "docker")
    built = podman.saved(image, "docker-archive")
    podman.push("v2s2", "--format", "v2s2")
    assert registry.manifest(podman.repo, "v2s2").media_type == DOCKER_MANIFEST
    assert_registry_holds(registry, podman.repo, "v2s2", built)
    podman.use_empty_store()
    podman.pull(image)
    assert podman.saved(image, "docker-archive") == built


def test_zstd_layers_survive_push_and_pull(podman, registry):
    image = podman.build("zstd")
    built = podman.saved(image)
    podman.push("zstd", "--compression-format", "zstd")
    # The lowest layer, the binary, may be taken over from an earlier push in gzip form.
    layers = registry.manifest(podman.repo, "zstd").json()["layers"][1:]
    assert {layer["mediaType"] for layer in layers} == {OCI_LAYER_ZSTD}
    assert_registry_holds(registry, podman.repo, "zstd", built)
    podman.use_empty_store()
    podman.pull(image)
    assert podman.saved(image) == built


def test_an_index_of_two_platforms_gives_each_its_own_image(podman, registry):
    built = {}
    podman.run("manifest", "create", "both")
    for architecture in ("amd64", "arm64"):
        layers = [("who.bin", noise(f"{podman.repo}/{architecture}", 5000))]
        image = podman.build(architecture, "--platform", f"linux/{architecture}", layers=layers)
        built[architecture] = podman.saved(image)
        podman.run("manifest", "add", "both", f"containers-storage:{image}")
    podman.run("manifest", "push", "--all", "--tls-verify=false", "--format", "oci", "both",
               f"docker://{podman.name('both')}")
    served = registry.manifest(podman.repo, "both")
    assert served.media_type == OCI_INDEX
    for child in served.json()["manifests"]:
        assert_registry_holds(registry, podman.repo, child["digest"], built[child["platform"]["architecture"]])
    for architecture in ("amd64", "arm64"):
        podman.use_empty_store()
        podman.pull(podman.name("both"), "--arch", architecture)
        assert podman.saved(podman.name("both")) == built[architecture]


def test_zstd_chunked_pull_fetches_only_the_chunks_that_changed(podman, registry):
    files = {f"f{number}.bin": noise(f"{podman.repo}/{number}", 40_000) for number in range(40)}
    changed = {**files, **{name: noise(f"{podman.repo}/{name}", 40_000) for name in ("f3.bin", "f17.bin", "f31.bin")}}
    for tag, content in (("v1", files), ("v2", changed)):
        context = podman.scratch / tag
        context.mkdir()
        for name, data in content.items():
            (context / name).write_bytes(data)
        (context / "Containerfile").write_text("FROM scratch\nCOPY f*.bin /data/\n")
        podman.run("build", "--quiet", "--isolation", "chroot", "--tag", podman.name(tag), context)
        podman.push(tag, "--compression-format", "zstd:chunked")
    layer = registry.manifest(podman.repo, "v2").json()["layers"][0]
    assert any("zstd-chunked" in name for name in layer["annotations"])

    podman.use_empty_store(partial_pulls=True)
    for tag, content in (("v1", files), ("v2", changed)):
        with Wiretap(registry.address) as tap:
            image = f"{tap.address}/{podman.repo}:{tag}"
            told = podman.run("--log-level", "debug", "pull", "--tls-verify=false", image, check=False)
        assert told.returncode == 0, told.stderr[-3000:]
        assert "Retrieved partial blob" in told.stderr, told.stderr[-3000:]
        mounted = Path(podman.run("image", "mount", image).strip())
        assert {file.name: file.read_bytes() for file in (mounted / "data").iterdir()} == content
        podman.run("image", "unmount", image)
    assert max(map(len, tap.ranges())) > 1, "several ranges in one request"  # P3
    assert len(tap.answers) < layer["size"] / 2, "most of the second layer was already there"


def test_zstd_chunked_layers_are_also_ordinary_zstd_layers(podman, registry):
    image = podman.build("chunked")
    built = podman.saved(image)
    podman.push("chunked", "--compression-format", "zstd:chunked")
    top = registry.manifest(podman.repo, "chunked").json()["layers"][-1]
    assert uncompressed(registry.blob(podman.repo, top["digest"])) == built.layers[-1]
    podman.use_empty_store()
    podman.pull(image)
    assert podman.saved(image) == built


def test_list_tags_shows_what_was_pushed(podman, registry):
    image = podman.build("1.0.0")
    podman.push("1.0.0")
    for tag in ("1.0", "latest"):
        podman.run("tag", image, podman.name(tag))
        podman.push(tag)
    listed = json.loads(podman.run("search", "--list-tags", "--tls-verify=false", "--format", "json",
                                   f"{registry.address}/{podman.repo}"))
    assert sorted(listed[0]["Tags"]) == ["1.0", "1.0.0", "latest"]


def test_a_missing_image_is_reported_as_unknown(podman):
    failed = podman.run("pull", "--tls-verify=false", podman.name("nothing"), check=False)
    assert failed.returncode != 0
    assert re.search(r"manifest unknown|name unknown|not known", failed.stderr), failed.stderr  # H4
