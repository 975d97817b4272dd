"""The image's size, where one has been built: never built here."""

import json
import re
import shutil
import subprocess
from pathlib import Path

UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}


def size_from_file(path: Path) -> float | None:
    """Bytes that the image's build noted, or None."""
    try:
        return float(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def size_from_buildah() -> float | None:
    """Bytes of the newest image whose name holds `glassbox`, as buildah tells them, or None."""
    if not shutil.which("buildah"):
        return None
    done = subprocess.run(
        ["buildah", "images", "--json"], capture_output=True, text=True, timeout=30, check=False
    )
    try:
        images = json.loads(done.stdout or "[]") or []
    except ValueError:
        return None
    named = [i for i in images if any("glassbox" in name for name in i.get("names") or [])]
    named.sort(key=lambda image: str(image.get("createdatraw", "")))
    found = re.match(r"([\d.]+)\s*([KMG]?B)", named[-1].get("size", "")) if named else None
    return float(found[1]) * UNITS[found[2]] if found else None


def image_size(build: Path) -> tuple[float, str] | None:
    """Bytes and where they were read; None when there is no image."""
    noted = size_from_file(build / "image-size")
    if noted is not None:
        return noted, "noted by its build"
    listed = size_from_buildah()
    return (listed, "as buildah lists it") if listed is not None else None
