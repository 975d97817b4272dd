#!/usr/bin/env bash
# Takes into the tree, from what `make fuzz` has found, the inputs that reach code which the seeds
# there do not: `.ci/fuzz_seeds.sh`, after a long run. Inputs over SEED_BYTES_MAX are left out, and
# what was taken before (a name of 40 hex digits) is chosen anew; seeds with names of their own stay.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

SEED_BYTES_MAX=2048
for target in build/fuzz/fuzzers/fuzz_*; do
    name=${target##*/}
    found=$CACHE/fuzz/$name
    [ -d "$found" ] || continue
    folder=tests/fuzz/corpus/$name
    [ -e "tests/fuzz/$name.c" ] || folder=telemetry/$folder
    pool=$(mktemp -d)
    mkdir -p "$folder"
    find "$folder" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' -exec mv -t "$pool" {} +
    find "$found" -type f -size "-$((SEED_BYTES_MAX + 1))c" -exec cp -t "$pool" {} +
    "$target" -merge=1 -use_counters=0 "$folder" "$pool" >/dev/null 2>&1 </dev/null
    printf '%-24s %4d seeds %7d bytes\n' "$name" "$(find "$folder" -type f | wc -l)" \
        "$(find "$folder" -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }')"
    rm -rf "$pool"
done
