#!/usr/bin/env bash
# Whether what an environment is to run does run there and holds its objectives: asks infra/gitops/gate until it says yes,
# for a rollout and a window of the query take their time, at most GATE_MINUTES.
#
#     URL=https://glassbox.dev.example.org CLUSTER_NAME=glassbox-dev AWS_REGION=eu-central-1 .ci/gate.sh dev
#
# PROMETHEUS_URL instead of CLUSTER_NAME where Prometheus can be reached itself, or KUBE_CONTEXT for a cluster that kubectl
# knows already; VERSION_URL where /version is not at URL; GATE_TRAFFIC requests a second are sent where users send too few;
# RELEASE is the sha256 of the release.yaml that is to be judged, if it is to be that one and no other.
# Status 0: held; 1: not, in all that time; 2: cannot be asked like this, which waiting does not mend.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

GATE=${GATE:-infra/gitops/gate}
GATE_MINUTES=${GATE_MINUTES:-20}
GATE_WINDOW=${GATE_WINDOW:-10m}
GATE_PAUSE=${GATE_PAUSE:-30}

refuse() { echo "gate: $*" >&2 && exit 2; }

environment=${1:-}
case $environment in dev | staging | prod) ;; *) refuse "no such environment: '$environment'; there are dev, staging, prod" ;; esac
[ -n "${URL:-}" ] || refuse "URL is not set; it is where $environment's users find it"
for name in GATE_MINUTES GATE_PAUSE; do
    [[ ${!name} =~ ^[0-9]{1,4}$ ]] || refuse "$name is '${!name}'; it is a whole number"
done
if [ -n "${RELEASE:-}" ]; then
    file=infra/gitops/environments/$environment/release.yaml
    [ -e "$file" ] || refuse "$environment has no release yet: there is no $file"
    there=$(sha256sum <"$file" | cut -d' ' -f1)
    [ "$there" = "$RELEASE" ] || refuse "$environment is to run another release by now: the sha256 of $file is $there, not RELEASE, $RELEASE"
fi
if [ -n "${PROMETHEUS_URL:-}" ]; then
    source=(--prometheus "$PROMETHEUS_URL")
elif [ -n "${KUBE_CONTEXT:-}" ]; then
    source=(--kube-context "$KUBE_CONTEXT")
elif [ -n "${CLUSTER_NAME:-}" ]; then
    [ -n "${AWS_REGION:-}" ] || refuse "AWS_REGION is not set; it is where cluster $CLUSTER_NAME is"
    KUBECONFIG=$(mktemp)
    export KUBECONFIG
    trap 'rm -f "$KUBECONFIG"' EXIT
    aws eks update-kubeconfig --name "$CLUSTER_NAME" --region "$AWS_REGION" --alias "$environment" >&2
    source=(--kube-context "$environment")
else
    refuse "where is $environment's Prometheus? One of PROMETHEUS_URL, KUBE_CONTEXT, CLUSTER_NAME is to be set"
fi

[ -z "${VERSION_URL:-}" ] || source+=(--version-url "$VERSION_URL")
[ -z "${GATE_TRAFFIC:-}" ] || source+=(--traffic "$GATE_TRAFFIC")
deadline=$((SECONDS + GATE_MINUTES * 60))
while true; do
    status=0
    "$GATE" "$environment" --url "$URL" "${source[@]}" --window "$GATE_WINDOW" || status=$?
    [ "$status" -eq 1 ] && [ $((SECONDS + GATE_PAUSE)) -lt "$deadline" ] || exit "$status"
    echo "gate: not yet; asked again in $GATE_PAUSE s" >&2
    sleep "$GATE_PAUSE"
done
