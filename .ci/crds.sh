#!/usr/bin/env bash
# The Gateway API's CRDs of the standard channel, in the version that Traefik is made for: prints a file that has them,
# GATEWAY_API_CRDS where that is given, else one of our own, filled once from the very module whose types Traefik is
# compiled with. Like kubectl.sh, one line, and exit status 1 unless it is a path:
#
#     GATEWAY_API_CRDS=$(.ci/crds.sh)
#     cannot be had: why
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

MODULE=sigs.k8s.io/gateway-api
SOURCE=.ci/tools/traefik
if [ -n "${GATEWAY_API_CRDS:-}" ]; then
    realpath -m "$GATEWAY_API_CRDS"
    exit
fi
version=$(sed -n "s|^[[:space:]]*$MODULE \(v[^ ]*\).*|\1|p" "$SOURCE/go.mod")
file=$CACHE/gateway-api-$version.yaml
if [ ! -e "$file" ]; then
    mkdir -p "$CACHE"
    sources=$(.ci/tools.sh --sources "$SOURCE" "$MODULE") || { echo "$sources" && exit 1; }
    draft=$(mktemp "$CACHE/gateway-api.XXXXXX")
    trap 'rm -f "$draft"' EXIT
    # A separator before each, for not all begin with one; and the folder's kustomization is none of them.
    for crd in "$sources"/config/crd/standard/gateway.networking.k8s.io_*.yaml; do
        printf -- '---\n'
        cat "$crd"
    done >"$draft"
    mv "$draft" "$file" # whole or not there
fi
echo "$file"
