#!/usr/bin/env bash
# What a built tool, a linter or a container has to say: `make check`.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

# What the bench makes of wrk's, h2load's and procfs' output, and whether its sink counts right.
bench_tests() {
    .ci/deps.sh build || return
    cmake -S tests/bench -B build/bench -G Ninja >/dev/null || return
    cmake --build build/bench --parallel "$JOBS" >/dev/null || return
    BENCH_SINK=$PWD/build/bench/bench_sink \
        /usr/bin/python3 -m unittest discover --quiet -s tests/bench
}

part "lint" .ci/lint.sh
step "bench, its own tests" bench_tests
part "references" .ci/docs.sh --check
part "coverage" .ci/coverage.sh
part "library" .ci/library.sh
part "static program" .ci/static.sh
part "image" .ci/image.sh
part "faults" .ci/faults.sh
part "valgrind" .ci/valgrind.sh
part "interop" .ci/interop.sh
part "readers" .ci/readers.sh
part "alerts" .ci/alerts.sh
part "dashboards" .ci/dashboards.sh
part "chart" .ci/chart.sh
part "cluster node" .ci/cluster.sh test
part "hostile clients" .ci/hostile.sh
part "browser" .ci/browser.sh
part "local stack" .ci/stack.sh
part "drills" .ci/drills.sh
part "load tests" .ci/loadtest.sh
part "counting in a cluster" .ci/counting.sh
part "soak" .ci/soak.sh
total
