"""When an alert is due, against cases that were worked by hand."""

import pytest

from drills import due, effects
from drills.due import Both, Either, Leaf, Pace

HOUR = 3600.0

# name, leaf, seconds until it holds
ONSETS = [
    # 30 % in place of nothing: 1.44 % of the window's requests are bad when 4.8 % of the window are the fault's.
    ("1h, full", Leaf("", HOUR, 0.0144, 0.0, 0.3), 0.048 * HOUR),
    # 1 % is there already: it takes (1.44 - 1) / (30 - 1) of the window.
    ("1h, some bad before", Leaf("", HOUR, 0.0144, 0.01, 0.3), 0.0044 / 0.29 * HOUR),
    # Ten minutes old: 600 s of nothing and t s of 30 %: 0.3 t / (600 + t) = 0.0144.
    ("1h, young", Leaf("", HOUR, 0.0144, 0.0, 0.3, age=600), 600 * 0.0144 / 0.2856),
    # Just begun: the first bad request is most of what there is.
    ("1h, new", Leaf("", HOUR, 0.0144, 0.0, 0.3, age=0), 0.0),
    # Nearly full: it would take 200 s to grow to the threshold, but the window is full after 100 and slides then.
    ("young, then full", Leaf("", 1000, 0.2, 0.1, 0.6, age=900), 1000 * 0.1 / 0.5),
    ("over the threshold already", Leaf("", 300, 0.05, 0.1, 0.3), 0.0),
    ("the fault is too weak", Leaf("", 300, 0.05, 0.0, 0.05), due.NEVER),
    ("the fault does not touch it", Leaf("", 300, 0.05), due.NEVER),
    ("a guard", Leaf("", 300, 0.1, holds=True), 0.0),
    ("a gauge", Leaf("", 0, 0.8, 0.1, 0.92), 0.0),
    ("a gauge that fills up", Leaf("", 0, 0.8, 0.1, 0.92, ramp=4.5), 4.5),
    ("a gauge that falls", Leaf("", 0, 0.5, 1.0, 0.0, below=True), 0.0),
    ("a mean that falls", Leaf("", 100, 0.5, 1.0, 0.0, below=True), 50.0),
]


@pytest.mark.parametrize("leaf, seconds", [case[1:] for case in ONSETS], ids=[case[0] for case in ONSETS])
def test_onset(leaf: Leaf, seconds: float) -> None:
    assert leaf.onset() == pytest.approx(seconds)


# name, leaf, how long the fault lasted, seconds until it is over
FALLS = [
    # 60 s of 30 % in 5 minutes are 6 %; 1.44 % are 14.4 s of them: the first 45.6 s must have left the window.
    ("5m, full", Leaf("", 300, 0.0144, 0.0, 0.3), 60, 300 - 14.4),
    # Longer than the window: the same, as the window has nothing but the fault.
    ("5m, long fault", Leaf("", 300, 0.0144, 0.0, 0.3), 3000, 300 - 14.4),
    # 200 s old, 20 s of 30 %: 6 / (220 + t) = 0.0144 at t = 196.7, and the window is not full before 80 + 3300.
    ("1h, young: it grows out of it", Leaf("", HOUR, 0.0144, 0.0, 0.3, age=200), 20, 6 / 0.0144 - 220),
    ("it never held", Leaf("", 300, 0.05, 0.0, 0.3), 10, 0.0),
    ("bad before", Leaf("", 300, 0.05, 0.06, 0.3), 60, due.NEVER),
    ("a guard", Leaf("", 300, 0.1, holds=True), 60, due.NEVER),
    ("a gauge", Leaf("", 0, 0.8, 0.1, 0.92, ramp=4.5), 60, 4.5),
    ("a count", Leaf("", 120, 0.0, 0.0, 100.0), 60, 120),
]


@pytest.mark.parametrize("leaf, lasted, seconds", [case[1:] for case in FALLS], ids=[case[0] for case in FALLS])
def test_fall(leaf: Leaf, lasted: float, seconds: float) -> None:
    assert leaf.fall(lasted) == pytest.approx(seconds, abs=0.1)


