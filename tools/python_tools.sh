#!/usr/bin/env bash
# Makes the Python environment of a suite that needs more than Debian has: build/tools/python/NAME, from the exact
# versions in its requirements.txt, and prints its interpreter. One that is up to date is left alone.
# usage: tools/python_tools.sh tests/NAME
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
suite=${1:?usage: tools/python_tools.sh tests/NAME}
requirements=$root/$suite/requirements.txt
environment=$root/build/tools/python/${suite##*/}
stamp=$environment/requirements.txt

mkdir -p "$environment"
exec 9>"$environment.lock"  # two suites may start at once: the second waits here and then finds it made
flock 9
if ! cmp -s "$requirements" "$stamp"; then
  /usr/bin/python3 -m venv --clear "$environment" >&2
  "$environment/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r "$requirements" >&2
  cp "$requirements" "$stamp"
fi
echo "$environment/bin/python"
