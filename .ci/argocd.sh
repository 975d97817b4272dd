#!/usr/bin/env bash
# A real Argo CD and the life of an environment under it (tests/gitops/argo): a node of infra/cluster, bootstrap/install,
# and Argo CD's controllers as processes beside the node; then the node is taken down, also on Ctrl-C.
#
#     .ci/argocd.sh            builds what is missing: up to half an hour, once
#     .ci/argocd.sh --built    says SKIPPED where that would be needed
#
# ARGOCD_ALL=1 has those children, too, that take most of the time. CHARTS_DIR: a folder with the charts of others; else they
# come from their public places. CLUSTER_NAME names the node, PYTEST_ARGS may be set. Logs and figures are left in
# build/argocd.
# shellcheck disable=SC2317 # what traps call
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

unset KUBECONFIG E2E_KUBECONFIG
export CLUSTER_NAME=${CLUSTER_NAME:-argocd}
node=infra/cluster/cluster
folder=build/argocd
images=(metrics-server collector tools)
[ -z "${ARGOCD_ALL:-}" ] || images+=(operator config-reloader prometheus alertmanager kube-state-metrics adapter)
read -ra pytest_args <<<"${PYTEST_ARGS:-}"
ours=""

# take_down: the node, if we brought it up.
take_down() {
    [ -z "$ours" ] || { ours="" && "$node" down >&2; }
}
trap 'take_down || echo "FAILED: the node was left behind" >&2' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# give_up WHY: what cannot be had here, and what stays unproved by it.
give_up() {
    skipped "Argo CD" "$1; unproved: that Argo CD makes a cluster what infra/gitops says, in waves, and takes it back"
    total
    exit
}

# python LINE...: of the node's package.
python() { PYTHONPATH=infra/cluster /usr/bin/python3 -B -c "$(printf '%s\n' "$@")"; }

# unbuilt: what is missing, a line each: Go programs, and the service's image.
unbuilt() {
    local -a names
    mapfile -t names < <(python 'from glassbox_cluster import images' \
        "print('argocd', 'kube', *sorted({need for row in images.chosen('${images[*]} coredns pause'.split()) for need in row.needs}), sep='\n')")
    .ci/tools.sh --missing "${names[@]}"
}

started=$SECONDS
.ci/deps.sh argocd
# shellcheck disable=SC2034 # pytests uses it
venv=$(.ci/venv.sh "$ALERTS_REQUIREMENTS")
if [ "${1:-}" = --built ]; then
    mapfile -t missing < <(unbuilt)
    [ "${#missing[@]}" -eq 0 ] || give_up "not built yet: ${missing[*]} (.ci/argocd.sh builds)"
fi
programs=$(.ci/kubectl.sh) || true
usable "helm and kubectl" "$programs" || give_up "no helm and kubectl"
CHARTS_DIR=$(.ci/charts.sh) || give_up "the charts of others: $CHARTS_DIR"
argocd=$(.ci/tools.sh argocd) || true
usable "Argo CD" "$argocd" || { total && exit; }
export CHARTS_DIR ARGOCD_BIN=$argocd
! "$node" status >/dev/null 2>&1 || { tally "node" 0 1 0 "$CLUSTER_NAME is up already: $node down" && total && exit; }
status=0
"$node" build glassbox "${images[@]}" >&2 || status=$?
[ "$status" -ne 75 ] || give_up "no node here"
[ "$status" -eq 0 ] || { tally "node" 0 1 0 "it does not build" && total && exit; }
IMAGE=$(python 'from glassbox_cluster import images' "print(images.made(['glassbox'])[0][1])")
export IMAGE

rm -rf "$folder"
mkdir -p "$folder"
ours=yes
step "node" "$node" up --images "$(IFS=, && echo "${images[*]}")"
if [ "$FAILED" -eq 0 ]; then
    say "tests/gitops/argo"
    pytests "tests/gitops/argo" "$folder/junit.xml" "" -c tests/gitops/argo/pytest.ini tests/gitops/argo "${pytest_args[@]}"
fi
step "nothing is left behind" take_down
printf '\n%s\nargocd: %d s\n' "$(cat "$folder/figures.txt" 2>/dev/null || true)" $((SECONDS - started))
total
