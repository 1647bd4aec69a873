#!/usr/bin/env bash
# guard.sh [--update] [--profile KIND] [--keep]
# Counts instructions, allocations, system calls and fsyncs of the hot requests on build/release/berth and fails on a
# rise over tests/guard/figures.json. BERTH_BIN=… measures another build.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
/usr/bin/python3 -B -m pytest -q -p no:cacheprovider tests/guard
exec /usr/bin/python3 -B tests/guard/guard.py "$@"
