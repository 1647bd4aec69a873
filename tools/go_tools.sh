#!/usr/bin/env bash
# Builds the Go programs of tools/go_tools.txt into build/tools/bin, each once per pinned version.
# usage: tools/go_tools.sh [NAME…]      without names: all of them
# A tool whose stamp (build/tools/stamps/NAME) shows the pinned version and the Go version is left alone.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
list=$root/tools/go_tools.txt
bin=$root/build/tools/bin
stamps=$root/build/tools/stamps

fail() {
  echo "go_tools: $*" >&2
  exit 1
}

# Builds PACKAGE@VERSION as $bin/NAME in a throw-away module. `go install PACKAGE@VERSION` would be shorter but
# refuses modules whose go.mod has replace directives, and several of these have had them.
build_tool() {
  local name=$1 package=$2 version=$3 work
  work=$(mktemp -d)
  if ! (
    cd "$work"
    export GOFLAGS="-mod=mod -buildvcs=false" CGO_ENABLED=0 GOWORK=off
    go mod init berth.local/tool &&
      go get "$package@$version" &&
      go build -p 2 -trimpath -ldflags='-s -w' -o "$work/$name" "$package"
  ) >"$work/log" 2>&1; then
    tail -n 20 "$work/log" >&2
    rm -rf "$work"
    fail "cannot build $name ($package@$version), the end of its log is above"
  fi
  mv "$work/$name" "$bin/$name"
  rm -rf "$work"
}

wanted=" $* "
known=" "
command -v go >/dev/null || fail "the Go toolchain is missing: install Go 1.24 or newer, then call this again"
[[ -r $list ]] || fail "cannot read $list"
mkdir -p "$bin" "$stamps"
go_version=$(go env GOVERSION)

# Two suites may start at once: the second waits here and then finds everything built.
exec 9>"$root/build/tools/lock"
flock 9

while read -r name package version _; do
  [[ -z $name || $name == \#* ]] && continue
  known+="$name "
  [[ $wanted != "  " && $wanted != *" $name "* ]] && continue
  stamp="$package $version $go_version"
  if [[ -x $bin/$name && -r $stamps/$name && $(<"$stamps/$name") == "$stamp" ]]; then
    continue
  fi
  started=$SECONDS
  build_tool "$name" "$package" "$version"
  echo "$stamp" >"$stamps/$name"
  echo "go_tools: built $name $version in $((SECONDS - started)) s"
done <"$list"

for name in "$@"; do
  [[ $known == *" $name "* ]] || fail "no tool named '$name' in tools/go_tools.txt (known:${known% })"
done
