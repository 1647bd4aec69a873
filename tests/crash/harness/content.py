"""Content that can be made again from its seed, so nothing has to be kept to check or re-push it."""

import hashlib
import json
import random

from .client import IMAGE_TYPE

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def is_content_of(data: bytes, digest: str) -> bool:
    return digest_of(data, digest.split(":")[0]) == digest


def blob_bytes(seed, size: int) -> bytes:
    return random.Random(f"blob {seed}").randbytes(size)


def some_size(rng: random.Random) -> int:
    """Mostly small, sometimes over a buffer, rarely over a megabyte (where space is reserved beforehand)."""
    kind = rng.random()
    if kind < 0.75:
        return rng.randint(1, 9_000)
    if kind < 0.97:
        return rng.randint(9_000, 200_000)
    return rng.randint(1_000_000, 2_200_000)


def descriptor(media_type: str, data: bytes) -> dict:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def image_manifest(config: dict, layers: list, note: str, subject: dict | None = None) -> bytes:
    manifest = {"schemaVersion": 2, "mediaType": IMAGE_TYPE, "config": config, "layers": layers,
                "annotations": {"org.example.note": note}}
    if subject:
        manifest["subject"] = subject
    return json.dumps(manifest).encode()
