#!/usr/bin/env bash
# What a built tool, a linter or a container has to say: `make check`. CHECK="lint chart …" does only those parts.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

# The parts in their order: a script of .ci by its name, and what the table calls it. `bench` is a function.
PARTS="lint: lint
bench: bench, its own tests
docs: references
coverage: coverage
library: library
static: static program
image: image
faults: faults
valgrind: valgrind
interop: interop
readers: readers
alerts: alerts
dashboards: dashboards
chart: chart
terraform: terraform
gitops: gitops
workflows: workflows
cluster: cluster node
hostile: hostile clients
browser: browser
diagrams: diagrams
slides: slides
stack: local stack
drills: drills
loadtest: load tests
counting: counting in a cluster
soak: soak"
ALL=$(cut -d: -f1 <<<"$PARTS" | xargs)

# What the bench makes of wrk's, h2load's and procfs' output, and whether its sink counts right.
bench_tests() {
    .ci/deps.sh build || return
    cmake -S tests/bench -B build/bench -G Ninja >/dev/null || return
    cmake --build build/bench --parallel "$JOBS" >/dev/null || return
    BENCH_SINK=$PWD/build/bench/bench_sink \
        /usr/bin/python3 -m unittest discover --quiet -s tests/bench
}

for name in ${CHECK:-}; do
    if ! [[ " $ALL " == *" $name "* ]]; then
        echo "CHECK: there is no part '$name'; there are: $ALL" >&2
        exit 2
    fi
done
while IFS=: read -r -u 3 name title; do
    [[ " ${CHECK:-$ALL} " == *" $name "* ]] || continue
    case $name in
    bench) step "${title# }" bench_tests ;;
    docs) part "${title# }" .ci/docs.sh --check ;;
    cluster) part "${title# }" .ci/cluster.sh test ;;
    *) part "${title# }" ".ci/$name.sh" ;;
    esac
done 3<<<"$PARTS"
total
