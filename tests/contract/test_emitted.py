"""What a Prometheus has is held against an exporter's list, and each way to differ is told."""

from pathlib import Path
from typing import Any

import emitted
import pytest

LIST = """\
source: a list of this test, which nobody emits, long enough
target: scraped
labels: [namespace]
metrics:
  a_things: {type: gauge, labels: {state: [new, old]}}
  a_calls_total: {type: counter}
  a_seconds: {type: histogram, labels: [route]}
"""


def compared(folder: Path, series: list[dict[str, str]], types: dict[str, str]) -> Any:
    """The list against these series."""
    (folder / "a.yaml").write_text(LIST)

    def ask(path: str, parameters: dict[str, str]) -> Any:
        if path == "metadata":
            name = parameters["metric"]
            return {name: [{"type": types[name]}]} if name in types else {}
        names = parameters["match[]"].removeprefix('{__name__=~"').removesuffix('"}').split("|")
        return [one for one in series if one["__name__"] in names]

    return emitted.compare(ask, folder / "a.yaml")


THERE = [
    {"__name__": "a_things", "namespace": "x", "state": "new", "job": "j", "instance": "i"},
    {"__name__": "a_calls_total", "namespace": "x", "job": "j", "instance": "i"},
    {"__name__": "a_seconds_bucket", "namespace": "x", "route": "/", "le": "1.0"},
]
TYPES = {"a_things": "gauge", "a_calls_total": "counter", "a_seconds": "histogram"}


def test_what_is_as_it_is_listed(tmp_path: Path) -> None:
    assert compared(tmp_path, THERE, TYPES) == ([], [], [])


@pytest.mark.parametrize(
    ("place", "change", "wrong", "more"),
    [
        (0, {"state": "broken"}, ["a_things: state may be broken, too"], []),
        (0, {"colour": "red"}, [], ["a_things: colour"]),
        (1, {"namespace": None}, ["a_calls_total: no series has the label namespace"], []),
        (2, {"route": None}, ["a_seconds: no series has the label route"], []),
    ],
)
def test_labels(place: int, change: dict, wrong: list[str], more: list[str], tmp_path: Path) -> None:
    series = [dict(one) for one in THERE]
    series[place] = {key: value for key, value in {**series[place], **change}.items() if value}
    assert compared(tmp_path, series, TYPES) == (wrong, more, [])


def test_types(tmp_path: Path) -> None:
    wrong, _, _ = compared(tmp_path, THERE, {**TYPES, "a_calls_total": "gauge"})
    assert wrong == ["a_calls_total: is a gauge, not a counter"]


def test_what_is_not_there_is_no_fault(tmp_path: Path) -> None:
    assert compared(tmp_path, THERE[:1], TYPES) == ([], [], ["a_calls_total", "a_seconds"])
