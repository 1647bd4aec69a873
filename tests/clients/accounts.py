"""A registry with accounts: started, peopled over its own API, and seen through the eyes of anybody in it."""
import base64
import gzip
import itertools
import json
import re
from typing import NamedTuple

from images import tar_of
from processes import Daemon, run
from registry_http import OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST, Registry, descriptor

LISTENING = re.compile(r"berth: listening on http://([0-9.]+:[0-9]+)")


class Account(NamedTuple):
    """A name to sign in with, and the password, access token or robot's secret that goes with it."""
    name: str
    secret: str

    def authorization(self):
        return "Basic " + base64.b64encode(f"{self.name}:{self.secret}".encode()).decode()


class SignedIn(Registry):
    """The registry as one account sees it: every request carries its name and secret."""

    def __init__(self, address, account):
        super().__init__(address)
        self.account = account

    def request(self, method, target, body=None, headers=None):
        return super().request(method, target, body, {**(headers or {}), "Authorization": self.account.authorization()})

    def push_image(self, repo, tag, seed):
        """An image of one small layer, without any client. Returns its manifest's digest."""
        layer = tar_of({"data/seed": seed.encode()})
        packed = gzip.compress(layer, 1, mtime=0)
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/none"]},
                             "rootfs": {"type": "layers", "diff_ids": [descriptor("", layer)["digest"]]}}).encode()
        for blob in (packed, config):
            self.upload_blob(repo, blob)
        return self.put_manifest(repo, tag, {
            "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, config),
            "layers": [descriptor(OCI_LAYER_GZIP, packed)]})


class AccountsRegistry(Registry):
    """A server with an administrator, asking as itself only what needs no account."""

    ROOT = Account("root", "the first of all passwords")

    def __init__(self, binary, directory, *flags, listen=("127.0.0.1:0",)):
        """`listen`: one address at least has to be of plain HTTP, for the tests' own questions."""
        self.data = data = directory / "data"
        self._log = directory / "log"
        directory.mkdir()
        run(binary, "user", "add", self.ROOT.name, "--admin", "--password-stdin", "--data", data,
            stdin=self.ROOT.secret)
        addresses = [word for address in listen for word in ("--listen", address)]
        self._command = [binary, "serve", *addresses, "--data", data, "--reference-policy", "strict", *flags]
        self._numbers = itertools.count(1)
        super().__init__(self.start())

    def start(self):
        """Also again on the same data, after the daemon was stopped. Returns the address."""
        self.daemon = Daemon("berth", self._command, self._log)
        try:
            listening = self.daemon.wait_until(15, "berth says where it listens",
                                               lambda: LISTENING.search(self.daemon.log()))
        except AssertionError:
            self.daemon.stop()
            raise
        self.address = listening[1]
        return self.address

    def as_(self, account):
        return SignedIn(self.address, account)

    def api(self, status, method, path, body=None, who=ROOT):
        """One call of the administration API; returns the answer's document, if it has one."""
        answer = self.as_(who).expect(status, method, f"/api/v1/{path}", headers={"Content-Type": "application/json"},
                                      body=None if body is None else json.dumps(body).encode())
        return answer.json() if answer.body else None

    def add_user(self, stem):
        """A new user with a namespace of the same name."""
        account = Account(f"{stem}-{next(self._numbers)}", "correct horse battery")
        self.api(201, "POST", "users", {"name": account.name, "password": account.secret})
        return account

    def add_org(self, stem, owner):
        name = f"{stem}-{next(self._numbers)}"
        self.api(201, "POST", "orgs", {"name": name, "owner": owner.name})
        return name

    def add_robot(self, namespace, name, **permissions):
        """`add_robot("acme", "ci", **{"acme/**": ["pull"]})` makes acme+ci."""
        made = self.api(201, "POST", f"namespaces/{namespace}/robots", {
            "name": f"{namespace}+{name}",
            "permissions": [{"repo": pattern, "actions": actions} for pattern, actions in permissions.items()]})
        return Account(made["name"], made["secret"])

    def add_token(self, account, **wanted):
        """An access token of the user, to sign in with in the place of the password; and its id."""
        made = self.api(201, "POST", "user/tokens", {"name": "tests", **wanted}, who=account)
        return Account(account.name, made["secret"]), made["id"]

    def revoke(self, account, token_id):
        self.api(204, "DELETE", f"user/tokens/{token_id}", who=account)

    def grant(self, subject, repo, *allow):
        """Returns what takes the grant back."""
        namespace = repo.partition("/")[0]
        made = self.api(201, "PUT", f"namespaces/{namespace}/grants",
                        {"subject": subject.name, "repo": repo, "allow": allow})
        return lambda: self.api(204, "DELETE", f"namespaces/{namespace}/grants/{made['id']}")

    def make_public(self, repo):
        self.api(200, "PATCH", f"repos/{repo}", {"visibility": "public"})

    def requests_below(self, repo):
        """(method, route, status) of every request to the repository, from the access log."""
        lines = [json.loads(line) for line in self.daemon.log().splitlines() if f'"/v2/{repo}/' in line]
        return [(line["method"], line["route"], line["status"]) for line in lines]
