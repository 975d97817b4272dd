"""Fixtures: one browser, that of the page's tests, which resolves no name and speaks to nobody."""

from pathlib import Path
from typing import Iterator

import pytest

from chromium import Browser, missing

ROOT = Path(__file__).resolve().parents[2]
DIAGRAMS = ROOT / "docs/diagrams"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if missing():
        pytest.skip(f"needs {', '.join(missing())}")
    browser = Browser()
    yield browser
    browser.quit()
