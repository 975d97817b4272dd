"""A container image as one archive, made without a registry, a daemon or root.

It is an OCI image layout (image-spec 1.1) of one layer in a tar, named by the annotation that containerd
reads, `io.containerd.image.name`. The same files give the same bytes: no times, no names of owners. Nothing
is compressed, for it is read once, on the machine that writes it.
"""

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

MEDIA = "application/vnd.oci.image."
PASSWD = "root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\nuser:x:{user}:{user}:user:/:/sbin/nologin\n"


@dataclass(frozen=True)
class Image:
    """What goes into one. `files` maps paths in the image to files here, `links` to other paths in it;
    `folders` are empty ones that belong to the user."""
    name: str
    entrypoint: tuple[str, ...]
    files: Mapping[str, Path]
    user: int = 65534  # numeric, so that runAsNonRoot can be checked
    links: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    environment: tuple[str, ...] = ("PATH=/bin:/usr/bin",)
    working_dir: str = "/"


def _entry(path: str, mode: int, kind: bytes = tarfile.REGTYPE, size: int = 0, owner: int = 0) -> tarfile.TarInfo:
    header = tarfile.TarInfo(path.lstrip("/"))
    header.mode, header.type, header.size = mode, kind, size
    header.uid = header.gid = owner
    return header


def _parents(paths: Iterable[str]) -> list[str]:
    """All folders above the paths, each before what is in it."""
    return sorted({str(parent) for path in paths for parent in PurePosixPath(path).parents} - {"/"})


def _write_layer(image: Image, target: IO[bytes]) -> None:
    passwd = PASSWD.format(user=image.user).encode()
    everything = ["/etc/passwd", *image.files, *image.links, *image.folders]
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for folder in _parents(everything):
            if folder not in ("/tmp", *image.folders):
                tar.addfile(_entry(folder, 0o755, tarfile.DIRTYPE))
        tar.addfile(_entry("/tmp", 0o1777, tarfile.DIRTYPE))
        for folder in sorted(image.folders):
            tar.addfile(_entry(folder, 0o755, tarfile.DIRTYPE, owner=image.user))
        tar.addfile(_entry("/etc/passwd", 0o644, size=len(passwd)), io.BytesIO(passwd))
        for path, source in sorted(image.files.items()):
            with open(source, "rb") as data:
                executable = os.fstat(data.fileno()).st_mode & 0o111
                tar.addfile(_entry(path, 0o755 if executable else 0o644, size=os.fstat(data.fileno()).st_size), data)
        for path, destination in sorted(image.links.items()):
            link = _entry(path, 0o777, tarfile.SYMTYPE)
            link.linkname = destination
            tar.addfile(link)


def _config(image: Image, layer: str) -> dict[str, Any]:
    return {"architecture": "amd64" if os.uname().machine == "x86_64" else "arm64", "os": "linux",
            "config": {"User": f"{image.user}:{image.user}", "Entrypoint": list(image.entrypoint),
                       "Env": list(image.environment), "WorkingDir": image.working_dir},
            "rootfs": {"type": "layers", "diff_ids": [layer]}}


def write(image: Image, target: IO[bytes]) -> None:
    """Writes the archive; the target need not be seekable."""
    small: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def described(kind: str, digest: str, size: int) -> dict[str, Any]:
        return {"mediaType": MEDIA + kind, "digest": f"sha256:{digest}", "size": size}

    def document(kind: str, value: dict[str, Any]) -> dict[str, Any]:
        data = json.dumps(value, sort_keys=True).encode()
        digest = hashlib.sha256(data).hexdigest()
        small[f"blobs/sha256/{digest}"] = data
        return described(kind, digest, len(data))

    with tempfile.TemporaryFile() as layer:
        _write_layer(image, layer)
        size = layer.tell()
        layer.seek(0)
        digest = hashlib.file_digest(layer, "sha256").hexdigest()
        layer.seek(0)
        manifest = document("manifest.v1+json", {
            "schemaVersion": 2, "mediaType": MEDIA + "manifest.v1+json",
            "config": document("config.v1+json", _config(image, f"sha256:{digest}")),
            "layers": [described("layer.v1.tar", digest, size)]})
        manifest["annotations"] = {"io.containerd.image.name": image.name,
                                   "org.opencontainers.image.ref.name": image.name.rpartition(":")[2]}
        small["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [manifest]}, sort_keys=True).encode()
        with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as archive:
            for folder in ("blobs", "blobs/sha256"):
                archive.addfile(_entry(folder, 0o755, tarfile.DIRTYPE))
            archive.addfile(_entry(f"blobs/sha256/{digest}", 0o644, size=size), layer)
            for path, data in sorted(small.items()):
                archive.addfile(_entry(path, 0o644, size=len(data)), io.BytesIO(data))
