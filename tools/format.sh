#!/usr/bin/env bash
# format.sh [--check] [file…]   clang-format 19 over the given files, or over every C++ file of the repository.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

mode=(-i)
if [[ ${1:-} == --check ]]; then
  mode=(--dry-run --Werror)
  shift
fi
if [[ $# -gt 0 ]]; then
  files=("$@")
else
  folders=()
  for folder in src tests fuzz bench cmake/pch; do [[ ! -d $folder ]] || folders+=("$folder"); done
  mapfile -t files < <(find "${folders[@]}" \( -name '*.h' -o -name '*.cpp' \) -not -path '*/golden/*' | sort)
fi
[[ ${#files[@]} -gt 0 ]] || exit 0
printf '%s\0' "${files[@]}" | xargs -0 -n 16 -P "$(nproc)" clang-format-19 "${mode[@]}" || {
  echo "format: run ./dev format" >&2
  exit 1
}
