"""The real clients behind one set of verbs, for what every one of them must do with accounts.

A verb returns the finished process, whatever came of it. `pull` starts from an empty store and `push` makes an image
nobody pushed before, so that neither can succeed by doing nothing.
"""
import itertools
import os
import tarfile

from engines import ContainersStore
from images import OciLayout, tar_of
from processes import run

_numbers = itertools.count(1)


class Client:
    """What differs between clients is overridden; `address` may be changed to go through something in between."""

    checks_logins = True  # whether `login` asks the registry
    pushes = copies = deletes = True
    keeps_images = False  # whether it pushes from a store of its own what it pulled
    looks_before_it_mounts = False
    catalog = None  # lists the repositories, where a client can

    def __init__(self, address, directory, engine=None):
        self.address, self.directory, self.engine = address, directory, engine
        home = directory / "home"
        home.mkdir()
        places = {"HOME": "", "DOCKER_CONFIG": "docker", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache",
                  "XDG_DATA_HOME": "data", "XDG_RUNTIME_DIR": "run"}
        self.environment = {**os.environ, **{variable: str(home / place) for variable, place in places.items()}}
        self.prepare()

    def prepare(self):
        pass

    def name(self, repo, tag):
        return f"{self.address}/{repo}:{tag}"

    def run(self, *command, **options):
        return run(*command, env=self.environment, cwd=self.directory, check=False, **options)

    def fresh_path(self, stem):
        return self.directory / f"{stem}{next(_numbers)}"

    def fresh_layout(self):
        """An OCI layout with one small image, named `it`."""
        path = self.fresh_path("layout")
        layout = OciLayout(path)
        layout.tag(layout.add_image([tar_of({"seed": f"{path} {os.getpid()}".encode()})]), "it")
        return path

    def seed(self, owner, repo, tag):
        """Puts something into the registry that this client can pull."""
        owner.push_image(repo, tag, f"{repo}:{tag}")


class Docker(Client):
    deletes, keeps_images = False, True

    def prepare(self):
        self.environment = {**self.engine.environment, "DOCKER_CONFIG": self.environment["DOCKER_CONFIG"]}

    def login(self, account):
        return self.run("docker", "login", "--username", account.name, "--password-stdin", self.address,
                        stdin=account.secret)

    def logout(self):
        return self.run("docker", "logout", self.address)

    def make(self, image):
        archive = self.fresh_path("import")
        archive.write_bytes(tar_of({"seed": str(archive).encode()}))
        run("docker", "import", archive, image, env=self.environment)

    def push(self, repo, tag):
        self.make(self.name(repo, tag))
        return self.run("docker", "push", self.name(repo, tag))

    def pull(self, repo, tag):
        self.run("docker", "image", "rm", "--force", self.name(repo, tag))
        return self.run("docker", "pull", self.name(repo, tag))

    def copy(self, source, target, tag):
        """Pushes under another name what was pulled."""
        run("docker", "tag", self.name(source, tag), self.name(target, tag), env=self.environment)
        return self.run("docker", "push", self.name(target, tag))


class Podman(Client):
    program = "podman"
    deletes, keeps_images, looks_before_it_mounts = False, True, True

    def prepare(self):
        self.store = ContainersStore(self.directory / "store")

    def call(self, *arguments, **options):
        return getattr(self.store, self.program)(*arguments, check=False, **options)

    def login(self, account):
        return self.call("login", "--tls-verify=false", "--username", account.name, "--password-stdin", self.address,
                         stdin=account.secret)

    def logout(self):
        return self.call("logout", self.address)

    def push(self, repo, tag):
        archive = self.fresh_path("import")
        archive.write_bytes(tar_of({"seed": str(archive).encode()}))
        self.store.podman("import", "--quiet", archive, self.name(repo, tag))
        return self.call("push", "--tls-verify=false", self.name(repo, tag))

    def pull(self, repo, tag):
        self.call("rmi", "--force", self.name(repo, tag))
        return self.call("pull", "--tls-verify=false", self.name(repo, tag))

    def copy(self, source, target, tag):
        return self.call("push", "--tls-verify=false", self.name(source, tag), f"docker://{self.name(target, tag)}")


