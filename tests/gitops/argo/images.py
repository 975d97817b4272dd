"""Images of releases: that of this work tree with the release's commit as a label, so each has a digest of its own."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

REPOSITORY = "localhost/glassbox"
BLOBS = "blobs/sha256/"
LABEL = "org.opencontainers.image.revision"


def _digest(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()


def release(archive: Path, revision: str, target: Path) -> str:
    """Writes an OCI archive that a node finds by REPOSITORY@DIGEST; the digest."""
    with tarfile.open(archive) as source:
        files = {member.name: source.extractfile(member).read() for member in source if member.isfile()}  # type: ignore[union-attr]

    def take(digest: str) -> Any:
        return json.loads(files.pop(BLOBS + digest.removeprefix("sha256:")))

    def put(descriptor: dict[str, Any], content: Any) -> None:
        blob = json.dumps(content).encode()
        descriptor |= {"digest": f"sha256:{_digest(blob)}", "size": len(blob)}
        files[BLOBS + _digest(blob)] = blob

    index = json.loads(files["index.json"])
    (described,) = index["manifests"]
    manifest = take(described["digest"])
    config = take(manifest["config"]["digest"])
    config.setdefault("config", {}).setdefault("Labels", {})[LABEL] = revision
    put(manifest["config"], config)
    put(described, manifest)
    described["annotations"] = {"io.containerd.image.name": f"{REPOSITORY}@{described['digest']}"}
    files["index.json"] = json.dumps(index).encode()
    with tarfile.open(target, "w") as made:
        for name, blob in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(blob)
            made.addfile(entry, io.BytesIO(blob))
    return str(described["digest"])
