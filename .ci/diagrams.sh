#!/usr/bin/env bash
# Diagrams as code: docs/diagrams/NAME.d2 becomes NAME.svg beside it, which documents show. `--write` renders them
# anew; without it they are rendered into build/docs/diagrams and compared, byte by byte: the layout has no chance in
# it, and fonts are in the program. Then a browser measures what a reader would see (tests/docs/test_diagrams.py): no
# label over another, no line through one, nothing too small at the width of a page. PYTEST_ARGS may be set.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

SOURCES=docs/diagrams
OUT=build/docs/diagrams

# render FOLDER: all of them into it. style.d2 is what they share, no diagram.
render() {
    local source
    for source in "$SOURCES"/*.d2; do
        [ "$source" != "$SOURCES/style.d2" ] || continue
        "$d2" --elk-nodeNodeBetweenLayers=36 --elk-edgeNodeBetweenLayers=16 \
            --elk-padding='[top=36,left=20,bottom=20,right=20]' --omit-version \
            "$source" "$1/$(basename "$source" .d2).svg" || return
        chmod 644 "$1/$(basename "$source" .d2).svg"
    done
}

current() {
    render "$OUT" || return
    diff --brief --exclude='*.d2' --exclude='*.md' "$SOURCES" "$OUT" || { echo "not current: .ci/diagrams.sh --write" && return 1; }
}

formatted() { "$d2" fmt --check "$SOURCES"/*.d2; }

started=$SECONDS
rm -rf "$OUT"
mkdir -p "$OUT" build/check
d2=$(.ci/tools.sh d2) || true
if usable "diagrams" "$d2"; then
    if [ "${1:-}" = --write ]; then
        "$d2" fmt "$SOURCES"/*.d2
        render "$SOURCES"
    fi
    step "diagrams: formatted" formatted
    step "diagrams: current" current
fi
have chromium && have chromedriver || .ci/deps.sh browser || true
venv=$(.ci/venv.sh "$BROWSER_REQUIREMENTS")
read -ra pytest_args <<<"${PYTEST_ARGS:-}"
say "diagrams, as they are seen"
pytests "diagrams, as seen" build/check/diagrams.xml "$((SECONDS - started)) s" tests/docs/test_diagrams.py "${pytest_args[@]}"
total
