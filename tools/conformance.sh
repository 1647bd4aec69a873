#!/usr/bin/env bash
# Runs the official OCI conformance suite against Berth: spec version 1.1 and dev, each against a server that accepts
# sparse manifests (every option and data set on) and again against a strict one (all but the sparse data set); all of it
# without accounts, with Basic credentials, and with tokens of the built-in token service.
# usage: tools/conformance.sh [MODE…] [RUN…]      MODE: noauth basic bearer; RUN: 1.1-sparse 1.1-strict dev-sparse
#                                                 dev-strict; default: all of them
# environment: BERTH_BIN       the server to start (default build/release/berth)
#              BERTH_REGISTRY  host:port of a running plain-HTTP registry to test instead of starting one, as noauth
#              TMPDIR          where the servers keep their data (default: in memory; what a disk loses is tests/crash's)
# The suite's own reports (report.html shows every request) stay in build/conformance/MODE/RUN.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
berth=${BERTH_BIN:-$root/build/release/berth}
suite=$root/build/tools/bin/conformance
reports=$root/build/conformance
start_seconds=15
stop_seconds=15
user=conformance  # owns the namespace that the suite pushes to
password=correct-horse-battery
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

# In memory, if there is some to spare: two thirds of a run on a disk is waiting for syncs.
scratch_folder() {
  local memory=/dev/shm room
  room=$(df -P -B 1048576 "$memory" 2>/dev/null | awk 'NR == 2 { print $4 }')
  if [[ -z ${TMPDIR:-} && -w $memory && ${room:-0} -ge 1024 ]]; then
    echo "$memory"
  else
    echo "${TMPDIR:-/tmp}"
  fi
}

# Makes the account of a mode in the data folder $2, beside the administrator that a registry has first, and prints the
# options of a server that is to ask for it.
prepare_mode() {
  local mode=$1 data=$2
  [[ $mode != noauth ]] || { echo "--anonymous write"; return; }
  printf %s "$password" | "$berth" user add root --admin --password-stdin --data "$data" >/dev/null
  printf %s "$password" | "$berth" user add "$user" --password-stdin --data "$data" >/dev/null
  case $mode in
    basic) echo "--anonymous off --auth-mode basic" ;;
    bearer) echo "--anonymous off --auth-mode token" ;;
  esac
}

# Starts a server for mode $1 with reference policy $2 on a free port and sets $address once it says where it listens.
start_server() {
  local mode=$1 policy=$2 data=$3 log=$3.log end=$((SECONDS + start_seconds)) options
  [[ -x $berth ]] || fail "no server at $berth: build it first (./dev build release) or set BERTH_BIN"
  : >"$log"
  options=$(prepare_mode "$mode" "$data") || fail "the account for $mode could not be made"
  # shellcheck disable=SC2086  # several words
  "$berth" serve --listen 127.0.0.1:0 --data "$data" --reference-policy "$policy" $options >"$log" 2>&1 &
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
  local mode=${1%/*} run=$1 name=${1#*/} sparse=false log
  local version=${name%-*} policy=${name##*-}
  [[ $policy == sparse ]] && sparse=true
  rm -rf "${reports:?}/$run"
  mkdir -p "$reports/$run"
  log=$reports/$run/output.txt
  if [[ -n ${BERTH_REGISTRY:-} ]]; then
    address=$BERTH_REGISTRY
  else
    start_server "$mode" "$policy" "$work/data"
  fi
  # Four switches are off in 1.1 and on in dev: naming them makes both versions test all there is.
  (
    cd "$work"
    export OCI_REGISTRY=$address OCI_TLS=disabled OCI_VERSION=$version OCI_DATA_SPARSE=$sparse
    export OCI_REPO1=$user/$run/first OCI_REPO2=$user/$run/second OCI_RESULTS_DIR=$reports/$run
    [[ $mode == noauth ]] || export OCI_USERNAME=$user OCI_PASSWORD=$password
    export OCI_API_BLOBS_UPLOAD_CANCEL=true OCI_API_BLOBS_DIGEST_HEADER=true
    export OCI_API_MANIFESTS_DIGEST_HEADER=true OCI_API_MANIFESTS_TAG_PARAM=true
    timeout 300 "$suite"
  ) >"$log" 2>&1 || true
  if [[ -n $server_pid ]]; then
    if ! kill -0 "$server_pid" 2>/dev/null; then
      tail -n 20 "$work/data.log" >&2
      fail "the server died during the run $run, the end of its log is above"
    fi
    stop_server
    check_mode "$mode" "$work/data.log"
    rm -rf "$work/data" "$work/data.log"  # memory
  fi
}

# Whether the suite came in the way that the mode is about: by the requests the server logged.
check_mode() {
  local mode=$1 log=$2 tokens
  tokens=$(grep -c 'route=token\|"route":"token"' "$log" || true)
  if [[ $mode == bearer ]]; then
    ((tokens > 0)) || fail "nobody asked for a token in the mode bearer"
  else
    ((tokens == 0)) || fail "somebody asked for a token in the mode $mode"
  fi
}

modes=()
names=()
for word in "$@"; do
  case $word in
    noauth | basic | bearer) modes+=("$word") ;;
    1.1-sparse | 1.1-strict | dev-sparse | dev-strict) names+=("$word") ;;
    *) fail "unknown mode or run '$word' (known: noauth basic bearer, 1.1-sparse 1.1-strict dev-sparse dev-strict)" ;;
  esac
done
((${#modes[@]})) || modes=(noauth basic bearer)
((${#names[@]})) || names=(1.1-sparse 1.1-strict dev-sparse dev-strict)
[[ -z ${BERTH_REGISTRY:-} ]] || modes=(noauth)
runs=()
for mode in "${modes[@]}"; do
  for name in "${names[@]}"; do runs+=("$mode/$name"); done
done

command -v python3 >/dev/null || fail "python3 is missing"
python3 "$root/tests/conformance/gate_test.py" --quiet 2>/dev/null ||
  fail "the gate fails its own test: python3 tests/conformance/gate_test.py"
"$root/tools/go_tools.sh" conformance || fail "the conformance suite could not be built"
work=$(mktemp -d "$(scratch_folder)/berth-conformance.XXXXXX")
for run in "${runs[@]}"; do
  run_suite "$run"
done
python3 "$root/tests/conformance/gate.py" "$reports" "${runs[@]}"
