"""File systems of a few hundred megabytes, mounted where nobody else sees them and gone with this process."""

import ctypes
import os
import subprocess
from pathlib import Path

CLONE_NEWNS = 0x00020000
private = False


def enter_private_mounts():
    """This process and its children get their own mount table: even a killed test run leaves no mount behind."""
    global private
    if private:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise AssertionError(f"these tests mount small disks and need root: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    private = True


class SmallDisk:
    """kind: "ext4" on a loop device, or "tmpfs". A part of it is another program's from the start, so that there is
    something to give back even where the server's own files have taken the rest."""

    def __init__(self, kind: str, folder: Path, megabytes: int, taken_megabytes: int = 64):
        enter_private_mounts()
        self.mount = folder / "disk"
        self.mount.mkdir()
        if kind == "tmpfs":
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", self.mount], check=True)
        else:
            image = folder / "image"
            with open(image, "wb") as file:
                file.truncate(megabytes << 20)
            subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-F", image], check=True)
            subprocess.run(["mount", "-o", "loop", image, self.mount], check=True)
        self.data = self.mount / "data"
        self.data.mkdir()
        self.filler = self.mount / "filler"
        self.archive = self.mount / "archive"
        with open(self.archive, "wb") as archive:
            os.posix_fallocate(archive.fileno(), 0, taken_megabytes << 20)

    def fill(self, leave_bytes: int = 0):
        """Another program takes the space: every last byte in smaller and smaller pieces, or all but `leave_bytes`."""
        with open(self.filler, "ab", buffering=0) as filler:
            piece = 1 << 20
            while piece >= 512 and self.free_bytes() > leave_bytes:
                try:
                    filler.write(b"\xaa" * piece)
                except OSError:
                    piece //= 2
            try:
                os.fsync(filler.fileno())
            except OSError:
                pass

    def free_bytes(self) -> int:
        status = os.statvfs(self.mount)
        return status.f_bavail * status.f_frsize

    def empty(self):
        self.filler.unlink(missing_ok=True)
        self.archive.unlink(missing_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "--lazy", self.mount], check=False)
