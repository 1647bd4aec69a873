#!/usr/bin/env bash
# bench.sh [name] [--baseline rev]   Runs the benchmarks (bench/*.sh) whose name contains `name` against the release
# build; with --baseline also against a build of that revision, taking turns, five rounds each.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

name=""
baseline=""
while [[ $# -gt 0 ]]; do
  case $1 in
    --baseline) baseline=${2:?--baseline needs a revision}; shift ;;
    *) name=$1 ;;
  esac
  shift
done
mapfile -t scripts < <(find bench -maxdepth 1 -name "*${name}*.sh" 2>/dev/null | sort)
[[ ${#scripts[@]} -gt 0 ]] || { echo "bench: no benchmark matches '${name}' in bench/" >&2; exit 2; }

tools/build.sh release berth
binaries=("build/release/berth")
if [[ -n $baseline ]]; then
  tree=build/baseline
  git worktree remove --force "$tree" 2>/dev/null || true
  git worktree add --quiet --detach "$tree" "$baseline"
  trap 'git worktree remove --force "$tree"' EXIT
  "$tree/tools/build.sh" release berth
  binaries+=("$tree/build/release/berth")
fi
rounds=$([[ -n $baseline ]] && echo 5 || echo 1)
for script in "${scripts[@]}"; do
  for ((round = 1; round <= rounds; round++)); do
    for binary in "${binaries[@]}"; do
      echo "== $(basename "$script" .sh) round $round: $binary"
      bash "$script" "$binary"
    done
  done
done
