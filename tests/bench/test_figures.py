"""What ./dev bench makes of its figures: ratios, targets, slopes, pictures. The measuring itself is tested in bench/tests."""

import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

from harness import plot, report                                  # noqa: E402
from harness.points import Point, Target, figure                  # noqa: E402
from scenarios import growth                                      # noqa: E402


def point():
    made = Point("read")
    for ours, theirs in ((100, 50), (90, 90), (120, 40)):
        made.add("berth", {"rps": ours})
        made.add("peer", {"rps": theirs})
    return made


def test_a_ratio_is_the_median_of_the_rounds_with_its_spread():
    assert point().ratio("rps", "berth", "peer") == (2.0, 1.0, 3.0)


def test_no_ratio_without_the_other_server():
    assert point().ratio("rps", "berth", "zot") is None


@pytest.mark.parametrize("target, met", [
    (Target("read", "rps", "peer", ">=", 2.0), True),
    (Target("read", "rps", "peer", ">=", 2.1), False),
    (Target("read", "rps", "peer", "<=", 1.9), False),
    (Target("read", "rps", "", "<=", 100), True),
    (Target("read", "rps", "zot", ">=", 1.0), None),
    (Target("read", "p99_us", "", "<=", 1.0), None),
    (Target("other point", "rps", "peer", ">=", 1.0), None),
])
def test_a_target_is_met_missed_or_not_measured(target, met):
    assert target.judge([point()])["met"] is met


@pytest.mark.parametrize("power", [0.0, 0.15, 1.0])
def test_slope_is_the_exponent_of_growth(power):
    sizes = (1_000, 10_000, 100_000, 1_000_000)
    assert growth.slope(sizes, [3 * size ** power for size in sizes]) == pytest.approx(power)


@pytest.mark.parametrize("value, text", [(None, "–"), (0, "0"), (1234567, "1,234,567"), (0.01234, "0.0123"), (250.4, "250")])
def test_figures_keep_three_digits(value, text):
    assert figure(value) == text


def test_a_picture_is_well_formed_and_holds_every_point():
    picture = plot.log_log("a < b", "n", "µs", {"one": [(1000, 10), (1_000_000, 12)], "two & three": [(1000, 5)]})
    assert len(xml.fromstring(picture).findall(".//{http://www.w3.org/2000/svg}circle")) == 3


def test_a_picture_of_nothing_is_none():
    assert plot.log_log("t", "x", "y", {}) == ""


def test_a_missed_target_is_named_in_the_summary():
    verdict = Target("read", "rps", "peer", ">=", 5.0).judge([point()])
    text = "\n".join(report.summary({"small": {"targets": [verdict]}}))
    assert "1 are missed" in text and "read" in text
