#!/usr/bin/env bash
# What a built tool, a linter or a container has to say: `make check`.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

# part NAME SCRIPT: runs it and adds its closing line to ours.
part() {
    local name=$1 output passed failed skips
    shift
    output=$("$@") || true
    printf '%s\n' "$output" >&2
    if ! read -r passed failed skips < <(sed -n \
        's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' <<<"$output"); then
        passed=0 failed=1 skips=0
    fi
    tally "$name" "$passed" "$failed" "$skips"
}

part "lint" .ci/lint.sh
part "image" .ci/image.sh
total
