#!/usr/bin/env bash
# What this commit is called: its tag without the v, else the next version as a prerelease that sorts by distance from the
# last tag and says the commit, 0.1.0-dev.12+gabc1234 say.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

if tag=$(git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null); then
    echo "${tag#v}"
else
    last=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null || true)
    echo "$(<telemetry/VERSION)-dev.$(git rev-list --count "${last:+$last..}HEAD")+g$(git rev-parse --short=7 HEAD)"
fi
