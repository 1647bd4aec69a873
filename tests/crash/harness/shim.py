"""Builds the preload libraries into a scratch folder and talks to them."""

import ctypes
import shutil
import subprocess
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[1] / "preload"


def _compiler() -> str:
    for name in ("clang-19", "clang", "cc"):
        if shutil.which(name):
            return name
    raise SystemExit("no C compiler for the preload libraries")


def build_library(name: str, folder: Path) -> Path:
    """preload/<name>.c -> <folder>/<name>.so"""
    target = Path(folder) / f"{name}.so"
    subprocess.run([_compiler(), "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden",
                    "-o", target, SOURCES / f"{name}.c", "-ldl"], check=True)
    return target


def build_program(name: str, folder: Path) -> Path:
    target = Path(folder) / name
    subprocess.run([_compiler(), "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", target, SOURCES / f"{name}.c", "-ldl"],
                   check=True)
    return target


class NoteWriter:
    """Adds the harness's own events to a recorder log, in the order of the recorded system calls."""

    def __init__(self, library: Path, log: Path):
        self.library = ctypes.CDLL(str(library))
        self.library.record_note.restype = ctypes.c_uint64
        self.library.record_note.argtypes = [ctypes.c_char_p, ctypes.c_uint64]
        self.library.record_open.argtypes = [ctypes.c_char_p]
        self.library.record_open(str(log).encode())

    def __call__(self, text: str = "event") -> int:
        data = text.encode()
        number = self.library.record_note(data, len(data))
        if number == 0:
            raise AssertionError("the recorder log is full")
        return number


def other_boot(folder: Path, boot_id: str) -> tuple:
    """Command prefix that shows the server another boot id: after a power cut the machine has booted again, and
    the server trusts less of the data folder then (storage 1.2). The mount is private and ends with the process."""
    file = Path(folder) / f"boot-{boot_id}"
    file.write_text(boot_id + "\n")
    return ("unshare", "--mount", "sh", "-c",
            'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"', str(file))


def new_log_env(library: Path, log: Path, root: Path) -> dict:
    """Environment that makes a process record its changes below `root`."""
    return {"LD_PRELOAD": str(library), "BERTH_RECORD_LOG": str(log), "BERTH_RECORD_ROOT": str(root)}
