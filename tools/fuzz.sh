#!/usr/bin/env bash
# fuzz.sh <target> [seconds]   Runs fuzz/<target>_fuzz.cpp under libFuzzer. The corpus stays in fuzz/corpus/<target>
# (not versioned); a crash is stored as fuzz/seeds/<target>/crash-<hash>, which ./dev test replays from then on.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

targets=$(find fuzz -maxdepth 1 -name '*_fuzz.cpp' -printf '%f\n' 2>/dev/null | sed 's/_fuzz\.cpp$//' | sort | paste -sd' ')
target=${1:-}
seconds=${2:-60}
[[ -n $target && -f fuzz/${target}_fuzz.cpp ]] || { echo "usage: ./dev fuzz <target> [seconds]; targets: $targets" >&2; exit 2; }

tools/build.sh fuzz "fuzz_$target"
mkdir -p "fuzz/corpus/$target" "fuzz/seeds/$target"
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1}
options=(-max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="fuzz/seeds/$target/")
[[ ! -f fuzz/$target.dict ]] || options+=(-dict="fuzz/$target.dict")
exec "build/fuzz/fuzz_$target" "${options[@]}" "fuzz/corpus/$target" "fuzz/seeds/$target"
