"""How a metric is seen: late, and of a new pod not at all.

    requests   counter -> scraped each S s -> rate(...[W]) -> the adapter, by pod
    CPU        counter -> the kubelet looks each H s -> metrics-server asks each R s -> the last two of them

A step of load is seen in full only when the window has it in full. It is seen to pass a target after about
W x target / load. A pod has no figure before the second look at it.
"""

import math
from collections import deque
from typing import NamedTuple, Optional, Sequence

from .calculator import PodMetric

FRESH_SECONDS = 10.0  # of metrics-server: younger than this, a container has no figure by its start alone
NEAR = 1.1            # of Prometheus: so many intervals from the edge of a window still reach it


class Point(NamedTuple):
    """A counter when it was looked at."""

    time: float
    value: float


def is_due(now: float, every: float, phase: float, step: float = 1.0) -> bool:
    """Whether something that happens each `every` seconds, beginning at `phase`, does in the step that ends now."""
    return now >= phase and math.floor((now - phase) / every) > math.floor((now - step - phase) / every)


def rate(points: Sequence[Point], now: float, window: float) -> Optional[float]:
    """Prometheus' rate() of a counter that is never reset: from the first to the last in the window (its beginning is
    outside), drawn out to the window's edges where they are near, but not below zero."""
    seen = [one for one in points if now - window < one.time <= now]
    if len(seen) < 2:
        return None
    first, last = seen[0], seen[-1]
    sampled, grown = last.time - first.time, last.value - first.value
    interval = sampled / (len(seen) - 1)
    before, after = first.time - (now - window), now - last.time
    if before >= NEAR * interval:
        before = interval / 2
    if grown > 0:
        before = min(before, sampled * first.value / grown)
    if after >= NEAR * interval:
        after = interval / 2
    return grown * (sampled + before + after) / sampled / window


class Scraped:
    """The requests of one pod, as Prometheus and the adapter know them."""

    def __init__(self, window: float) -> None:
        self.window = window
        self.points: deque[Point] = deque()

    def scrape(self, now: float, value: float) -> None:
        """One more sample."""
        self.points.append(Point(now, value))
        while self.points[0].time <= now - 2 * self.window:
            self.points.popleft()

    def read(self, now: float) -> Optional[PodMetric]:
        """Thousandths of a request a second."""
        found = rate(self.points, now, self.window)
        return None if found is None else PodMetric(int(found * 1000), now)


class Measured:
    """The CPU of one container, as metrics-server knows it. Its counter is in milliseconds since its start."""

    def __init__(self, started: float, resolution: float) -> None:
        self.started, self.resolution = started, resolution
        self.newest = Point(started, 0.0)      # the kubelet's
        self.last: Optional[Point] = None      # metrics-server's
        self.previous: Optional[Point] = None

    def look(self, now: float, value: float) -> None:
        """The kubelet does."""
        self.newest = Point(now, value)

    def ask(self) -> None:
        """metrics-server does; a figure that it has already is none."""
        new, age = self.newest, self.newest.time - self.started
        if FRESH_SECONDS <= age < self.resolution:
            self.previous = Point(self.started, 0.0)
        elif self.last is not None and self.started < self.last.time < new.time:
            self.previous = self.last
        self.last = new

    def read(self) -> Optional[PodMetric]:
        """Thousandths of a CPU."""
        if self.last is None or self.previous is None:
            return None
        window = self.last.time - self.previous.time
        used = (self.last.value - self.previous.value) / window  # milliseconds a second
        return PodMetric(math.ceil(used), self.last.time, window)


class Share(NamedTuple):
    """What one pod does in a second."""

    requests: float
    cpu_ms: float


def share(rate_all: float, cpu_ms: float, base_ms: float, serving: int, running: int,
          cores: Optional[float]) -> Share:
    """Of one that serves. Those that run only burn the base. What the machine cannot give is not done."""
    if not serving:
        return Share(0.0, base_ms)
    burnt = rate_all * cpu_ms
    done = 1.0
    if cores is not None and burnt:
        done = min(1.0, max(0.0, 1000 * cores - running * base_ms) / burnt)
    return Share(rate_all * done / serving, base_ms + burnt * done / serving)
