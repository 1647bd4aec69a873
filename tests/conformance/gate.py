#!/usr/bin/env python3
"""Reads what the OCI conformance suite wrote and decides whether Berth may call itself conformant.

usage: gate.py RESULTS RUN...      RUN is MODE/1.1-sparse, MODE/1.1-strict, MODE/dev-sparse or MODE/dev-strict, where
                                   MODE is noauth, basic or bearer; RESULTS/RUN holds the results.yaml and junit.xml
                                   of that run.

The suite itself ends well although parts were skipped or switched off, so its exit code proves little. Here a run
passes only when every single case passed, every API and every data set in the summary says Pass, and the
configuration shows that all of it was switched on. One exception: in a strict run the sparse data set is off, as a
registry that insists on complete references must refuse it.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

SPARSE_DATA_SET = "Sparse Manifests"
OUTCOMES = ("pass", "fail", "error", "skip", "disabled")
OUTCOME_OF_JUNIT = {"passed": "pass", "failure": "fail", "error": "error", "skipped": "skip"}
MANDATORY_SECTIONS = ("config", "apis", "data")


def parse_results_yaml(text):
    """The part of YAML that the suite writes: nested mappings with two-space indents and plain scalars."""
    root = {}
    open_maps = [(-1, root)]
    for line in text.splitlines():
        match = re.fullmatch(r"( *)([^:]+):(?: (.*))?", line)
        if not match:
            continue
        indent, key, value = len(match[1]), match[2], match[3]
        while open_maps[-1][0] >= indent:
            open_maps.pop()
        parent = open_maps[-1][1]
        if value is None:
            parent[key] = {}
            open_maps.append((indent, parent[key]))
        else:
            parent[key] = value.strip('"')
    return root


def switched_off(config, prefix=""):
    """Names of the options that are false, e.g. `apis.blobs.uploadCancel`."""
    for key, value in config.items():
        if isinstance(value, dict):
            yield from switched_off(value, f"{prefix}{key}.")
        elif value == "false":
            yield prefix + key


def case_outcomes(junit):
    """(name, outcome, reason) of every leaf case. junit has one word for skipped and disabled; the text tells which."""
    for case in junit.iter("testcase"):
        outcome = OUTCOME_OF_JUNIT.get(case.get("status"), "error")
        notes = (case.findtext("system-out") or "").strip()
        if outcome == "skip" and "disabled" in notes + (case.findtext("system-err") or ""):
            outcome = "disabled"
        yield case.get("name"), outcome, notes.replace("\n", "; ")


def check_run(directory, run):
    """Returns (counts per outcome, complaints) of one run."""
    counts, complaints = Counter(), []
    try:
        results = parse_results_yaml((directory / "results.yaml").read_text())
        junit = ElementTree.parse(directory / "junit.xml").getroot()
    except (OSError, ElementTree.ParseError) as problem:
        return counts, [f"no usable result files: {problem}"]

    for name, outcome, reason in case_outcomes(junit):
        counts[outcome] += 1
        if outcome != "pass":
            complaints.append(f"{outcome}: {name}: {reason[:300] or 'no reason given'}")
    if not counts["pass"]:
        complaints.append("the suite ran no case at all")
    for word in ("failures", "errors", "skipped", "disabled"):
        if int(junit.get(word, "0")) and not complaints:
            complaints.append(f"junit.xml counts {junit.get(word)} {word} although no case says so")

    complaints += summary_complaints(results, strict=run.endswith("-strict"))
    version = run.rsplit("/", 1)[-1].rsplit("-", 1)[0]
    if bool(results.get("config", {}).get("username")) == run.startswith("noauth/"):
        complaints.append("credentials were given without need, or missing where they were needed")
    if results.get("config", {}).get("version") != version:
        complaints.append(f"the suite did not run as version {version}")
    return counts, complaints


def summary_complaints(results, strict):
    """What results.yaml says beyond the cases: options that were off, APIs and data sets that are not plain Pass."""
    complaints = [f"results.yaml has no section '{name}'" for name in MANDATORY_SECTIONS if not results.get(name)]
    config = results.get("config", {})
    allowed_off = {"data.sparse"} if strict else set()
    for section in ("apis", "data"):
        for option in switched_off(config.get(section, {}), f"{section}."):
            if option not in allowed_off:
                complaints.append(f"disabled: option {option} was off")
    if strict and config.get("data", {}).get("sparse") != "false":
        complaints.append("the sparse data set was on in a strict run")
    if config.get("filterTest"):
        complaints.append(f"only a part ran: filterTest={config['filterTest']}")
    for section in ("apis", "data"):
        for name, status in results.get(section, {}).items():
            if strict and name == SPARSE_DATA_SET and status == "Disabled":
                continue
            if status != "Pass":
                complaints.append(f"{status}: {section}: {name}")
    return complaints


def main(arguments):
    if len(arguments) < 2:
        sys.exit(__doc__)
    results, runs = Path(arguments[0]), arguments[1:]
    print(f"{'run':<20}" + "".join(f"{outcome:>10}" for outcome in OUTCOMES))
    passed = failed = 0
    everything = []
    for run in runs:
        counts, complaints = check_run(results / run, run)
        print(f"{run:<20}" + "".join(f"{counts[outcome]:>10}" for outcome in OUTCOMES))
        bad_cases = sum(counts.values()) - counts["pass"]
        passed += counts["pass"]
        failed += bad_cases or (1 if complaints else 0)
        everything += [f"{run}: {complaint}" for complaint in complaints]
    for complaint in everything:
        print(complaint)
    print(f"{passed} passed, {failed} failed")
    return 1 if everything else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