def test_onset_and_fall_are_what_reads_says() -> None:
    """The closed form of the onset, and the mean over the window: one is the other solved for the time."""
    for base, level, threshold, age in (
            (0.0, 0.3, 0.0144, 400.0), (0.01, 0.5, 0.06, 3000.0), (0.1, 0.64, 0.15, due.NEVER)):
        leaf = Leaf("", HOUR, threshold, base, level, age=age)
        onset = leaf.onset()
        assert leaf.reads(0, onset) == pytest.approx(threshold)
        assert leaf.reads(0, onset * 0.99) < threshold < leaf.reads(0, onset * 1.01)
        fall = leaf.fall(onset * 3)
        assert leaf.reads(fall - 1, onset * 3) > threshold >= leaf.reads(fall + 0.1, onset * 3)


SHORT, LONG = Leaf("5m", 300, 0.0144, 0.0, 0.3), Leaf("1h", HOUR, 0.0144, 0.0, 0.3)
SLOW_SHORT, SLOW_LONG = Leaf("30m", 1800, 0.006, 0.0, 0.3), Leaf("6h", 6 * HOUR, 0.006, 0.0, 0.3)
PAGE = Either((Both((SHORT, LONG)), Both((SLOW_SHORT, SLOW_LONG))))


def test_both_and_either() -> None:
    """The page of an objective of 99.9 %: the quick pair is there after 172.8 s, the slow one after 432 s."""
    assert PAGE.onset() == pytest.approx(172.8)
    assert [leaf.text for leaf in due.deciding(PAGE)] == ["5m", "1h"]
    assert [leaf.text for leaf in due.leaves(PAGE)] == ["5m", "1h", "30m", "6h"]
    # After 200 s the slow pair has not fired; the quick one is over with its short window.
    assert PAGE.fall(200) == pytest.approx(SHORT.fall(200), abs=0.1)
    # After 500 s it has, and its short window is the longer of the two.
    assert PAGE.fall(500) == pytest.approx(SLOW_SHORT.fall(500), abs=0.1)


def test_delays_add_up() -> None:
    """Scrapes, evaluations, `for` and the group's wait, each once."""
    pace = Pace(scrape=5, evaluation=5, hold=12, group_wait=30, group_interval=300, delivery=2)
    leaf = Leaf("", 300, 0.05, 0.0, 0.3, samples=2, hop_seconds=5)
    when = due.due(leaf, pace)
    assert when.onset == pytest.approx(50)
    assert when.pending == pytest.approx(50 + 2 * 5 + 5 + 5)
    assert when.firing == pytest.approx(when.pending + 15)  # 12 s are judged at the third evaluation
    assert when.notified == pytest.approx(when.firing + 32)
    gone, resolved = due.over(leaf, pace, lasted=60)
    assert gone == pytest.approx(250 + 20, abs=0.1) and resolved == pytest.approx(gone + 302)


@pytest.mark.parametrize("seconds, share", [
    (0.0, 1.0), (0.1, 0.875), (0.3, 0.625), (0.4, 0.5), (0.6, 0.3), (0.8, 0.1), (2.0, 0.0)])
def test_slower_than(seconds: float, share: float) -> None:
    """(0, 0), (0.5, 0.4), (0.9, 0.8), (0.99, 0.8): straight lines between."""
    assert effects.slower_than(seconds, 0.4, 0.8, 0.8) == pytest.approx(share if seconds != 0.8 else 0.0)


def test_a_tail_alone() -> None:
    """Nothing up to the 90th percentile, then straight up to 1 s at the 99th: half the tail is above half of it."""
    assert effects.slower_than(0.5, 0.0, 0.0, 1.0) == pytest.approx(0.055)


def test_errors_add_to_those_there_are() -> None:
    assert effects.with_errors(0.1, 0.5) == pytest.approx(0.55)
    assert effects.with_errors(0.1, effects.fault_ratio(0.1, 0.55)) == pytest.approx(0.55)
