#!/usr/bin/env bash
# Builds the image, checks what it promises (size, user, labels), runs it and asks it over HTTP.
# Where the registry of its base cannot be reached, the base is made of Debian packages.
# The image stays as localhost/glassbox:dev; its size in build/release/image-size.
#
# `--archive FILE NAME` builds it and leaves it in an archive under that name, and no more; exit status
# 75 where no image can be built. SOURCE, if set, is where the sources are, and becomes a label.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

IMAGE=localhost/glassbox:dev
SIZE_MAX=8000000
container=""
trap '[ -z "$container" ] || podman rm --force "$container" >/dev/null 2>&1 || true' EXIT

# Says why no image can be built here, and fails; silent when one can.
unable() {
    have buildah || { echo "buildah is not there" && return; }
    local try
    try=$(buildah from scratch 2>&1) || { echo "buildah cannot work here: ${try##*$'\n'}" && return; }
    buildah rm "$try" >/dev/null
}

# Prints the name of the builder's base image.
base_image() {
    local made=localhost/glassbox-base:$DEBIAN_SUITE root
    if timeout 120 buildah pull --quiet "$DEBIAN_IMAGE" >/dev/null 2>&1; then
        echo "$DEBIAN_IMAGE"
        return
    fi
    if ! buildah inspect --type image "$made" >/dev/null 2>&1; then
        echo "no registry: making the base of Debian packages" >&2
        mkdir -p "$CACHE"
        root=$CACHE/base-$DEBIAN_SUITE.tar
        printf 'deb http://deb.debian.org/%s main\n' "debian $DEBIAN_SUITE" \
            "debian $DEBIAN_SUITE-updates" "debian-security $DEBIAN_SUITE-security" |
            mmdebstrap --quiet --variant=minbase "$DEBIAN_SUITE" "$root" - >&2
        container=$(buildah from scratch)
        buildah add --quiet "$container" "$root" / >&2
        buildah commit --quiet --rm "$container" "$made" >&2
        container=""
        rm -f "$root"
    fi
    echo "$made"
}

# build_image ARGUMENT...: what is to become of it: --tag NAME, --iidfile FILE.
build_image() {
    local base revision source=()
    base=$(base_image) || return 1
    revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
    [ -z "${SOURCE:-}" ] || source=(--build-arg "SOURCE=$SOURCE")
    # chroot isolation needs neither namespaces nor cgroups of its own; the packages come over the
    # host's network.
    buildah bud --isolation=chroot --network=host --layers --build-arg "BASE=$base" \
        --build-arg "REVISION=$revision" --build-arg "VERSION=$(<telemetry/VERSION)" "${source[@]}" "$@" .
}

# What the image says of itself.
inspect() { podman image inspect --format "$1" "$IMAGE"; }

promises() {
    local size user version
    version=$(<telemetry/VERSION)
    size=$(inspect '{{.Size}}')
    user=$(inspect '{{.Config.User}}')
    mkdir -p build/release
    echo "$size" >build/release/image-size
    echo "size $size bytes (at most $SIZE_MAX), user $user"
    # shellcheck disable=SC2016 # a template of Go's
    inspect '{{range $k, $v := .Config.Labels}}{{$k}}={{$v}}{{"\n"}}{{end}}'
    [ "$size" -le "$SIZE_MAX" ] && [ "$user" = 65532:65532 ] &&
        [ "$(inspect '{{index .Config.Labels "org.opencontainers.image.version"}}')" = "$version" ] &&
        [ "$(inspect '{{index .Config.Labels "org.opencontainers.image.licenses"}}')" = Apache-2.0 ]
}

# podman's own defaults for limits are above those of many a shell, which then may not be raised.
start_container() {
    container=$(podman --runtime runc run --detach --network=host --read-only --cap-drop=ALL \
        --security-opt=no-new-privileges --ulimit nofile=4096:4096 --ulimit nproc=4096:4096 \
        "$IMAGE" --listen "127.0.0.1:$port" --max-connections 1000)
}

# The container answers, as nobody, and ends cleanly when told to.
serves() {
    local pid uid status
    start_container || return 1
    curl --silent --show-error --fail --retry 20 --retry-connrefused --retry-delay 1 --max-time 5 \
        --include "http://127.0.0.1:$port/demo/hello" || return 1
    pid=$(podman inspect --format '{{.State.Pid}}' "$container")
    uid=$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$pid/status")
    podman stop --time 20 "$container" >/dev/null
    status=$(podman inspect --format '{{.State.ExitCode}}' "$container")
    podman logs "$container"
    echo "user $uid, exit status $status"
    [ "$uid" = 65532 ] && [ "$status" = 0 ]
}

why=""
.ci/deps.sh image || why="its tools cannot be installed"
[ -n "$why" ] || why=$(unable)
if [ "${1:-}" = --archive ]; then
    [ -z "$why" ] || { echo "no image: $why" >&2 && exit 75; }
    # By its number, for a tag may be somebody else's by then; and whole or not there, for who finds it
    # takes it.
    draft=$(mktemp -d "$2.XXXXXX")
    trap 'rm -rf "$draft"' EXIT
    build_image --iidfile "$draft/number" >&2 &&
        buildah push --quiet "$(<"$draft/number")" "oci-archive:$draft/archive:$3" >&2 &&
        mv "$draft/archive" "$2" || exit 1
    exit
fi
if [ -n "$why" ]; then
    skipped "image" "$why"
    total
    exit
fi
port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
step "image: build" build_image --tag "$IMAGE"
if [ "$FAILED" -eq 0 ]; then
    step "image: size, user, labels" promises
    step "image: container" serves
fi
total