class Buildah(Podman):
    """Shares its store with podman, which makes the images."""
    program = "buildah"


class Skopeo(Client):
    def prepare(self):
        self.environment["REGISTRY_AUTH_FILE"] = str(self.directory / "logins")

    def login(self, account):
        return self.run("skopeo", "login", "--tls-verify=false", "--username", account.name, "--password-stdin",
                        self.address, stdin=account.secret)

    def logout(self):
        return self.run("skopeo", "logout", self.address)

    def push(self, repo, tag):
        return self.run("skopeo", "copy", "--dest-tls-verify=false", f"oci:{self.fresh_layout()}:it",
                        f"docker://{self.name(repo, tag)}")

    def pull(self, repo, tag):
        return self.run("skopeo", "copy", "--src-tls-verify=false", f"docker://{self.name(repo, tag)}",
                        f"dir:{self.fresh_path('pulled')}")

    def copy(self, source, target, tag):
        return self.run("skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false",
                        f"docker://{self.name(source, tag)}", f"docker://{self.name(target, tag)}")

    def delete(self, repo, tag):
        return self.run("skopeo", "delete", "--tls-verify=false", f"docker://{self.name(repo, tag)}")


class Containerd(Client):
    """ctr keeps no logins: the account goes with each command."""
    checks_logins = deletes = False
    keeps_images = True

    def prepare(self):
        self.user = ()
        self.namespace = f"store{next(_numbers)}"

    def call(self, *arguments):
        return self.engine(*arguments, namespace=self.namespace, check=False)

    def login(self, account):
        self.user = ("--user", f"{account.name}:{account.secret}")
        return None

    def logout(self):
        self.user = ()

    def push(self, repo, tag):
        layout = self.fresh_layout()
        archive = self.fresh_path("archive")
        with tarfile.open(archive, "w") as tar:
            tar.add(layout, ".")
        # ctr 1.6 names an imported image `base:name`.
        made = f"{self.name(repo, tag).rpartition(':')[0]}:it"
        self.engine("images", "import", "--base-name", made.rpartition(":")[0], archive, namespace=self.namespace)
        return self.call("images", "push", "--plain-http", *self.user, self.name(repo, tag), made)

    def pull(self, repo, tag):
        self.namespace = f"store{next(_numbers)}"
        return self.call("images", "pull", "--plain-http", "--snapshotter", "native", *self.user, self.name(repo, tag))

    def copy(self, source, target, tag):
        return self.call("images", "push", "--plain-http", *self.user, self.name(target, tag), self.name(source, tag))


class Cri(Client):
    """What kubelet asks a runtime for: PullImage with the name and password of a pull secret."""
    checks_logins = pushes = copies = deletes = False

    def prepare(self):
        self.creds = ()

    def login(self, account):
        self.creds = ("--creds", f"{account.name}:{account.secret}")
        return None

    def logout(self):
        self.creds = ()

    def pull(self, repo, tag):
        self.engine.crictl("rmi", self.name(repo, tag), check=False)
        return self.engine.crictl("pull", *self.creds, self.name(repo, tag), check=False)


class Crane(Client):
    checks_logins = False  # it writes the file and asks nobody

    def call(self, *arguments, **options):
        return self.run("crane", "--insecure", *arguments, **options)

    def login(self, account):
        return self.call("auth", "login", self.address, "--username", account.name, "--password-stdin",
                         stdin=account.secret)

    def logout(self):
        return self.call("auth", "logout", self.address)

    def push(self, repo, tag):
        return self.call("push", self.fresh_layout(), self.name(repo, tag))

    def pull(self, repo, tag):
        return self.call("pull", "--format", "oci", self.name(repo, tag), self.fresh_path("pulled"))

    def copy(self, source, target, tag):
        return self.call("copy", self.name(source, tag), self.name(target, tag))

    def delete(self, repo, tag):
        return self.call("delete", self.name(repo, tag))

    def catalog(self):
        return self.call("catalog", self.address)


