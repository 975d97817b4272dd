#!/usr/bin/env bash
# Writes what is made of alerts/slo.yaml, alerts/source, alertmanager.yaml and dashboards/boards; `--check` compares, and
# names each file that is not current. Without sloth its rules are left as they are, and whether they are
# current is told by a digest alone: then it says SKIPPED, and the rest is done.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

mode=${1:-}
.ci/deps.sh stack
python=$(.ci/venv.sh "$ALERTS_REQUIREMENTS")/bin/python
sloth=$(.ci/tools.sh sloth) || true

rules() { "$python" alerts/generate.py ${mode:+"$mode"} "$@"; }
routes() { "$python" alerts/alertmanager/variants.py ${mode:+"$mode"}; }
boards() { "$python" dashboards/generate.py ${mode:+"$mode"}; }

if usable "generated: sloth" "$sloth"; then
    step "generated: rules" rules --sloth "$sloth"
elif [ "$FAILED" -eq 0 ]; then
    step "generated: the rest" rules
fi
step "generated: routes" routes
step "generated: dashboards" boards
total
