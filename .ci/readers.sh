#!/usr/bin/env bash
# OTLP and the expositions, read by decoders that are not ours and compared field by field: `make
# readers`. The Go one is built by tools.sh; PYTEST_ARGS may be set.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

.ci/deps.sh build readers
venv=$(.ci/venv.sh "$TEST_REQUIREMENTS")
read -ra pytest_args <<<"${PYTEST_ARGS:-}"
report=build/readers/readers.xml

# Whether what the tests need could be built.
build() {
    compile release glassbox && cmake -S tests/readers -B build/readers -G Ninja >/dev/null &&
        cmake --build build/readers --parallel "$JOBS" --target awkward >/dev/null
}

reader=$(.ci/tools.sh reader) || true
case $reader in
/*)
    say "readers"
    if build; then
        rm -f "$report"
        READER_BIN=$reader AWKWARD_BIN=$PWD/build/readers/awkward \
            GLASSBOX_BIN=$PWD/build/release/glassbox "$venv/bin/python" -m pytest tests/readers -q \
            -p no:cacheprovider --junit-xml="$report" "${pytest_args[@]}" >&2 || true
        # shellcheck disable=SC2046 # three numbers
        tally "readers" $("$venv/bin/python" .ci/junit.py "$report")
    else
        tally "readers" 0 1 0 "the build failed"
    fi
    ;;
"cannot be had: "*) skipped "readers" "$reader" ;;
*) tally "readers" 0 1 0 "$reader" ;;
esac
total
