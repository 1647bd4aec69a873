"""Sizes of files and functions, and the figures that ./dev lint prints at its end. Files that are pure data tables may
be longer if tools/size_allow.txt lists them, with the reason."""

from cpp_source import ROOT, Finding, load

FILE_LINES = (500, 700)  # warning above, error above
FUNCTION_LINES = (70, 120)


def graded(path, line, what, count, limits):
    """A finding if `count` is over the first limit; tests only ever get warnings, tables of cases are long."""
    warn, fail = limits
    if count > warn:
        yield Finding(path, line, f"{what} has {count} lines (aim ≤ {warn}, limit {fail})", is_error=count > fail)


def read_allowed(path):
    if not path.exists():
        return set()
    return {line.split()[0] for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")}


def check(sources=None):
    allowed = read_allowed(ROOT / "tools/size_allow.txt")
    for source in sources if sources is not None else load():
        findings = list(graded(source.path, 1, "file", len(source.lines) - 1, FILE_LINES))
        for function in source.functions:
            findings += graded(source.path, function.first_line, function.name, function.line_count, FUNCTION_LINES)
        for finding in findings:
            finding.is_error = finding.is_error and not source.is_test
            if source.path not in allowed:
                yield finding


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0


def figures(sources=None):
    """One line: what the code base looks like. Tests are counted only in test : code."""
    sources = sources if sources is not None else load()
    code = [source for source in sources if not source.is_test]
    sizes = [len(source.lines) - 1 for source in code]
    functions = [function.line_count for source in code for function in source.functions]
    long_count = sum(count > FUNCTION_LINES[0] for count in functions)
    lines = [line.strip() for source in code for line in source.lines if line.strip()]
    comment_count = sum(line.startswith("//") for line in lines)
    test_lines = sum(len(source.lines) - 1 for source in sources if source.is_test)
    return (f"{len(code)} files, {sum(sizes)} lines: median {quantile(sizes, 0.5)}, p90 {quantile(sizes, 0.9)}, "
            f"max {max(sizes, default=0)}; {len(functions)} functions, {100 * long_count / max(1, len(functions)):.1f} % "
            f"over {FUNCTION_LINES[0]} lines; comments {100 * comment_count / max(1, len(lines)):.0f} %; "
            f"test : code {test_lines / max(1, sum(sizes)):.2f}")
