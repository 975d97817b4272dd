#!/usr/bin/env bash
# `make e2e`: a cluster, all of charts/stack on it, and the tests of tests/e2e against them; then it is taken down, also
# on Ctrl-C. Which cluster:
#
#     E2E_KUBECONFIG=FILE     that one; it must not have the namespaces glassbox, monitoring and e2e, and is left as it was found.
#                             An exported KUBECONFIG is never taken: the tests install, evict and kill.
#     else                    kind where Docker runs, else a real node without Docker (infra/cluster), named CLUSTER_NAME.
#                             One that is up already is used, and left up.
#
# CHARTS_DIR: a folder with the charts of others; else they come from their public places. PYTEST_ARGS may be set.
# Tables are left in build/e2e.
# shellcheck disable=SC2317 # what traps call
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

unset KUBECONFIG
folder=build/e2e
node=infra/cluster/cluster
mkdir -p "$folder"
rm -f "$folder"/*.md "$folder"/*.txt "$folder"/*.json
read -ra pytest_args <<<"${PYTEST_ARGS:-}"
install=(charts/stack/install --profile demo)
ours="" installed="" before="" child=""

# ---- whatever happens, it is taken down ----------------------------------------------------------

# run COMMAND...: in a session of its own, so that Ctrl-C reaches it through us alone, and only once.
run() {
    local status=0
    setsid "$@" >&2 </dev/null &
    child=$!
    wait "$child" || status=$?
    child=""
    return "$status"
}

# stop: what goes on gets a minute to restore what it has changed.
stop() {
    [ -n "$child" ] || return 0
    kill -TERM "$child" 2>/dev/null || true
    for _ in $(seq 600); do
        kill -0 "$child" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL -- "-$child" 2>/dev/null || true
    child=""
}

# What a command is given to, to be run with the KUBECONFIG, helm and kubectl that are meant.
inside=("$node" enter)
in_cluster() { "${inside[@]}" "$@"; }

crds() { in_cluster kubectl get crds --output name | sort; }

# take_down: a node that we brought up, whole; of somebody's cluster what we installed.
take_down() {
    local status=0
    if [ -n "$ours" ]; then
        ours=""
        "$node" down >&2 || status=1
    elif [ -n "$installed" ] && [ -n "${E2E_KUBECONFIG:-}" ]; then
        installed=""
        in_cluster "${install[@]}" --uninstall >&2 || status=1
        in_cluster kubectl delete namespace glassbox monitoring e2e --ignore-not-found --timeout=180s >&2 || status=1
        # Helm leaves a chart's CustomResourceDefinitions.
        comm -13 <(printf '%s\n' "$before") <(crds) | while read -r crd; do
            in_cluster kubectl delete "$crd" --timeout=60s >&2
        done || status=1
    fi
    return "$status"
}

ending() {
    trap '' INT TERM HUP
    stop
    take_down || echo "FAILED: something was left behind" >&2
}
trap ending EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# ---- figures -------------------------------------------------------------------------------------

FIGURES=""
# figure NAME: how long it took since `began`.
figure() { FIGURES+=$(printf '%5d s  %s' "$((SECONDS - began))" "$1")$'\n'; }

# memory: what a node of ours takes, by its cgroup; of another cluster, what metrics-server knows of its pods.
memory() {
    local whole
    whole=$([ -n "${E2E_KUBECONFIG:-}" ] || "$node" status |
        sed -n 's/^cgroup.*: memory \([0-9]*\) MB, \([0-9.]*\) processors.*/\1 MB  memory of the whole node; \2 CPUs on average/p')
    if [ -n "$whole" ]; then
        printf '%5s' "${whole%% *}"
        printf ' %s\n' "${whole#* }"
    else
        in_cluster kubectl top pods --all-namespaces --no-headers |
            awk '{ mb += $4 } END { printf "%5d MB  memory of the pods\n", mb }'
    fi
}

