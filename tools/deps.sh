#!/usr/bin/env bash
# deps.sh [--check] [group…]   Installs the Debian packages of tools/packages.txt that are missing (default: build).
# --check only lists them. Silent and quick (one dpkg-query) when nothing is missing.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

check_only=no
groups=()
for arg in "$@"; do
  if [[ $arg == --check ]]; then check_only=yes; else groups+=("$arg"); fi
done
[[ ${#groups[@]} -gt 0 ]] || groups=(build)

wanted=()
for group in "${groups[@]}"; do
  mapfile -t rows < <(awk -v want="[$group]" '/^\[/ { on = ($0 == want); next } on && /^[a-z0-9]/' tools/packages.txt)
  [[ ${#rows[@]} -gt 0 ]] || { echo "deps: tools/packages.txt has no group [$group]" >&2; exit 2; }
  wanted+=("${rows[@]}")
done

installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${wanted[@]}" 2>/dev/null | awk '/^[ih]i / { print $2 }' || true)
mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) <(sort -u <<<"$installed"))
[[ ${#missing[@]} -gt 0 ]] || exit 0
if [[ $check_only == yes ]]; then
  echo "missing: ${missing[*]}"
  exit 1
fi

as_root=()
if [[ $EUID -ne 0 ]]; then
  if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
    as_root=(sudo)
  else
    echo "Berth needs packages that are not installed; as root run: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
fi
command -v apt-get >/dev/null || { echo "Berth's build needs Debian 12 (or the equivalents of: ${missing[*]})" >&2; exit 1; }

# Packages with a daemon must not start it. The policy file is ours only while this script runs.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
fi

echo "installing: ${missing[*]}" >&2
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600)
install=("${apt[@]}" install -y --no-install-recommends "${missing[@]}")
log=$(mktemp)
# The package lists may be absent (fresh machine) or stale: refresh them when the first try fails.
if ! "${install[@]}" >"$log" 2>&1 && ! { "${apt[@]}" update >>"$log" 2>&1 && "${install[@]}" >>"$log" 2>&1; }; then
  tail -n 20 "$log" >&2
  echo "Berth could not install its packages; try: apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
rm -f "$log"
