"""Images made from nothing: a static binary, reproducible incompressible layers, OCI layouts, docker build contexts."""
import gzip
import hashlib
import io
import json
import random
import tarfile
from pathlib import Path

from processes import run
from registry_http import (OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_LAYER_GZIP, OCI_MANIFEST, descriptor, digest_of)

GREETING = "hello from a static binary"
HELLO_C = f'#include <stdio.h>\nint main(void) {{\n  puts("{GREETING}");\n  return 0;\n}}\n'
MIB = 1024 * 1024


def noise(seed, size_bytes):
    """Incompressible bytes, the same for the same seed."""
    generator = random.Random(seed)
    whole, rest = divmod(size_bytes, MIB)
    return b"".join(generator.randbytes(MIB) for _ in range(whole)) + generator.randbytes(rest)


def compile_hello(directory):
    """A program that needs nothing but the kernel, so that an image of it alone can run."""
    source, binary = Path(directory) / "hello.c", Path(directory) / "hello"
    source.write_text(HELLO_C)
    run("cc", "-static", "-Os", "-s", "-o", binary, source)
    return binary


def tar_of(files):
    """A tar with fixed times and owners: {path: bytes, or (bytes, mode)}."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, content in sorted(files.items()):
            data, mode = content if isinstance(content, tuple) else (content, 0o644)
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.mtime = len(data), mode, 1700000000
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def docker_context(directory, binary, layers, label="v1"):
    """A build context FROM scratch: the binary, then one layer per (name, bytes) pair."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "hello").write_bytes(Path(binary).read_bytes())
    (directory / "hello").chmod(0o755)
    lines = ["FROM scratch", "COPY hello /hello"]
    for name, data in layers:
        (directory / name).write_bytes(data)
        lines.append(f"COPY {name} /data/{name}")
    lines += [f"LABEL release={label}", 'ENTRYPOINT ["/hello"]']
    (directory / "Dockerfile").write_text("\n".join(lines) + "\n")
    return directory


class OciLayout:
    """An OCI image layout on disk that tests fill by hand. Every add_* returns the descriptor."""

    def __init__(self, directory):
        self.path = Path(directory)
        (self.path / "blobs" / "sha256").mkdir(parents=True)
        (self.path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        self._roots = []
        self._write_index()

    def _write_index(self):
        document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": self._roots}
        (self.path / "index.json").write_text(json.dumps(document))

    def add_blob(self, media_type, data, **extra):
        digest = digest_of(data)
        (self.path / "blobs" / "sha256" / digest.partition(":")[2]).write_bytes(data)
        return descriptor(media_type, data, **extra)

    def add_image(self, layers, architecture="amd64", entrypoint="/hello", compress=True):
        """An image whose layers are tars; gzip with a fixed time, so equal input gives equal digests."""
        blobs = [gzip.compress(layer, 1, mtime=0) if compress else layer for layer in layers]
        diff_ids = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
        config = {"architecture": architecture, "os": "linux", "config": {"Entrypoint": [entrypoint]},
                  "rootfs": {"type": "layers", "diff_ids": diff_ids},
                  "history": [{"created": "2024-01-01T00:00:00Z", "created_by": "tests"} for _ in layers]}
        manifest = {
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": self.add_blob(OCI_CONFIG, json.dumps(config).encode()),
            "layers": [self.add_blob(OCI_LAYER_GZIP if compress else OCI_LAYER, blob) for blob in blobs]}
        return self.add_blob(OCI_MANIFEST, json.dumps(manifest).encode())

    def add_index(self, children):
        """`children`: (descriptor, architecture) pairs."""
        manifests = [{**child, "platform": {"os": "linux", "architecture": architecture}}
                     for child, architecture in children]
        document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}
        return self.add_blob(OCI_INDEX, json.dumps(document).encode())

    def tag(self, root, name):
        """Names a root; `name` is what clients write after the layout's path."""
        self._roots.append({**root, "annotations": {"org.opencontainers.image.ref.name": name}})
        self._write_index()
        return root


def sample_image(layout, binary, seed, architecture="amd64", layer_sizes=(2000, 300_000)):
    """Adds an image of the static binary plus one random layer per size."""
    layers = [tar_of({"hello": (Path(binary).read_bytes(), 0o755)})]
    layers += [tar_of({f"data/{number}": noise(f"{seed}/{number}", size)}) for number, size in enumerate(layer_sizes)]
    return layout.add_image(layers, architecture)


def sample_index(layout, binary, seed):
    """Adds a two-platform index and returns its descriptor."""
    return layout.add_index([(sample_image(layout, binary, f"{seed}/{architecture}", architecture), architecture)
                             for architecture in ("amd64", "arm64")])
