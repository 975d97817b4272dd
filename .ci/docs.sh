#!/usr/bin/env bash
# The references: docs/options.md, variables.md, metrics.md and contract.json, written from the tables; the
# API's, made of the library's headers, in build/docs/api. `--check` compares the former instead of writing
# them.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

.ci/deps.sh build docs
ROOT=$PWD
OUT=$PWD/build/docs
mode=${1:-}
mkdir -p "$OUT/api" "$OUT/include/telemetry"

# page FILE: docs/FILE as it should be.
page() {
    build/release/docs/reference/reference "${1%.*}" >"$OUT/$1" 2>"$OUT/reference.log" ||
        { cat "$OUT/reference.log" && return 1; }
    if [ "$mode" = --check ]; then
        diff -u "docs/$1" "$OUT/$1" || { echo "docs/$1 is not current: make docs" && return 1; }
    else
        cp "$OUT/$1" "docs/$1"
    fi
}

# Without a warning; and with a word about every symbol that the library exports.
api() (
    cd telemetry || return 1
    rm -rf "$OUT/api"
    mkdir "$OUT/api"
    sed "s/@PROJECT_VERSION@/$(<VERSION)/" cmake/version.h.in >"$OUT/include/telemetry/version.h"
    { cat docs/Doxyfile && echo "OUTPUT_DIRECTORY = $OUT/api" &&
        echo "INPUT += $OUT/include/telemetry/version.h"; } | doxygen - &&
        /usr/bin/python3 docs/check.py "$OUT/api" abi.txt
)

step "references: builds" compile release reference
for file in options.md variables.md metrics.md contract.json; do
    step "references: ${file%.*}" page "$file"
done
step "references: API" api
total
echo "${OUT#"$ROOT"/}/api/html/index.html" >&2
