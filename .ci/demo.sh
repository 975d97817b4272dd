#!/usr/bin/env bash
# `make demo`: the local stack on loopback, until Ctrl-C (infra/local/README.md). Arguments go to it.
# INCIDENT=outage plays an incident, PROFILE=fast takes short windows, RATE=80 changes the load.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

.ci/deps.sh stack
.ci/build.sh
venv=$(.ci/venv.sh "$ALERTS_REQUIREMENTS")
arguments=()
[ -z "${PROFILE:-}" ] || arguments+=(--profile "$PROFILE")
[ -z "${RATE:-}" ] || arguments+=(--rate "$RATE")
[ -z "${INCIDENT:-}" ] || arguments+=(--incident "$INCIDENT")

exec "$venv/bin/python" infra/local/stack.py "${arguments[@]}" "$@"
