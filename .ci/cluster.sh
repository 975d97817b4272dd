#!/usr/bin/env bash
# A Kubernetes cluster to look around in (infra/cluster/README.md): `make cluster`, `make cluster-down`.
#
#     .ci/cluster.sh up        starts it; with STACK=1 also all that watches the service, the service, and a Gateway as
#                              the door to it, by charts/stack/install (CHARTS_DIR: a folder of the charts of others,
#                              GATEWAY_API_CRDS: a file, else they are fetched)
#     .ci/cluster.sh down
#     .ci/cluster.sh test      the node's own tests (tests/cluster), counted: a part of `make check`
#
# CLUSTER_NAME names it, and so several.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

cluster=infra/cluster/cluster

start() {
    .ci/deps.sh cluster
    if [ -z "${STACK:-}" ]; then
        "$cluster" up
    else
        # From outside, and before anything is built: no way leads out of the node.
        CHARTS_DIR=$(.ci/charts.sh) || { echo "the charts: $CHARTS_DIR (CHARTS_DIR names a folder that has them)" >&2 && exit 75; }
        GATEWAY_API_CRDS=$(.ci/crds.sh) || { echo "the Gateway API's CRDs: $GATEWAY_API_CRDS" >&2 && exit 75; }
        export CHARTS_DIR GATEWAY_API_CRDS
        # One that is up is given what it lacks.
        if "$cluster" status >/dev/null 2>&1; then "$cluster" load --all >&2; else "$cluster" up --all; fi
        "$cluster" enter charts/stack/install --profile demo --gateway --overlay "$("$cluster" values)"
    fi
    cat >&2 <<NEXT

$cluster status                           what runs, and what it takes
$cluster enter kubectl get pods -A        any command inside: kubectl and helm are in its PATH
$cluster enter bash                       a shell there
$cluster load --all                       the images that the charts want
make cluster-down                                        ends it; nothing is left
NEXT
    [ -z "${STACK:-}" ] || cat >&2 <<NEXT
$cluster enter charts/stack/doctor        whether every link from pod to dashboard holds
$cluster enter kubectl -n glassbox get hpa -w
NEXT
}

tests() {
    local venv
    if ! .ci/deps.sh cluster; then
        skipped "cluster node" "its packages cannot be installed"
        total
        return
    fi
    venv=$(.ci/venv.sh "$ALERTS_REQUIREMENTS")
    mkdir -p build/check
    pytests "cluster node" build/check/cluster.xml "" tests/cluster
    total
}

case ${1:-up} in
up) start ;;
down) "$cluster" down ;;
test) tests ;;
*) echo "what is $1? up, down or test" >&2 && exit 2 ;;
esac
