"""What several suites are given."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub import Hub
from world import World

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(name="hub")
def a_hub(tmp_path: Path) -> Hub:
    """A git server that is a folder."""
    return Hub(tmp_path)


@pytest.fixture(name="world", scope="module")
def three_environments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A service and a Prometheus in each."""
    program = Path(os.environ.get("GLASSBOX_BIN") or ROOT / "build/release/glassbox")
    if not program.exists():
        pytest.fail(f"no {program}: make build, or GLASSBOX_BIN")
    world = World(tmp_path_factory.mktemp("world"), program)
    try:
        yield world
    finally:
        world.close()
