#!/usr/bin/env bash
# A promotion as a pull request: infra/gitops/promote changes one environment's release.yaml, this takes the change to GitHub.
#
#     .ci/propose.sh --merge set dev --image NAME@sha256:… --revision COMMIT --version V
#     .ci/propose.sh copy dev staging [--judged SHA256] [--again]
#     .ci/propose.sh rollback prod [--of COMMIT]
#
# Works on main as origin has it, on a branch of its own, one an environment, so that the newest proposal takes the place
# of one that nobody merged; the checkout stays where it was. GitHub starts no workflow for what a job's own token pushes,
# so that the check which main requires would never come: that nothing but this one file differs from main is checked here,
# and said as that check's status. --merge merges at once, which main's rules allow where a path has no owner: dev's.
# GH_TOKEN is the token; gh the tool. build/propose/release has the sha256 of the release.yaml that was proposed, or nothing
# where there was nothing to propose.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

refuse() { echo "propose: $*" >&2 && exit 2; }

merge=""
[ "${1:-}" != --merge ] || { merge=yes && shift; }
case ${1:-}:$# in
set:8 | rollback:2 | rollback:4) environment=$2 ;;
copy:[3-6]) environment=$3 ;;
*) refuse "usage: [--merge] set ENV --image … --revision … --version …, or copy FROM TO [--judged SHA256] [--again], or rollback ENV [--of COMMIT]" ;;
esac
case $environment in dev | staging | prod) ;; *) refuse "no such environment: '$environment'; there are dev, staging, prod" ;; esac
[ -z "$merge" ] || [ "$environment" = dev ] || refuse "--merge is for dev alone; what changes $environment is merged by a person"
have gh || refuse "gh, GitHub's command line, is not there"
[ -n "${GH_TOKEN:-}" ] || refuse "GH_TOKEN is not set"

branch=deliver/$environment
[ "$1" != rollback ] || branch=rollback/$environment
file=infra/gitops/environments/$environment/release.yaml
# The checkout keeps no token, and a private repository is not even read without one: each git from here on, promote's too,
# asks gh for it. The first, empty, forgets the helpers of the machine.
export GIT_CONFIG_COUNT=2
export GIT_CONFIG_KEY_0=credential.helper GIT_CONFIG_VALUE_0=
export GIT_CONFIG_KEY_1=credential.helper GIT_CONFIG_VALUE_1='!gh auth git-credential'
mkdir -p build/propose
: >build/propose/release
git fetch --quiet origin main
base=$(git rev-parse FETCH_HEAD)
tree=$(mktemp -d)
body=$(mktemp)
trap 'git worktree remove --force "$tree" >/dev/null 2>&1; rm -rf "$tree" "$body"' EXIT
git worktree add --quiet --detach "$tree" "$base"

"$tree/infra/gitops/promote" "$@" --repository "$tree" | tee "$body"
changed=$(git -C "$tree" diff --name-only "$base" HEAD)
[ -n "$changed" ] || exit 0 # promote has said why: it is there already, or something newer is
[ "$changed" = "$file" ] || refuse "a promotion changes $file and nothing else; this one changes: ${changed//$'\n'/, }"
commit=$(git -C "$tree" rev-parse HEAD)
sha256sum <"$tree/$file" | cut -d' ' -f1 >build/propose/release
title=$(git -C "$tree" log -1 --format=%s)

git push --quiet --force origin "$commit:refs/heads/$branch"
gh api --silent --method POST "repos/{owner}/{repo}/statuses/$commit" --field state=success --field context=required \
    --field description="Only $environment's release.yaml differs from main"
number=$(gh pr list --base main --head "$branch" --state open --json number --jq '.[0].number')
if [ -n "$number" ]; then
    gh pr edit "$number" --title "$title" --body-file "$body"
else
    gh pr create --base main --head "$branch" --title "$title" --body-file "$body"
    number=$(gh pr list --base main --head "$branch" --state open --json number --jq '.[0].number')
fi
[ -n "$merge" ] || exit 0
# GitHub takes its time to see that it may be merged.
for try in 1 2 3 4 5 6; do
    ! gh pr merge "$number" --squash --delete-branch --match-head-commit "$commit" || exit 0
    echo "propose: not merged, try $try" >&2
    sleep "${PROPOSE_PAUSE:-10}"
done
echo "propose: pull request $number is open, and GitHub does not merge it" >&2
exit 1
