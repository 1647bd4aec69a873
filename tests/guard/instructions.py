"""Instructions and allocations of each kind of request, counted by valgrind's callgrind in user space.

The tool writes its counters, and starts them anew, when it is told to: once before and once after the requests of a
kind. Each thread has counters of its own, so those that work by the clock can be left out."""

import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from kinds import KINDS, WARM_UP, begin, run
from served import Served

# A small alignment ends in malloc, a large one in _int_memalign (a name that libc6-dbg gives us).
ALLOCATORS = ("malloc", "calloc", "realloc", "_int_memalign")
# What they do inside depends on how the heap happens to lie; how often they are called is a figure of its own.
HEAP = {"malloc", "calloc", "realloc", "free", "_int_malloc", "_int_free", "_int_realloc", "_int_memalign", "sysmalloc",
        "unlink_chunk.constprop.0", "malloc_consolidate", "alloc_perturb", "systrim.constprop.0", "grow_heap",
        "arena_get2.part.0", "tcache_init.part.0", "checked_request2size", "_mid_memalign.constprop.0", "memalign"}
HASHES = ("SHA256_Update", "SHA512_Update")
# How far it searches depends on how long the request took.
TIMED = ("berth::metrics::Histogram::observe_us(long)",)
NAME = re.compile(r"c?fn=\((\d+)\)(?: (.*))?")
THREAD = re.compile(r"^Thread (\d+): .*\(lwpid (\d+)\)", re.MULTILINE)


@dataclass
class Profile:
    own: Counter = field(default_factory=Counter)  # instructions by function
    inclusive: Counter = field(default_factory=Counter)
    calls: Counter = field(default_factory=Counter)  # how often it was called

    def add(self, text: str):
        """Reads one file in the format of callgrind. A name is written out where it first occurs, then by number."""
        names, function, callee, is_call_cost = {}, "", "", False
        for line in text.splitlines():
            if line.startswith(("fn=", "cfn=")):
                number, name = NAME.match(line).groups()
                names.setdefault(number, name)
                if line[0] == "c":
                    callee = names[number]
                else:
                    function = names[number]
            elif line.startswith("calls="):
                self.calls[callee] += int(line[6:].split()[0])
                is_call_cost = True
            elif line[:1] in set("0123456789+-*") and " " in line:
                cost = int(line.split()[1])
                self.inclusive[function] += cost
                if not is_call_cost:
                    self.own[function] += cost
                is_call_cost = False

    def instructions(self) -> int:
        return self.own.total() - sum(self.own[name] for name in (*TIMED, *HEAP))

    def hashing(self) -> int:
        """Counted apart: next to the sum over a megabyte nothing else would be seen."""
        return sum(self.inclusive[name] for name in HASHES)

    def allocations(self) -> int:
        return sum(self.calls[name] for name in ALLOCATORS)


class Callgrind:
    def __init__(self, folder: Path, data: Path):
        self.out = folder / "callgrind"
        self.out.mkdir()
        self.server = Served(folder, data, ["valgrind", "--tool=callgrind", "--separate-threads=yes", "--fair-sched=yes",
                                            f"--callgrind-out-file={self.out}/part"])
        self.parts = 0
        self.counted = []  # threads, by the tool's numbers

    def tell(self, *words: str) -> str:
        told = subprocess.run(["vgdb", f"--pid={self.server.process.pid}", "--wait=20", *words], capture_output=True,
                              text=True, check=False)
        if told.returncode != 0:
            raise SystemExit(f"guard: vgdb {' '.join(words)} failed: {told.stderr}")
        return told.stdout

    def profile(self) -> Profile:
        """What was counted since the last call, in all threads that work for requests."""
        if not self.counted:
            threads = self.server.threads()
            found = THREAD.findall(self.tell("v.info", "scheduler"))
            self.counted = [int(number) for number, thread in found if int(thread) in threads]
        self.tell("dump")
        self.parts += 1
        profile = Profile()
        for number in self.counted:
            path = self.out / f"part.{self.parts}-{number:02}"
            if path.exists():  # a thread that did nothing has none
                profile.add(path.read_text(encoding="utf-8", errors="replace"))
        if not profile.own:
            raise SystemExit("guard: callgrind counted nothing")
        return profile


def profiles(folder: Path, data: Path, kinds=KINDS) -> dict[str, Profile]:
    """By kind: the sum over `count` requests."""
    tool = Callgrind(folder, data)
    found = {}
    with tool.server as server:
        begin(server)
        for kind in kinds:
            run(kind, server, 0, WARM_UP)
            tool.profile()
            run(kind, server, WARM_UP, kind.count)
            found[kind.name] = tool.profile()
    return found


def table(profile: Profile, count: int, rows: int = 40) -> str:
    """Per request, the functions with most instructions: their own, and with what they call."""
    lines = [f"{profile.instructions() / count:,.0f} instructions, {profile.allocations() / count:.1f} allocations"]
    for title, costs in (("of their own", profile.own), ("with what they call", profile.inclusive)):
        lines += ["", f"{title:>20} {'share':>7} {'calls':>7}  function"]
        for name, cost in costs.most_common(rows):
            lines.append(f"{cost / count:>20,.0f} {cost / max(profile.own.total(), 1):>7.1%} "
                         f"{profile.calls[name] / count:>7.1f}  {name[:200]}")
    return "\n".join(lines)
