"""The docker engine with its CLI: build, tag, push, pull, run, against what lies in the registry byte for byte."""
import json
import re

import pytest

from engines import DockerEngine
from images import GREETING, MIB, docker_context, noise
from local_images import SavedImage, assert_registry_holds, uncompressed
from registry_http import DOCKER_LIST, DOCKER_MANIFEST

quick = pytest.mark.quick


@pytest.fixture(scope="module")
def engine(session_directory):
    engine = DockerEngine(session_directory / "d")
    yield engine
    engine.stop()


@pytest.fixture(autouse=True)
def empty_store(engine):
    yield
    engine.forget_everything()


@pytest.fixture
def docker(engine, scratch, registry, repo, hello):
    return Docker(engine, scratch, registry, repo, hello)


class Docker:
    """The verbs of these tests, with the test's own names filled in."""

    def __init__(self, engine, scratch, registry, repo, hello):
        self.run, self._scratch, self._registry, self._hello = engine, scratch, registry, hello
        self.engine, self.repo = engine, repo

    def name(self, tag):
        return f"{self._registry.address}/{self.repo}:{tag}"

    def build(self, tag, layers=(("a.bin", noise("a", 200_000)), ("b.bin", noise("b", 5000))), platform=None):
        context = docker_context(self._scratch / f"context-{tag}", self._hello, layers, label=tag)
        extra = ["--platform", platform] if platform else []
        self.run("build", "--quiet", "--no-cache", *extra, "--tag", self.name(tag), context)
        return self.name(tag)

    def push(self, tag):
        """Pushes one tag and returns the digest the CLI reports, which the registry must agree with."""
        output = self.run("push", self.name(tag))
        digest = re.search(rf"^{re.escape(tag)}: digest: (sha256:[0-9a-f]{{64}}) size: [0-9]+$", output, re.M)[1]
        assert self._registry.manifest(self.repo, tag).digest == digest
        return digest

    def saved(self, image):
        archive = self._scratch / "saved.tar"
        self.run("save", "--output", archive, image)
        image = SavedImage.from_docker_archive(archive)
        archive.unlink()
        return image


@quick
def test_an_image_of_several_layers_arrives_byte_for_byte_and_runs_after_a_pull_by_tag(docker, registry):
    image = docker.build("1.0")
    built = docker.saved(image)
    assert len(built.layers) == 3
    docker.push("1.0")
    assert registry.manifest(docker.repo, "1.0").media_type == DOCKER_MANIFEST
    assert_registry_holds(registry, docker.repo, "1.0", built)

    docker.engine.forget_everything()
    docker.run("pull", image)
    assert docker.engine.image_id(image) == built.image_id
    assert docker.saved(image) == built
    assert docker.run("run", "--rm", "--network", "none", image) == GREETING + "\n"


@quick
def test_pull_by_digest_gives_the_pushed_image_although_the_tag_has_moved(docker, registry):
    first = docker.build("latest")
    built = docker.saved(first)
    digest = docker.push("latest")
    docker.build("latest", layers=[("other.bin", noise("other", 1000))])
    assert docker.push("latest") != digest

    docker.engine.forget_everything()
    pinned = f"{registry.address}/{docker.repo}@{digest}"  # P8
    docker.run("pull", pinned)
    assert docker.saved(pinned) == built
    assert json.loads(docker.run("image", "inspect", pinned))[0]["RepoDigests"] == [pinned]


@quick
def test_run_pulls_a_missing_image_by_itself(docker):
    image = docker.build("run")
    docker.push("run")
    docker.engine.forget_everything()
    assert docker.run("run", "--rm", "--network", "none", "--pull", "missing", image) == GREETING + "\n"


def test_push_all_tags_sends_every_local_tag(docker, registry):
    image = docker.build("1.0.0")
    for tag in ("1.0", "1", "latest"):
        docker.run("tag", image, docker.name(tag))
    docker.build("edge", layers=[("edge.bin", noise("edge", 3000))])
    docker.run("push", "--all-tags", f"{registry.address}/{docker.repo}")
    assert registry.tags(docker.repo) == ["1", "1.0", "1.0.0", "edge", "latest"]  # L1: bytewise order
    digests = {tag: registry.manifest(docker.repo, tag).digest for tag in registry.tags(docker.repo)}
    assert len({digests[tag] for tag in ("1.0.0", "1.0", "1", "latest")}) == 1
    assert digests["edge"] != digests["latest"]

    docker.engine.forget_everything()
    docker.run("pull", "--all-tags", f"{registry.address}/{docker.repo}")
    local = docker.run("image", "ls", "--format", "{{.Tag}}", f"{registry.address}/{docker.repo}").split()
    assert sorted(local) == ["1", "1.0", "1.0.0", "edge", "latest"]


def test_a_second_push_uploads_nothing_and_a_sibling_repository_mounts(docker, registry):
    image = docker.build("1.0")
    digest = docker.push("1.0")
    assert "Layer already exists" in docker.run("push", image)
    sibling = f"{registry.address}/{docker.repo}/sibling:1.0"
    docker.run("tag", image, sibling)
    assert "Mounted from" in docker.run("push", sibling)  # X1
    assert registry.manifest(f"{docker.repo}/sibling", "1.0").digest == digest
    assert registry.closure(f"{docker.repo}/sibling", "1.0") == registry.closure(docker.repo, "1.0")


def test_an_image_of_300_megabytes_survives_push_and_pull(docker, registry):
    content = noise("large", 300 * MIB)
    image = docker.build("large", layers=[("large.bin", content)])
    built = docker.saved(image)
    assert any(content in layer for layer in built.layers)
    docker.push("large")
    layers = registry.manifest(docker.repo, "large").json()["layers"]
    assert layers[-1]["size"] > 300 * MIB
    assert uncompressed(registry.blob(docker.repo, layers[-1]["digest"])) == built.layers[-1]

    docker.engine.forget_everything()
    docker.run("pull", image)
    assert docker.saved(image) == built


def test_a_multi_platform_list_gives_each_platform_its_own_image(docker, registry):
    built = {}
    for platform in ("amd64", "arm64"):
        docker.build(platform, layers=[("who.bin", noise(platform, 4000))], platform=f"linux/{platform}")
        built[platform] = docker.saved(docker.name(platform))
        docker.push(platform)
    multi = docker.name("multi")
    docker.run("manifest", "create", "--insecure", multi, docker.name("amd64"), docker.name("arm64"))
    docker.run("manifest", "push", "--insecure", multi)  # H1: needs the API version header
    served = registry.manifest(docker.repo, "multi")
    assert served.media_type == DOCKER_LIST
    platforms = {child["platform"]["architecture"]: child["digest"] for child in served.json()["manifests"]}
    assert platforms == {platform: registry.manifest(docker.repo, platform).digest for platform in built}

    for platform in ("amd64", "arm64"):
        docker.engine.forget_everything()
        docker.run("pull", "--platform", f"linux/{platform}", multi)  # P6: the client picks, the registry never
        assert docker.saved(multi) == built[platform]


def test_a_missing_image_is_reported_as_not_found(docker, registry):
    failed = docker.run("pull", docker.name("nothing"), check=False)
    assert failed.returncode != 0
    assert re.search(r"not found|manifest unknown|does not exist", failed.stderr), failed.stderr  # H4
