"""The workflows as data: files, jobs, steps, and what they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github/workflows"
FILES = sorted(FOLDER.glob("*.yaml"))
NAMES = [file.name for file in FILES]


def read(name: str) -> dict[str, Any]:
    """A workflow; `on` is quoted in it, or YAML would take it for true."""
    document = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    assert isinstance(document, dict) and "on" in document, name
    return document


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each job with its workflow and name."""
    for name in NAMES:
        for job, body in read(name)["jobs"].items():
            yield name, job, body


def steps() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each step with its workflow and job."""
    for name, job, body in jobs():
        for step in body.get("steps", []):
            yield name, job, step


def uses() -> Iterator[tuple[str, str]]:
    """Each line that uses an action or a workflow, as it is written, comment and all."""
    for file in FILES:
        for line in file.read_text(encoding="utf-8").splitlines():
            found = re.match(r"\s*-?\s*uses: (.*)", line)
            if found:
                yield file.name, found[1]


def commands() -> Iterator[tuple[str, str]]:
    """Each line of shell with its workflow."""
    for name, _, step in steps():
        for line in str(step.get("run", "")).splitlines():
            yield name, line


def mentioned(kind: str) -> set[str]:
    """The names that expressions ask `vars` or `secrets` for."""
    return {name for file in FILES for name in re.findall(rf"\b{kind}\.([A-Z_]+)", file.read_text(encoding="utf-8"))}
