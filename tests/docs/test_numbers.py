"""The numbers of the streaming platform follow from its assumptions; and one that does not is found."""

import re

import pytest

import numbers_of
from conftest import ROOT


def test_the_platform_s_numbers_follow_from_each_other() -> None:
    calculated, found = numbers_of.read(ROOT / "docs/streaming-platform.md")
    assert found == [] and calculated > 20


def test_the_one_that_was_measured_is_what_was_measured() -> None:
    measured = re.search(r"^\| CPU a request, everything and OTLP logs \| ([\d.]+) µs (.*)",
                         (ROOT / "docs/performance.md").read_text(), re.M)
    said = {name: shown for name, _, shown, _, _ in numbers_of.ROW.findall((ROOT / "docs/streaming-platform.md").read_text())}
    assert said["cpu"] == measured[1] and "FAILED" not in measured[2]  # all records arrived


ABOVE = "| `A` | users | 1,200 | assumed |\n| `B` | share | 0.25 of them | assumed |\n"


@pytest.mark.parametrize("row", [
    "| `C` | active | 300 | `A * B` |",
    "| `C` | active, rounded | 1,000 | `A - 3 ** 2` |",
    "| `C` | a quotient | 0.33 /s | `A / 3600` |",
    "| `C` | a sample | 1,200 | `A * 1`, at most `A` |",
    "| `C` | words | 7 | somebody said so |",
])
def test_what_is_right(row: str) -> None:
    assert numbers_of.problems(ABOVE + row)[1] == []


@pytest.mark.parametrize("row, problem", [
    ("| `C` | active | 301 | `A * B` |", "C is 301, and A * B comes to 300"),
    ("| `C` | active | 0.34 /s | `A / 3600` |", "C is 0.34, and A / 3600 comes to 0.333333"),
    ("| `C` | two arms | 2,400 | `A * 2`, at most `A` |", "C is 2,400, and may be at most A: 1,200"),
    ("| `C` | of nothing | 1 | `D + 1` |", "C: D is no row above it"),
    ("| `C` | no arithmetic | 1 | `open('x')` |", "C: no arithmetic: open('x')"),
    ("| `A` | again | 1 | assumed |", "A is there twice"),
])
def test_what_is_wrong(row: str, problem: str) -> None:
    assert numbers_of.problems(ABOVE + row)[1] == [problem]
