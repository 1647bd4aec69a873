"""System calls of each kind of request, from a log that strace writes. A request that only marks a place in the log
stands between the kinds; what it costs itself is measured by two marks with nothing between them."""

import os
import re
from collections import Counter
from pathlib import Path

from kinds import KINDS, WARM_UP, begin, run
from served import Served

LINE = re.compile(r"^(?P<thread>\d+) +(?P<call>\w+)\(")
MARK = re.compile(r"GET /v2/mark/nothing")
# How threads hand over and how memory grows: races and the clock decide how often.
LEFT_OUT = {"futex", "sched_yield", "clock_nanosleep", "mprotect", "madvise", "timerfd_settime", "restart_syscall"}
WAKES_LOOP = re.compile(r"EPOLL_CTL_MOD, \d+, \{events=EPOLLIN\|EPOLLERR\|EPOLLET")  # an I/O thread, if it sleeps
FSYNCS = ("fsync", "fdatasync", "syncfs", "sync", "sync_file_range")


def is_counted(call: str, line: str) -> bool:
    return call not in LEFT_OUT and not (call == "epoll_ctl" and WAKES_LOOP.search(line))


def mark(server: Served):
    server.settle()
    server.plain.ask(404, "GET", "/v2/mark/nothing")
    server.settle()


def sections(text: str, threads: list[int]) -> list[Counter]:
    """Calls by name between one mark and the next. A call that another thread interrupts has a second line, 'resumed';
    it counts where it began."""
    found, now = [], Counter()
    for line in text.splitlines():
        match = LINE.match(line)
        if match and int(match["thread"]) in threads and is_counted(match["call"], line):
            now[match["call"]] += 1
        if MARK.search(line):
            found.append(now)
            now = Counter()
    return found[1:]


def system_calls(folder: Path, data: Path, kinds=KINDS) -> dict[str, Counter]:
    """By kind: the sum over `count` requests."""
    log = folder / "strace.txt"
    tool = ["strace", "-f", "-qq", "-s", "40", "-e", "signal=none", "-o", str(log)]
    # On one processor, what runs next is decided by who sleeps, not by which core is faster.
    with Served(folder, data, ["taskset", "-c", str(min(os.sched_getaffinity(0))), *tool]) as server:
        begin(server)
        for _ in range(3):
            mark(server)
        for kind in kinds:
            run(kind, server, 0, WARM_UP)
            mark(server)
            run(kind, server, WARM_UP, kind.count)
            mark(server)
    _, marks_cost, *rest = sections(log.read_text(encoding="utf-8", errors="replace"), server.threads())
    assert len(rest) == 2 * len(kinds), "a mark is missing in the log of strace"
    measured = {}
    for kind, section in zip(kinds, rest[1::2], strict=True):
        section.subtract(marks_cost)
        measured[kind.name] = +section
    return measured


def fsyncs(calls: Counter) -> int:
    return sum(calls[name] for name in FSYNCS)

