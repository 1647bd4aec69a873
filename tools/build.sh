#!/usr/bin/env bash
# build.sh [preset] [target] [--times]   Configures build/<preset> if needed and runs ninja.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
root=$PWD

times=no
words=()
for arg in "$@"; do
  if [[ $arg == --times ]]; then times=yes; else words+=("$arg"); fi
done
preset=${words[0]:-release}
target=${words[1]:-all}
dir=build/$preset

grep -q "\"name\": \"$preset\"" CMakePresets.json || { echo "build: no preset '$preset' in CMakePresets.json" >&2; exit 2; }
mkdir -p "$dir"
exec 9>"$dir/.lock"  # two builds of one preset take turns
flock -n 9 || { echo "waiting for another build of $dir" >&2; flock 9; }

configure() {
  cmake --preset "$preset" "$@" >"$dir/.configure_log" 2>&1 9>&- || { cat "$dir/.configure_log" >&2; exit 1; }
}
if [[ ! -f $dir/build.ninja ]]; then
  configure
elif ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$dir/CMakeCache.txt"; then  # the checkout was moved or copied
  configure --fresh
fi

since=$(date +%s%3N)
before=$([[ -f $dir/.ninja_log ]] && wc -l <"$dir/.ninja_log" || echo 0)
if [[ -t 1 ]]; then
  ninja -C "$dir" "$target" 9>&-
else
  [[ $before -gt 0 ]] || echo "building $dir for the first time, which takes minutes" >&2
  ninja -C "$dir" --quiet "$target" 2>&1 9>&- | sed '/no work to do/d; /^-- /d' | tee "$dir/.build_log"
  if [[ ${CI:-} == true ]] && grep -q 'warning:' "$dir/.build_log"; then
    echo "build: warnings are errors in CI" >&2
    exit 1
  fi
fi
if [[ $times == yes ]]; then
  echo "slowest steps of this build ($((($(date +%s%3N) - since) / 1000)) s in all), seconds:"
  tail -n "+$((before + 1))" "$dir/.ninja_log" | awk '!/^#/ { printf "%7.1f  %s\n", ($2 - $1) / 1000, $4 }' | sort -rn | head -n 10
fi