finish() {
    printf '\n%s' "$FIGURES"
    total
    exit
}

# give_up WHY: what cannot be had here, and what stays unproved by it.
give_up() {
    skipped "cluster" "$1; unproved: that it is scraped, alerts, scales and rolls in a cluster without a loss"
    finish
}

# ---- what is needed ------------------------------------------------------------------------------

say "what a cluster needs"
began=$SECONDS
.ci/deps.sh stack
[ -n "${E2E_KUBECONFIG:-}" ] || .ci/deps.sh cluster
venv=$(.ci/venv.sh "$ALERTS_REQUIREMENTS")
programs=$(.ci/kubectl.sh) || true
usable "helm and kubectl" "$programs" || give_up "no helm and kubectl"
if [ -n "${E2E_KUBECONFIG:-}" ]; then
    E2E_KUBECONFIG=$(realpath "$E2E_KUBECONFIG")
    export E2E_KUBECONFIG
    inside=(env KUBECONFIG="$E2E_KUBECONFIG" PATH="$programs:$PATH")
    in_cluster kubectl version >&2 || { tally "cluster" 0 1 0 "E2E_KUBECONFIG: no API server answers" && finish; }
    for namespace in glassbox monitoring e2e; do
        ! in_cluster kubectl get namespace "$namespace" >/dev/null 2>&1 ||
            { tally "cluster" 0 1 0 "E2E_KUBECONFIG: it has a namespace $namespace already" && finish; }
    done
    before=$(crds)
    images=$folder/images.yaml
    "$venv/bin/python" tests/e2e/images.py >"$images"
    install+=(--values "$images")
else
    # A node has no way out to fetch them by itself.
    CHARTS_DIR=$(.ci/charts.sh) || give_up "the charts of others: $CHARTS_DIR"
    GATEWAY_API_CRDS=$(.ci/crds.sh) || give_up "the Gateway API's CRDs: $GATEWAY_API_CRDS"
    export CHARTS_DIR GATEWAY_API_CRDS
    install+=(--gateway)
    if "$node" status >/dev/null 2>&1; then
        say "a cluster is up already: it is used, and left up"
    else
        # 75: it says on its last line what cannot be had here.
        status=0
        ours=yes
        run "$node" build --all || status=$?
        if [ "$status" -eq 75 ]; then
            ours=""
            give_up "no node here"
        fi
        [ "$status" -eq 0 ] || { ours="" && tally "cluster" 0 1 0 "it does not build" && finish; }
    fi
fi
figure "what is needed is built"

# ---- up, installed, tested, down -----------------------------------------------------------------

if [ -n "$ours" ]; then
    began=$SECONDS
    step "cluster" run "$node" up --all
    figure "cluster"
    [ "$FAILED" -eq 0 ] || finish
fi
[ -n "${E2E_KUBECONFIG:-}" ] || install+=(--overlay "$("$node" values)")
# Whatever was begun is removed. 75: a chart of others cannot be had.
installed=yes
began=$SECONDS status=0
say "install"
run "${inside[@]}" "${install[@]}" || status=$?
[ "$status" -ne 75 ] || give_up "a chart of others cannot be had (CHARTS_DIR)"
[ "$status" -eq 0 ] || { tally "install" 0 1 0 && finish; }
tally "install" 1 0 0
figure "install"
say "tests"
began=$SECONDS
rm -f "$folder/junit.xml"
run "$venv/bin/python" -m pytest -p no:cacheprovider --durations=15 --junit-xml="$folder/junit.xml" tests/e2e --ignore=tests/e2e/unit \
    "${pytest_args[@]}" || true
# shellcheck disable=SC2046 # three numbers
tally "tests" $("$venv/bin/python" .ci/junit.py "$folder/junit.xml")
figure "tests"
FIGURES+=$(memory || echo "    ? MB  memory: nobody says")$'\n'
began=$SECONDS
step "nothing is left behind" take_down
figure "down"
finish
