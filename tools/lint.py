"""./dev lint [--headers | --rules | --sizes] [file…]   Runs the checks; with files, reports only what concerns them."""

import sys
import time

import check_bans
import check_coroutines
import check_headers
import check_layers
import check_sizes
import lint_selftest
import rule_coverage
from cpp_source import load

CHECKS = {
    "layers": check_layers.check,
    "bans": check_bans.check,
    "coroutines": check_coroutines.check,
    "sizes": check_sizes.check,
    "rules": rule_coverage.check,
}


def run(names, only):
    """(errors, warnings) printed."""
    sources = load()
    errors = warnings = 0
    for name in names:
        for finding in CHECKS[name](sources):
            if only and finding.path not in only:
                continue
            errors += finding.is_error
            warnings += not finding.is_error
            print(f"{finding.path}:{finding.line}: {'error' if finding.is_error else 'warning'}: {finding.message} [{name}]")
    print(check_sizes.figures(sources))
    return errors, warnings


def run_headers(only):
    errors = 0
    for finding in check_headers.check(only):
        errors += 1
        print(f"{finding.path}: error: {finding.message} [headers]")
    return errors, 0


def main(arguments):
    started = time.monotonic()
    options = [word for word in arguments if word.startswith("--")]
    only = [word for word in arguments if not word.startswith("--")]
    if options == ["--rules"]:
        rule_coverage.report()
        return 0
    if options == ["--headers"]:
        errors, warnings = run_headers(only)
    elif options in ([], ["--sizes"]):
        lint_selftest.run()
        errors, warnings = run(["sizes"] if options else list(CHECKS), only)
    else:
        sys.exit("usage: ./dev lint [--headers | --rules | --sizes] [file…]")
    print(f"lint: {errors} errors, {warnings} warnings in {time.monotonic() - started:.1f} s")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
