#!/usr/bin/env bash
# docs.sh [--check]   Renews what is written by the program itself: docs/configuration.md and packaging/server.toml;
# and the table of operations in docs/api.md, which is api/openapi.yaml's.
# --check only compares.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
berth=${BERTH_BIN:-build/release/berth}
status=0
write() {
  local file=$1
  shift
  if [[ $check == yes ]]; then
    diff -u "$file" <("$berth" "$@") || { echo "docs: $file is out of date: run ./dev docs" >&2; status=1; }
  else
    "$berth" "$@" >"$file.new" && mv "$file.new" "$file"
  fi
}
check=no
[[ ${1:-} == --check ]] && check=yes
write docs/configuration.md config reference
write packaging/server.toml config defaults
if [[ $check == yes ]]; then
  /usr/bin/python3 tools/api_table.py --check || status=1
else
  /usr/bin/python3 tools/api_table.py
fi
exit "$status"
