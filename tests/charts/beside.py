#!/usr/bin/env python3
"""What charts/stack/install would install, rendered: `beside.py PROFILE FOLDER` writes a file for each part.

The parts, their values and where their charts come from are the installer's own; so what is read here is
what a cluster would be given. Exit status 2: a chart cannot be had, and stderr says which; the others are written.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "charts/stack"))

from glassbox_install.parts import PARTS, Part, Refused, Wish, chart_of, layers  # noqa: E402  the path comes first

# What every API server that such a chart is installed into answers to, and helm by itself does not know of.
SERVED = ("apiregistration.k8s.io/v1", "monitoring.coreos.com/v1")


class Unavailable(Exception):
    """A chart that is not ours, and cannot be had here."""


def wish(profile: str, release: str = "glassbox", namespace: str = "glassbox") -> Wish:
    """As the command line has it by default, with all that may be asked for besides."""
    parts = tuple(part for part in PARTS if profile in part.profiles)
    return Wish(profile=profile, namespace=namespace, release=release, monitoring="monitoring", overlay=None,
                values=(), parts=parts, gateway=True)


def render(part: Part, asked: Wish) -> str:
    """A part's manifests."""
    values, stdin = layers(part, asked)
    try:
        chart = chart_of(part)
    except Refused as error:
        raise Unavailable(error) from error
    done = subprocess.run(
        ["helm", "template", asked.release_of(part), *chart, "--namespace", asked.namespace_of(part), *values,
         *(argument for version in SERVED for argument in ("--api-versions", version))],
        input=stdin, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode and "--repo" in chart:
        raise Unavailable(f"{part.name}: {done.stderr.strip().splitlines()[-1]}")
    if done.returncode:
        raise RuntimeError(f"{part.name}: {done.stderr.strip()}")
    return done.stdout


def main(profile: str, folder: Path) -> int:
    """Writes what can be had."""
    asked, status = wish(profile), 0
    folder.mkdir(parents=True, exist_ok=True)
    for part in asked.parts:
        try:
            (folder / f"{part.name}.yaml").write_text(render(part, asked))
        except Unavailable as error:
            print(error, file=sys.stderr)
            status = 2
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
