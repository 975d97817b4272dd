"""The chart of the service as helm renders it, and the objects of whatever it renders."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/glassbox"
PROFILES = ("demo", "production")


@functools.cache
def rendered(profile: str = "production", *settings: str, release: str = "shop", namespace: str = "front") -> str:
    """What `helm template` makes of a profile and `--set`s."""
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("no helm in PATH (.ci/kubectl.sh): what charts/glassbox renders to stays unproved")
    done = subprocess.run(
        [helm, "template", release, CHART, "--namespace", namespace, "--values", CHART / f"values-{profile}.yaml",
         *(word for setting in settings for word in ("--set", setting))],
        capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(text: str, kind: str = "") -> list[dict[str, Any]]:
    """Its objects, or those of a kind."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [each for each in yaml.load_all(text, loader) if each and kind in ("", each["kind"])]


def one(text: str, kind: str, name: str = "") -> dict[str, Any]:
    """The only object of a kind, or the one of that name."""
    found = [each for each in objects(text, kind) if name in ("", each["metadata"]["name"])]
    assert len(found) == 1, f"{len(found)} {kind} {name}"
    return found[0]


def is_selected(labels: dict[str, str], selector: dict[str, str]) -> bool:
    """Whether these labels have all that is asked for."""
    return selector.items() <= labels.items()
