"""Counts what the hot requests cost and compares it with figures.json; README.md says what is counted.
usage: guard.py [--update] [--profile KIND] [--keep]"""

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import instructions
import system_calls
from compare import compare, differing, report
from kinds import KINDS, fill
from served import ROOT, Served, make_certificate, strip_debug

FIGURES = Path(__file__).with_name("figures.json")
PACKAGES = ("clang-19", "libboost1.81-dev", "libc6", "libsqlite3-0", "libssl3", "libstdc++6", "valgrind")


def versions() -> dict[str, str]:
    shown = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\\n", *PACKAGES], capture_output=True,
                           text=True, check=False).stdout
    return {"machine": platform.machine(), **dict(line.split() for line in shown.splitlines() if " " in line)}


def prepare(folder: Path) -> Path:
    """The data that every measurement starts from, written by the server itself at full speed."""
    make_certificate(folder)
    strip_debug(folder)
    data = folder / "data"
    with Served(folder, data) as server:
        fill(server)
    return data


def copy_of(data: Path, name: str) -> Path:
    return Path(shutil.copytree(data, data.with_name(name)))


def measure(folder: Path) -> tuple[dict, dict]:
    """Figures by kind, and for the reader the system calls by name."""
    data = prepare(folder)
    profiles = instructions.profiles(folder, copy_of(data, "data-instructions"))
    calls = system_calls.system_calls(folder, copy_of(data, "data-calls"))
    figures, names = {}, {}
    for kind in KINDS:
        profile, made = profiles[kind.name], calls[kind.name]
        sums = {
            "instructions": profile.instructions() - profile.hashing(),
            "hashing": profile.hashing(),
            "allocations": profile.allocations(),
            "syscalls": made.total(),
            "fsyncs": system_calls.fsyncs(made),
        }
        figures[kind.name] = {metric: round(value / kind.count, 2) for metric, value in sums.items()}
        names[kind.name] = {name: round(count / kind.count, 2) for name, count in sorted(made.items())}
    return figures, names


def moved_calls(before: dict, now: dict, kinds: list[str]) -> str:
    """Which calls are behind a figure that rose."""
    lines = []
    for kind in kinds:
        old, new = before.get(kind, {}), now[kind]
        moved = [f"{name} {old.get(name, 0)} → {new.get(name, 0)}" for name in sorted({*old, *new})
                 if abs(old.get(name, 0) - new.get(name, 0)) >= 0.25]
        lines.append(f"  {kind}: {', '.join(moved)}")
    return "\n".join(lines)


def profile_of(folder: Path, name: str) -> str:
    kinds = [kind for kind in KINDS if kind.name == name]
    if not kinds:
        raise SystemExit(f"guard: no kind '{name}'; there are: {', '.join(kind.name for kind in KINDS)}")
    found = instructions.profiles(folder, prepare(folder), kinds)[name]
    return instructions.table(found, kinds[0].count)


def check(folder: Path) -> int:
    reference = json.loads(FIGURES.read_text(encoding="utf-8"))
    figures, calls = measure(folder)
    verdict = compare(reference["figures"], figures)
    rose = [row.kind for row in verdict.rows if row.rose and row.metric in ("syscalls", "fsyncs")]
    if rose:
        print("system calls that are behind it:")
        print(moved_calls(reference["calls"], calls, list(dict.fromkeys(rose))))
    print(report(verdict, differing(reference["versions"], versions())))
    return 0 if verdict.passed() else 1


def update(folder: Path) -> int:
    before = json.loads(FIGURES.read_text(encoding="utf-8"))["figures"] if FIGURES.exists() else {}
    figures, calls = measure(folder)
    new = {"versions": versions(), "figures": figures, "calls": calls}
    FIGURES.write_text(json.dumps(new, indent=1) + "\n", encoding="utf-8")
    for row in compare(before, figures).rows:
        if row.before or row.now:
            print(row.text())
    print(f"guard: wrote {FIGURES.relative_to(ROOT)}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="guard", description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help="writes the figures anew instead of comparing")
    parser.add_argument("--profile", metavar="KIND", help="only this kind: which functions its instructions are in")
    parser.add_argument("--keep", action="store_true", help="keeps the folder with logs and counters")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="guard.", dir=ROOT / "build"))  # a real disk: fsync and page cache count
    try:
        if options.profile:
            print(profile_of(folder, options.profile))
            return 0
        return update(folder) if options.update else check(folder)
    finally:
        if options.keep:
            print(f"guard: kept {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
