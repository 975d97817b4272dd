"""What was foretold against what happened: each kind of fault, and what is none."""

from typing import NamedTuple

import pytest

from glassbox_hpa.compare import DEMO_LIMITS, Limits, Row, compare


class Look(NamedTuple):
    """One second."""

    t: float
    current: int


def line(*parts: tuple[int, int], end: int = 600) -> list[Look]:
    """(from when, so many replicas), a look a second."""
    found = []
    for (begin, replicas), until in zip(parts, [*(begin for begin, _ in parts[1:]), end + 1]):
        found += [Look(float(t), replicas) for t in range(begin, until)]
    return found


FORETOLD = line((0, 2), (60, 4), (300, 2))


@pytest.mark.parametrize(("actual", "rows"), [
    (FORETOLD, [Row(2, 4, 60, 60), Row(4, 2, 300, 300)]),
    (line((0, 2), (70, 4), (330, 2)), [Row(2, 4, 60, 70), Row(4, 2, 300, 330)]),
    (line((0, 2), (45, 3), (75, 4), (330, 2)), [Row(2, 3, 60, 45), Row(3, 4, 60, 75), Row(4, 2, 300, 330)]),
    (line((0, 2), (60, 4), (270, 3), (310, 2)), [Row(2, 4, 60, 60), Row(4, 3, 300, 270), Row(3, 2, 300, 310)]),
])
def test_as_foretold(actual: list[Look], rows: list[Row]) -> None:
    """A step may come in two, or a little off."""
    found = compare(FORETOLD, actual, DEMO_LIMITS)
    assert found.passed and found.rows == tuple(rows)


def test_off() -> None:
    assert [row.off for row in compare(FORETOLD, line((0, 2), (45, 4), (330, 2))).rows] == [-15, 30]


@pytest.mark.parametrize(("actual", "faults"), [
    (line((0, 2), (91, 4), (300, 2)), ["2 → 4: foretold at 60 s, happened at 91 s, 31 s too late; allowed: 30 s"]),
    (line((0, 2), (29, 4), (300, 2)), ["2 → 4: foretold at 60 s, happened at 29 s, 31 s too early; allowed: 30 s"]),
    (line((0, 2), (60, 4), (361, 2)), [
        "replicas: from 300 s to 361 s further apart than 1, at the most 2 foretold and 4 there; allowed for 60 s",
        "4 → 2: foretold at 300 s, happened at 361 s, 61 s too late; allowed: 60 s"]),
    (line((0, 2)), [
        "replicas: from 60 s to 300 s further apart than 1, at the most 4 foretold and 2 there; allowed for 60 s",
        "2 → 4: foretold at 60 s, and never came", "4 → 2: foretold at 300 s, and never came"]),
    (line((0, 2), (60, 4), (300, 2), (450, 3)), ["2 → 3: happened at 450 s, and nobody had foretold it"]),
    (line((0, 2), (60, 4), (180, 3), (300, 2)), [
        "4 → 3: foretold at 300 s, happened at 180 s, 120 s too early; allowed: 60 s"]),
    (line((0, 2), (60, 4), (80, 3), (100, 4), (300, 2)), [
        "4 → 3: happened at 80 s, and nobody had foretold it",
        "3 → 4: happened at 100 s, and nobody had foretold it"]),
    (line((0, 2), (60, 6), (300, 2)), [
        "replicas: from 60 s to 300 s further apart than 1, at the most 4 foretold and 6 there; allowed for 60 s"]),
    (line((0, 2), (60, 4), end=330), ["4 → 2: foretold at 300 s, and watched only until 330 s: too short to tell"]),
])
def test_faults(actual: list[Look], faults: list[str]) -> None:
    found = compare(FORETOLD, actual, DEMO_LIMITS)
    assert list(found.faults) == faults and not found.passed


def test_another_size_of_the_same_step_is_none() -> None:
    """Five instead of four, out and in again; and three: both are within one."""
    for size in (5, 3):
        found = compare(FORETOLD, line((0, 2), (60, size), (300, 2)), DEMO_LIMITS)
        assert found.passed, found.faults
    assert Row(4, 5, None, 60) in compare(FORETOLD, line((0, 2), (60, 5), (300, 2))).rows


def test_flat_and_nothing_happened() -> None:
    found = compare(line((0, 2)), line((0, 2)))
    assert found.passed and not found.rows


def test_what_was_there_for_a_moment_only() -> None:
    """Two too many for as long as is allowed; a second longer is too long."""
    short = compare(line((0, 2), (100, 3), (200, 2)), line((0, 2), (100, 5), (160, 3), (200, 2)))
    assert not [one for one in short.faults if one.startswith("replicas")]
    longer = compare(line((0, 2), (100, 3), (200, 2)), line((0, 2), (100, 5), (161, 3), (200, 2)))
    assert [one for one in longer.faults if one.startswith("replicas")]


def test_each_crossing_has_one_partner() -> None:
    """Twice foretold and once there: the nearest is it, the other never came."""
    twice = line((0, 2), (60, 3), (200, 2), (400, 3))
    found = compare(twice, line((0, 2), (380, 3)))
    assert [(row.foretold, row.happened) for row in found.rows] == [(60, None), (200, None), (400, 380)]
    assert [one.partition(":")[0] for one in found.faults] == ["2 → 3", "3 → 2"]


def test_limits_can_be_others() -> None:
    assert compare(FORETOLD, line((0, 2), (110, 4), (300, 2))).passed
    assert not compare(FORETOLD, line((0, 2), (110, 4), (300, 2)), Limits(seconds=40, out_seconds=40)).passed


def test_table() -> None:
    table = compare(FORETOLD, line((0, 2), (67, 4))).markdown()
    assert table.splitlines() == [
        "| replicas | foretold at | happened at | off by |", "|---|---:|---:|---:|",
        "| 2 → 4 | 60 s | 67 s | +7 s |", "| 4 → 2 | 300 s | never |  |"]


def test_nothing_to_compare() -> None:
    with pytest.raises(ValueError, match="actual: empty"):
        compare(FORETOLD, [])
    with pytest.raises(ValueError, match="predicted: empty"):
        compare([], FORETOLD)
