"""What these documents tell people to run and to open is there: paths, and targets of make."""

import re
from pathlib import Path

import pytest

from conftest import ROOT

DOCUMENTS = sorted(ROOT / "docs" / f"{name}.md" for name in (
    "provisioning", "delivery", "streaming-platform", "notes", "presentation"))
CODE = re.compile(r"`([^`\n]+)`|^    (\S.*)$", re.M)
PATH = re.compile(r"(?<![\w/.])((?:\.ci|\.github|alerts|charts|dashboards|docs|infra|loadtest|tests)/[\w./*-]*[\w*])")
PLACES = {"ENV": "dev"}
MADE = "release.yaml"  # by the first release


def code(text: str) -> list[str]:
    """What stands in code."""
    return [span or block for span, block in CODE.findall(text)]


def paths(text: str) -> set[str]:
    """The paths that stand in code, for the first environment."""
    return {re.sub(r"\b(ENV)\b", lambda name: PLACES[name[0]], path) for line in code(text) for path in PATH.findall(line)}


def targets(text: str) -> set[str]:
    """What make is asked for."""
    return {target for line in code(text) for target in re.findall(r"(?<![\w/.-])make ([a-z][a-z0-9-]*)", line)}


def missing(path: str, root: Path) -> bool:
    """Whether a path leads nowhere; what a release makes needs its folder alone."""
    if path.endswith("/" + MADE):
        path = path.removesuffix(MADE).rstrip("/")
    return not list(root.glob(path))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_is_there(document: Path) -> None:
    assert sorted(path for path in paths(document.read_text()) if missing(path, ROOT)) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_target_is_there(document: Path) -> None:
    have = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert targets(document.read_text()) - have == set()


def test_what_is_named_is_found(tmp_path: Path) -> None:
    text = "See `infra/gone.md`, `make gone`, not infra/prose.md.\n\n    infra/gitops/promote copy\n    CHARTS=a make e2e\n" \
           "\n`infra/gitops/environments/ENV/release.yaml` `infra/*/x.sh`"
    assert paths(text) == {"infra/gone.md", "infra/gitops/promote", "infra/gitops/environments/dev/release.yaml", "infra/*/x.sh"}
    assert targets(text) == {"gone", "e2e"}
    (tmp_path / "infra/gitops/environments/dev").mkdir(parents=True)
    (tmp_path / "infra/gitops/x.sh").touch()
    assert [path for path in sorted(paths(text)) if missing(path, tmp_path)] == ["infra/gitops/promote", "infra/gone.md"]
