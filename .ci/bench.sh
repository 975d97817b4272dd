#!/usr/bin/env bash
# `make bench`: the budgets, measured in one run. Arguments go to tests/bench/bench.py.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

.ci/deps.sh build bench
compile release glassbox
cmake -S tests/bench -B build/bench -G Ninja >/dev/null
cmake --build build/bench --parallel "$JOBS" >/dev/null
exec /usr/bin/python3 tests/bench/bench.py --build build/release --tools build/bench "$@"
