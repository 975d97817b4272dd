#!/usr/bin/env bash
# The live page: its sources under ESLint, and the page in a real browser against the release program,
# with axe-core (tests/browser): `make browser`. Pictures are left in build/browser. PYTEST_ARGS may be
# set; CHROMIUM_BIN and CHROMEDRIVER_BIN name a browser other than Debian's.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

started=$SECONDS
.ci/deps.sh build
# A browser is large, and a machine may have one of its own: what cannot be had is said below.
have chromium && have chromedriver || .ci/deps.sh browser || true
read -ra pytest_args <<<"${PYTEST_ARGS:-}"
report=build/browser/browser.xml

# lint FOLDER: ESLint with the rules of .ci/npm, for scripts and style.
lint() {
    "$1/node_modules/.bin/eslint" --config "$1/eslint.config.mjs" --max-warnings 0 src/page
}

# Each picture and report is of this run.
suite() {
    local venv
    say "browser"
    rm -rf build/browser
    mkdir -p build/browser
    if ! compile release glassbox || ! venv=$(.ci/venv.sh "$BROWSER_REQUIREMENTS"); then
        tally "browser" 0 1 0 "the build failed"
        return 0
    fi
    GLASSBOX_BIN=$PWD/build/release/glassbox "$venv/bin/python" -m pytest tests/browser -q \
        -p no:cacheprovider --junit-xml="$report" "${pytest_args[@]}" >&2 || true
    # shellcheck disable=SC2046 # three numbers
    tally "browser" $("$venv/bin/python" .ci/junit.py "$report") \
        "$(find build/browser -name '*.png' | wc -l) pictures, $((SECONDS - started)) s"
}

modules=$(.ci/npm.sh) || true
if usable "page, ESLint" "$modules"; then
    step "page, ESLint" lint "$modules"
    export AXE_JS=$modules/node_modules/axe-core/axe.min.js
fi
if { have chromium || [ -n "${CHROMIUM_BIN:-}" ]; } &&
    { have chromedriver || [ -n "${CHROMEDRIVER_BIN:-}" ]; }; then
    suite
else
    skipped "browser" "no chromium and chromedriver"
fi
total
