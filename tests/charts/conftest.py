"""What several suites are given."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_world import World
from stack_charts import PARTS


@pytest.fixture(name="world")
def a_world(tmp_path: Path) -> World:
    """All is well."""
    return World(tmp_path).well()


@pytest.fixture(name="charts")
def a_folder_of_charts(tmp_path: Path) -> str:
    """Files by the names of the public charts; nobody looks into them here."""
    folder = tmp_path / "charts"
    folder.mkdir()
    for part in PARTS:
        if part.version:
            (folder / f"{part.name}-{part.version}.tgz").touch()
    return str(folder)
