#!/usr/bin/env bash
# test.sh [-k expr] [--asan|--tsan] [--slow] [--update-golden]
# Builds, then runs the C++ tests (unit, server, simulation, replay of fuzz seeds) and, on the release build, the quick
# pytest suites listed below. The last line is the sum: `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

# Folders of pytest suites that take seconds; those that do not exist are passed over. Slow ones have verbs of their own.
# One with a requirements.txt has a Python of its own.
pytest_suites=(tests/conformance tests/docs tests/cli tests/api tests/flood tests/bench)

preset=release
expr=
select=(-LE '^slow$')
while [[ $# -gt 0 ]]; do
  case $1 in
    -k) expr=${2:?-k needs an expression}; shift ;;
    --asan) preset=asan ;;
    --tsan) preset=tsan ;;
    --slow) select=() ;;
    --update-golden) export BERTH_UPDATE_GOLDEN=1 ;;
    *) echo "test: unknown option $1 (see ./dev help)" >&2; exit 2 ;;
  esac
  shift
done
[[ -z $expr ]] || select+=(-R "$expr")

tools/build.sh "$preset"
log=build/$preset/test_output.txt
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

code=0
ctest --test-dir "build/$preset" -j2 --output-on-failure --no-label-summary --no-tests=ignore "${select[@]}" 2>&1 \
  | tee "$log" | awk '/^ +Start +[0-9]+:/ || / Passed +[0-9.]+ sec$/ { next } { print; fflush() }' || code=1
read -r failed total < <(sed -nE 's/.* ([0-9]+) tests? failed out of ([0-9]+).*/\1 \2/p' "$log" | tail -n 1; echo 0 0)
skipped=$(grep -c '\*\*\*Skipped' "$log" || true)
passed=$((total - failed))

if [[ $preset == release ]]; then
  for suite in "${pytest_suites[@]}"; do
    [[ -d $suite ]] || continue
    echo "pytest $suite"
    status=0
    python=/usr/bin/python3
    [[ ! -f $suite/requirements.txt ]] || python=$(tools/python_tools.sh "$suite")
    "$python" -m pytest -q -p no:cacheprovider "$suite" ${expr:+-k "$expr"} 2>&1 | tee "$log" || status=$?
    [[ $status -eq 0 || $status -eq 5 ]] || code=1  # 5: the expression selects nothing here
    passed=$((passed + $(tail -n 1 "$log" | grep -oE '[0-9]+ passed' | cut -d' ' -f1 || echo 0)))
    failed=$((failed + $(tail -n 1 "$log" | grep -oE '[0-9]+ (failed|errors?)' | cut -d' ' -f1 | paste -sd+ || echo 0)))
    skipped=$((skipped + $(tail -n 1 "$log" | grep -oE '[0-9]+ skipped' | cut -d' ' -f1 || echo 0)))
  done
fi

if [[ $((passed + failed)) -eq 0 ]]; then
  echo "test: no test matches" >&2
  code=1
elif [[ $skipped -gt 0 && ${CI:-} == true ]]; then
  echo "test: $skipped skipped; nothing skips in CI" >&2
  code=1
fi
echo "$passed passed, $failed failed"
exit "$code"
