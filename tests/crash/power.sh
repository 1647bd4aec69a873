#!/usr/bin/env bash
# Simulated power cuts: crash states built from a recording of the server's system calls.
# usage: tests/crash/power.sh [STATES=30] [--seed N] [--ops N]      BERTH_BIN=… tests another build
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
exec /usr/bin/python3 power_loss.py "$@"
