#!/usr/bin/env bash
# From a tag to a release, apart from the image, which publish.sh has pushed:
#
#     .ci/release.sh check v1.2.3       # the tag agrees with VERSION, the chart, the changelog, and is of main
#     .ci/release.sh passed v1.2.3      # ci has said of that commit that all of it passed; asks GitHub
#     .ci/release.sh notes v1.2.3       # the changelog's section
#     .ci/release.sh chart v1.2.3 NAME@sha256:…   # packages the chart with that image in it and pushes it to CHART_REPOSITORY
#     .ci/release.sh github v1.2.3      # GitHub's release: notes, chart, SBOMs, sums
#
# A release that was cut short is completed by the same commands: what is there already, and is the same, is taken.
# CHART_REPOSITORY is HOST/PATH; the chart becomes CHART_REPOSITORY/glassbox:1.2.3. build/release has what was made,
# chart.digest and chart (NAME@DIGEST) among it.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

export HELM_REGISTRY_CONFIG=${REGISTRY_AUTH_FILE:-${HOME:-/root}/.docker/config.json}
export HELM_CACHE_HOME=$CACHE/helm HELM_CONFIG_HOME=$CACHE/helm HELM_DATA_HOME=$CACHE/helm

refuse() { echo "release: $*" >&2 && exit 2; }
python() { /usr/bin/python3 -B .ci/release.py "$@"; }

# A release is of main: what is promoted comes from nowhere else. Where there is no origin there is nothing to compare.
check() {
    python check "$1"
    local tagged
    tagged=$(git rev-parse --verify --quiet "refs/tags/$1^{commit}") || refuse "there is no tag $1 here"
    [ "$tagged" = "$(git rev-parse HEAD)" ] || refuse "$1 is $tagged, and what is checked out is $(git rev-parse HEAD)"
    ! git remote get-url origin >/dev/null 2>&1 || git rev-parse --verify --quiet refs/remotes/origin/main >/dev/null ||
        refuse "origin's main is not here: git fetch origin main:refs/remotes/origin/main"
    ! git rev-parse --verify --quiet refs/remotes/origin/main >/dev/null ||
        git merge-base --is-ancestor "$tagged" refs/remotes/origin/main || refuse "$1 is not on main"
}

# Being on main is not enough: a tag may come before ci has ended, or on a commit that it has found wrong.
passed() {
    local tagged said
    tagged=$(git rev-parse --verify --quiet "refs/tags/$1^{commit}") || refuse "there is no tag $1 here"
    have gh || refuse "gh, GitHub's command line, is not there"
    said=$(gh api "repos/{owner}/{repo}/commits/$tagged/check-runs?check_name=required" \
        --jq '.check_runs[] | select(.app.slug == "github-actions") | .conclusion // .status')
    grep -qx success <<<"$said" ||
        refuse "ci's check 'required' is '${said:-not there}' for $1, commit $tagged; wait for it, or release a commit that passes"
}

notes() { python notes "$1"; }

# Sets `chart_host` and what helm is told of it.
read_repository() {
    local name=${CHART_REPOSITORY:-}
    [ -n "$name" ] || refuse "CHART_REPOSITORY is not set; it is where charts go, HOST/PATH"
    [[ $name =~ ^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$ ]] ||
        refuse "CHART_REPOSITORY is '$name'; it is HOST/PATH, in lower case, without a scheme or tag"
    insecure=()
    case ${name%%/*} in localhost | localhost:* | 127.*) insecure=(--plain-http) ;; esac
}

# unpacked FOLDER ARCHIVE: an archive's files, to be compared: packing the same twice gives two archives.
unpacked() { rm -rf "$1" && mkdir -p "$1" && tar -xzf "$2" -C "$1"; }

# A copy with the files that its links lead to. A version that is there already is taken if it is the same chart, image and
# all, and never pushed over.
chart() {
    local version programs helm work log digest
    version=$(python check "$1")
    read_repository
    programs=$(.ci/kubectl.sh) || refuse "helm $programs"
    helm=$programs/helm
    work=build/release
    rm -rf "$work/chart-source"
    mkdir -p "$work/chart-source" "$(dirname "$HELM_REGISTRY_CONFIG")"
    cp -rL charts/glassbox "$work/chart-source/glassbox"
    python chart "$work/chart-source/glassbox" "$2"
    "$helm" lint --strict --quiet "$work/chart-source/glassbox" >&2
    "$helm" package "$work/chart-source/glassbox" --destination "$work" >&2
    log=$work/push.log
    rm -rf "$work/there" && mkdir "$work/there"
    if "$helm" pull "oci://$CHART_REPOSITORY/glassbox" --version "$version" --destination "$work/there" "${insecure[@]}" >"$log" 2>&1; then
        unpacked "$work/there/old" "$work/there/glassbox-$version.tgz"
        unpacked "$work/there/new" "$work/glassbox-$version.tgz"
        diff -r "$work/there/old" "$work/there/new" >&2 ||
            refuse "$CHART_REPOSITORY/glassbox has $version already, another than this, and versions are not moved"
        echo "$version is there already" >&2
        mv "$work/there/glassbox-$version.tgz" "$work/"
    else
        "$helm" push "$work/glassbox-$version.tgz" "oci://$CHART_REPOSITORY" "${insecure[@]}" >"$log" 2>&1 || { cat "$log" >&2 && return 1; }
    fi
    digest=$(sed -n 's/^Digest: \(sha256:[0-9a-f]*\)$/\1/p' "$log")
    [ -n "$digest" ] || { cat "$log" >&2 && echo "release: helm did not say what is in the registry" >&2 && return 1; }
    echo "$digest" >"$work/chart.digest"
    echo "$CHART_REPOSITORY/glassbox@$digest" | tee "$work/chart"
}

# A prerelease says so; what is there, perhaps as a draft and with half of its files, is completed.
github() {
    local version work kind=() files
    version=$(python check "$1")
    work=build/release
    [ -e "$work/glassbox-$version.tgz" ] || refuse "$work has no chart; '.ci/release.sh chart' makes it"
    have gh || refuse "gh, GitHub's command line, is not there"
    cp build/publish/sbom-*.spdx.json "$work/"
    notes "$1" >"$work/notes.md"
    { echo && echo "Image: \`$(<build/publish/image)\`" && echo && echo "Chart: \`oci://$(<"$work/chart")\`"; } >>"$work/notes.md"
    (cd "$work" && sha256sum "glassbox-$version.tgz" sbom-*.spdx.json >SHA256SUMS)
    [[ $version != *-* ]] || kind=(--prerelease)
    files=("$work/glassbox-$version.tgz" "$work"/sbom-*.spdx.json "$work/SHA256SUMS")
    if gh release view "$1" >/dev/null 2>&1; then
        gh release upload "$1" --clobber "${files[@]}"
        gh release edit "$1" --verify-tag --draft=false --notes-file "$work/notes.md"
    else
        gh release create "$1" --verify-tag --title "glassbox $version" --notes-file "$work/notes.md" "${kind[@]}" "${files[@]}"
    fi
}

command=${1:-}
case $command in
check | passed | notes | github) [ $# -eq 2 ] || refuse "usage: .ci/release.sh $command TAG" ;;
chart) [ $# -eq 3 ] || refuse "usage: .ci/release.sh chart TAG NAME@sha256:…" ;;
*) refuse "no such command: '$command'; there are check, passed, notes, chart, github" ;;
esac
shift
"$command" "$@"
