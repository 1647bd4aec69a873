"""containerd through ctr: push and pull of images and indexes, by tag and digest, and running what was pulled."""
import itertools
import tarfile

import pytest

from engines import Containerd
from images import GREETING, OciLayout, sample_image, sample_index
from local_images import layout_objects, layout_root
from registry_http import assert_same_objects

AMD64 = ("--platform", "linux/amd64")


@pytest.fixture(scope="module")
def engine(session_directory):
    engine = Containerd(session_directory / "c")
    yield engine
    engine.stop()


@pytest.fixture
def ctr(engine, scratch, registry, repo, hello):
    ctr = Ctr(engine, scratch, registry, repo, hello)
    yield ctr
    ctr.forget_everything()


_numbers = itertools.count(1)


class Ctr:
    """One test's image names and namespaces; each namespace is a store of its own."""

    def __init__(self, engine, scratch, registry, repo, hello):
        self._engine, self.scratch, self.registry, self.repo, self._hello = engine, scratch, registry, repo, hello
        self._namespaces, self._exports = [], 0
        self.use_empty_store()

    def use_empty_store(self):
        self._namespaces.append(f"store{next(_numbers)}")

    def run(self, *arguments, **options):
        return self._engine(*arguments, namespace=self._namespaces[-1], **options)

    def name(self, tag):
        return f"{self.registry.address}/{self.repo}:{tag}"

    def make(self, tag, sample, *extra):
        """Builds an OCI layout, imports it as an archive, and returns the layout's objects."""
        layout = OciLayout(self.scratch / f"layout-{tag}")
        layout.tag(sample(layout, self._hello, f"{self.repo}/{tag}"), tag)
        archive = self.scratch / f"{tag}.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add(layout.path, ".")
        # ctr 1.6 names an imported image `base:name`.
        self.run("images", "import", *extra, "--base-name", self.name(tag).rpartition(":")[0], archive)
        return layout_objects(layout.path, layout_root(layout.path, tag))

    def push(self, tag, *extra):
        self.run("images", "push", "--plain-http", *extra, self.name(tag))

    def pull(self, image, *extra):
        self.run("images", "pull", "--plain-http", "--snapshotter", "native", *extra, image)

    def exported(self, image, *extra):
        """The objects of a local image, as containerd writes them out."""
        self._exports += 1
        archive, directory = (self.scratch / f"export{self._exports}{suffix}" for suffix in (".tar", ""))
        self.run("images", "export", *extra, archive, image)
        with tarfile.open(archive) as tar:
            tar.extractall(directory)
        return layout_objects(directory, layout_root(directory))

    def forget_everything(self):
        for namespace in self._namespaces:
            images = self._engine("images", "list", "--quiet", namespace=namespace).split()
            if images:
                self._engine("images", "remove", "--sync", *images, namespace=namespace)


def test_an_image_survives_push_and_pull_byte_for_byte_and_runs(ctr, registry):
    local = ctr.make("one", sample_image)
    ctr.push("one")
    assert_same_objects(registry.closure(ctr.repo, "one"), local, "push")  # U8: the digest header on every PUT
    ctr.use_empty_store()
    ctr.pull(ctr.name("one"), *AMD64)
    assert_same_objects(ctr.exported(ctr.name("one")), local, "pull")
    output = ctr.run("run", "--rm", "--snapshotter", "native", ctr.name("one"), "greeter")
    assert output == GREETING + "\n"


def test_an_index_is_pushed_and_pulled_with_every_platform(ctr, registry):
    local = ctr.make("both", sample_index, "--all-platforms")
    ctr.push("both")
    assert_same_objects(registry.closure(ctr.repo, "both"), local, "push")
    ctr.use_empty_store()
    ctr.pull(ctr.name("both"), "--all-platforms")
    assert_same_objects(ctr.exported(ctr.name("both"), "--all-platforms"), local, "pull --all-platforms")


def test_a_pull_for_one_platform_of_an_index_brings_only_that_one(ctr, registry):
    local = ctr.make("both", sample_index, "--all-platforms")
    ctr.push("both")
    ctr.use_empty_store()
    ctr.pull(ctr.name("both"), *AMD64)
    stored = set(ctr.run("content", "list", "--quiet").split())
    children = {child["platform"]["architecture"]: child["digest"]
                for child in registry.manifest(ctr.repo, "both").json()["manifests"]}
    assert children["amd64"] in stored and children["arm64"] not in stored
    wanted = registry.closure(ctr.repo, children["amd64"])
    assert wanted.keys() <= stored and wanted.items() <= local.items()


def test_pull_by_digest_gives_the_pushed_image_although_the_tag_is_gone(ctr, registry):
    local = ctr.make("one", sample_image)
    ctr.push("one")
    digest = registry.manifest(ctr.repo, "one").digest
    registry.expect(202, "DELETE", f"/v2/{ctr.repo}/manifests/one")
    assert registry.tags(ctr.repo) == []  # L1, D1
    ctr.use_empty_store()
    pinned = f"{registry.address}/{ctr.repo}@{digest}"
    ctr.pull(pinned, *AMD64)
    assert_same_objects(ctr.exported(pinned), local, "pull by digest")


def test_a_second_push_under_another_tag_needs_no_upload(ctr, registry):
    ctr.make("one", sample_image)
    ctr.push("one")
    ctr.run("images", "tag", ctr.name("one"), ctr.name("two"))
    ctr.push("two")
    assert registry.manifest(ctr.repo, "one").digest == registry.manifest(ctr.repo, "two").digest


def test_a_missing_image_is_reported_as_not_found(ctr):
    failed = ctr.run("images", "pull", "--plain-http", ctr.name("nothing"), check=False)
    assert failed.returncode != 0
    assert "not found" in failed.stderr, failed.stderr
