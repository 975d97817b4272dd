#!/usr/bin/env bash
# alerts/: what is generated is current; the rules under Debian's promtool and promtool 3, each alert with
# tests that it fires, does not, and resolves; routes, inhibition and messages under both Alertmanagers; the
# contract that queries keep with the service. PYTEST_ARGS may be set.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

# suite NAME DIST TEST...: pytest on these files or folders, shared out to the workers as DIST says: by file
# where its tests share a process that takes long to start; what a test skips is counted.
suite() {
    local name=$1 dist=$2 report=build/check/alerts-${1//[^a-z]/-}.xml
    shift 2
    say "$name"
    rm -f "$report"
    "$venv/bin/python" -m pytest "$@" -q -n "$JOBS" --dist "$dist" -p no:cacheprovider --junit-xml="$report" \
        "${pytest_args[@]}" >&2 || true
    # shellcheck disable=SC2046 # three numbers
    tally "$name" $("$venv/bin/python" .ci/junit.py "$report")
}

# tool VARIABLE LINE: a line of tools.sh, for the tests; without the tool they are skipped, and say so.
tool() {
    case $2 in
    /*) export "$1=$2" ;;
    "cannot be had: "*) skipped "$1" "$2" ;;
    *)
        echo "FAILED: $1: $2" >&2
        tally "$1" 0 1 0 "$2"
        ;;
    esac
}

config() { amtool check-config alerts/alertmanager/alertmanager*.yaml; }

.ci/deps.sh build stack
compile release glassbox
generated=$(.ci/generate.sh --check) || true
printf '%s\n' "$generated" >&2
read -r passed failed skips < <(sed -n \
    's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' <<<"$generated") ||
    { passed=0 failed=1 skips=0; }
tally "generated files" "$passed" "$failed" "$skips"

venv=$(.ci/venv.sh "$ALERTS_REQUIREMENTS")
read -ra pytest_args <<<"${PYTEST_ARGS:-}"
mkdir -p build/check
names=(sloth promtool alertmanager amtool)
mapfile -t lines < <(.ci/tools.sh "${names[@]}")
for i in "${!names[@]}"; do
    tool "$(tr '[:lower:]' '[:upper:]' <<<"${names[i]}")_BIN" "${lines[i]:-tools.sh said nothing}"
done

step "Alertmanager's files" config
suite "rules" worksteal tests/alerts/test_{rules,burn,generate,objectives}.py
mapfile -t others < <(find tests/alerts -name 'test_*.py' ! -name 'test_rules.py' ! -name 'test_burn.py' \
    ! -name 'test_generate.py' ! -name 'test_objectives.py' ! -name 'test_drill*' | sort)
suite "routes, webhook, runbooks" loadfile "${others[@]}"
suite "contract" loadfile tests/contract
total
