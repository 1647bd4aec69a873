#!/usr/bin/env bash
# bench.sh [name…] [--quick] [--baseline rev] [--only peer,…] [--rounds N] [--seconds S] [--cores split|shared] [--list]
# Builds what the benchmarks need (Berth in release, the load generator, the peers) and runs bench/run.py.
# --baseline builds that revision of Berth too and runs it side by side, as the server "baseline".
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

baseline=
words=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --baseline) baseline=${2:?--baseline needs a revision}; shift ;;
    --list | -h | --help) exec python3 bench/run.py "$1" ;;
    *) words+=("$1") ;;
  esac
  shift
done

tools/deps.sh build bench
if command -v go >/dev/null; then
  tools/go_tools.sh distribution
  # An old release with hundreds of dependencies: the others are worth measuring without it.
  [[ -n ${BERTH_BENCH_ZOT:-} ]] || tools/go_tools.sh zot || echo "bench: zot was not built, so it is left out" >&2
else
  echo "bench: no Go toolchain, so distribution 3 and zot are left out" >&2
fi
tools/build.sh release berth
tools/build.sh release berth_load
tools/build.sh release berth_load_test
build/release/berth_load_test --gtest_brief=1
/usr/bin/python3 -m pytest -q -p no:cacheprovider bench/tests  # figures of a generator that cannot see errors are worthless
if [[ -n $baseline ]]; then
  tree=$PWD/build/baseline
  git worktree remove --force "$tree" 2>/dev/null || true
  git worktree add --quiet --detach "$tree" "$baseline"
  trap 'git worktree remove --force "$tree"' EXIT
  "$tree/tools/build.sh" release berth
  words+=(--baseline-binary "$tree/build/release/berth")
fi
python3 bench/run.py "${words[@]}"
