#!/usr/bin/env bash
# `make demo`: the local stack on loopback, until Ctrl-C (infra/local/README.md). Arguments go to it.
# INCIDENT=outage plays an incident, PROFILE=fast takes short windows, RATE= is the load's.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

.ci/deps.sh build stack
.ci/build.sh
venv=$(.ci/venv.sh "$ALERTS_REQUIREMENTS")
arguments=()
[ -z "${PROFILE:-}" ] || arguments+=(--profile "$PROFILE")
[ -z "${RATE:-}" ] || arguments+=(--rate "$RATE")
[ -z "${INCIDENT:-}" ] || arguments+=(--incident "$INCIDENT")

# A Collector is built once, which takes minutes; without one the rest is shown.
if collector=$(.ci/tools.sh otelcol); then
    export OTELCOL_BIN=$collector
else
    printf '\nNO COLLECTOR, so no traces: %s\n\n' "$collector" >&2
fi
exec "$venv/bin/python" infra/local/stack.py "${arguments[@]}" "$@"
