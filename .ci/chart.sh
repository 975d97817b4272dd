#!/usr/bin/env bash
# All of the chart that needs no cluster: `make chart`. Sets of values are linted and rendered, alone and
# beside kube-prometheus-stack; what comes out is read by schemas (kubeconform) and by two who know what goes
# wrong in clusters (kube-score, checkov). Then the chart's own tests, its README, its package, tests/charts.
#
# CHARTS_DIR holds the charts of others, NAME-VERSION.tgz, and SCHEMAS_DIR JSON schemas, `core/` and `crd/`;
# without them both come from their public addresses, and without those it says SKIPPED. What was rendered is
# left in build/chart. `--write` first writes the chart's README anew. PYTEST_ARGS may be set.
#
# What a linter finds is mended, or told it at the place where it is so, with the reason: an annotation in the
# template (`kube-score/ignore`, `checkov.io/skip1: CHECK=why`), or charts/.checkov.yaml for all of it.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

absolute CHARTS_DIR SCHEMAS_DIR
CHART=charts/glassbox
OUT=build/chart

# name, release, what helm is told: each set is linted, rendered, and given to each linter.
sets() {
    cat <<'SETS'
defaults      glassbox
demo          glassbox    -f charts/glassbox/values-demo.yaml
production    glassbox    -f charts/glassbox/values-production.yaml
renamed       shop        -f charts/glassbox/values-production.yaml --set nameOverride=front,commonLabels.team=shop
long-name     a-release-with-a-name-that-is-as-long-as-helm-accepts  -f charts/glassbox/values-production.yaml
fixed-name    shop        -f charts/glassbox/values-demo.yaml --set fullnameOverride=front
one-pod       glassbox    --set replicaCount=1,workers=1
cpu-only      glassbox    --set autoscaling.enabled=true
keda          glassbox    -f charts/glassbox/values-production.yaml --set autoscaling.type=ScaledObject
keda-cpu      glassbox    --set autoscaling.enabled=true,autoscaling.type=ScaledObject
ingress       glassbox    -f charts/glassbox/values-production.yaml --set ingress.enabled=true,ingress.className=nginx,ingress.hosts={a.example.org},ingress.tls[0].secretName=tls,ingress.tls[0].hosts={a.example.org}
route         glassbox    -f charts/glassbox/values-production.yaml --set httpRoute.enabled=true,httpRoute.parentRefs[0].name=gate,httpRoute.parentRefs[0].namespace=gates,httpRoute.hostnames={a.example.org}
faults        glassbox    -f charts/glassbox/values-demo.yaml --set faults.token.enabled=true,faults.token.value=0123456789abcdef,faults.incident=outage
pager         glassbox    -f charts/glassbox/values-production.yaml --set monitoring.alertmanagerConfig.enabled=true,monitoring.alertmanagerConfig.receivers.page.pagerdutySecret=pager,monitoring.alertmanagerConfig.receivers.ticket.slackSecret=chat,monitoring.alertmanagerConfig.receivers.ticket.slackChannel=tickets,monitoring.alertmanagerConfig.receivers.info.webhookUrl=http://hook.monitoring.svc/
all-rules     glassbox    -f charts/glassbox/values-production.yaml --set monitoring.rules.skipShipped=false
pinned        glassbox    --set image.digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
everything    glassbox    -f charts/glassbox/values-production.yaml --set page.enabled=true,httpRoute.enabled=true,httpRoute.parentRefs[0].name=gate,ingress.enabled=true,ingress.hosts={a.example.org},faults.token.enabled=true,faults.token.existingSecret=token,otlp.logs=true,otlp.headersSecret=otlp,accessLog.format=iis,monitoring.alertmanagerConfig.enabled=true,monitoring.alertmanagerConfig.receivers.page.webhookUrl=http://hook.monitoring.svc/,monitoring.alertmanagerConfig.receivers.ticket.webhookUrl=http://hook.monitoring.svc/,monitoring.alertmanagerConfig.receivers.info.webhookUrl=http://hook.monitoring.svc/
SETS
}

# each NAME COMMAND...: the command with each set's name, release and arguments; a row of the table for all.
each() {
    local title=$1 passed=0 failed=0 log=$OUT/log name release rest
    local -a arguments
    shift
    say "$title"
    while read -r name release rest; do
        read -ra arguments <<<"$rest"
        if "$@" "$name" "$release" "${arguments[@]}" >"$log" 2>&1 </dev/null; then
            passed=$((passed + 1))
        else
            # That the chart has links is known.
            grep -v 'found symbolic link' "$log" >&2 || true
            echo "FAILED: $title: $name" >&2
            failed=$((failed + 1))
        fi
    done < <(sets)
    tally "$title" "$passed" "$failed" 0
}

lint() { helm lint --strict --quiet --kube-version "$KUBERNETES_VERSION" "$CHART" "${@:3}"; }

render() {
    helm template "$2" "$CHART" --namespace glassbox --kube-version "$KUBERNETES_VERSION" "${@:3}" >"$OUT/sets/$1.yaml"
}

