"""Each header compiles alone, without the precompiled header that would hide a missing include. Slow, hence apart:
./dev lint --headers [file…]. Flags are those that the build uses for a file of the same room."""

import json
import os
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

from cpp_source import ROOT, Finding, load

DROP_WITH_VALUE = {"-o", "-MF", "-MT", "-Xclang", "-c"}
DROP = {"-MD", "-Winvalid-pch", "-gsplit-dwarf"}


def build_flags():
    """Flags of an ordinary source file, from the first preset that has been configured."""
    for preset in ("release", "debug", "asan", "tidy"):
        path = ROOT / "build" / preset / "compile_commands.json"
        if path.exists():
            rows = [row for row in json.loads(path.read_text()) if "/src/" in row["file"]]
            if rows:
                return strip_flags(shlex.split(rows[0]["command"]))
    raise SystemExit("lint --headers: configure a build first (./dev build)")


def strip_flags(words):
    words = words[next(at for at, word in enumerate(words) if "clang++" in word) + 1:]
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in DROP_WITH_VALUE:
            skip = True
        elif word not in DROP and (word.startswith("-") and not word.startswith("-O")):
            kept.append(word)
    return kept


def check_header(source, flags):
    command = ["clang++-19", *flags, "-fsyntax-only", "-Wno-pragma-once-outside-header", "-Wno-unused-const-variable",
               f"-I{ROOT}/tests", "-x", "c++", str(ROOT / source.path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 0:
        first = next((line for line in done.stderr.splitlines() if "error:" in line), done.stderr.strip())
        yield Finding(source.path, 1, f"does not compile alone: {first}")


def check(only=()):
    headers = [source for source in load(("src", "tests/support", "tests/server", "tests/sim")) if source.is_header and (not only or source.path in only)]
    flags = build_flags()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for findings in pool.map(lambda header: list(check_header(header, flags)), headers):
            yield from findings
