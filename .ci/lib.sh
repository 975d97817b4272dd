# shellcheck shell=bash
# What the scripts here have in common. Source it first: it enters the repository's root, stops at
# errors, and reads versions.env.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=.ci/versions.env
. .ci/versions.env

# shellcheck disable=SC2034 # of those who source this
CACHE=${GLASSBOX_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/glassbox}
JOBS=${JOBS:-$(nproc)}

# say TEXT: a heading, apart from what the tools print.
say() { printf '\n== %s\n' "$*" >&2; }

have() { command -v "$1" >/dev/null 2>&1; }

# as_root COMMAND...: with sudo where we are not root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        echo "needs root or sudo: $*" >&2
        return 1
    fi
}

# compile PRESET [TARGET...]: configures when needed and builds; quiet unless it fails. What
# `configure_with` holds is given to cmake besides the preset.
configure_with=()
compile() {
    local preset=$1 log
    shift
    log=$(mktemp)
    if { [ "build/$preset/build.ninja" -nt CMakePresets.json ] || cmake --preset "$preset" "${configure_with[@]}"; } >"$log" 2>&1 &&
        cmake --build "build/$preset" --parallel "$JOBS" ${1:+--target "$@"} >>"$log" 2>&1; then
        grep -A6 'warning:' "$log" >&2 || true
        rm -f "$log"
        return 0
    fi
    cat "$log" >&2
    rm -f "$log"
    echo "the build of preset $preset failed" >&2
    return 1
}

# Counting. A step adds to these; tally prints a line of the table, total the line that a runner
# of runners reads.
PASSED=0 FAILED=0 SKIPPED=0
TABLE=""

# tally NAME PASSED FAILED SKIPPED [NOTE]
tally() {
    PASSED=$((PASSED + $2)) FAILED=$((FAILED + $3)) SKIPPED=$((SKIPPED + $4))
    TABLE+=$(printf '%-22s %7d passed %5d failed %5d skipped  %s' "$1" "$2" "$3" "$4" "${5:-}")$'\n'
}

# skipped NAME WHY: what could not be done here is said, never passed over.
skipped() {
    echo "SKIPPED: $1: $2" >&2
    tally "$1" 0 0 1 "SKIPPED: $2"
}

# step NAME COMMAND...: one thing that holds or does not.
step() {
    local name=$1
    shift
    say "$name"
    if "$@" >&2; then
        tally "$name" 1 0 0
    else
        echo "FAILED: $name" >&2
        tally "$name" 0 1 0
    fi
}

# pytests NAME REPORT NOTE ARGUMENT...: pytest of the environment `venv` with these arguments, counted from
# the report that it leaves.
pytests() {
    local name=$1 report=$2 note=$3
    shift 3
    rm -f "$report"
    # shellcheck disable=SC2154 # the caller's
    "$venv/bin/python" -m pytest -q -p no:cacheprovider --junit-xml="$report" "$@" >&2 || true
    # shellcheck disable=SC2046 # three numbers
    tally "$name" $("$venv/bin/python" .ci/junit.py "$report") "$note"
}

# absolute VARIABLE...: of those that name a folder or a file and are given, for all that is called.
absolute() {
    local name
    for name in "$@"; do
        [ -z "${!name:-}" ] || export "$name=$(realpath -m "${!name}")"
    done
}

# conform ARGUMENT...: the kubeconform that `kubeconform` names, with the schemas of SCHEMAS_DIR, else with those of their
# public addresses. Never -ignore-missing-schemas: a kind without a schema would pass unread.
conform() {
    local crd='{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json' core=default crds
    crds=https://raw.githubusercontent.com/datreeio/CRDs-catalog/main/$crd
    if [ -n "${SCHEMAS_DIR:-}" ]; then
        core=$SCHEMAS_DIR/core/'{{ .ResourceKind }}{{ .KindSuffix }}.json'
        crds=$SCHEMAS_DIR/crd/$crd
    fi
    # shellcheck disable=SC2154 # the caller's
    "$kubeconform" -strict -kubernetes-version "$KUBERNETES_VERSION" -schema-location "$core" -schema-location "$crds" "$@"
}

# conforming FOLDER CRD [ARGUMENT...]: the step of a folder's manifests, if there are schemas of Kubernetes and of others,
# for which an object of one of those is asked.
conforming() {
    local folder=$1 crd=$2
    shift 2
    if printf '%s\n---\n%s\n' '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}' "$crd" | conform - >/dev/null 2>&1; then
        step "kubeconform" conform "$@" -summary "$folder"
    else
        skipped "kubeconform" "no schemas in SCHEMAS_DIR, and none at their public addresses"
    fi
}

# serving NAME: has what tests on the local stack need: `venv`, and the program that GLASSBOX_BIN names, built unless
# that is given. That it cannot be had is counted under NAME.
serving() {
    if ! { .ci/deps.sh build stack && mkdir -p build/check &&
        { [ -n "${GLASSBOX_BIN:-}" ] || compile release glassbox; } &&
        venv=$(.ci/venv.sh "$ALERTS_REQUIREMENTS"); }; then
        tally "$1" 0 1 0 "the build failed"
        return 1
    fi
    export GLASSBOX_BIN=${GLASSBOX_BIN:-$PWD/build/release/glassbox}
}

# usable NAME LINE: whether a line of tools.sh or npm.sh is a path. What it is else is counted under NAME:
# what cannot be had is skipped, what is broken has failed.
usable() {
    case $2 in
    /*) return 0 ;;
    "cannot be had: "*) skipped "$1" "$2" ;;
    *)
        echo "FAILED: $1: $2" >&2
        tally "$1" 0 1 0 "$2"
        ;;
    esac
    return 1
}

# part NAME SCRIPT...: runs a script that counts, and adds its closing line to ours, with the seconds it took.
part() {
    local name=$1 output passed failed skips begun=$SECONDS
    shift
    output=$("$@") || true
    printf '%s\n' "$output" >&2
    if ! read -r passed failed skips < <(sed -n \
        's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' <<<"$output"); then
        passed=0 failed=1 skips=0
    fi
    tally "$name" "$passed" "$failed" "$skips" "$((SECONDS - begun)) s"
}

total() {
    printf '\n%s\n' "$TABLE"
    printf '%d passed, %d failed, %d skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
    [ "$FAILED" -eq 0 ]
}
