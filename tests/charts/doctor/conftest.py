"""The doctor's package is not installed: users run it from the charts' folder, as these tests do."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "charts/stack")]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The spans of the world's collector are of its own time."""
    from glassbox_doctor.links import collector_span
    from world import NOW
    monkeypatch.setattr(collector_span, "now", lambda: NOW)
