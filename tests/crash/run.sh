#!/usr/bin/env bash
# Kill rounds: SIGKILL at random moments under load, then a check of everything that was acknowledged.
# usage: tests/crash/run.sh [ROUNDS=50] [--seed N]      BERTH_BIN=… tests another build
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
exec /usr/bin/python3 kill_rounds.py "$@"
