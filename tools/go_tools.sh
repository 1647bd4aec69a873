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

# In the current folder, empty until now: a throw-away module that requires PACKAGE@VERSION. `go install PACKAGE@VERSION`
# would be shorter but refuses modules whose go.mod has replace directives, and several of these have had them.
# WITH, module@version, is a dependency that such a directive would have replaced; it may be empty. It is named and not
# looked for: `go get` of a commit wants to know its date, which the module proxy does not always tell.
require_package() {
  export GOFLAGS="-mod=mod -buildvcs=false"
  go mod init berth.local/tool
  if [[ -n ${3:-} ]]; then go mod edit -require="$3"; fi
  go get "$1@$2"
}

# In the current folder, empty until now: a copy of MODULE@VERSION, for a module that is served under another name than the one
# its go.mod gives it. Built as the main module, so that its own go.mod and go.sum decide what it is built from.
copy_module() {
  local copied
  export GOFLAGS="-mod=readonly -buildvcs=false"
  copied=$(go mod download -json "$1@$2" | tee /dev/stderr | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  [[ -n $copied ]] && cp -r "$copied/." . && chmod -R u+w .
}

# Builds PACKAGE@VERSION as $bin/NAME; MODULE, TAGS and WITH may be empty.
build_tool() {
  local name=$1 package=$2 version=$3 module=$4 tags=$5 with=$6 work
  work=$(mktemp -d)
  mkdir "$work/module"
  if ! (
    cd "$work/module"
    export CGO_ENABLED=0 GOWORK=off
    if [[ -n $module ]]; then copy_module "$module" "$version"; else require_package "$package" "$version" "$with"; fi &&
      go build -p 2 -trimpath -tags "$tags" -ldflags='-s -w' -o "$work/$name" "$package"
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
command -v go >/dev/null || fail "the Go toolchain is missing: install Go 1.25.8 or newer, then call this again"
[[ -r $list ]] || fail "cannot read $list"
mkdir -p "$bin" "$stamps"
go_version=$(go env GOVERSION)

# Two suites may start at once: the second waits here and then finds everything built.
exec 9>"$root/build/tools/lock"
flock 9

while read -r name package version options; do
  [[ -z $name || $name == \#* ]] && continue
  module='' tags='' with=''
  for option in $options; do
    case $option in
      from=*) module=${option#from=} ;;
      tags=*) tags=${option#tags=} ;;
      with=*) with=${option#with=} ;;
      *) fail "what is '$option' in the row of $name in tools/go_tools.txt?" ;;
    esac
  done
  known+="$name "
  [[ $wanted != "  " && $wanted != *" $name "* ]] && continue
  stamp="$package $version${options:+ $options} $go_version"
  if [[ -x $bin/$name && -r $stamps/$name && $(<"$stamps/$name") == "$stamp" ]]; then
    continue
  fi
  started=$SECONDS
  build_tool "$name" "$package" "$version" "$module" "$tags" "$with"
  echo "$stamp" >"$stamps/$name"
  echo "go_tools: built $name $version in $((SECONDS - started)) s"
done <"$list"

for name in "$@"; do
  [[ $known == *" $name "* ]] || fail "no tool named '$name' in tools/go_tools.txt (known:${known% })"
done
