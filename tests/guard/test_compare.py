"""What the guard lets pass and what it refuses. `/usr/bin/python3 -m pytest tests/guard`"""

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from compare import compare, differing, report  # noqa: E402
from instructions import Profile  # noqa: E402
from system_calls import fsyncs, sections  # noqa: E402

BEFORE = {"instructions": 20_000.0, "hashing": 1000.0, "allocations": 40.0, "syscalls": 4.0, "fsyncs": 1.0}


def verdict_of(**changed):
    return compare({"GET": BEFORE}, {"GET": {**BEFORE, **changed}})


@pytest.mark.parametrize(("metric", "now", "passes", "why"), [
    ("instructions", 20_800, True, "4 % more is within the tolerance"),
    ("instructions", 21_200, False, "6 % more is a rise"),
    ("instructions", 10_000, True, "a fall is no failure"),
    ("hashing", 1090, True, "a few instructions around a hash are no second hash"),
    ("hashing", 2000, False, "the bytes are hashed twice"),
    ("allocations", 41.9, True, "just below 5 %"),
    ("allocations", 42.1, False, "just above 5 %"),
    ("syscalls", 4.4, True, "less than half a call more is a race between threads"),
    ("syscalls", 5, False, "one call more on each request"),
    ("fsyncs", 1.01, True, "rounding"),
    ("fsyncs", 1.1, False, "one more in ten requests"),
    ("fsyncs", 2, False, "one more on each request"),
    ("fsyncs", 0, True, "a fall is no failure"),
])
def test_rise(metric, now, passes, why):
    assert verdict_of(**{metric: now}).passed() is passes, why


@pytest.mark.parametrize(("metric", "now"), [("hashing", 500), ("allocations", 1), ("syscalls", 1), ("fsyncs", 1)])
def test_what_was_free_and_is_not_any_more_fails(metric, now):
    free = {**BEFORE, metric: 0.0}
    assert not compare({"GET": free}, {"GET": {**free, metric: now}}).passed()


def test_kind_that_is_not_measured_fails():
    verdict = compare({"GET": BEFORE, "PUT": BEFORE}, {"GET": BEFORE})
    assert not verdict.passed()
    assert "PUT: in the reference, but not measured" in report(verdict, [])


def test_kind_without_reference_fails():
    verdict = compare({"GET": BEFORE}, {"GET": BEFORE, "PUT": BEFORE})
    assert not verdict.passed()
    assert "PUT: measured, but not in the reference" in report(verdict, [])


@pytest.mark.parametrize("side", ["reference", "measured"])
def test_missing_metric_fails(side):
    partial = {name: value for name, value in BEFORE.items() if name != "fsyncs"}
    reference, measured = (partial, BEFORE) if side == "reference" else (BEFORE, partial)
    assert not compare({"GET": reference}, {"GET": measured}).passed()


def test_nothing_measured_fails():
    assert not compare({"GET": BEFORE}, {}).passed()


def test_report_of_a_rise_names_it_and_the_next_step():
    text = report(verdict_of(syscalls=6.0), [])
    assert "+50.0%  ROSE" in text
    assert "./dev guard --update" in text
    assert text.endswith("1 kinds of request, 5 figures, 1 rose, 0 missing: FAILED")


def test_report_of_a_fall_hints_at_the_update():
    text = report(verdict_of(allocations=30.0), [])
    assert "-25.0%  fell" in text
    assert "./dev guard --update keeps what was won" in text
    assert text.endswith("0 rose, 0 missing: passed")


def test_other_versions_are_named_only_when_something_rose():
    versions = differing({"clang-19": "19.1.4", "libc6": "2.36"}, {"clang-19": "19.1.7", "libc6": "2.36"})
    assert versions == ["clang-19: 19.1.4 then, 19.1.7 now"]
    assert versions[0] in report(verdict_of(syscalls=6.0), versions)
    assert versions[0] not in report(verdict_of(), versions)


def test_profile_tells_own_instructions_from_those_of_calls():
    profile = Profile()
    profile.add("positions: line\nevents: Ir\nsummary: 60\n\nob=(1) /lib/libc.so\nfl=(1) ???\nfn=(7) ask(int)\n0 10\n"
                "cfn=(8) malloc\ncalls=3 0\n0 30\n+4 5\n\nfn=(8)\n0 30\ncfn=(9) SHA256_Update\ncalls=1 0\n* 15\n\n"
                "fn=(9)\n0 15\n")
    assert (profile.own["ask(int)"], profile.inclusive["ask(int)"]) == (15, 45)
    # 30 are of malloc itself: how often it is called is counted, not how long it searches.
    assert (profile.instructions(), profile.allocations(), profile.hashing()) == (30, 3, 15)


def test_sections_count_calls_of_the_threads_between_marks():
    calls = sections('7 recvfrom(9, "GET /v2/mark/nothing HT"..., 16384) = 99\n'
                     '7 sendmsg(9, {...}) = 5\n'
                     '8 fdatasync(4 <unfinished ...>\n'
                     '7 epoll_wait(3, [], 128, -1) = 1\n'
                     '8 <... fdatasync resumed>) = 0\n'
                     '5 fsync(4) = 0\n'
                     '8 epoll_ctl(3, EPOLL_CTL_MOD, 4, {events=EPOLLIN|EPOLLERR|EPOLLET, data=0x1}) = 0\n'
                     '7 futex(0x55, FUTEX_WAKE, 1) = 0\n'
                     '7 recvfrom(9, "GET /v2/mark/nothing HT"..., 16384) = 99\n', [7, 8])
    assert calls == [Counter(sendmsg=1, fdatasync=1, epoll_wait=1, recvfrom=1)]
    assert fsyncs(calls[0]) == 1
