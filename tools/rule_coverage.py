"""Every rule of tools/protocol_rules.txt is cited by a test: by its id in a comment or a test's name of a *_test.cpp,
*_suite.h or file below tests/. `U4–U6` cites all three.    python3 tools/rule_coverage.py --report   prints who cites what."""

import os
import re
import sys
from collections import defaultdict

from cpp_source import ROOT, Finding, load

RULES = "tools/protocol_rules.txt"
CITE = re.compile(r"(?<![A-Za-z0-9])([A-Z])(\d{1,2})(?:\s*[–-]\s*(?:\1)?(\d{1,2}))?(?![A-Za-z0-9])")
TEST_NAME = re.compile(r"^\s*(?:TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P|INSTANTIATE_TEST_SUITE_P)\s*\(([^)]*)\)", re.M)


def read_rules(text):
    rows = (line.partition("\t") for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return {rule: words for rule, _, words in rows}


def cited_in(text):
    """Rule ids in free text; a range cites each of its members."""
    for letter, first, last in CITE.findall(text):
        for number in range(int(first), int(last or first) + 1):
            yield f"{letter}{number}"


def cited_in_names(text, rules):
    """Rule ids inside CamelCase test names, such as TEST(ManifestPut, V7MissingLayer)."""
    for names in TEST_NAME.findall(text):
        for rule in rules:
            if re.search(rf"(?<![A-Z0-9]){rule}(?![0-9])", names):
                yield rule


def citations(rules, sources, others):
    """rule → the files that cite it. `sources` are C++ test files, `others` (path, text) of transcripts and scripts."""
    found = defaultdict(set)
    for source in sources:
        for rule in [*cited_in(source.comments), *cited_in_names(source.text, rules)]:
            found[rule].add(source.path)
    for path, text in others:
        for rule in cited_in(text):
            found[rule].add(path)
    return {rule: sorted(found[rule]) for rule in rules}


def test_scripts():
    for path in sorted((ROOT / "tests").rglob("*")):
        if path.suffix in (".http", ".py", ".sh") and path.is_file():
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8", errors="replace")


def collect(sources=None):
    rules = read_rules((ROOT / RULES).read_text(encoding="utf-8"))
    tests = [source for source in (sources if sources is not None else load()) if source.is_test]
    return rules, citations(rules, tests, test_scripts())


def check(sources=None):
    rules, found = collect(sources)
    is_error = os.environ.get("BERTH_LINT_RULES") != "warn"
    lines = (ROOT / RULES).read_text(encoding="utf-8").splitlines()
    for rule, words in rules.items():
        if not found[rule]:
            line = next(number for number, text in enumerate(lines, 1) if text.startswith(rule + "\t"))
            yield Finding(RULES, line, f"no test cites {rule} ({words})", is_error)


def report():
    rules, found = collect()
    for rule, words in rules.items():
        print(f"{rule:4} {words}\n     {', '.join(found[rule]) or '-'}")
    missing = [rule for rule in rules if not found[rule]]
    print(f"{len(rules) - len(missing)} of {len(rules)} rules cited" + (f"; missing: {' '.join(missing)}" if missing else ""))


if __name__ == "__main__":
    if sys.argv[1:] == ["--report"]:
        report()
    else:
        sys.exit("usage: rule_coverage.py --report")
