#!/usr/bin/env bash
# The release program when the system refuses, cuts short, interrupts, turns back the clock and closes
# descriptors: pytest over a shim that is put before the C library (tests/faults). FAULTS_SEED repeats a
# run; PYTEST_ARGS may be set.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

started=$SECONDS
.ci/deps.sh build faults
compile release glassbox
cmake -S tests/faults/shim -B build/faults -G Ninja >/dev/null
cmake --build build/faults --parallel "$JOBS" >/dev/null
venv=$(.ci/venv.sh "$TEST_REQUIREMENTS")
read -ra pytest_args <<<"${PYTEST_ARGS:-}"
# Drawn here, so that it is known whatever happens.
export FAULTS_SEED=${FAULTS_SEED:-$RANDOM}
say "faults, FAULTS_SEED=$FAULTS_SEED"
GLASSBOX_BIN=$PWD/build/release/glassbox FAULTS_SHIM=$PWD/build/faults/libfaults.so \
    pytests "faults" build/faults/faults.xml "FAULTS_SEED=$FAULTS_SEED" tests/faults --numprocesses "$JOBS" \
    "${pytest_args[@]}"
printf '\nfaults: %d s\n' $((SECONDS - started))
total
