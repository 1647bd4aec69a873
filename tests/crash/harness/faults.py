"""Arms preload/fault.c in a running server."""

import mmap
import struct
from pathlib import Path

WRITES, SYNCS, RENAMES, CREATES, READS, UNLINKS, TRUNCATES, ALLOCATES = (1 << n for n in range(8))
DATABASE, FILES = 1, 2
CONTROL = struct.Struct("<IIIIqQ")   # kinds, area, errno, sticky, countdown, hits
KINDS = struct.Struct("<I")


class FaultControl:
    def __init__(self, file: Path):
        self.path = Path(file)
        self.path.write_bytes(bytes(CONTROL.size))
        with open(self.path, "r+b") as control:
            self.view = mmap.mmap(control.fileno(), CONTROL.size)

    def environment(self, library: Path, root: Path) -> dict:
        return {"LD_PRELOAD": str(library), "BERTH_FAULT_ROOT": str(root), "BERTH_FAULT_CONTROL": str(self.path)}

    def arm(self, kinds: int, area: int, error: int, n: int, sticky: bool = False):
        """The n-th call of these kinds from now on fails, n = 1 is the next; `sticky`: all later ones too."""
        self.disarm()
        CONTROL.pack_into(self.view, 0, 0, area, error, int(sticky), n, 0)
        KINDS.pack_into(self.view, 0, kinds)

    def disarm(self) -> int:
        """How many calls were failed."""
        KINDS.pack_into(self.view, 0, 0)
        return CONTROL.unpack_from(self.view)[5]
