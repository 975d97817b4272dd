"""What a fault makes of the series that rules read.

A rule that looks at `error_type` reads a ratio of errors; one with a bucket or a quantile reads how slow requests
are; all else is said by name: this metric comes to read that. What the fault does not touch is None, and a rule that
cannot fire by it is told before anything is armed.
"""

from dataclasses import dataclass, field
from typing import Optional

from .rules import Shape


@dataclass(frozen=True)
class Effect:
    """Of one drill's fault."""

    errors: Optional[float] = None                             # share of requests that it makes fail
    latency: Optional[tuple[float, float, float]] = None       # p50, p90, p99 that it adds, seconds
    reads: dict[str, float] = field(default_factory=dict)      # metric -> what the comparison reads then
    rate: float = 0.0                                          # requests a second that it can strike
    ramp: float = 0.0                                          # seconds until that is so

    def level(self, shape: Shape, threshold: float, base: float) -> tuple[Optional[float], float]:
        """(what a comparison reads of it, seconds until it does)."""
        for metric, value in self.reads.items():
            if metric in shape.metrics:
                return value, self.ramp
        if self.errors is not None and "error_type" in shape.matchers and shape.le is None and shape.q is None:
            if shape.counts:
                # Counted are whole requests, and not the first of a series that appears with it.
                return self.rate * shape.window * self.errors, 2 / self.rate if self.rate else 0.0
            return with_errors(base, self.errors), 0.0
        if self.latency is not None and shape.q is not None:
            return slower_than(threshold, *self.latency), max(self.latency[0], 0.0)
        if self.latency is not None and shape.le is not None:
            return slower_than(shape.le, *self.latency), max(self.latency[0], 0.0)
        return None, 0.0


def slower_than(seconds: float, p50: float, p90: float, p99: float) -> float:
    """The share of requests that a latency fault delays by more than this: its quantile function, turned."""
    knots = [(0.0, 0.0), (0.5, p50), (0.9, p90), (0.99, p99)]
    if seconds >= p99:
        return 0.0
    for (low, below), (high, above) in zip(knots, knots[1:]):
        if seconds < above:
            return 1 - (low + (high - low) * (seconds - below) / (above - below))
    return 0.01


def with_errors(base: float, ratio: float) -> float:
    """The share that fails when a fault strikes that share of what would have been well or not."""
    return 1 - (1 - base) * (1 - ratio)


def fault_ratio(base: float, wanted: float) -> float:
    """The ratio of a fault that makes that share fail in all."""
    return max(0.0, (wanted - base) / (1 - base))
