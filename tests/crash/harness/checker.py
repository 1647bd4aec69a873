"""Reads a restarted server and compares what it shows with what the model allows."""

import json
from collections import defaultdict
from pathlib import Path

from .client import Client, Response
from .content import digest_of, is_content_of
from .model import END, Model

PRESENT_STATUS = {200: True, 404: False}


def read_register(client: Client, key: tuple):
    """The value the server shows now. Raises AssertionError for an answer no state explains."""
    kind, repo, name = key
    response = client.get_blob(repo, name) if kind == "blob" else client.get_manifest(repo, name)
    if response.status not in PRESENT_STATUS:
        raise AssertionError(f"GET answers {response.brief()}")
    if response.status == 404:
        return None if kind == "tag" else False
    return _shown_value(kind, name, response)


def _shown_value(kind: str, name: str, response: Response):
    """Half-written or foreign bytes never pass: whatever is shown must hash to what it is shown as."""
    named = response.header("docker-content-digest")
    if not is_content_of(response.body, named if kind == "tag" else name):
        raise AssertionError(f"200 with {len(response.body)} wrong bytes: {digest_of(response.body)} shown as {named}")
    return named if kind == "tag" else True


class Checker:
    def __init__(self, model: Model, client: Client, cut: float = END):
        self.model, self.client, self.cut = model, client, cut
        self.violations: list[str] = []
        self.bad_keys: set = set()
        self.observed: dict = {}
        self.checked = 0        # acknowledged operations whose outcome was compared

    def fail(self, text: str, *keys):
        self.violations.append(text)
        self.bad_keys.update(keys)

    def check(self, keys) -> "Checker":
        keys = [key for key in keys if key in self.model.registers]
        for key in keys:
            self._check_register(key)
        self._check_atomic()
        self._check_tag_targets()
        self._check_tag_lists({key[1] for key in keys if key[0] == "tag"})
        self._check_referrers({key[1] for key in keys if key[0] == "manifest"})
        self.checked = sum(1 for o in self.model.operations if o.acked <= self.cut)
        return self

    def _check_register(self, key):
        possible = self.model.registers[key].possible(self.cut)
        try:
            value = read_register(self.client, key)
        except AssertionError as wrong:
            return self.fail(f"{' '.join(key)}: {wrong}", key)
        self.observed[key] = value
        if value not in possible:
            lost = "lost or undone" if None not in possible and False not in possible else "visible but never asked for, or back"
            self.fail(f"{' '.join(key)}: {lost}: shows {value}, allowed {sorted(map(str, possible))}", key)

    def _check_atomic(self):
        """An unanswered operation happened wholly or not at all (M1, D1). Only registers that nobody else
        was writing tell: with one other unanswered writer the value proves nothing."""
        for operation in self.model.operations:
            if operation.acked <= self.cut or operation.invoked > self.cut or len(operation.effects) < 2:
                continue
            done = {key: self.observed[key] == value for key, value in operation.effects.items()
                    if key in self.observed and self._only_writer(operation, key)}
            if len(set(done.values())) > 1:
                self.fail(f"half of one operation is visible (M1): {done}\n{operation.line()}", *done)

    def _only_writer(self, operation, key) -> bool:
        """True when `key` can only hold this operation's value or a different one from before it."""
        register = self.model.registers[key]
        value = operation.effects[key]
        others = [(w, v) for w, v in register.writes if w is not operation and w.invoked <= self.cut and not w.failed]
        if any(w.acked > operation.invoked or v == value for w, v in others):
            return False
        return not (register.base == value and not others)

    def _check_tag_targets(self):
        """A tag's manifest is readable by digest too (P8: manifests are deleted by digest only)."""
        for (kind, repo, _), digest in list(self.observed.items()):
            key = ("manifest", repo, digest)
            if kind != "tag" or digest is None or self.observed.get(key):
                continue
            if self.client.get_manifest(repo, digest).status != 200:
                self.fail(f"tag shows {digest}, by digest it is not there", key)

    def _check_tag_lists(self, repos):
        for repo in repos:
            response = self.client.tags(repo)
            tags = json.loads(response.body).get("tags") if response.status == 200 else []
            if response.status not in (200, 404) or tags is None or tags != sorted(tags, key=str.encode):
                self.fail(f"tags/list of {repo}: {response.brief()} (L1)")
                continue
            known = {key[2]: value for key, value in self.observed.items() if key[0] == "tag" and key[1] == repo}
            for tag, value in known.items():
                if (tag in tags) != (value is not None):
                    self.fail(f"tags/list of {repo} and GET of {tag} disagree (L1)", ("tag", repo, tag))
            strangers = [tag for tag in tags if ("tag", repo, tag) not in self.model.registers]
            if strangers:
                self.fail(f"tags/list of {repo} has tags nobody pushed: {strangers}")

    def _check_referrers(self, repos):
        """Listed exactly when the manifest is there (R5)."""
        for (repo, subject), pushed in self.model.referrers.items():
            if repo not in repos or not any(("manifest", repo, digest) in self.observed for digest in pushed):
                continue
            response = self.client.referrers(repo, subject)
            if response.status != 200:
                self.fail(f"referrers of {repo} {subject}: {response.brief()} (R1)")
                continue
            listed = {entry["digest"] for entry in json.loads(response.body)["manifests"]}
            for digest in pushed:
                there = self.observed.get(("manifest", repo, digest))
                if there is not None and there != (digest in listed):
                    self.fail(f"referrer {digest}: manifest {there}, listed {digest in listed} (R5)", ("manifest", repo, digest))


def stray_uploads(data, open_sessions_max: int) -> str | None:
    """`uploads` holds open sessions and nothing that a crash left behind (storage 1.2, 1.4)."""
    files = sorted(path.name for path in (Path(data) / "uploads").iterdir())
    if len(files) <= open_sessions_max:
        return None
    return f"{len(files)} files in uploads, at most {open_sessions_max} sessions are open: {files[:8]}"


def wrong_blob_files(data) -> list[str]:
    """Every file below blobs holds the bytes it is named after, once per digest (storage 1.1)."""
    wrong, incarnations = [], defaultdict(list)
    for path in (Path(data) / "blobs").rglob("*"):
        if not path.is_file():
            continue
        digest = f"{path.parent.parent.name}:{path.name.split('.')[0]}"
        incarnations[digest].append(path.name)
        if not is_content_of(path.read_bytes(), digest):
            wrong.append(f"{path.name} does not hold its own bytes")
    wrong += [f"two files for one digest: {names}" for names in incarnations.values() if len(names) > 1]
    return wrong
