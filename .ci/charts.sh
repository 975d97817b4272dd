#!/usr/bin/env bash
# The charts of others that charts/stack/install wants, for a cluster from where their public addresses cannot be
# reached, such as a node of infra/cluster: prints a folder that has them, CHARTS_DIR where that is given, else one of
# our own, filled once. Like kubectl.sh, one line, and exit status 1 unless it is a path:
#
#     CHARTS_DIR=$(.ci/charts.sh)
#     cannot be had: why
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

if [ -n "${CHARTS_DIR:-}" ]; then
    realpath -m "$CHARTS_DIR"
    exit
fi
# name, version, repository: the installer's own table.
rows() {
    PYTHONPATH=charts/stack /usr/bin/python3 -B -c 'from glassbox_install.parts import PARTS
for part in PARTS:
    if part.repository:
        print(part.name, part.version, part.repository)'
}

programs=$(.ci/kubectl.sh) || { echo "$programs" && exit 1; }
folder=$CACHE/charts
mkdir -p "$folder"
export HELM_CACHE_HOME=$CACHE/helm HELM_CONFIG_HOME=$CACHE/helm HELM_DATA_HOME=$CACHE/helm
log=$(mktemp)
draft=$(mktemp -d "$folder/draft.XXXXXX")
trap 'rm -rf "$log" "$draft"' EXIT
while read -r name version repository; do
    archive=$name-$version.tgz
    [ ! -e "$folder/$archive" ] || continue
    say "fetching $archive"
    if ! "$programs/helm" pull "$name" --repo "$repository" --version "$version" --destination "$draft" >"$log" 2>&1; then
        cat "$log" >&2
        echo "cannot be had: $name $version from $repository: $(tail -n 1 "$log")"
        exit 1
    fi
    mv "$draft/$archive" "$folder/" # whole or not there
done < <(rows)
echo "$folder"
