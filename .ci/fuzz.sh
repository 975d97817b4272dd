#!/usr/bin/env bash
# Runs every fuzz target for some seconds, FUZZ_TARGETS (names) only those.
#
#   .ci/fuzz.sh 5              from the seeds alone: `make test`
#   .ci/fuzz.sh --resume 60    from all that was ever found, in ~/.cache/glassbox/fuzz, which keeps
#                              what is new and how much was run: `make fuzz`
#
# Seeds are tests/fuzz/corpus and telemetry/tests/fuzz/corpus, dictionaries lie beside them as
# dictionaries/<target>.dict; one that is no target's fails the run. What crashes a target is made
# small and kept in build/fuzz/crashes.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

CORPUS_FILES_MAX=3000 # a corpus with more is merged into what reaches as much
resume=""
[ "${1:-}" != --resume ] || { resume=$CACHE/fuzz && shift; }
seconds=${1:-5}
[ -n "${FUZZ_DEPS_DONE:-}" ] || .ci/deps.sh build test
# Debian's clang-14 brings no plain `clang`.
configure_with=("-DCMAKE_C_COMPILER=clang-$CLANG_VERSION")
compile fuzz fuzz-targets

# beside NAME KIND: the paths of that kind (`corpus/NAME`, `dictionaries/NAME.dict`) that exist.
beside() { find {,telemetry/}tests/fuzz/"$1" -maxdepth 0 2>/dev/null || true; }

# number LOG PATTERN: the last number that the pattern's group matches, or 0.
number() {
    local found
    found=$(sed -n "s/.*$2.*/\1/p" "$1" | tail -n 1)
    echo "${found:-0}"
}

# explain TARGET LOG: says how to see a crash again, with an input made as small as may be.
explain() {
    local target=$1 log=$2 input
    tail -n 60 "$log" >&2
    input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    [ -n "$input" ] || return 0
    if [[ ${input##*/} == *-crash-* ]]; then
        timeout 120 "$target" -minimize_crash=1 -max_total_time=60 \
            -exact_artifact_path="$input.min" "$input" >/dev/null 2>&1 </dev/null || true
        [ ! -s "$input.min" ] || input=$input.min
    fi
    printf 'again: %s %s\n' "$target" "$input" >&2
}

# merge TARGET CORPUS: leaves in it what reaches as much as all of it.
merge() {
    local lean=$2.lean
    [ "$(find "$2" -type f | wc -l)" -gt "$CORPUS_FILES_MAX" ] || return 0
    rm -rf "$lean" && mkdir "$lean"
    if timeout 900 "$1" -merge=1 -rss_limit_mb=1024 "$lean" "$2" >/dev/null 2>&1 </dev/null; then
        rm -rf "$2" && mv "$lean" "$2"
    else
        rm -rf "$lean"
    fi
}

# one TARGET: runs it; prints `ok NAME RUNS a-line-for-people` or `failed NAME a-line`.
one() {
    local target=$1 name=${1##*/} log=build/fuzz/${1##*/}.log corpus runs before after
    corpus=${resume:-build/fuzz/corpus}/$name
    [ -n "$resume" ] || rm -rf "$corpus"
    mkdir -p "$corpus" build/fuzz/crashes
    local seeds dictionary
    mapfile -t seeds < <(beside "corpus/$name")
    dictionary=$(beside "dictionaries/$name.dict")
    if timeout $((seconds * 2 + 300)) "$target" -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="build/fuzz/crashes/$name-" \
        ${dictionary:+"-dict=$dictionary"} "$corpus" "${seeds[@]}" >"$log" 2>&1 </dev/null; then
        runs=$(number "$log" 'stat::number_of_executed_units: *\([0-9]*\)')
        before=$(number "$log" 'INITED cov: \([0-9]*\)')
        after=$(number "$log" ' cov: \([0-9]*\)')
        printf 'ok %s %d %d executions, %d edges (%d new), %d inputs new\n' "$name" "$runs" "$runs" \
            "$after" $((after - before)) "$(number "$log" 'stat::new_units_added: *\([0-9]*\)')"
        [ -z "$resume" ] || {
            printf '%s %s %d %d\n' "$(date -u +%F)" "$name" "$seconds" "$runs" >>"$resume/ledger"
            merge "$target" "$corpus"
        }
    else
        explain "$target" "$log"
        echo "failed $name: $log"
    fi
}
export -f one explain merge beside number
export seconds resume CORPUS_FILES_MAX

# strays: seeds and dictionaries that nobody reads, since no target has their name.
strays() {
    local path name
    for path in {,telemetry/}tests/fuzz/{corpus,dictionaries}/*; do
        name=$(basename "$path" .dict)
        [ ! -e "$path" ] || [ -x "build/fuzz/fuzzers/$name" ] ||
            echo "failed: $path belongs to no target"
    done
}

# targets: those that were built, or those that were asked for.
targets() {
    local names
    read -ra names <<<"${FUZZ_TARGETS:-}"
    if [ "${#names[@]}" -gt 0 ]; then
        printf 'build/fuzz/fuzzers/%s\0' "${names[@]}"
    else
        find build/fuzz/fuzzers -maxdepth 1 -type f -name 'fuzz_*' -print0 | sort -z
    fi
}

results=$(targets | xargs -0 -r -P "$JOBS" -I{} bash -c 'one {}')
stray_paths=$(strays)
results+=${stray_paths:+$'\n'$stray_paths}
awk '$1 == "ok" { $2 = $2 ":"; $3 = "" } { print }' <<<"$results" >&2
note="$seconds s each, $(awk '$1 == "ok" { n += $3 } END { printf "%d", n }' <<<"$results") executions"
if [ -n "$resume" ] && [ -s "$resume/ledger" ]; then
    awk '{ s += $3; n += $4 } END {
        printf "so far, all runs together: %d executions in %.1f hours\n", n, s / 3600 }' \
        "$resume/ledger" >&2
fi
tally "fuzz targets" "$(grep -c '^ok' <<<"$results" || true)" \
    "$(grep -c '^failed' <<<"$results" || true)" 0 "$note"
total
