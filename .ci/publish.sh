#!/usr/bin/env bash
# From a commit to an image in a registry that a cluster can name by digest:
#
#     export IMAGE_REPOSITORY=registry.example.org/team/glassbox
#     .ci/publish.sh login              # ECR by the AWS identity at hand; else REGISTRY_USER, REGISTRY_PASSWORD; else nobody
#     .ci/publish.sh image              # builds for this machine's processor: git-COMMIT-amd64
#     .ci/publish.sh index amd64 arm64  # one name for those: git-COMMIT
#     .ci/publish.sh sbom amd64 arm64   # of what is in the registry, SPDX
#     .ci/publish.sh sign NAME@DIGEST…  # keyless where GitHub vouches for the job, else COSIGN_KEY
#     .ci/publish.sh verify NAME@DIGEST…
#     .ci/publish.sh tag v1.2.3         # a further name for git-COMMIT
#     .ci/publish.sh promoted COMMIT NAME@DIGEST   # one for what goes to prod, prod-COMMIT12: by that the registry keeps it
#     .ci/publish.sh newest COMMIT      # of the commits from there to this one, the last that has an image and its signature
#
# A commit is built once. Its tags are never moved: what is there under one is taken, so that a run that was cut
# short goes on where it was, and a release is the image that has been promoted. build/publish has the results: ARCH.digest,
# digest, image (NAME@DIGEST), sbom-ARCH.spdx.json; and ARCH.built, built: `true` if this run has pushed it. verify ends with 0:
# signed; 1: not, or by another; 3: it could not be asked.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

# What the tools agree on: skopeo, buildah, syft, cosign, helm and GitHub's attestations.
export REGISTRY_AUTH_FILE=${REGISTRY_AUTH_FILE:-${HOME:-/root}/.docker/config.json}
OUT=build/publish
TAG='^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$'

refuse() { echo "publish: $*" >&2 && exit 2; }

