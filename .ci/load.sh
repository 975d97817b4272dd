#!/usr/bin/env bash
# `make load WORKLOAD=average`: a load test (loadtest/README.md) on the local stack that runs; where none does, on one of its
# own without other load, which is taken down after. Settings are environment variables: `loadtest/run average --help`.
# Arguments go to loadtest/run.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

workload=${WORKLOAD:-smoke}
folder=build/load-stack
demo=build/demo/stack.json

.ci/deps.sh build stack
loadtest/run "$workload" --help >/dev/null
[ "$workload" != hpa ] || { echo "load: hpa runs in a cluster: loadtest/run hpa" >&2 && exit 2; }
[ ! -e "$demo" ] || ! kill -0 "$(sed -n 's/.*"pid": \([0-9]*\).*/\1/p' "$demo")" 2>/dev/null ||
    exec loadtest/run "$workload" "$@"

compile release glassbox
venv=$(.ci/venv.sh "$ALERTS_REQUIREMENTS")
say "a stack of its own, without load"
rm -f "$folder/stack.json"
# So many connections as a heavy load has in flight: the stack reckons them from the rate.
"$venv/bin/python" infra/local/stack.py --folder "$folder" --no-load --rate 1000 --free-ports >"$folder.log" 2>&1 &
stack=$!
trap 'kill -TERM $stack 2>/dev/null || true; wait $stack || true' EXIT
for _ in $(seq 1200); do
    [ ! -e "$folder/stack.json" ] || break
    kill -0 $stack 2>/dev/null || { cat "$folder.log" >&2 && exit 1; }
    sleep 0.1
done
[ -e "$folder/stack.json" ] || { echo "load: the stack does not come up: $folder.log" >&2 && exit 1; }
loadtest/run "$workload" --stack "$folder/stack.json" "$@"
