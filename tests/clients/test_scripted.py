"""Request sequences of clients that do not run here, sent byte by byte as those clients send them."""
import json
import re
import threading

import pytest

from images import noise
from registry_http import (OCI_CONFIG, OCI_EMPTY, OCI_INDEX, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, OCI_MANIFEST, descriptor,
                           digest_of, with_query)

pytestmark = pytest.mark.quick
CACHE_CONFIG = "application/vnd.buildkit.cacheconfig.v0"
UPLOADS = "/v2/{}/blobs/uploads/"


def pieces(data, size):
    return (data[start:start + size] for start in range(0, len(data), size))


# --- docker engine: HEAD, POST, PATCH chunked without a length, PUT, HEAD -------------------------------------------

def test_docker_pushes_a_layer_by_one_chunked_patch(registry, repo):
    data = noise("docker", 3_000_001)
    digest = digest_of(data)
    missing = registry.expect(404, "HEAD", f"/v2/{repo}/blobs/{digest}")
    assert missing.body == b""  # H4

    start = registry.expect(202, "POST", UPLOADS.format(repo))  # U1
    session = start.headers["Location"]
    assert session.startswith(f"/v2/{repo}/blobs/uploads/")  # H5
    assert start.headers["Range"] == "0-0"
    assert start.headers["Docker-Upload-UUID"] in session

    patched = registry.expect(202, "PATCH", session, body=pieces(data, 32 * 1024))  # U4, H6
    assert patched.headers["Range"] == f"0-{len(data) - 1}"  # U6: without the unit
    done = registry.expect(201, "PUT", with_query(patched.headers["Location"], digest=digest))  # U8
    assert done.headers["Docker-Content-Digest"] == digest
    assert done.headers["Content-Length"] == "0"
    assert done.headers["Location"] == f"/v2/{repo}/blobs/{digest}"

    head = registry.expect(200, "HEAD", f"/v2/{repo}/blobs/{digest}")
    assert head.headers["Content-Length"] == str(len(data))  # H2
    assert registry.blob(repo, digest) == data


def test_docker_resumes_an_interrupted_pull_of_a_layer(registry, repo):
    data = noise("resume", 1_000_000)
    digest = registry.upload_blob(repo, data)
    rest = registry.expect(206, "GET", f"/v2/{repo}/blobs/{digest}", headers={"Range": "bytes=400000-999999"})  # P2
    assert rest.headers["Content-Range"] == "bytes 400000-999999/1000000"
    assert rest.headers["Docker-Content-Digest"] == digest
    assert rest.body == data[400000:]


def test_a_session_url_survives_reordered_query_parameters(registry, repo):
    data = b"reordered"
    session = registry.expect(202, "POST", UPLOADS.format(repo)).headers["Location"]
    path, _, query = session.partition("?")
    put = f"{path}?digest={digest_of(data)}" + (f"&{query}" if query else "")  # U2: digest first
    registry.expect(201, "PUT", put, body=data)
    assert registry.blob(repo, digest_of(data)) == data


# --- kaniko: probes the right to push, cleans up in the background, caches under hex tags ---------------------------

def test_kaniko_probes_push_and_cancels_the_session_while_it_goes_on(registry, repo):
    probe = registry.expect(202, "POST", UPLOADS.format(repo), body=b"", headers={"Content-Type": "application/json"})
    session = probe.headers["Location"]
    cancelled = []
    cancel = threading.Thread(target=lambda: cancelled.append(registry.request("DELETE", session)))
    cancel.start()
    digest = registry.upload_blob(repo, noise("kaniko", 50_000))  # goes on with the build meanwhile
    cancel.join()
    assert cancelled[0].status == 204  # U12
    gone = registry.expect(404, "GET", session)
    assert gone.error_codes() == ["BLOB_UPLOAD_UNKNOWN"]
    assert registry.status_of(repo, "blobs", digest) == 200


def test_kaniko_caches_layers_under_64_hex_tags(registry, repo):
    cache = f"{repo}/cache"
    layer, config = noise("kaniko-cache", 20_000), b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"}}'
    for blob in (layer, config):
        registry.upload_blob(cache, blob)
    key = digest_of(layer).partition(":")[2]
    absent = registry.expect(404, "GET", f"/v2/{cache}/manifests/{key}")
    assert absent.error_codes()[0] in ("MANIFEST_UNKNOWN", "NAME_UNKNOWN")
    image = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, config),
             "layers": [descriptor(OCI_LAYER_GZIP, layer)]}
    digest = registry.put_manifest(cache, key, image)
    assert registry.manifest(cache, key).digest == digest
    assert registry.tags(cache) == [key]


def test_google_clients_cross_repository_mount_with_their_origin_parameter(registry, repo):
    data = noise("mount", 70_000)
    digest = registry.upload_blob(f"{repo}/base", data)
    query = f"?mount={digest}&from={repo}/base&origin=registry.example.com"  # G7: unknown parameters are ignored
    mounted = registry.expect(201, "POST", UPLOADS.format(f"{repo}/app") + query)  # X1
    assert mounted.headers["Docker-Content-Digest"] == digest
    assert registry.blob(f"{repo}/app", digest) == data