# Reads and checks what the caller says; sets `host`, `secure` (what skopeo and buildah are told) and `commit`.
read_variables() {
    local name=${IMAGE_REPOSITORY:-}
    [ -n "$name" ] || refuse "IMAGE_REPOSITORY is not set; it is where the image goes, HOST/PATH without a tag"
    [[ $name =~ ^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$ ]] ||
        refuse "IMAGE_REPOSITORY is '$name'; it is HOST/PATH, in lower case, without a scheme, tag or digest"
    host=${name%%/*}
    [[ $host == *.* || $host == *:* || $host == localhost ]] ||
        refuse "IMAGE_REPOSITORY is '$name'; its first part is to be a host, with a dot or a port"
    secure=--tls-verify=true
    case $host in localhost | localhost:* | 127.*) secure=--tls-verify=false ;; esac
    commit=$(git rev-parse HEAD)
}

# Prints the digest that a tag has; nothing when there is no such tag. That a registry cannot be asked is an error.
digest_of() {
    local log raw
    log=$(mktemp) raw=$(mktemp)
    if skopeo inspect "$secure" --raw "docker://$IMAGE_REPOSITORY:$1" >"$raw" 2>"$log"; then
        echo "sha256:$(sha256sum <"$raw" | cut -d' ' -f1)"
    elif ! grep -qi 'manifest unknown\|name unknown\|repository name not known' "$log"; then
        cat "$log" >&2
        rm -f "$log" "$raw"
        return 1
    fi
    rm -f "$log" "$raw"
}

# architecture MACHINE: what images call it.
architecture() {
    case $1 in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) refuse "there is no image for a machine of type $1, only for x86_64 and aarch64" ;;
    esac
}

known() {
    local arch
    [ $# -gt 0 ] || refuse "which architectures? amd64, arm64"
    for arch in "$@"; do
        case $arch in amd64 | arm64) ;; *) refuse "no such architecture: $arch; there are amd64 and arm64" ;; esac
    done
}

login() {
    local region
    if [[ $host =~ ^[0-9]{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$ ]]; then
        region=${BASH_REMATCH[1]}
        aws ecr get-login-password --region "$region" | skopeo login --username AWS --password-stdin "$host"
    elif [ -n "${REGISTRY_USER:-}" ]; then
        [ -n "${REGISTRY_PASSWORD:-}" ] || refuse "REGISTRY_USER is set and REGISTRY_PASSWORD is not"
        skopeo login "$secure" --username "$REGISTRY_USER" --password-stdin "$host" <<<"$REGISTRY_PASSWORD"
    else
        echo "nobody logs in to $host: neither ECR nor REGISTRY_USER" >&2
    fi
}

# The image of this machine's architecture, built unless it is there.
image() {
    local arch tag digest archive built=false
    arch=$(architecture "$(uname -m)")
    tag=git-$commit-$arch
    digest=$(digest_of "$tag")
    if [ -n "$digest" ]; then
        echo "$tag is there already" >&2
    else
        # The tag says which commit is in it.
        [ -z "$(git status --porcelain)" ] || refuse "the work tree is not what commit $commit is; commit first, or see git status"
        archive=$OUT/$arch.tar
        .ci/image.sh --archive "$archive" "$IMAGE_REPOSITORY:$tag"
        skopeo copy --quiet --dest-tls-verify="${secure#*=}" "oci-archive:$archive" "docker://$IMAGE_REPOSITORY:$tag"
        rm -f "$archive"
        built=true
        digest=$(digest_of "$tag")
    fi
    echo "$digest" >"$OUT/$arch.digest"
    echo "$built" >"$OUT/$arch.built"
    echo "$IMAGE_REPOSITORY@$digest"
}

# One name for the images of several architectures, by their digests.
index() {
    local arch digest list there built=false
    known "$@"
    digest=$(digest_of "git-$commit")
    if [ -n "$digest" ]; then
        there=$(skopeo inspect "$secure" --raw "docker://$IMAGE_REPOSITORY@$digest" | jq -r '[.manifests[].platform.architecture] | sort | join(" ")')
        [ "$there" = "$(printf '%s\n' "$@" | sort | xargs)" ] || refuse "git-$commit is there already, of $there, and tags are not moved"
        echo "git-$commit is there already" >&2
    else
        list=glassbox-index-$commit
        ! buildah manifest exists "$list" || buildah manifest rm "$list" >/dev/null
        buildah manifest create "$list" >/dev/null
        for arch in "$@"; do
            digest=$(digest_of "git-$commit-$arch")
            [ -n "$digest" ] || refuse "$IMAGE_REPOSITORY has no git-$commit-$arch; '.ci/publish.sh image' on such a machine makes it"
            buildah manifest add "$secure" "$list" "docker://$IMAGE_REPOSITORY@$digest" >/dev/null
        done
        buildah manifest push --quiet "$secure" --all "$list" "docker://$IMAGE_REPOSITORY:git-$commit"
        buildah manifest rm "$list" >/dev/null
        built=true
        digest=$(digest_of "git-$commit")
    fi
    echo "$digest" >"$OUT/digest"
    echo "$built" >"$OUT/built"
    echo "$IMAGE_REPOSITORY@$digest" | tee "$OUT/image"
}

# What the images in the registry are made of; that it is too little to be true is an error.
sbom() {
    local arch digest venv file
    known "$@"
    venv=$(.ci/venv.sh "$RELEASE_REQUIREMENTS")
    for arch in "$@"; do
        digest=$(digest_of "git-$commit-$arch")
        [ -n "$digest" ] || refuse "$IMAGE_REPOSITORY has no git-$commit-$arch"
        file=$OUT/sbom-$arch.spdx.json
        SYFT_CHECK_FOR_APP_UPDATE=false SYFT_REGISTRY_INSECURE_USE_HTTP=$([ "${secure#*=}" = true ] && echo false || echo true) \
            DOCKER_CONFIG=$(dirname "$REGISTRY_AUTH_FILE") \
            "$venv/bin/syft" scan --quiet --platform "linux/$arch" --source-name "$IMAGE_REPOSITORY" --source-version "git-$commit" \
            --output "spdx-json=$file" "registry:$IMAGE_REPOSITORY@$digest"
        jq -e '[.packages[].name] | index("libssl-dev") and index("libc6-dev")' "$file" >/dev/null ||
            { echo "publish: $file names neither OpenSSL nor libc, which are linked in" >&2 && return 1; }
        echo "$file"
    done
}

# by_digest NAME@DIGEST: or it is refused.
by_digest() { [[ $1 =~ ^[^@]+@sha256:[0-9a-f]{64}$ ]] || refuse "'$1' is not NAME@sha256:…, with 64 hexadecimal digits"; }

# references NAME@DIGEST...: a signature is of a digest; a tag's could be moved between signing and use.
references() {
    local name
    [ $# -gt 0 ] || refuse "what? NAME@sha256:…"
    for name in "$@"; do
        by_digest "$name"
    done
    have cosign || refuse "cosign is not there"
}

plain() { [ "$secure" = --tls-verify=true ] || echo --allow-insecure-registry; }

sign() {
    local -a with=()
    references "$@"
    if [ -n "${COSIGN_KEY:-}" ]; then
        with=(--key "$COSIGN_KEY" --tlog-upload=false)
    elif [ -z "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ]; then
        refuse "nobody vouches for this: neither a job with 'id-token: write' nor COSIGN_KEY"
    fi
    # shellcheck disable=SC2046 # a flag or none
    cosign sign --yes $(plain) "${with[@]}" "$@"
}

# asked ARGUMENT...: whether cosign finds a signature as the arguments want it. That there is none, none that matches or none
# with a certificate is an answer (10, 12, 13 are cosign's); anything else is that it came to none.
asked() {
    local status=0
    # shellcheck disable=SC2046 # a flag or none
    cosign verify $(plain) --output text "$@" || status=$?
    case $status in 0) ;; 10 | 12 | 13) return 1 ;; *) echo "publish: cosign could not ask (status $status)" >&2 && exit 3 ;; esac
}

# Signed by one of the workflows SIGNERS, a space between them, and by nothing else.
verify() {
    local signer
    references "$@"
    if [ -n "${COSIGN_KEY:-}" ]; then
        asked --key "$COSIGN_KEY" --insecure-ignore-tlog=true "$@"
        return
    fi
    [ -n "${SIGNERS:-}" ] || refuse "SIGNERS is not set; they are workflows, https://github.com/ORG/REPO/.github/workflows/FILE@REF each"
    for signer in $SIGNERS; do
        ! asked --certificate-identity "$signer" --certificate-oidc-issuer https://token.actions.githubusercontent.com "$@" || return 0
    done
    return 1
}

# signature_of DIGEST: the tag under which cosign keeps its signature.
signature_of() { echo "sha256-${1#sha256:}.sig"; }

# retag TAG DIGEST COPY_OPTION...: a further tag; one that names something else is left as it is.
retag() {
    local there
    there=$(digest_of "$1")
    [ -z "$there" ] || [ "$there" = "$2" ] || refuse "$IMAGE_REPOSITORY:$1 is $there already, and tags are not moved"
    [ -n "$there" ] || skopeo copy --quiet --preserve-digests "${@:3}" --src-tls-verify="${secure#*=}" --dest-tls-verify="${secure#*=}" \
        "docker://$IMAGE_REPOSITORY@$2" "docker://$IMAGE_REPOSITORY:$1"
    [ "$(digest_of "$1")" = "$2" ] || { echo "publish: $IMAGE_REPOSITORY:$1 is not $2" >&2 && return 1; }
}

# named TAG DIGEST: an index and, as TAG.sig, its signature, which a registry would not keep with it of itself. Nothing is
# pushed but manifests of what is there.
named() {
    local signature
    retag "$1" "$2" --multi-arch=index-only
    signature=$(digest_of "$(signature_of "$2")")
    [ -z "$signature" ] || retag "$1.sig" "$signature"
    echo "$IMAGE_REPOSITORY:$1@$2"
}

tag() {
    local digest
    [ $# -eq 1 ] || refuse "which tag? one"
    [[ $1 =~ $TAG ]] || refuse "'$1' is no tag; a tag is letters, digits, and _ . - but not first"
    [[ $1 != latest ]] || refuse "'latest' says nothing of what it is; vX.Y.Z does"
    digest=$(digest_of "git-$commit")
    [ -n "$digest" ] || refuse "$IMAGE_REPOSITORY has no git-$commit; '.ci/publish.sh index' makes it"
    named "$1" "$digest"
}

# release.yaml says commit and digest, and people may write to it: they are one thing's, or neither gets a name.
promoted() {
    local digest
    [[ $# -eq 2 && $1 =~ ^[0-9a-f]{40}$ ]] || refuse "which commit, and which image? 40 hexadecimal digits, and NAME@sha256:…"
    by_digest "$2"
    digest=$(digest_of "git-$1")
    [ "$2" = "$IMAGE_REPOSITORY@$digest" ] || refuse "$2 is not commit $1's image, $IMAGE_REPOSITORY@${digest:-…, which is not there}"
    named "prod-${1:0:12}" "$digest"
}

# Two lines, commit=… and image=NAME@DIGEST. Commits are built side by side, and a later one may be ready before an earlier.
newest() {
    local since each digest signature
    [ $# -eq 1 ] || refuse "since which commit? one"
    since=$(git rev-parse --verify --quiet "$1^{commit}") || refuse "there is no commit $1 here"
    git merge-base --is-ancestor "$since" HEAD || refuse "commit $since is not among those that lead to $commit"
    for each in $(git rev-list --first-parent "$since..HEAD") "$since"; do
        digest=$(digest_of "git-$each")
        [ -n "$digest" ] || continue
        signature=$(digest_of "$(signature_of "$digest")")
        [ -n "$signature" ] || continue
        printf 'commit=%s\nimage=%s@%s\n' "$each" "$IMAGE_REPOSITORY" "$digest"
        return
    done
    echo "publish: $IMAGE_REPOSITORY has no signed image of a commit from $since to $commit" >&2
    return 1
}

command=${1:-}
case $command in
login | image | index | sbom | sign | verify | tag | promoted | newest) shift ;;
*) refuse "no such command: '$command'; there are login, image, index, sbom, sign, verify, tag, promoted, newest" ;;
esac
read_variables
mkdir -p "$OUT" "$(dirname "$REGISTRY_AUTH_FILE")"
[ -e "$REGISTRY_AUTH_FILE" ] || echo '{}' >"$REGISTRY_AUTH_FILE" # some want it there, also when nobody logs in
{ have skopeo && have buildah && have jq; } || .ci/deps.sh publish >&2
"$command" "$@"
