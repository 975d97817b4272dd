#!/usr/bin/env bash
# Which environment's release a push to main has changed, for the gate after it: `.ci/promoted.sh BEFORE AFTER`
#
#     environment=staging
#     reverts=no               yes when that commit takes a promotion back
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

refuse() { echo "promoted: $*" >&2 && exit 2; }

[ $# -eq 2 ] || refuse "usage: .ci/promoted.sh BEFORE AFTER, two commits"
for commit in "$@"; do
    git rev-parse --verify --quiet "$commit^{commit}" >/dev/null || refuse "there is no commit $commit here"
done
mapfile -t environments < <(git diff --name-only "$1" "$2" |
    sed -n 's#^infra/gitops/environments/\(staging\|prod\)/release\.yaml$#\1#p')
[ "${#environments[@]}" -eq 1 ] ||
    refuse "between $1 and $2 changed: ${environments[*]:-no release of staging or prod}; a push promotes one environment"
echo "environment=${environments[0]}"
message=$(git log -1 --format=%B "$2" -- "infra/gitops/environments/${environments[0]}/release.yaml")
case $message in *"This reverts commit "*) echo "reverts=yes" ;; *) echo "reverts=no" ;; esac
