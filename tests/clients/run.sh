#!/usr/bin/env bash
# Runs the real container clients against a Berth server that the tests start themselves.
# usage: tests/clients/run.sh [NAME…] [--quick]
#   NAME     docker podman buildah skopeo containerd crane oras helm regctl scripted wire full_disk migrate proxies
#            accounts accounts_docker accounts_kubernetes jobs external_tokens expired_tokens ldap
#            client_certificates dex; default: all
#   --quick  only the tests marked quick, for CI
# environment: BERTH_BIN           the server (default build/release/berth)
#              BERTH_REGISTRY      host:port of a running plain-HTTP registry to use instead
#              BERTH_CLIENTS_KEEP  keep the temporary directories, with the daemons' logs
# Needs root: the engines are real. Everything they write lies in a temporary directory; ports and sockets are private.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
python=/usr/bin/python3
known="docker podman buildah skopeo containerd crane oras helm regctl scripted wire full_disk migrate proxies accounts accounts_docker accounts_kubernetes jobs external_tokens expired_tokens client_certificates ldap dex"
go_clients="crane oras helm regctl"
quick_go_clients="crane oras"

fail() {
  echo "clients: $*" >&2
  echo "0 passed, 1 failed"
  exit 1
}

names=()
quick=
for argument in "$@"; do
  case $argument in
    --quick) quick=1 ;;
    *)
      [[ " $known " == *" $argument "* ]] || fail "no client named '$argument' (known: $known)"
      names+=("$argument")
      ;;
  esac
done
if ((${#names[@]} == 0)); then
  read -ra names <<<"$known"
fi

[[ $(id -u) == 0 ]] || fail "the container engines need root: run this as root"
if [[ -z ${BERTH_REGISTRY:-} ]]; then
  berth=${BERTH_BIN:-$root/build/release/berth}
  [[ -x $berth ]] || fail "no server at $berth: build it first (./dev build release) or set BERTH_BIN"
fi
"$root/tools/deps.sh" clients || fail "the Debian packages of the clients could not be installed"
for program in cc zstd ctr dockerd docker-registry podman buildah skopeo runc nginx caddy haproxy; do
  command -v "$program" >/dev/null || fail "'$program' is not installed, although tools/deps.sh found nothing missing"
done
"$python" -c 'import pytest' 2>/dev/null || fail "$python has no pytest: install python3-pytest"
wanted_tools=()
for name in $([[ -n $quick ]] && echo "$quick_go_clients" || echo "$go_clients"); do
  [[ " ${names[*]} " == *" $name "* || (" ${names[*]} " == *" full_disk "* && "crane oras" == *"$name"*) ]] &&
    wanted_tools+=("$name")
done
[[ " ${names[*]} " == *" migrate "* ]] && wanted_tools+=(crane oras distribution)
[[ " ${names[*]} " == *" proxies "* ]] && wanted_tools+=(crane)
if [[ " ${names[*]} " =~ " "(accounts|jobs|external_tokens|expired_tokens) ]]; then
  wanted_tools+=(crane)
  [[ -n $quick ]] || wanted_tools+=(oras helm regctl crictl)
fi
[[ -z $quick && " ${names[*]} " == *" dex "* ]] && wanted_tools+=(dex)
if ((${#wanted_tools[@]})); then
  "$root/tools/go_tools.sh" "${wanted_tools[@]}" || fail "a Go client could not be built"
fi

files=()
for name in "${names[@]}"; do
  files+=("$here/test_$name.py")
done
counts=$(mktemp)
trap 'rm -f "$counts"' EXIT
code=0
PYTHONDONTWRITEBYTECODE=1 BERTH_CLIENTS_COUNTS=$counts "$python" -m pytest -p no:cacheprovider --rootdir "$here" \
  --tb=short --durations=5 ${quick:+-m quick} "${files[@]}" || code=$?
if [[ -s $counts ]]; then
  cat "$counts"
else
  echo "0 passed, 1 failed"
fi
exit "$code"
