"""docs/faults.md says how anyone can tell which request a fault strikes: its Python gives what its own
table has, and the numbers that the program's unit tests hold it to."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/faults.md").read_text()
VECTORS = (ROOT / "tests/unit/faults/vectors.def").read_text()
MS = 1_000_000


@pytest.fixture(scope="module")
def formula() -> dict[str, Callable[..., Any]]:
    [block] = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    names: dict[str, Any] = {}
    exec(block, names)
    return names


def test_the_vectors_are_the_formula_s(formula: dict[str, Callable[..., Any]]) -> None:
    rows = re.findall(r'^VECTOR\((\w+), "(\w+)", "([^"]+)", (\w+), (\w+)\)$', VECTORS, re.M)
    assert len(rows) == VECTORS.count("\nVECTOR(") == 25
    for seed, kind, path, n, number in rows:
        assert formula["number"](int(seed, 0), kind, path, int(n, 0)) == int(number, 16)


def test_the_page_s_example_is_the_formula_s(formula: dict[str, Callable[..., Any]]) -> None:
    rows = re.findall(r"^\| (\d) \| ([\d.]+) \| (yes|no) \| ([\d.]+) \| ([\d,]+) \|$", PAGE, re.M)
    assert [int(row[0]) for row in rows] == list(range(8))
    for row, error, struck, latency, delay in rows:
        n, path = int(row), "/demo/hello"
        assert f"{formula['number'](42, 'error', path, n) / 2**53:.6f}" == error
        assert formula["strikes"](42, "error", path, n, 0.25) == (struck == "yes")
        assert f"{formula['number'](42, 'latency', path, n) / 2**53:.6f}" == latency
        ns = int(delay.replace(",", ""))
        assert formula["delay_ns"](42, path, n, 20 * MS, 100 * MS, 1000 * MS) == ns
    [told] = re.findall(r"Of the first thousand (\d+) are errors", PAGE)
    strikes = formula["strikes"]
    assert int(told) == sum(strikes(42, "error", "/demo/hello", n, 0.25) for n in range(1000))
