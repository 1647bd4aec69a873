"""buildah: images by its own verbs and from a Containerfile; OCI, docker v2s2 and zstd; lists; a layer cache."""
import pytest

from engines import ContainersStore
from images import docker_context, noise
from local_images import SavedImage, assert_registry_holds
from registry_http import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, OCI_MANIFEST


@pytest.fixture
def buildah(scratch, registry, repo, hello):
    return Buildah(scratch, registry, repo, hello)


class Buildah:
    """A store that starts empty, and the verbs with the test's names filled in."""

    def __init__(self, scratch, registry, repo, hello):
        self.scratch, self.registry, self.repo, self.hello = scratch, registry, repo, hello
        self._stores = self._saves = 0
        self.run = None
        self.use_empty_store()

    def use_empty_store(self):
        self._stores += 1
        self.run = ContainersStore(self.scratch / f"store{self._stores}").buildah

    def name(self, tag):
        return f"{self.registry.address}/{self.repo}:{tag}"

    def commit(self, tag, form="oci", architecture="amd64"):
        """from scratch, copy twice, configure, commit: an image without a Containerfile."""
        container = self.run("from", "--arch", architecture, "scratch").strip()
        data = self.scratch / f"{tag}.bin"
        data.write_bytes(noise(f"{self.repo}/{tag}", 150_000))
        self.run("copy", "--quiet", container, self.hello, "/hello")
        self.run("copy", "--quiet", container, data, f"/data/{tag}.bin")
        self.run("config", "--entrypoint", '["/hello"]', "--label", f"release={tag}", "--arch", architecture, container)
        self.run("commit", "--quiet", "--format", form, container, self.name(tag))
        self.run("rm", container)
        return self.saved(self.name(tag), form)

    def push(self, tag, *extra):
        file = self.scratch / "digest"
        self.run("push", "--quiet", "--tls-verify=false", "--digestfile", file, *extra, self.name(tag))
        assert self.registry.manifest(self.repo, tag).digest == file.read_text()
        return file.read_text()

    def pull(self, image, *extra):
        return self.run("pull", "--quiet", "--tls-verify=false", *extra, image).strip()

    def saved(self, image, form="oci"):
        """The local image, written out by buildah itself."""
        self._saves += 1
        target = self.scratch / f"saved{self._saves}"
        if form == "oci":
            self.run("push", "--quiet", "--format", "oci", "--disable-compression", image, f"oci:{target}")
            return SavedImage.from_layout(target)
        self.run("push", "--quiet", image, f"docker-archive:{target}")
        return SavedImage.from_docker_archive(target)


@pytest.mark.parametrize("form, media_type", [("oci", OCI_MANIFEST), ("docker", DOCKER_MANIFEST)], ids=["oci", "v2s2"])
def test_a_committed_image_survives_push_and_pull(buildah, registry, form, media_type):
    built = buildah.commit("1.0", form)
    buildah.push("1.0", "--format", "oci" if form == "oci" else "v2s2")
    assert registry.manifest(buildah.repo, "1.0").media_type == media_type
    assert_registry_holds(registry, buildah.repo, "1.0", built)
    buildah.use_empty_store()
    assert f"sha256:{buildah.pull(buildah.name('1.0'))}" == built.image_id
    assert buildah.saved(buildah.name("1.0"), form) == built


def test_zstd_layers_survive_push_and_pull(buildah, registry):
    built = buildah.commit("zstd")
    buildah.push("zstd", "--compression-format", "zstd")
    layers = registry.manifest(buildah.repo, "zstd").json()["layers"]
    assert {layer["mediaType"] for layer in layers} == {OCI_LAYER_ZSTD}
    assert_registry_holds(registry, buildah.repo, "zstd", built)
    buildah.use_empty_store()
    buildah.pull(buildah.name("zstd"))
    assert buildah.saved(buildah.name("zstd")) == built


def test_pull_by_digest_gives_the_pushed_image(buildah, registry):
    built = buildah.commit("1.0")
    pinned = f"{registry.address}/{buildah.repo}@{buildah.push('1.0')}"
    buildah.use_empty_store()
    buildah.pull(pinned)
    assert buildah.saved(pinned) == built


@pytest.mark.parametrize("form, image_form, list_type", [("oci", "oci", OCI_INDEX), ("v2s2", "docker", DOCKER_LIST)],
                         ids=["oci-index", "docker-list"])
def test_a_manifest_list_brings_its_images_and_each_platform_pulls_its_own(buildah, registry, form, image_form,
                                                                           list_type):
    built = {}
    buildah.run("manifest", "create", "both")
    for architecture in ("amd64", "arm64"):
        built[architecture] = buildah.commit(architecture, image_form, architecture)
        buildah.run("manifest", "add", "both", f"containers-storage:{buildah.name(architecture)}")
    buildah.run("manifest", "push", "--all", "--quiet", "--tls-verify=false", "--format", form, "both",
                f"docker://{buildah.name('both')}")
    served = registry.manifest(buildah.repo, "both")
    assert served.media_type == list_type
    assert len(served.json()["manifests"]) == 2
    for child in served.json()["manifests"]:
        assert_registry_holds(registry, buildah.repo, child["digest"], built[child["platform"]["architecture"]])
    for architecture in ("amd64", "arm64"):
        buildah.use_empty_store()
        buildah.pull(buildah.name("both"), "--arch", architecture)
        assert buildah.saved(buildah.name("both"), image_form) == built[architecture]


def test_a_containerfile_build_pushes_several_layers(buildah, registry):
    layers = [(f"{number}.bin", noise(f"{buildah.repo}/{number}", 40_000)) for number in range(4)]
    context = docker_context(buildah.scratch / "context", buildah.hello, layers)
    buildah.run("build", "--quiet", "--layers", "--isolation", "chroot", "--tag", buildah.name("built"), context)
    built = buildah.saved(buildah.name("built"))
    buildah.push("built")
    served = registry.manifest(buildah.repo, "built").json()
    assert [layer["mediaType"] for layer in served["layers"]] == [OCI_LAYER_GZIP] * 5
    assert_registry_holds(registry, buildah.repo, "built", built)


def test_a_build_reuses_the_layer_cache_kept_in_the_registry(buildah, registry):
    cache = f"{registry.address}/{buildah.repo}/cache"
    context = docker_context(buildah.scratch / "context", buildah.hello, [("a.bin", noise(buildah.repo, 60_000))])
    build = ("build", "--layers", "--isolation", "chroot", "--tls-verify=false", "--cache-from", cache)
    buildah.run(*build, "--cache-to", cache, "--tag", "first", context)
    tags = registry.tags(f"{buildah.repo}/cache")
    assert tags and all(len(tag) == 64 and set(tag) <= set("0123456789abcdef") for tag in tags)
    buildah.use_empty_store()
    second = buildah.run(*build, "--tag", "second", context)
    assert "Cache pulled from remote" in second, second