# --- buildkit: cache export ----------------------------------------------------------------------------------------

def cache_blobs(registry, repo):
    """Two layers and the cache record, uploaded; returns their descriptors (layers first)."""
    layers = [noise(f"cache{number}", 30_000 + number) for number in range(2)]
    record = json.dumps({"layers": [{"blob": digest_of(layer), "parent": -1} for layer in layers],
                         "records": [{"digest": digest_of(b"step"), "results": [{"layer": 0}]}]}).encode()
    for blob in (*layers, record):
        registry.upload_blob(repo, blob)
    return [descriptor(OCI_LAYER_GZIP, layer) for layer in layers], descriptor(CACHE_CONFIG, record)


def test_buildkit_exports_its_cache_as_an_index_of_layer_blobs(registry, repo):
    layers, record = cache_blobs(registry, repo)
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [*layers, record]}
    digest = registry.put_manifest(repo, "buildcache", index, OCI_INDEX)  # V9
    served = registry.manifest(repo, "buildcache")
    assert served.digest == digest and served.json() == index
    assert set(registry.closure(repo, "buildcache")) == {digest, *(child["digest"] for child in index["manifests"])}


def test_buildkit_index_with_a_layer_never_uploaded_is_refused(registry, repo):
    layers, record = cache_blobs(registry, repo)
    ghost = descriptor(OCI_LAYER_GZIP, b"never uploaded")
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [*layers, ghost, record]}
    answer = registry.expect(400, "PUT", f"/v2/{repo}/manifests/buildcache", body=json.dumps(index).encode(),
                             headers={"Content-Type": OCI_INDEX})
    assert answer.error_codes() == ["MANIFEST_BLOB_UNKNOWN"]  # V9, V12 strict
    assert answer.json()["errors"][0]["detail"]["digest"] == ghost["digest"]


def test_buildkit_exports_its_cache_as_an_image_manifest(registry, repo):
    layers, record = cache_blobs(registry, repo)
    image = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": record, "layers": layers}
    digest = registry.put_manifest(repo, "buildcache", image)  # V5: the config's type is nobody's business
    assert registry.manifest(repo, "buildcache").digest == digest


def test_buildkit_pushes_an_index_with_an_attestation_for_an_unknown_platform(registry, repo):
    config, statement = b'{"architecture":"unknown","os":"unknown"}', b'{"_type":"https://in-toto.io/Statement/v0.1"}'
    for blob in (config, statement):
        registry.upload_blob(repo, blob)
    attestation = json.dumps({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, config),
        "layers": [descriptor("application/vnd.in-toto+json", statement)]}).encode()
    child = registry.put_manifest(repo, digest_of(attestation), attestation)
    entry = descriptor(OCI_MANIFEST, attestation, platform={"architecture": "unknown", "os": "unknown"},
                       annotations={"vnd.docker.reference.type": "attestation-manifest"})
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}
    registry.put_manifest(repo, "latest", index, OCI_INDEX)
    assert child in registry.closure(repo, "latest")


# --- zstd:chunked: several ranges in one GET -----------------------------------------------------------------------

def parts_of(answer):
    """[(Content-Range, bytes)] of a multipart/byteranges body, read strictly."""
    match = re.fullmatch(r"multipart/byteranges; boundary=([A-Za-z0-9]+)", answer.headers["Content-Type"])
    assert match, f"content type {answer.headers['Content-Type']}"
    boundary = match[1].encode()
    body = answer.body if answer.body.startswith(b"\r\n") else b"\r\n" + answer.body
    before, *sections = body.split(b"\r\n--" + boundary)
    assert before == b"" and sections.pop().rstrip(b"\r\n") == b"--"
    parts = []
    for section in sections:
        head, _, payload = section.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in
                   (line.partition(":") for line in head.decode().split("\r\n"))}
        assert headers["content-type"]  # podman insists on one
        parts.append((headers["content-range"], payload))
    return parts


@pytest.mark.parametrize("ranges", [
    [(0, 99), (500, 1499)], [(5000, 5009), (0, 9), (5000, 5009)], [(0, 99), (100, 199)],
    [(number * 1000, number * 1000 + 99) for number in range(1024)]],
    ids=["two", "out-of-order-and-repeated", "adjacent", "1024-small-ones"])
def test_zstd_chunked_gets_exactly_one_part_per_range_in_order(registry, repo, ranges):
    data = noise("chunked", 2_000_000)
    digest = registry.upload_blob(repo, data)
    header = "bytes=" + ",".join(f"{first}-{last}" for first, last in ranges)
    answer = registry.expect(206, "GET", f"/v2/{repo}/blobs/{digest}", headers={"Range": header})  # P3
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert parts_of(answer) == [(f"bytes {first}-{last}/{len(data)}", data[first:last + 1]) for first, last in ranges]