# As charts/stack/install would install it: a file for each part in build/chart/PROFILE. Charts of others come from
# CHARTS_DIR, else from their public address.
beside() { "$venv/bin/python" tests/charts/beside.py "$1" "$OUT/$1"; }

# What is rendered of charts that are ours; of others' every object must be valid and fit in beside ours, but how
# good it is, is not ours to say.
ours() { find "$OUT" -name '*.yaml' ! -name kube-prometheus-stack.yaml ! -name prometheus-adapter.yaml | sort; }

# What it finds of one set, together: whether a NetworkPolicy or a budget selects the pods is seen only so. Nowhere
# are asked for: a limit of CPU, which throttles within 100 ms what the node has idle; `Always`, as a version's tag is
# not moved; and anti-affinity, as topologySpreadConstraints spread the pods over zones and nodes.
score() {
    "$kube_score" score --output-format ci --exit-one-on-warning --kubernetes-version "v${KUBERNETES_VERSION%.*}" \
        --ignore-container-cpu-limit --ignore-test container-image-pull-policy \
        --ignore-test deployment-has-host-podantiaffinity "$@" |
        { grep -v '^\[\(OK\|SKIPPED\)\]' || true; }
}
score_set() { score "$OUT/sets/$1.yaml"; }

# checkov takes long to start: once, for all. It asks nobody.
misconfiguration() {
    local checkov
    local -a files
    checkov=$(.ci/venv.sh "$CHARTS_REQUIREMENTS")/bin/checkov || return
    mapfile -t files < <(ours)
    "$checkov" --config-file charts/.checkov.yaml --file "${files[@]}"
}

# helm-docs makes the README of README.md.gotmpl and of the comments in values.yaml. Its strict mode knows no comment
# without the key's name, `# -- text`: that each value has one, tests/charts sees to.
document() { "$helm_docs" --chart-search-root "$CHART" --sort-values-order file --log-level warning "$@"; }
documented() {
    document --dry-run >"$OUT/README.md" || return
    diff -u "$CHART/README.md" "$OUT/README.md" || { echo "not current: .ci/chart.sh --write" && return 1; }
}

started=$SECONDS
.ci/deps.sh chart
programs=$(.ci/kubectl.sh) || true
if ! usable "chart" "$programs"; then
    total
    exit
fi
PATH=$programs:$PATH
# helm keeps nothing in the user's home.
export HELM_CACHE_HOME=$CACHE/helm HELM_CONFIG_HOME=$CACHE/helm HELM_DATA_HOME=$CACHE/helm
venv=$(.ci/venv.sh "$ALERTS_REQUIREMENTS")
read -ra pytest_args <<<"${PYTEST_ARGS:-}"
rm -rf "$OUT"
mkdir -p "$OUT/sets" build/check
tools=(kubeconform kube-score helm-unittest helm-docs otelcol promtool alertmanager amtool)
mapfile -t lines < <(.ci/tools.sh "${tools[@]}")
kubeconform=${lines[0]:-tools.sh said nothing} kube_score=${lines[1]:-tools.sh said nothing}
helm_unittest=${lines[2]:-tools.sh said nothing} helm_docs=${lines[3]:-tools.sh said nothing}
# tests/charts finds them so; what it skips without, it counts.
for i in "${!tools[@]}"; do
    variable=${tools[i]^^}_BIN
    [[ ${lines[i]:-} != /* ]] || export "${variable//-/_}=${lines[i]}"
done

if usable "README, by helm-docs" "$helm_docs"; then
    [ "${1:-}" != --write ] || document
    step "README, by helm-docs" documented
fi
each "helm lint" lint
each "helm template" render
for profile in demo production; do
    said=$(beside "$profile" 2>&1) && status=0 || status=$?
    case $status in
    0) tally "beside, $profile" 1 0 0 ;;
    2) skipped "beside, $profile" "${said##*$'\n'}; whether all fits together stays unproved" ;;
    *) echo "$said" >&2 && tally "beside, $profile" 0 1 0 "${said##*$'\n'}" ;;
    esac
done
# SCHEMAS_DIR lacks the class of the Gateway, whose spec is one line.
! usable "kubeconform" "$kubeconform" || conforming "$OUT" \
    '{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: a}, spec: {}}' -skip GatewayClass
if usable "kube-score" "$kube_score"; then
    each "kube-score" score_set
    for profile in demo production; do
        mapfile -t files < <(ours | grep "/$profile/")
        [ "${#files[@]}" -eq 0 ] || step "kube-score, $profile" score "${files[@]}"
    done
fi
step "checkov" misconfiguration
if usable "helm-unittest" "$helm_unittest"; then
    say "helm-unittest"
    rm -f build/check/helm-unittest.xml
    "$helm_unittest" --strict --output-type JUnit --output-file "$PWD/build/check/helm-unittest.xml" "$CHART" >&2 || true
    # shellcheck disable=SC2046 # three numbers
    tally "helm-unittest" $("$venv/bin/python" .ci/junit.py build/check/helm-unittest.xml)
fi
say "tests/charts"
pytests "tests/charts" build/check/charts.xml "" tests/charts -n "$JOBS" "${pytest_args[@]}"
printf '\nchart: %d s\n' $((SECONDS - started))
total
