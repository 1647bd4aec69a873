"""Container engines, each with storage, sockets and settings of its own: docker, containerd, the podman family."""
import json
import os
from pathlib import Path

from processes import Daemon, run

START_DEADLINE_S = 60


class DockerEngine:
    """A dockerd with its own socket, storage and containerd, no bridge and no firewall rules; and its CLI."""

    def __init__(self, directory):
        directory = Path(directory)
        directory.mkdir()
        self._directory = directory
        socket = f"unix://{directory}/s"
        self._daemon = Daemon("dockerd", [
            "dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs", "-H", socket,
            "--data-root", directory / "data", "--exec-root", directory / "exec", "--pidfile", directory / "pid",
            "--config-file", self._write(directory / "daemon.json", "{}")], directory / "dockerd.log")
        config = directory / "config"
        config.mkdir()
        self.environment = {**os.environ, "DOCKER_HOST": socket, "DOCKER_CONFIG": str(config), "DOCKER_BUILDKIT": "0",
                            "DOCKER_CLI_HINTS": "false"}
        try:
            self._daemon.wait_until(START_DEADLINE_S, "the docker engine answers", self._answers)
        except AssertionError:
            self._daemon.stop()
            raise

    @staticmethod
    def _write(path, text):
        path.write_text(text)
        return path

    def _answers(self):
        return run("docker", "version", env=self.environment, check=False).returncode == 0

    def __call__(self, *arguments, **options):
        """Runs `docker ARGUMENTS` against this engine and returns its stdout."""
        __tracebackhide__ = True
        return run("docker", *arguments, env=self.environment, timeout=options.pop("timeout", 240), **options)

    def image_id(self, image):
        return self("image", "inspect", "--format", "{{.Id}}", image).strip()

    def forget_everything(self):
        """An empty image store, so that the next pull must fetch all of it."""
        self("image", "prune", "--all", "--force")
        left = self("image", "ls", "--all")
        assert left.count("\n") == 1, f"docker kept images:\n{left}"

    def stop(self):
        self._daemon.stop(grace_s=30)


class ContainersStore:
    """Storage and settings of the podman family (podman, buildah) in one directory; no daemon, nothing of the host's.
    With partial pulls on, the overlay driver fetches only the missing chunks of a zstd:chunked layer."""

    def __init__(self, directory, partial_pulls=False):
        self._directory = Path(directory)
        self._directory.mkdir()
        driver = "overlay" if partial_pulls else "vfs"
        pull_options = '{enable_partial_images = "true", use_hard_links = "false", ostree_repos = ""}'
        storage, settings, registries, logins = (
            self._directory / name for name in ("storage", "settings", "registries", "logins"))
        storage.write_text(f"""[storage]
driver = "{driver}"
graphroot = {json.dumps(str(self._directory / "root"))}
runroot = {json.dumps(str(self._directory / "run"))}
""" + (f"[storage.options]\npull_options = {pull_options}\n" if partial_pulls else ""))
        settings.write_text("")
        registries.write_text("")
        logins.write_text("{}")
        self._environment = {**os.environ, "CONTAINERS_STORAGE_CONF": str(storage), "CONTAINERS_CONF": str(settings),
                             "CONTAINERS_REGISTRIES_CONF": str(registries),
                             "REGISTRY_AUTH_FILE": str(logins)}

    def podman(self, *arguments, **options):
        __tracebackhide__ = True
        return run("podman", "--tmpdir", self._directory / "tmp", "--cgroup-manager", "cgroupfs",
                   "--events-backend", "file", "--runtime", "runc", *arguments, env=self._environment, **options)

    def buildah(self, *arguments, **options):
        __tracebackhide__ = True
        return run("buildah", *arguments, env=self._environment, **options)


# No pod ever runs: no network, no cgroup, and no port to stream from.
CRI_SETTINGS = """[plugins."io.containerd.grpc.v1.cri"]
  stream_server_port = "0"
  disable_cgroup = true
  disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/nonexistent"
  conf_dir = "/nonexistent"
"""


class Containerd:
    """A containerd with its own socket, root and state and the native snapshotter; ctr, and crictl if it has CRI."""

    def __init__(self, directory, cri=False):
        directory = Path(directory)
        directory.mkdir()
        config = directory / "config.toml"
        disabled = ["io.containerd.internal.v1.opt"] + ([] if cri else ["io.containerd.grpc.v1.cri"])
        config.write_text(f"""version = 2
root = {json.dumps(str(directory / "root"))}
state = {json.dumps(str(directory / "state"))}
disabled_plugins = {json.dumps(disabled)}
{CRI_SETTINGS if cri else ""}
[plugins."io.containerd.metadata.v1.bolt"]
  content_sharing_policy = "isolated"
[grpc]
  address = {json.dumps(str(directory / "s"))}
[ttrpc]
  address = {json.dumps(str(directory / "t"))}
""")
        self.address = directory / "s"
        self._crictl_settings = directory / "crictl.yaml"
        self._crictl_settings.write_text("".join(f"{kind}-endpoint: unix://{self.address}\n"
                                                 for kind in ("runtime", "image")))
        self._daemon = Daemon("containerd", ["containerd", "--config", config], directory / "containerd.log")
        try:
            self._daemon.wait_until(START_DEADLINE_S, "containerd answers",
                                    lambda: self("version", check=False).returncode == 0)
        except AssertionError:
            self._daemon.stop()
            raise

    def __call__(self, *arguments, namespace="default", **options):
        """Runs `ctr ARGUMENTS`. A namespace of its own is a store of its own: names, leases and content."""
        __tracebackhide__ = True
        return run("ctr", "--address", self.address, "--namespace", namespace, *arguments, **options)

    def crictl(self, *arguments, **options):
        """Runs `crictl ARGUMENTS`, which speaks to the runtime as kubelet does."""
        __tracebackhide__ = True
        return run("crictl", "--config", self._crictl_settings, *arguments, **options)

    def stop(self):
        self._daemon.stop()
