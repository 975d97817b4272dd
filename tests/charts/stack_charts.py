"""charts/stack as helm renders it: the tests' hands on charts, values and profiles.

Where a program or a folder is missing, what it was wanted for is skipped, and the reason names it.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any, Iterator

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
STACK = ROOT / "charts/stack"
VALUES = STACK / "values"
OVERLAY = ROOT / "infra/cluster/values"
sys.path.insert(0, str(STACK))

from glassbox_install.parts import PARTS, PROFILES, Part  # noqa: E402  the path comes first

PART = {part.name: part for part in PARTS}
PUBLIC = [part.name for part in PARTS if part.version]
OURS = [part.name for part in PARTS if part.folder.startswith("charts/stack/")]
ROUTES = {"demo": "values.demo.yaml", "production": "values.kubernetes.yaml"}


def helm() -> str:
    """The program, of PATH."""
    found = shutil.which("helm")
    if found is None:
        pytest.skip("no helm in PATH (.ci/kubectl.sh): what charts/stack renders to stays unproved")
    return found


def chart(part: Part) -> Path:
    """Its folder, or its archive in CHARTS_DIR."""
    if part.folder:
        return ROOT / part.folder
    folder = os.environ.get("CHARTS_DIR")
    if not folder:
        pytest.skip(f"no CHARTS_DIR: whether our values fit {part.name} {part.version} stays unproved")
    return Path(folder) / f"{part.name}-{part.version}.tgz"


def load(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text())


def files(name: str, profile: str, overlay: bool = False) -> list[Path]:
    """The values of a part, as install layers them."""
    found = [VALUES / f"{name}.yaml", VALUES / f"{name}.{profile}.yaml"]
    if name == "kube-prometheus-stack":
        found.append(ROOT / "alerts/alertmanager" / ROUTES[profile])
    if overlay:
        found.append(OVERLAY / f"{name}.yaml")
    return [path for path in found if path.exists()]


def render(name: str, values: list[Path | dict], namespace: str = "monitoring") -> str:
    """`helm template`; values that are no file go through stdin, at their place (one of them at most)."""
    arguments = [each for value in values for each in
                 ("--values", "-" if isinstance(value, dict) else str(value))]
    stdin = next((yaml.safe_dump(value) for value in values if isinstance(value, dict)), "")
    # A chart that asks which APIs there are is told of one that every cluster has.
    done = subprocess.run([helm(), "template", name, chart(PART[name]), "-n", namespace, *arguments,
                           "--api-versions", "apiregistration.k8s.io/v1"],
                          input=stdin, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise ValueError(done.stderr)
    return done.stdout


@functools.cache
def rendered(name: str, profile: str, overlay: bool = False) -> str:
    """A part as it is installed."""
    return render(name, list(files(name, profile, overlay)))


def leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """(path, value) of all that is no mapping; an empty mapping is one of them."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from leaves(each, (*path, key))
    else:
        yield path, value


def without(document: dict, path: tuple[str, ...]) -> dict:
    """A copy that lacks a leaf."""
    key, *rest = path
    if not rest:
        return {name: each for name, each in document.items() if name != key}
    return document | {key: without(document[key], tuple(rest))}


def put(document: dict, path: tuple[str, ...], value: object) -> dict:
    """A copy in which a leaf is another."""
    key, *rest = path
    return document | {key: put(document.get(key) or {}, tuple(rest), value) if rest else value}


def of_archive(name: str, inside: str) -> dict:
    """A YAML file of a packed chart; {} where it has none."""
    with tarfile.open(chart(PART[name])) as archive:
        try:
            return yaml.safe_load(archive.extractfile(f"{name}/{inside}").read()) or {}
        except KeyError:
            return {}
