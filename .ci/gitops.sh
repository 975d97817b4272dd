#!/usr/bin/env bash
# infra/gitops without a cluster: rendered for each environment, from the ApplicationSet (by the template engine that Argo
# CD uses) down to the manifests of each child's chart, held to schemas; tests of all that; and the rehearsal: three
# environments, each a real service under a real Prometheus, a change that goes from one to the next, is refused, and is
# taken back (tests/gitops).
#
# CHARTS_DIR holds the charts of others, NAME-VERSION.tgz, and SCHEMAS_DIR JSON schemas, `core/` and `crd/`; without them
# both come from their public addresses, and without those it says SKIPPED. What was rendered is left in build/gitops.
# PYTEST_ARGS may be set.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

absolute CHARTS_DIR SCHEMAS_DIR
OUT=build/gitops

# A row for what was rendered, and one for each chart that could not be had.
render() {
    local said status=0 line
    say "rendered"
    said=$("$venv/bin/python" tests/gitops/rendering.py "$OUT" 2>&1) || status=$?
    case $status in
    0) tally "rendered" 1 0 0 ;;
    2)
        tally "rendered" 1 0 0
        while read -r line; do
            skipped "chart of ${line%%:*}" "${line#*: }; whether its manifests are valid stays unproved"
        done <<<"$said"
        ;;
    *) echo "$said" >&2 && tally "rendered" 0 1 0 "${said##*$'\n'}" ;;
    esac
}

strict() {
    local venv
    venv=$(.ci/venv.sh "$CHECK_REQUIREMENTS")
    find infra/gitops -name '*.yaml' ! -path '*/templates/*' -exec "$venv/bin/yamllint" --strict -c .yamllint.yaml {} +
}

# Argo CD's own chart is not asked: a lint of ours needs the values that it is given.
linted() {
    local environment part
    for environment in dev staging prod; do
        for part in platform service; do
            "$venv/bin/python" -B - "$environment" "$part" <<'PYTHON' | helm lint --strict --quiet infra/gitops/apps -f - || return
import json, sys
sys.path.insert(0, "tests/gitops")
from rendering import parts
print(json.dumps(parts(sys.argv[1])[sys.argv[2]]["spec"]["source"]["helm"]["valuesObject"]))
PYTHON
        done
    done
}

started=$SECONDS
serving "gitops" || { total && exit; }
.ci/deps.sh test
programs=$(.ci/kubectl.sh) || true
usable "gitops" "$programs" || { total && exit; }
PATH=$programs:$PATH
# helm keeps nothing in the user's home.
export HELM_CACHE_HOME=$CACHE/helm HELM_CONFIG_HOME=$CACHE/helm HELM_DATA_HOME=$CACHE/helm
read -ra pytest_args <<<"${PYTEST_ARGS:-}"
rm -rf "$OUT"
mkdir -p "$OUT" build/check
mapfile -t lines < <(.ci/tools.sh gitops kubeconform)
kubeconform=${lines[1]:-tools.sh said nothing}

step "yamllint" strict
if usable "ApplicationSet" "${lines[0]:-tools.sh said nothing}"; then
    export GITOPS_BIN=${lines[0]}
    step "helm lint" linted
    render
    ! usable "kubeconform" "$kubeconform" || conforming "$OUT" '{apiVersion: argoproj.io/v1alpha1, kind: AppProject, metadata: {name: a}, spec: {}}'
fi
say "tests/gitops"
# Those that wait most begin first, and leave a core to another.
pytests "tests/gitops" build/check/gitops.xml "" tests/gitops/test_{rehearsal,gate,promote,bootstrap,rendered,room,applicationset}.py \
    -n $((JOBS + 1)) --dist loadfile "${pytest_args[@]}"
printf '\ngitops: %d s\n' $((SECONDS - started))
total
