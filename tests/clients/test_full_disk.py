"""A registry whose disk is full, as the people see it who push to it: each client says why, pulls go on, and pushes work
again as soon as there is room, without a restart."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from conftest import LISTENING, ROOT
from engines import ContainersStore, DockerEngine
from images import MIB, OciLayout, docker_context, noise, tar_of
from processes import Daemon, eventually, run
from registry_http import Registry

DISK_MIB = 96
LAYER = 120 * MIB  # more than there is
REASON = re.compile(r"the registry's disk (is nearly full|is full|has no room for an upload of this size)|disk is full")


class SmallRegistry:
    """Berth over a tmpfs that can grow."""

    def __init__(self, directory):
        self.mount = directory / "disk"
        self.mount.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "none", self.mount], check=True)
        binary = Path(os.environ.get("BERTH_BIN", ROOT / "build" / "release" / "berth"))
        self.daemon = Daemon("berth", [binary, "serve", "--listen", "127.0.0.1:0", "--data", self.mount / "data"],
                             directory / "berth.log")
        self.address = self.daemon.wait_until(15, "berth says where it listens",
                                              lambda: LISTENING.search(self.daemon.log()))[1]

    def grow(self):
        subprocess.run(["mount", "-o", f"remount,size={DISK_MIB * 8}m", self.mount], check=True)

    def stop(self):
        code = self.daemon.stop()
        subprocess.run(["umount", "--lazy", self.mount], check=True)
        return code


@pytest.fixture
def small(scratch):
    registry = SmallRegistry(scratch)
    yield registry
    assert registry.stop() == 0


@pytest.fixture(scope="module")
def docker(session_directory):
    engine = DockerEngine(session_directory / "df")
    yield engine
    engine.stop()


def layout_with(scratch, name, size_bytes):
    layout = OciLayout(scratch / f"layout-{name}")
    layout.tag(layout.add_image([tar_of({f"{name}.bin": noise(name, size_bytes)})], compress=False), name)
    return layout.path


def by_skopeo(scratch, _docker, _hello, address, name, size_bytes):
    return run("skopeo", "--insecure-policy", "copy", "--retry-times", "0", "--dest-tls-verify=false",
               f"oci:{layout_with(scratch, name, size_bytes)}:{name}", f"docker://{address}/full/{name}:1", check=False)


def by_crane(scratch, _docker, _hello, address, name, size_bytes):
    return run("crane", "push", "--insecure", layout_with(scratch, name, size_bytes), f"{address}/full/{name}:1",
               check=False)


def by_oras(scratch, _docker, _hello, address, name, size_bytes):
    (scratch / f"{name}.bin").write_bytes(noise(name, size_bytes))
    return run("oras", "push", "--plain-http", "--no-tty", f"{address}/full/{name}:1", f"{name}.bin", cwd=scratch,
               check=False)


def by_podman(scratch, _docker, hello, address, name, size_bytes):
    podman = ContainersStore(scratch / f"store-{name}").podman
    context = docker_context(scratch / f"context-{name}", hello, [(f"{name}.bin", noise(name, size_bytes))], label=name)
    podman("build", "--quiet", "--isolation", "chroot", "--tag", f"{address}/full/{name}:1", context)
    return podman("push", "--quiet", "--tls-verify=false", f"{address}/full/{name}:1", check=False)


def by_docker(scratch, docker, hello, address, name, size_bytes):
    context = docker_context(scratch / f"context-{name}", hello, [(f"{name}.bin", noise(name, size_bytes))], label=name)
    docker("build", "--quiet", "--no-cache", "--tag", f"{address}/full/{name}:1", context)
    return docker("push", f"{address}/full/{name}:1", check=False)


@pytest.mark.parametrize("push", [by_docker, by_podman, by_skopeo, by_crane, by_oras])
def test_the_client_says_that_the_disk_is_full_and_works_again_when_it_is_not(push, small, docker, scratch, hello):
    first = push(scratch, docker, hello, small.address, "small", 100_000)
    assert first.returncode == 0, first.stderr
    refused = push(scratch, docker, hello, small.address, "large", LAYER)
    assert refused.returncode != 0
    assert REASON.search(refused.stdout + refused.stderr), refused.stdout + refused.stderr
    run("crane", "manifest", "--insecure", f"{small.address}/full/small:1")

    small.grow()
    eventually(20, "the push goes through, without a restart",
               lambda: push_again(push, scratch, docker, hello, small.address))
    layer = json.loads(run("crane", "manifest", "--insecure", f"{small.address}/full/large:1"))["layers"][-1]
    assert Registry(small.address).blob("full/large", layer["digest"])  # checks the digest


_attempts = 0


def push_again(push, scratch, docker, hello, address):
    """The same image once more; every attempt works in a folder of its own."""
    global _attempts
    _attempts += 1
    folder = scratch / f"attempt{_attempts}"
    folder.mkdir()
    return push(folder, docker, hello, address, "large", LAYER).returncode == 0
