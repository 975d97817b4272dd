#!/usr/bin/env bash
# Runs a command in the Debian that all of this is tested on, in the work tree, as root of a container that may do what a
# machine may (an image is built in it, a Kubernetes node runs in it), for machines that are something else:
#
#     .ci/debian.sh make test
#
# CI's runners are such. The caches of outside are used; what the container writes belongs to the caller at the end.
# ENGINE is docker or podman, the first that is there, ENGINE_ARGS what it is told besides; variables of ours that are set are handed in.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

HANDED=(GLASSBOX_CACHE JOBS CHECK FUZZ_SECONDS PYTEST_ARGS SOAK_MINUTES)

[ $# -gt 0 ] || { echo "usage: .ci/debian.sh COMMAND…, such as make test" >&2 && exit 2; }
if [ -z "${ENGINE:-}" ]; then
    ENGINE=docker
    have docker || ENGINE=podman
fi
case $ENGINE in docker | podman) ;; *) echo "ENGINE is '$ENGINE'; it is docker or podman" >&2 && exit 2 ;; esac
have "$ENGINE" || { echo "there is neither docker nor podman: '$ENGINE' is not to be found" >&2 && exit 2; }

mkdir -p "$CACHE"
export GLASSBOX_CACHE=$CACHE
options=(--rm --privileged --volume "$PWD:$PWD" --volume "$CACHE:$CACHE" --workdir "$PWD"
    # What no overlay may lie on another for: layers of images, a node's pods.
    --volume /var/lib/containers --volume /var/lib/kubelet --volume /var/tmp)
[ "$ENGINE" != docker ] || options+=(--init) # which podman has from a package of its own
for name in "${HANDED[@]}"; do
    [ -z "${!name:-}" ] || options+=(--env "$name")
done
# A work tree of git's may have its repository elsewhere.
repository=$(realpath "$(git rev-parse --git-common-dir)")
[ "$repository" = "$PWD/.git" ] || options+=(--volume "$repository:$repository")

# shellcheck disable=SC2016 # for the shell inside
inside='set -e
owner=$1 work=$2 cache=$3
shift 3
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install git make ca-certificates >/dev/null
git config --global --add safe.directory "$work"
trap '\''[ "$owner" = 0:0 ] || chown -R "$owner" "$work" "$cache"'\'' EXIT
"$@"'
read -ra more <<<"${ENGINE_ARGS:-}"
exec "$ENGINE" run "${options[@]}" "${more[@]}" "$DEBIAN_IMAGE" bash -c "$inside" debian \
    "$(id -u):$(id -g)" "$PWD" "$CACHE" "$@"
