#!/usr/bin/env bash
# The dashboards: current, well formed by Grafana's own Go SDK, within the conventions, and every
# expression answered by Debian's Prometheus and by Prometheus 3 that scrape build/release/glassbox:
# `make dashboards`. The figures are left in build/check/dashboards.json.
#
# `--write` first writes their JSON anew. ANSWERS=1 writes the tables of what was answered,
# dashboards/<name>.md. PYTEST_ARGS may be set.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

# suite NAME TEST...: runs these files of tests/dashboards.
suite() {
    local name=$1
    shift
    say "$name"
    GLASSBOX_BIN=$PWD/build/release/glassbox pytests "$name" "build/check/dashboards-$(basename "$1" .py).xml" "" "$@" \
        --rootdir tests/dashboards -c tests/dashboards/pytest.ini "${pytest_args[@]}"
}

.ci/deps.sh build stack
compile release glassbox
venv=$(.ci/venv.sh "$ALERTS_REQUIREMENTS")
read -ra pytest_args <<<"${PYTEST_ARGS:-}"
mkdir -p build/check
[ "${1:-}" != --write ] || "$venv/bin/python" dashboards/generate.py

mapfile -t tools < <(.ci/tools.sh dashboards prometheus)
tests=tests/dashboards
suite "conventions" $tests/test_current.py $tests/test_conventions.py $tests/test_installations.py $tests/test_ask.py
if usable "strict reading" "${tools[0]}"; then
    DASHBOARDS_BIN=${tools[0]} suite "strict reading" $tests/test_strict.py
fi
case ${tools[1]} in
/*) export PROMETHEUS_BIN=${tools[1]} ;;
"cannot be had: "*) echo "SKIPPED: Prometheus 3: ${tools[1]}" >&2 ;; # its test is counted as skipped
*) tally "Prometheus 3" 0 1 0 "${tools[1]}" ;;
esac
[ -z "${ANSWERS:-}" ] || pytest_args+=(--write-answers)
suite "data" $tests/test_data.py $tests/test_off.py $tests/test_several.py $tests/test_losses.py
total
