#!/usr/bin/env bash
# `make demo`: the local stack on loopback, until Ctrl-C (infra/local/README.md). Arguments go to it.
# INCIDENT=outage plays an incident, PROFILE=fast takes short windows, RATE=80 changes the load.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

arguments=()
[ -z "${PROFILE:-}" ] || arguments+=(--profile "$PROFILE")
[ -z "${RATE:-}" ] || arguments+=(--rate "$RATE")
[ -z "${INCIDENT:-}" ] || arguments+=(--incident "$INCIDENT")

.ci/deps.sh stack
# Before minutes go by: is what is asked for understood? Nothing but Python is needed for that.
case " $* " in *" --help "* | *" -h "*) exec /usr/bin/python3 infra/local/stack.py --help ;; esac
/usr/bin/python3 infra/local/stack.py --check "${arguments[@]}" "$@"
ninja -C build/release -n glassbox 2>/dev/null | grep -q 'no work to do' ||
    say "building the service: a minute or two the first time"
.ci/build.sh
venv=$(.ci/venv.sh "$ALERTS_REQUIREMENTS")
exec "$venv/bin/python" infra/local/stack.py "${arguments[@]}" "$@"
