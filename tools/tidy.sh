#!/usr/bin/env bash
# tidy.sh [--all | file…]   clang-tidy 19 on what differs from the branch's base: changed .cpp files, and for a changed
# header the .cpp of the same name or, without one, the first file that includes it. About 10 s of CPU per file.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

all_sources() { find src tests fuzz -name '*.cpp' -not -path '*/golden/*' | sort; }

changed_files() {
  local base
  base=$(git merge-base HEAD '@{upstream}' 2>/dev/null || git rev-parse -q --verify HEAD^ || git rev-parse -q --verify HEAD || true)
  {
    [[ -z $base ]] || git diff --name-only "$base"
    git ls-files -o --exclude-standard
  } | grep -E '^(src|tests|fuzz)/.*\.(h|cpp)$' | sort -u || true
}

sources_of() {  # file names → the .cpp files that stand for them
  local file
  while read -r file; do
    if [[ $file == *.cpp ]]; then
      echo "$file"
    elif [[ -f ${file%.h}.cpp ]]; then
      echo "${file%.h}.cpp"
    elif [[ -f $file ]]; then
      all_sources | xargs grep -lF "#include \"${file#*/}\"" | head -n 1 || true
    fi
  done | sort -u | xargs -r ls 2>/dev/null || true
}

case ${1:-} in
  --all) mapfile -t files < <(all_sources) ;;
  '') mapfile -t files < <(changed_files | sources_of) ;;
  *) files=("$@") ;;
esac
[[ ${#files[@]} -gt 0 ]] || { echo "tidy: nothing changed"; exit 0; }

# A configuration of its own: without precompiled headers, which would hide a missing include. Nothing is built in it.
dir=build/tidy
cmake --preset debug -B "$dir" -DBERTH_PCH=OFF >/dev/null
echo "tidy: ${#files[@]} files"

# In a test, an optional without a value is a failed test and no more.
tidy_one() {
  local checks=()
  [[ $2 != *_test.cpp ]] || checks=(--checks=-bugprone-unchecked-optional-access)
  clang-tidy-19 -p "$1" --quiet "${checks[@]}" "$2" 2>/dev/null
}
export -f tidy_one
# A finding in a header comes with each file that includes it; it is printed once.
printf '%s\0' "${files[@]}" | xargs -0 -P "$(nproc)" -I{} bash -c 'tidy_one "$@"' tidy "$dir" {} \
  | awk '/: (error|warning): / { show = !seen[$0]++ } show { print; fflush() }'
echo "tidy: clean"
