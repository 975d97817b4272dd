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
    local name=$1 dist=$2
    shift 2
    say "$name"
    pytests "$name" "build/check/alerts-${name//[^a-z]/-}.xml" "" "$@" -n "$JOBS" --dist "$dist" "${pytest_args[@]}"
}

config() { amtool check-config alerts/alertmanager/alertmanager*.yaml; }

.ci/deps.sh build stack
compile release glassbox
part "generated files" .ci/generate.sh --check

venv=$(.ci/venv.sh "$ALERTS_REQUIREMENTS")
read -ra pytest_args <<<"${PYTEST_ARGS:-}"
mkdir -p build/check
names=(sloth promtool alertmanager amtool)
mapfile -t lines < <(.ci/tools.sh "${names[@]}")
# Without a tool its tests are skipped, too, and say so.
for i in "${!names[@]}"; do
    variable=$(tr '[:lower:]' '[:upper:]' <<<"${names[i]}")_BIN
    ! usable "$variable" "${lines[i]:-tools.sh said nothing}" || export "$variable=${lines[i]}"
done

step "Alertmanager's files" config
suite "rules" worksteal tests/alerts/test_{rules,burn,generate,installations,objectives}.py
mapfile -t others < <(find tests/alerts -name 'test_*.py' ! -name 'test_rules.py' ! -name 'test_burn.py' \
    ! -name 'test_generate.py' ! -name 'test_installations.py' ! -name 'test_objectives.py' ! -name 'test_drill*' | sort)
suite "routes, webhook, runbooks" loadfile "${others[@]}"
suite "contract" loadfile tests/contract
total
