"""Reads a recorder log into files, directories and the changes made to them, in one global order.

The numbers of records are the time axis of everything else: a cut at n keeps the records below or at n.
"""

import mmap
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path

HEAD = struct.Struct("<8sQQ40x")
RECORD = struct.Struct("<IHHiiQQQII")
(OPEN, CLOSE, WRITE, TRUNCATE, ALLOCATE, RENAME, LINK, UNLINK, RMDIR, MKDIR, SYNC, NOTE, DUP, SYNC_ALL) = range(1, 15)
UNRECORDED = ("-shm",)    # SQLite writes it through mmap and rebuilds it


class BadRecording(Exception):
    """The log does not describe what happened: a fault of the simulation, not of the server."""


@dataclass(eq=False)
class Node:
    """A file or a directory, whatever names it has. `changes` and `syncs` are in order."""
    is_folder: bool
    base: bytes = b""                             # content before the recording
    changes: list = field(default_factory=list)   # files: (number, "write"|"truncate"|"grow", offset, bytes|None)
    syncs: list = field(default_factory=list)     # (begin, number)
    name_changes: list = field(default_factory=list)  # folders: every NameChange that touches one of its entries

    def durable_until(self, cut: int) -> int:
        """Changes numbered below this survive a power cut right after record `cut`."""
        return max((begin for begin, number in self.syncs if number <= cut), default=0)


@dataclass(eq=False)
class NameChange:
    """One atomic change of names: what each (folder, name) holds afterwards, None = nothing."""
    number: int
    entries: list

    def folders(self):
        return {id(folder): folder for folder, _, _ in self.entries}.values()


class Recording:
    def __init__(self, log: Path, root: Path, base: Path | None = None):
        """`base`: the folder as it was before, when recording did not start on an empty one."""
        self.root_path = str(root)
        self.root = Node(True)
        self.base_entries: dict[tuple, Node] = {}       # (id(folder), name) -> node
        self.live: dict[tuple, Node] = {}               # the same, now
        self.nodes = [self.root]
        self.name_changes: list[NameChange] = []
        self.notes: list[tuple] = []                    # (number, text)
        self.numbers: list[int] = []                    # of records that change or sync something
        self.open_files: dict[tuple, Node] = {}         # (pid, fd) -> node
        if base:
            self._load_base(base, self.root)
            self.live = dict(self.base_entries)
        for record in read_log(log):
            self._apply(*record)

    def _load_base(self, path: Path, folder: Node):
        for child in sorted(path.iterdir()):
            node = Node(child.is_dir(), b"" if child.is_dir() else child.read_bytes())
            self.nodes.append(node)
            self.base_entries[(id(folder), child.name)] = node
            if node.is_folder:
                self._load_base(child, node)

    # -- names
    def _place(self, path: str) -> tuple[Node, str]:
        """The folder node and last name of an absolute path below the root."""
        if not path.startswith(self.root_path + "/"):
            raise BadRecording(f"a name outside the data folder: {path}")
        *folders, name = [part for part in path[len(self.root_path):].split("/") if part]
        node = self.root
        for part in folders:
            node = self.live.get((id(node), part))
            if node is None or not node.is_folder:
                raise BadRecording(f"the recording never made the folder of {path}")
        return node, name

    def find(self, path: str) -> Node | None:
        if path == self.root_path:
            return self.root
        folder, name = self._place(path)
        return self.live.get((id(folder), name))

    def _rename(self, number: int, entries: list):
        change = NameChange(number, entries)
        for folder, name, node in entries:
            self.live[(id(folder), name)] = node
        self.name_changes.append(change)
        for folder in change.folders():
            folder.name_changes.append(change)

    def _create(self, number: int, path: str, is_folder: bool) -> Node:
        node = Node(is_folder)
        self.nodes.append(node)
        folder, name = self._place(path)
        self._rename(number, [(folder, name, node)])
        return node

    # -- records
    def _apply(self, number, kind, pid, fd, begin, a, b, path, path2, data):
        if kind == NOTE:
            self.notes.append((number, data.decode()))
            return
        if kind == CLOSE:
            self.open_files.pop((pid, fd), None)
            return
        if kind == DUP:
            self.open_files[(pid, a)] = self.open_files[(pid, fd)]
            return
        self.numbers.append(number)
        if kind == OPEN:
            self._opened(number, pid, fd, a, path)
        elif kind in (WRITE, TRUNCATE, ALLOCATE, SYNC):
            self._file_change(number, kind, pid, fd, begin, a, b, data)
        elif kind == SYNC_ALL:
            for node in self.nodes:
                node.syncs.append((begin, number))
        else:
            self._names(number, kind, path, path2, b or a)

    def _opened(self, number, pid, fd, flags, path):
        node = self.find(path)
        if node is None:
            if not flags & os.O_CREAT:
                raise BadRecording(f"{path} was opened but its creation was not recorded")
            node = self._create(number, path, False)
        elif flags & os.O_TRUNC:
            node.changes.append((number, "truncate", 0, None))
        node.written_through = bool(flags & os.O_DSYNC)
        self.open_files[(pid, fd)] = node

    def _file_change(self, number, kind, pid, fd, begin, a, b, data):
        node = self.open_files.get((pid, fd))
        if node is None:
            raise BadRecording(f"record {number}: descriptor {fd} of {pid} was never opened")
        if kind == SYNC:
            node.syncs.append((begin, number))
        elif kind == WRITE:
            node.changes.append((number, "write", a, data))
            if node.written_through:
                node.syncs.append((number + 1, number))
        elif kind == TRUNCATE:
            node.changes.append((number, "truncate", a, None))
        elif b == 0:
            node.changes.append((number, "grow", a, None))
        else:
            raise BadRecording(f"fallocate mode {b} is not simulated")

    def _names(self, number, kind, path, path2, flags):
        if kind == MKDIR:
            self._create(number, path, True)
        elif kind in (UNLINK, RMDIR):
            self._rename(number, [(*self._place(path), None)])
        elif kind == LINK:
            self._rename(number, [(*self._place(path2), self.find(path))])
        elif kind == RENAME:
            moved, replaced = self.find(path), self.find(path2)
            if moved is None:
                raise BadRecording(f"rename of {path}, which was never made")
            exchange = flags & 2
            self._rename(number, [(*self._place(path), replaced if exchange else None), (*self._place(path2), moved)])


def read_log(log: Path):
    """Yields the records; refuses a log that overflowed or was cut in the middle of one."""
    with open(log, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as view:
        magic, capacity, tail = HEAD.unpack_from(view)
        if magic != b"BERTHREC":
            raise BadRecording("nothing was recorded: was the recorder loaded?")
        if tail > capacity:
            raise BadRecording(f"the log overflowed: {tail} of {capacity} bytes")
        at = HEAD.size
        while at < tail:
            size, kind, length, pid, fd, begin, a, b, length2, data_length = RECORD.unpack_from(view, at)
            if size == 0:
                raise BadRecording(f"record {at} was never completed")
            start = at + RECORD.size
            path, path2 = view[start:start + length].decode(), view[start + length:start + length + length2].decode()
            start += length + length2
            yield at, kind, pid, fd, begin, a, b, path, path2, view[start:start + data_length]
            at += size


def new_log(path: Path, capacity: int = 1 << 30):
    """A sparse file for the recorder; it initialises the head."""
    with open(path, "wb") as log:
        log.truncate(capacity)
