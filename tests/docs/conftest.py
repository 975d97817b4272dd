"""Fixtures: one browser, that of the page's tests, which resolves no name and speaks to nobody."""

from pathlib import Path

from chromium import browser  # noqa: F401  the fixture

ROOT = Path(__file__).resolve().parents[2]
DIAGRAMS = ROOT / "docs/diagrams"
