#!/usr/bin/env bash
# Builds build/release/glassbox.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

.ci/deps.sh build
compile release glassbox
