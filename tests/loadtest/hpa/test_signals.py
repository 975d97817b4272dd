"""How a metric is seen: Prometheus' rate(), metrics-server's last two figures, and what a machine can give."""

from typing import Optional, Sequence

import pytest

from glassbox_hpa.calculator import PodMetric
from glassbox_hpa.signals import Measured, Point, Scraped, Share, is_due, rate, share


def counter(*points: tuple[float, float]) -> list[Point]:
    return [Point(*point) for point in points]


STEADY = counter(*((at, 1000 + 10 * at) for at in range(0, 61, 5)))  # 10 a second


@pytest.mark.parametrize("now", [40, 41, 42.5, 44])
def test_a_steady_rate_is_seen_as_it_is(now: float) -> None:
    """Four or five samples, drawn out to the edges of the window: wherever those are."""
    assert rate(STEADY, now, 20) == pytest.approx(10)


@pytest.mark.parametrize(("points", "now", "found", "why"), [
    (counter((0, 5)), 1, None, "one sample is no rate"),
    (counter((0, 5), (5, 9)), 26, None, "both are gone"),
    (counter((0, 5), (5, 9)), 20, None, "at 0 is where the window begins, which is outside"),
    (counter((1, 100), (6, 150)), 20, 4.25, "50 in 5 s; 1 to the left is near, to the right half of 5: 85 / 20"),
    (counter((10, 0), (15, 50)), 20, 5.0, "from zero on: nothing to the left; 5 to the right: 100 / 20"),
    (counter((10, 5), (15, 55)), 20, 5.25, "it was zero half a second before: 105 / 20"),
    (counter((10, 100), (15, 150)), 20, 6.25, "half of 5 to the left, as 10 is far; 5 to the right: 125 / 20"),
    (counter((4, 100), (9, 100), (14, 100), (19, 200)), 20, 20 / 3, "100 in 15 s: 133 / 20"),
])
def test_rate(points: Sequence[Point], now: float, found: Optional[float], why: str) -> None:
    assert rate(points, now, 20) == (None if found is None else pytest.approx(found)), why


def test_a_step_is_at_the_target_after_its_part_of_the_window() -> None:
    """From nothing to 80 a second at 60; target 50: after about 20 x 50 / 80 = 12.5 s, to a scrape."""
    scraped, reached = Scraped(20), None
    for now in range(0, 101):
        if now % 5 == 0:
            scraped.scrape(now, 1000 + 80.0 * max(0, now - 60))
        found = scraped.read(now)
        if found and found.value >= 50_000 and reached is None:
            reached = now
    assert reached is not None and abs(reached - 60 - 12.5) <= 5
    assert scraped.read(100) == PodMetric(80_000, 100)


def test_samples_are_not_kept_for_ever() -> None:
    scraped = Scraped(20)
    for now in range(0, 1000, 5):
        scraped.scrape(now, now)
    assert len(scraped.points) <= 9


def measured(resolution: float, *asked: tuple[float, float]) -> Optional[PodMetric]:
    """A container from 100 on; (when the kubelet looked, milliseconds until then) before each question."""
    container = Measured(100, resolution)
    for looked, used in asked:
        if looked > 100:
            container.look(looked, used)
        container.ask()
    return container.read()


@pytest.mark.parametrize(("resolution", "asked", "found", "why"), [
    (10, [(105, 500)], None, "one look"),
    (10, [(105, 500), (115, 1500)], PodMetric(100, 115, 10), "1000 ms in 10 s"),
    (10, [(105, 500), (115, 1500), (115, 1500)], PodMetric(100, 115, 10), "the same again is none"),
    (10, [(105, 0), (110, 1)], PodMetric(1, 110, 5), "0.2 m is rounded up"),
    (10, [(100, 0), (110, 900)], None, "the first was of when it began"),
    (15, [(112, 1200)], PodMetric(100, 112, 12), "fresh: since its start, as that is 10 s ago and within 15"),
    (15, [(109, 900)], None, "too fresh"),
    (15, [(115, 900)], None, "no longer fresh"),
])
def test_cpu(resolution: float, asked: list[tuple[float, float]], found: Optional[PodMetric], why: str) -> None:
    assert measured(resolution, *asked) == found, why


@pytest.mark.parametrize(("every", "phase", "due"), [
    (5, 0, [0, 5, 10]), (5, 2, [2, 7]), (7.5, 0, [0, 8]), (15, 7.5, [8])])
def test_is_due(every: float, phase: float, due: list[int]) -> None:
    """In the second in which it falls, by its end; never before the first."""
    assert [now for now in range(-3, 12) if is_due(now, every, phase)] == due


@pytest.mark.parametrize(("cores", "found", "why"), [
    (None, Share(50, 10 + 500), "100 a second of 10 ms by two, and the base"),
    (2, Share(50, 510), "2000 are enough for 3 x 10 + 1000"),
    (0.53, Share(25, 260), "530 less three bases is half of it: half the requests, too"),
    (0.01, Share(0, 10), "nothing is left"),
])
def test_share(cores: Optional[float], found: Share, why: str) -> None:
    """Two serve, a third runs."""
    assert share(100, 10, 10, 2, 3, cores) == pytest.approx(found), why


def test_nobody_serves() -> None:
    assert share(100, 10, 10, 0, 3, None) == Share(0, 10)
