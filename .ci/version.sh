#!/usr/bin/env bash
# What a commit is called, this one if none is named: its tag without the v, else the next version as a prerelease that sorts
# by distance from the last tag and says the commit, 0.1.0-dev.12+gabc1234 say. `.ci/version.sh [COMMIT]`
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

commit=$(git rev-parse --verify --quiet "${1:-HEAD}^{commit}") || { echo "version: there is no commit $1 here" >&2 && exit 2; }
if tag=$(git describe --tags --exact-match --match 'v[0-9]*' "$commit" 2>/dev/null); then
    echo "${tag#v}"
else
    last=$(git describe --tags --abbrev=0 --match 'v[0-9]*' "$commit" 2>/dev/null || true)
    echo "$(git show "$commit:telemetry/VERSION")-dev.$(git rev-list --count "${last:+$last..}$commit")+g$(git rev-parse --short=7 "$commit")"
fi
