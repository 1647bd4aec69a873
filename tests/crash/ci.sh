#!/usr/bin/env bash
# The CI portion of the durability suites, under four minutes: kill rounds, power cuts, full disk, I/O errors, bit rot,
# linearizability. Runs all parts even after a failure; the last line counts them together.
# CRASH_ROUNDS, CRASH_STATES and CRASH_SEED change the numbers.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
seed=${CRASH_SEED:-$RANDOM$RANDOM}
passed=0 failed=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT

# Runs one part, shows its output and adds the counts of its last "N passed, N failed" line.
part() {
  local began=$SECONDS status=0
  "$@" 2>&1 | tee "$output" || status=$?
  local line good bad
  line=$(grep -aE '[0-9]+ (passed|failed)' "$output" | tail -n 1)
  good=$(grep -oE '[0-9]+ passed' <<<"$line" | grep -oE '[0-9]+') || good=0
  bad=$(grep -oE '[0-9]+ (failed|error)' <<<"$line" | grep -oE '[0-9]+' | paste -sd+) || bad=0
  bad=$((${bad:-0}))
  if ((status != 0 && bad == 0)); then bad=1; fi
  passed=$((passed + good)) failed=$((failed + bad))
  echo "-- $1 took $((SECONDS - began)) s"
}

part ./run.sh "${CRASH_ROUNDS:-50}" --seed "$seed"
part ./power.sh "${CRASH_STATES:-30}" --seed "$seed"
part /usr/bin/python3 -m pytest -q -p no:cacheprovider --ignore=test_short_rounds.py --tb=short .
echo "$passed passed, $failed failed"
((failed == 0))
