#!/usr/bin/env bash
# docs/presentation.md as slides: build/docs/presentation.pdf, and what to say beside them, by Marp and Debian's Chromium, with the theme and the
# pictures of docs/ and nothing from the network. Then what a person in the room would notice (tests/docs): a slide
# that overflows, text too small, a font that is not in the file, a slide without notes; and what nobody would: a
# figure that is no longer what its source says (docs/figures.toml). PYTEST_ARGS may be set.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

STAGE=build/docs/slides

# Marp writes beside what it reads, so it reads a copy.
stage() {
    rm -rf "$STAGE" build/docs/presentation.pdf build/docs/presentation-notes.txt
    mkdir -p "$STAGE/diagrams" build/check
    cp docs/presentation.md docs/slides.css docs/*.svg docs/*.png "$STAGE" && cp docs/diagrams/*.svg "$STAGE/diagrams"
}

# marp FILE ARGUMENT...: as root Chromium has no sandbox of its own; what it is shown are our files. It asks nobody:
# no name is resolved.
marp() {
    CHROME_PATH=${CHROMIUM_BIN:-$(command -v chromium)} CHROME_NO_SANDBOX=$([ "$(id -u)" -ne 0 ] || echo 1) \
        "$modules/node_modules/.bin/marp" --no-config-file --no-stdin --theme "$STAGE/slides.css" --html \
        --allow-local-files "$STAGE/presentation.md" "${@:2}" --output "$1"
}

pdf() {
    marp "$STAGE/presentation.pdf" --pdf --pdf-outlines && marp "$STAGE/presentation-notes.txt" --notes &&
        mv "$STAGE"/presentation.pdf "$STAGE"/presentation-notes.txt build/docs/
}
html() { marp "$STAGE/presentation.html" --template bare; }

# suite NAME TEST: one file of tests/docs.
suite() {
    say "$1"
    pytests "$1" "build/check/${2%.py}.xml" "" "tests/docs/$2" "${pytest_args[@]}"
}

started=$SECONDS
.ci/deps.sh slides || true
stage
venv=$(.ci/venv.sh "$BROWSER_REQUIREMENTS")
read -ra pytest_args <<<"${PYTEST_ARGS:-}"
suite "figures" test_figures.py
suite "numbers" test_numbers.py
suite "paths" test_paths.py
modules=$(.ci/npm.sh) || true
if usable "slides" "$modules"; then
    if have pdffonts && { have chromium || [ -n "${CHROMIUM_BIN:-}" ]; }; then
        step "slides: PDF" pdf
        step "slides: HTML" html
        suite "slides, as seen" test_slides.py
    else
        skipped "slides" "no chromium, or no pdffonts (poppler-utils)"
    fi
fi
printf '\nslides: %d s\n' $((SECONDS - started))
total
echo "build/docs/presentation.pdf" >&2
