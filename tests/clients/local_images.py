"""What a client has on its own disk, as {digest: bytes}, to hold against what the registry serves."""
import gzip
import json
import subprocess
import tarfile
from pathlib import Path
from typing import NamedTuple

from registry_http import MANIFEST_TYPES, blobs_of, digest_of


def layout_objects(directory, root_digest):
    """Every object below one root of an OCI layout."""
    blobs = Path(directory) / "blobs"

    def read(digest):
        algorithm, _, encoded = digest.partition(":")
        data = (blobs / algorithm / encoded).read_bytes()
        assert digest_of(data, algorithm) == digest, f"{directory}: {digest} has wrong bytes on disk"
        return data

    objects = {root_digest: read(root_digest)}
    document = json.loads(objects[root_digest])
    for child in document.get("manifests", []):
        if child["mediaType"] in MANIFEST_TYPES:
            objects.update(layout_objects(directory, child["digest"]))
        else:
            objects[child["digest"]] = read(child["digest"])
    for blob in blobs_of(document):
        objects[blob["digest"]] = read(blob["digest"])
    return objects


def layout_root(directory, name=None):
    """The digest a layout's index.json gives for a name, or its only root."""
    roots = json.loads((Path(directory) / "index.json").read_bytes())["manifests"]
    if name is not None:
        roots = [root for root in roots if root.get("annotations", {}).get("org.opencontainers.image.ref.name") == name]
    assert len(roots) == 1, f"{directory}: expected one root for {name}, found {len(roots)}"
    return roots[0]["digest"]


def skopeo_dir_objects(directory):
    """Every object of a skopeo `dir:`: manifests end in manifest.json, blobs are named by their hex."""
    objects = {}
    for file in Path(directory).iterdir():
        if file.name == "version":
            continue
        data = file.read_bytes()
        digest = digest_of(data)
        assert file.name == "manifest.json" or file.name.split(".")[0] == digest.partition(":")[2]
        objects[digest] = data
    return objects


class SavedImage(NamedTuple):
    """An image as an engine holds it: the config's bytes and the uncompressed layers, lowest first."""
    config: bytes
    layers: list

    @property
    def image_id(self):
        return digest_of(self.config)

    @staticmethod
    def from_docker_archive(archive):
        """Reads what `docker save` wrote. It may hold a layer once and link to it; extractfile follows the link."""
        with tarfile.open(archive) as tar:
            entry = json.load(tar.extractfile("manifest.json"))[0]
            layers = [tar.extractfile(member).read() for member in entry["Layers"]]
            return SavedImage(tar.extractfile(entry["Config"]).read(), layers)

    @staticmethod
    def from_layout(directory):
        root = layout_root(directory)
        objects = layout_objects(directory, root)
        manifest = json.loads(objects[root])
        layers = [uncompressed(objects[layer["digest"]]) for layer in manifest["layers"]]
        return SavedImage(objects[manifest["config"]["digest"]], layers)


def uncompressed(data):
    """A layer's tar, whatever it was packed with: gzip and zstd are told by their first bytes."""
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=True).stdout
    return data


def assert_registry_holds(registry, repo, reference, saved):
    """The served config is the saved one, and the served layers unpack to exactly the saved layers."""
    manifest = registry.manifest(repo, reference).json()
    assert registry.blob(repo, manifest["config"]["digest"]) == saved.config
    assert len(manifest["layers"]) == len(saved.layers)
    for layer, local in zip(manifest["layers"], saved.layers):
        assert uncompressed(registry.blob(repo, layer["digest"])) == local, f"layer {layer['digest']} differs"
