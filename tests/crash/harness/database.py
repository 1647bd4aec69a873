"""Looks at the metadata database from outside, on a copy, so that looking changes nothing."""

import shutil
import sqlite3
import tempfile
from pathlib import Path


def integrity_complaint(data) -> str | None:
    """None, or what `PRAGMA integrity_check` finds in meta.db with its WAL. No database at all is no damage."""
    source = Path(data) / "meta.db"
    if not source.exists():
        return None
    with tempfile.TemporaryDirectory(prefix="berth-integrity-") as folder:
        for name in ("meta.db", "meta.db-wal"):
            if (Path(data) / name).exists():
                shutil.copyfile(Path(data) / name, Path(folder) / name)
        try:
            connection = sqlite3.connect(Path(folder) / "meta.db")
            rows = connection.execute("PRAGMA integrity_check").fetchall()
            connection.close()
        except sqlite3.DatabaseError as error:
            return f"database cannot be read: {error}"
    return None if rows == [("ok",)] else f"integrity_check: {rows[:5]}"
