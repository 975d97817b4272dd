#!/usr/bin/env bash
# Makes a Python environment of pinned packages, once for each content of its requirements, outside
# the work tree, and prints its folder: `python=$(.ci/venv.sh tests/requirements.txt)/bin/python`.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

requirements=$1
key=$(/usr/bin/python3 --version | cat - "$requirements" | sha256sum | cut -c1-16)
folder=$CACHE/venv-$key
if [ ! -e "$folder/complete" ]; then
    say "making the Python environment of $requirements" 
    mkdir -p "$CACHE"
    # A lock, because two runs may want it at once; a mark at the end, because either may be killed.
    exec 9>"$CACHE/venv-$key.lock"
    flock 9
    if [ ! -e "$folder/complete" ]; then
        rm -rf "$folder"
        /usr/bin/python3 -m venv "$folder" >&2
        "$folder/bin/pip" install --quiet --disable-pip-version-check --no-input \
            -r "$requirements" >&2
        touch "$folder/complete"
    fi
fi
echo "$folder"