class Oras(Client):
    def login(self, account):
        return self.run("oras", "login", "--plain-http", "--username", account.name, "--password-stdin", self.address,
                        stdin=account.secret)

    def logout(self):
        return self.run("oras", "logout", self.address)

    def push(self, repo, tag):
        return self.run("oras", "copy", "--no-tty", "--from-oci-layout", "--to-plain-http",
                        f"{self.fresh_layout()}:it", self.name(repo, tag))

    def pull(self, repo, tag):
        return self.run("oras", "copy", "--no-tty", "--from-plain-http", "--to-oci-layout", self.name(repo, tag),
                        f"{self.fresh_path('pulled')}:it")

    def copy(self, source, target, tag):
        return self.run("oras", "copy", "--no-tty", "--from-plain-http", "--to-plain-http", self.name(source, tag),
                        self.name(target, tag))

    def delete(self, repo, tag):
        return self.run("oras", "manifest", "delete", "--plain-http", "--force", self.name(repo, tag))

    def catalog(self):
        return self.run("oras", "repository", "list", "--plain-http", self.address)


class Helm(Client):
    """A chart's name is the repository's last component, and its version is the tag."""
    copies = deletes = False

    def login(self, account):
        return self.run("helm", "registry", "login", "--plain-http", "--username", account.name, "--password-stdin",
                        self.address, stdin=account.secret)

    def logout(self):
        return self.run("helm", "registry", "logout", self.address)

    def push(self, repo, tag):
        parent, _, chart = repo.rpartition("/")
        directory = self.fresh_path("chart") / chart
        directory.mkdir(parents=True)
        (directory / "Chart.yaml").write_text(f"apiVersion: v2\nname: {chart}\nversion: {tag}\n"
                                              f"description: {directory}\n")
        run("helm", "package", directory, "--destination", directory.parent, env=self.environment)
        return self.run("helm", "push", "--plain-http", directory.parent / f"{chart}-{tag}.tgz",
                        f"oci://{self.address}/{parent}")

    def pull(self, repo, tag):
        target = self.fresh_path("pulled")
        target.mkdir()
        return self.run("helm", "pull", "--plain-http", f"oci://{self.address}/{repo}", "--version", tag,
                        "--destination", target)

    def seed(self, owner, repo, tag):
        self.login(owner.account)
        done = self.push(repo, tag)
        assert done.returncode == 0, done.stderr
        self.logout()


class Regctl(Client):
    def call(self, *arguments, **options):
        return self.run("regctl", "--host", f"reg={self.address},tls=disabled", *arguments, **options)

    def login(self, account):
        # Otherwise it asks over TLS, whatever --host says.
        self.run("regctl", "registry", "set", self.address, "--tls", "disabled", "--skip-check")
        return self.run("regctl", "registry", "login", self.address, "--user", account.name, "--pass-stdin",
                        stdin=account.secret)

    def logout(self):
        return self.run("regctl", "registry", "logout", self.address)

    def push(self, repo, tag):
        return self.call("image", "copy", f"ocidir://{self.fresh_layout()}:it", self.name(repo, tag))

    def pull(self, repo, tag):
        return self.call("image", "copy", self.name(repo, tag), f"ocidir://{self.fresh_path('pulled')}:it")

    def copy(self, source, target, tag):
        return self.call("image", "copy", self.name(source, tag), self.name(target, tag))

    def delete(self, repo, tag):
        return self.call("tag", "delete", self.name(repo, tag))

    def catalog(self):
        return self.call("repo", "list", "--limit", "1000", self.address)


CLIENTS = {"docker": Docker, "podman": Podman, "buildah": Buildah, "skopeo": Skopeo, "containerd": Containerd,
           "cri": Cri, "crane": Crane, "oras": Oras, "helm": Helm, "regctl": Regctl}
