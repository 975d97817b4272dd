#!/usr/bin/env bash
# valgrind's memcheck: every unit program, and the service with all its signals (tests/memcheck).
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

started=$SECONDS
.ci/deps.sh build unit valgrind
venv=$(.ci/venv.sh "$TEST_REQUIREMENTS")
say "memcheck: builds"
compile valgrind
mkdir -p build/valgrind/memcheck
cc -g -O0 -o build/valgrind/memcheck/lossy tests/memcheck/lossy.c

# What has both faults must be found to have them, or the rest would say nothing.
finds() { ! "$venv/bin/python" tests/memcheck/programs.py --one build/valgrind/memcheck/lossy; }
step "memcheck, finds faults" finds

say "memcheck, unit programs"
result=$("$venv/bin/python" tests/memcheck/programs.py build/valgrind --jobs "$JOBS") || true
read -r passed failed < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p' \
    <<<"$result") || { passed=0 failed=1; }
tally "memcheck, programs" "$passed" "$failed" 0

say "memcheck, service"
GLASSBOX_BIN=$PWD/build/valgrind/glassbox pytests "memcheck, service" build/valgrind/memcheck/service.xml "" \
    tests/memcheck --numprocesses "$JOBS"
printf '\nvalgrind: %d s\n' $((SECONDS - started))
total
