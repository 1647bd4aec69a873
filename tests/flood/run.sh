#!/usr/bin/env bash
# Floods against the built program: connections, sessions, heads, slow peers. Prints what each of them costs.
# usage: tests/flood/run.sh [PYTEST OPTIONS…]      BERTH_BIN=… tests another build
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
exec /usr/bin/python3 -m pytest -q -p no:cacheprovider --tb=short "$@" .