def test_zstd_chunked_with_more_than_1024_ranges_is_told_to_ask_for_fewer(registry, repo):
    digest = registry.upload_blob(repo, noise("too-many", 100_000))
    header = "bytes=" + ",".join(f"{number * 10}-{number * 10 + 1}" for number in range(1025))
    answer = registry.request("GET", f"/v2/{repo}/blobs/{digest}", headers={"Range": header})
    assert answer.status == 400  # P3: podman merges ranges and retries on 400 alone


def test_ranges_that_add_up_to_more_than_the_blob_give_the_whole_blob(registry, repo):
    data = noise("overlap", 1000)
    digest = registry.upload_blob(repo, data)
    answer = registry.expect(200, "GET", f"/v2/{repo}/blobs/{digest}", headers={"Range": "bytes=0-799,200-999"})  # P3
    assert answer.body == data


def test_a_zstd_chunked_layer_keeps_its_annotations(registry, repo):
    layer, config = noise("toc", 9000), b'{"architecture":"amd64","os":"linux"}'
    for blob in (layer, config):
        registry.upload_blob(repo, blob)
    notes = {"io.github.containers.zstd-chunked.manifest-checksum": digest_of(b"toc"),
             "io.github.containers.zstd-chunked.manifest-position": "8000:500:4096:1"}
    image = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, config),
             "layers": [descriptor(OCI_LAYER_ZSTD, layer, annotations=notes)]}
    body = json.dumps(image, indent=3).encode()
    registry.put_manifest(repo, "latest", body)
    assert registry.manifest(repo, "latest").body == body  # P5: exactly the stored bytes


# --- containerd and others: headers that must not change the answer -------------------------------------------------

def test_containerd_accepting_encodings_gets_plain_bytes(registry, repo):
    data = b'{"compressible":"' + b"a" * 5000 + b'"}'
    digest = registry.upload_blob(repo, data)
    registry.upload_blob(repo, b"{}")
    image = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "application/vnd.example.test",
             "config": descriptor(OCI_EMPTY, b"{}"), "layers": [descriptor("text/plain", data)]}
    manifest = registry.put_manifest(repo, "latest", image)
    for path in (f"blobs/{digest}", "manifests/latest", f"manifests/{manifest}", f"referrers/{manifest}"):
        plain = registry.expect(200, "GET", f"/v2/{repo}/{path}")
        encoded = registry.expect(200, "GET", f"/v2/{repo}/{path}", headers={"Accept-Encoding": "zstd, gzip, deflate"})
        assert encoded.headers["Content-Encoding"] is None, path  # H2
        assert encoded.headers["Content-Length"] == str(len(encoded.body)), path
        assert encoded.body == plain.body, path


def test_containerd_pushes_with_one_put_after_head_and_falls_back_from_a_mount(registry, repo):
    data = noise("containerd", 40_000)
    digest = digest_of(data)
    registry.expect(404, "HEAD", f"/v2/{repo}/blobs/{digest}", headers={"Accept": "application/octet-stream, */*"})
    offered = registry.expect(202, "POST", UPLOADS.format(repo) + f"?mount={digest}&from=nobody/has-this")  # X2
    done = registry.expect(201, "PUT", with_query(offered.headers["Location"], digest=digest), body=data,
                           headers={"Content-Type": "application/octet-stream"})
    assert done.headers["Docker-Content-Digest"] == digest  # U8: containerd fails without it
    assert registry.blob(repo, digest) == data


def test_polling_clients_get_304_while_a_tag_stays_put(registry, repo):
    registry.upload_blob(repo, b"{}")
    image = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "application/vnd.example.test",
             "config": descriptor(OCI_EMPTY, b"{}"), "layers": []}
    digest = registry.put_manifest(repo, "latest", image)
    path = f"/v2/{repo}/manifests/latest"
    assert registry.expect(200, "HEAD", path).headers["ETag"] == f'"{digest}"'  # P5
    unchanged = registry.expect(304, "GET", path, headers={"If-None-Match": f'"{digest}"'})
    assert unchanged.body == b"" and unchanged.headers["Docker-Content-Digest"] == digest
    registry.put_manifest(repo, "latest", {**image, "annotations": {"moved": "yes"}})
    registry.expect(200, "GET", path, headers={"If-None-Match": f'"{digest}"'})


def test_jib_percent_encodes_the_colon_of_a_digest(registry, repo):
    data = b"percent"
    digest = registry.upload_blob(repo, data)
    answer = registry.expect(200, "GET", f"/v2/{repo}/blobs/{digest.replace(':', '%3A')}")  # G6
    assert answer.body == data


def test_the_version_check_answers_as_docker_expects(registry):
    for path in ("/v2/", "/v2"):  # G6: never a redirect
        answer = registry.expect(200, "GET", path)
        assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"  # H1
        assert answer.headers["Content-Type"] == "application/json"  # H3
