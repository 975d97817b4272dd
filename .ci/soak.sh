#!/usr/bin/env bash
# A soak under mixed load: `make soak` for hours (SOAK_HOURS=4), `make check` for minutes
# (SOAK_MINUTES=3). SOAK_PRESET=dev takes the binary with AddressSanitizer, whose memory is not
# judged; SOAK_RATE is the pace of the well-behaved, in requests a second. The figures, the picture
# and the verdict are in build/soak.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

minutes=${SOAK_MINUTES:-${SOAK_HOURS:+$((SOAK_HOURS * 60))}}
preset=${SOAK_PRESET:-release}
.ci/deps.sh build unit soak
venv=$(.ci/venv.sh "$TEST_REQUIREMENTS")
export PYTHONPATH=$PWD/loadtest # what draws the picture
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1}

soak() {
    GLASSBOX_BIN=$PWD/build/$preset/glassbox "$venv/bin/python" tests/soak/soak.py \
        --minutes "${minutes:-3}" --rate "${SOAK_RATE:-500}" --out build/soak
}

own_tests() { "$venv/bin/python" -m unittest discover --quiet -s tests/soak; }

step "soak, its own tests" own_tests
if compile "$preset" glassbox; then
    step "soak of ${minutes:-3} minutes" soak
else
    tally "soak" 0 1 0 "the build failed"
fi
total
