#!/usr/bin/env bash
# Installs what .ci/npm/package-lock.json pins, once for each content of that folder, outside the work
# tree, and prints the folder: `modules=$(.ci/npm.sh)/node_modules`. No package's own scripts are run,
# and what arrives must have the sums of the lock file. On failure it prints why, and returns 1.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

if ! have npm; then
    .ci/deps.sh node >&2 || true
fi
if ! have npm; then
    echo "cannot be had: no npm"
    exit 1
fi
key=$({ node --version && cat .ci/npm/*; } | sha256sum | cut -c1-16)
folder=$CACHE/npm-$key
mkdir -p "$CACHE"
# A lock, because two runs may want it at once; a mark at the end, because either may be killed.
exec 9>"$folder.lock"
flock 9
if [ ! -e "$folder/complete" ]; then
    say "installing what .ci/npm pins"
    rm -rf "$folder"
    cp -r .ci/npm "$folder"
    if ! (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$folder.log" 2>&1; then
        cat "$folder.log" >&2
        # A sum that does not fit is a fault of ours, or worse; it is not for the network to explain.
        word="cannot be had"
        ! grep -q 'EINTEGRITY\|EUSAGE' "$folder.log" || word=broken
        echo "$word: $(grep -v '^ *$' "$folder.log" | head -n 1)"
        exit 1
    fi
    touch "$folder/complete"
fi
echo "$folder"
