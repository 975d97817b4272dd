#!/usr/bin/env bash
# Runs every fuzz target for some seconds (5): `.ci/fuzz.sh 60`. Inputs that reach new code are kept
# in build/fuzz/corpus/<target>; those that crash, in build/fuzz/crashes. Seeds are tests/fuzz/corpus
# and telemetry/tests/fuzz/corpus; a folder there that is no target's fails the run.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

seconds=${1:-5}
[ -n "${FUZZ_DEPS_DONE:-}" ] || .ci/deps.sh build test
# Debian's clang-14 brings no plain `clang`.
configure_with=("-DCMAKE_C_COMPILER=clang-$CLANG_VERSION")
compile fuzz fuzz-targets

# one TARGET: prints `ok NAME RUNS` or `failed NAME`.
one() {
    local name=${1##*/} log corpus runs
    corpus=build/fuzz/corpus/$name
    log=build/fuzz/$name.log
    mkdir -p "$corpus" build/fuzz/crashes
    local seeds=()
    for folder in {,telemetry/}tests/fuzz/corpus/"$name"; do
        [ ! -d "$folder" ] || seeds+=("$folder")
    done
    if timeout $((seconds * 2 + 120)) "$1" -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="build/fuzz/crashes/$name-" \
        "$corpus" "${seeds[@]}" >"$log" 2>&1 </dev/null; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        echo "ok $name $runs"
    else
        echo "failed $name: $log"
    fi
}
export -f one
export seconds

# strays: seeds that nobody reads, since no target has their folder's name.
strays() {
    local folder name
    for folder in {,telemetry/}tests/fuzz/corpus/*/; do
        name=$(basename "$folder")
        [ -x "build/fuzz/fuzzers/$name" ] || [ ! -d "$folder" ] ||
            echo "failed: $folder is the corpus of no target"
    done
}

results=$(find build/fuzz/fuzzers -maxdepth 1 -type f -name 'fuzz_*' -print0 | sort -z |
    xargs -0 -r -P "$JOBS" -I{} bash -c 'one {}')
stray_folders=$(strays)
results+=${stray_folders:+$'\n'$stray_folders}
printf '%s\n' "$results" >&2
sed -n 's/^failed [^:]*: //p' <<<"$results" | while read -r log; do
    tail -n 60 "$log" >&2
done
tally "fuzz targets" "$(grep -c '^ok' <<<"$results" || true)" \
    "$(grep -c '^failed' <<<"$results" || true)" 0 "$seconds s each"
total
