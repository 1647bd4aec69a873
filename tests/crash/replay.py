"""Builds what a disk may hold after a power cut, from a recording.

Two models of names. `strict`: a name is durable only once its folder was synced. `journal` (as ext4): any sync
makes every earlier change of names durable. In both, the names not yet durable are lost from the end backwards.

Data of a file counts only up to its own last sync. Of what came later each 512-byte sector may hold any version
it ever had, for the page cache writes pages back in any order and a sector is what a disk writes whole.
"""

import random
import tempfile
from pathlib import Path

from recording import UNRECORDED, Node, Recording

SECTOR = 512
MODELS = ("strict", "journal")
STYLES = ("nothing", "everything", "prefix", "torn", "zeros")   # what of the unsynced is kept


class CrashState:
    """One choice of what survived. The same arguments give the same state."""

    def __init__(self, recording: Recording, cut: int, model: str, style: str, seed: int):
        self.recording, self.cut, self.model, self.style = recording, cut, model, style
        self.rng = random.Random(f"{seed} {cut} {model} {style}")

    def describe(self) -> str:
        return f"cut at record {self.cut}, {self.model} names, unsynced data: {self.style}"

    def write(self, target: Path):
        entries = dict(self.recording.base_entries)
        for change in self._kept_name_changes():
            for folder, name, node in change.entries:
                entries[(id(folder), name)] = node
        children: dict[int, list] = {}
        for (folder, name), node in entries.items():
            if node is not None:
                children.setdefault(folder, []).append((name, node))
        target.mkdir()
        self._write_folder(target, self.recording.root, children)

    def _write_folder(self, path: Path, folder: Node, children: dict):
        for name, node in sorted(children.get(id(folder), []), key=lambda child: child[0]):
            if name.endswith(UNRECORDED):
                continue
            if node.is_folder:
                (path / name).mkdir()
                self._write_folder(path / name, node, children)
            else:
                (path / name).touch(mode=0o600)  # modes are not recorded; a key that others may read is refused
                (path / name).write_bytes(self._content(node))

    # -- names
    def _kept_of(self, durable: int, total: int) -> int:
        if self.style == "nothing":
            return durable
        return total if self.style == "everything" else self.rng.randint(durable, total)

    def _kept_name_changes(self) -> list:
        done = [change for change in self.recording.name_changes if change.number <= self.cut]
        if self.model == "journal":
            until = max((node.durable_until(self.cut) for node in self.recording.nodes), default=0)
            durable = sum(1 for change in done if change.number < until)
            return done[:self._kept_of(durable, len(done))]
        limit, durable_ids = {}, set()
        for folder in self.recording.nodes:
            if not folder.name_changes:
                continue
            until = folder.durable_until(self.cut)
            mine = [change for change in folder.name_changes if change.number <= self.cut]
            durable = [change for change in mine if change.number < until]
            durable_ids.update(map(id, durable))
            kept = self._kept_of(len(durable), len(mine))
            limit[id(folder)] = mine[kept].number if kept < len(mine) else self.cut + 1
        # A rename touches two folders and is atomic: it counts when it is durable in either.
        return [change for change in done if id(change) in durable_ids
                or all(change.number < limit[id(folder)] for folder in change.folders())]

    # -- data
    def _content(self, node: Node) -> bytes:
        until = node.durable_until(self.cut)
        durable = [change for change in node.changes if change[0] < until]
        unsynced = [change for change in node.changes if until <= change[0] <= self.cut]
        content = bytearray(node.base)
        for change in durable:
            apply(content, change)
        if not unsynced or self.style == "nothing":
            return bytes(content)
        if self.style == "everything":
            for change in unsynced:
                apply(content, change)
        elif self.style == "prefix":
            self._prefix(content, unsynced)
        else:
            self._torn(content, unsynced)
        return bytes(content)

    def _prefix(self, content: bytearray, unsynced: list):
        """Some changes whole, then one that stopped at a sector boundary."""
        whole = self.rng.randint(0, len(unsynced))
        for change in unsynced[:whole]:
            apply(content, change)
        if whole < len(unsynced) and unsynced[whole][1] == "write":
            number, kind, offset, data = unsynced[whole]
            end = self.rng.randint(0, len(data) + offset) // SECTOR * SECTOR
            if end > offset:
                apply(content, (number, kind, offset, data[:end - offset]))

    def _torn(self, content: bytearray, unsynced: list):
        """Truncations reach the disk in order; everything after the first that did not is lost with it. Sectors
        written since the last truncation that did keep any of their versions, each for itself."""
        cuts = [at for at, change in enumerate(unsynced) if change[1] == "truncate"]
        reached = self.rng.randint(0, len(cuts))
        start = cuts[reached - 1] + 1 if reached else 0
        end = cuts[reached] if reached < len(cuts) else len(unsynced)
        for change in unsynced[:start]:
            apply(content, change)
        sectors: dict[int, list] = {}
        grown = len(content)
        for change in unsynced[start:end]:
            _, kind, offset, data = change
            grown = max(grown, offset + len(data or b""))
            if kind == "write":
                for sector in range(offset // SECTOR, (offset + len(data) - 1) // SECTOR + 1):
                    sectors.setdefault(sector, []).append(change)
        for sector, changes in sectors.items():
            low, high = sector * SECTOR, (sector + 1) * SECTOR
            for number, kind, offset, data in changes[:self.rng.randint(0, len(changes))]:
                first, last = max(low, offset), min(high, offset + len(data))
                apply(content, (number, kind, first, data[first - offset:last - offset]))
        if self.style == "zeros" and grown > len(content):
            content.extend(bytes(grown - len(content)))   # the size was written, the data was not


def apply(content: bytearray, change: tuple):
    _, kind, offset, data = change
    if kind == "truncate":
        del content[offset:]
    length = offset if data is None else offset + len(data)
    if length > len(content):
        content.extend(bytes(length - len(content)))
    if data:
        content[offset:offset + len(data)] = data


def difference_to(recording: Recording, folder: Path) -> str | None:
    """None when replaying everything gives exactly `folder`; else the recorder missed something, and no state
    built from this recording says anything about the server."""
    with tempfile.TemporaryDirectory(prefix="berth-replay-") as scratch:
        rebuilt = Path(scratch) / "all"
        CrashState(recording, 1 << 62, "strict", "everything", 0).write(rebuilt)
        ours, theirs = _tree(rebuilt), _tree(folder)
    wrong = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    return f"replay differs from the real folder in {wrong[:8]}" if wrong else None


def _tree(folder: Path) -> dict:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
            for path in folder.rglob("*") if not path.name.endswith(UNRECORDED)}
