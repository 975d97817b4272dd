#!/usr/bin/env bash
# Formatting and linters: `make lint`. `--format` formats instead.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

.ci/deps.sh build unit check
mapfile -t sources < <(find src telemetry tests docs -name '*.[ch]' | sort)
if [ "${1:-}" = --format ]; then
    "clang-format-$CLANG_VERSION" -i "${sources[@]}"
    exit
fi

formatting() { "clang-format-$CLANG_VERSION" --dry-run --Werror "${sources[@]}"; }

shells() { shellcheck --external-sources --shell=bash .ci/*.sh .ci/run .github/setup alerts/drill alerts/runbooks/env.sh; }

# Each test of the chart with what they share before it, as its container gets it.
helm_tests() {
    local script
    for script in service series custom-metrics; do
        cat charts/glassbox/scripts/{lib,"$script"}.sh | shellcheck --shell=sh - || return
    done
}

dockerfile() {
    local venv
    venv=$(.ci/venv.sh "$CHECK_REQUIREMENTS")
    "$venv/bin/hadolint" Dockerfile
}

yaml() {
    local venv
    venv=$(.ci/venv.sh "$CHECK_REQUIREMENTS")
    git ls-files -z '*.yaml' '*.yml' | xargs -0 "$venv/bin/yamllint" --strict -c .yamllint.yaml
}

# Both read build/lint's compile_commands.json: the flags that clang knows, no sanitizers.
database() {
    cmake -S . -B build/lint -G Ninja -DCMAKE_C_COMPILER="clang-$CLANG_VERSION" \
        -DCMAKE_BUILD_TYPE=Debug >/dev/null
}

tidy() {
    local log=build/lint/clang-tidy.log
    if find src telemetry/src -name '*.c' -print0 | sort -z |
        xargs -0 -r -n 4 -P "$JOBS" "clang-tidy-$CLANG_VERSION" -p build/lint --quiet \
            >"$log" 2>&1; then
        return 0
    fi
    grep -v 'warnings\? generated\|^Suppressed\|^Use -header-filter' "$log"
    return 1
}

second_look() {
    cppcheck --quiet --std=c11 --enable=warning,portability,performance --inline-suppr \
        --error-exitcode=1 --suppress=missingIncludeSystem --suppress=unknownMacro \
        -j "$JOBS" -D_GNU_SOURCE -I src -I telemetry/include \
        -I telemetry/src src telemetry/src
}

# What a house rule can be checked by: no function over 60 lines, no file over 400.
sizes() {
    /usr/bin/python3 .ci/sizes.py src telemetry tests docs
}

step "clang-format" formatting
step "shellcheck" shells
step "shellcheck, helm test" helm_tests
step "hadolint" dockerfile
step "yamllint" yaml
step "sizes" sizes
step "configure for clang-tidy" database
step "clang-tidy" tidy
step "cppcheck" second_look
total
