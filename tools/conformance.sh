#!/usr/bin/env bash
# Runs the official OCI conformance suite against Berth: spec version 1.1 and dev, each against a server that accepts
# sparse manifests (every option and data set on) and again against a strict one (all but the sparse data set).
# usage: tools/conformance.sh [noauth] [RUN…]     RUN: 1.1-sparse 1.1-strict dev-sparse dev-strict; default: all four
#        noauth  without credentials, the default
# environment: BERTH_BIN       the server to start (default build/release/berth)
#              BERTH_REGISTRY  host:port of a running plain-HTTP registry to test instead of starting one
# The suite's own reports (report.html shows every request) stay in build/conformance/RUN.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
berth=${BERTH_BIN:-$root/build/release/berth}
suite=$root/build/tools/bin/conformance
reports=$root/build/conformance
start_seconds=15
stop_seconds=15
work=
server_pid=

fail() {
  echo "conformance: $*" >&2
  echo "0 passed, 1 failed"
  exit 1
}

# Ends the server by its pid: politely, then after $stop_seconds for good.
stop_server() {
  [[ -n $server_pid ]] || return 0
  kill -TERM "$server_pid" 2>/dev/null || true
  local end=$((SECONDS + stop_seconds))
  while kill -0 "$server_pid" 2>/dev/null; do
    if ((SECONDS >= end)); then
      echo "conformance: the server ignored SIGTERM for $stop_seconds s, killing it" >&2
      kill -KILL "$server_pid" 2>/dev/null || true
      break
    fi
    sleep 0.05
  done
  wait "$server_pid" 2>/dev/null || true
  server_pid=
}

clean_up() {
  stop_server
  [[ -z $work ]] || rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# Starts a server with reference policy $1 on a free port and sets $address once it says where it listens.
start_server() {
  local policy=$1 data=$2 log=$2.log end=$((SECONDS + start_seconds))
  [[ -x $berth ]] || fail "no server at $berth: build it first (./dev build release) or set BERTH_BIN"
  : >"$log"
  "$berth" serve --listen 127.0.0.1:0 --data "$data" --reference-policy "$policy" --anonymous write >"$log" 2>&1 &
  server_pid=$!
  address=
  while [[ -z $address ]]; do
    address=$(sed -n 's|.*berth: listening on http://\([0-9.]*:[0-9]*\).*|\1|p' "$log" | head -n 1)
    [[ -n $address ]] && break
    if ! kill -0 "$server_pid" 2>/dev/null || ((SECONDS >= end)); then
      tail -n 20 "$log" >&2
      fail "the server did not say 'berth: listening on http://…' within $start_seconds s, its log is above"
    fi
    sleep 0.02
  done
}

# One run of the suite, in its own repositories; its exit code is the gate's business.
run_suite() {
  local run=$1 version=${1%-*} policy=${1##*-} sparse=false log
  [[ $policy == sparse ]] && sparse=true
  rm -rf "${reports:?}/$run"
  mkdir -p "$reports/$run"
  log=$reports/$run/output.txt
  if [[ -n ${BERTH_REGISTRY:-} ]]; then
    address=$BERTH_REGISTRY
  else
    start_server "$policy" "$work/$run"
  fi
  # Four switches are off in 1.1 and on in dev: naming them makes both versions test all there is.
  (
    cd "$work"
    export OCI_REGISTRY=$address OCI_TLS=disabled OCI_VERSION=$version OCI_DATA_SPARSE=$sparse
    export OCI_REPO1=conformance/$run/first OCI_REPO2=conformance/$run/second OCI_RESULTS_DIR=$reports/$run
    export OCI_API_BLOBS_UPLOAD_CANCEL=true OCI_API_BLOBS_DIGEST_HEADER=true
    export OCI_API_MANIFESTS_DIGEST_HEADER=true OCI_API_MANIFESTS_TAG_PARAM=true
    timeout 300 "$suite"
  ) >"$log" 2>&1 || true
  if [[ -n $server_pid ]]; then
    if ! kill -0 "$server_pid" 2>/dev/null; then
      tail -n 20 "$work/$run.log" >&2
      fail "the server died during the run $run, the end of its log is above"
    fi
    stop_server
  fi
}

[[ ${1:-} != noauth ]] || shift
for run in "$@"; do
  [[ $run =~ ^(1\.1|dev)-(sparse|strict)$ ]] ||
    fail "unknown run '$run' (known: 1.1-sparse 1.1-strict dev-sparse dev-strict)"
done
runs=("$@")
((${#runs[@]})) || runs=(1.1-sparse 1.1-strict dev-sparse dev-strict)

command -v python3 >/dev/null || fail "python3 is missing"
python3 "$root/tests/conformance/gate_test.py" --quiet 2>/dev/null ||
  fail "the gate fails its own test: python3 tests/conformance/gate_test.py"
"$root/tools/go_tools.sh" conformance || fail "the conformance suite could not be built"
work=$(mktemp -d "${TMPDIR:-/tmp}/berth-conformance.XXXXXX")
for run in "${runs[@]}"; do
  run_suite "$run"
done
python3 "$root/tests/conformance/gate.py" "$reports" "${runs[@]}"
