"""The load that is going to be sent, in stages; and when a metric is going to be missing."""

from dataclasses import dataclass
from typing import Sequence

RAMP, STEP = "ramp", "step"


@dataclass(frozen=True)
class Stage:
    """Seconds of requests that cost so much CPU each. A ramp goes from the stage before to this rate, evenly."""

    seconds: float
    rate: float
    cpu_ms: float = 0.0
    shape: str = STEP

    def __post_init__(self) -> None:
        if self.shape not in (RAMP, STEP):
            raise ValueError(f"shape of a stage: {self.shape!r}; allowed: {RAMP}, {STEP}")
        if self.seconds <= 0:
            raise ValueError(f"seconds of a stage: {self.seconds}; allowed: above 0")
        for name in ("rate", "cpu_ms"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} of a stage: {getattr(self, name)}; allowed: 0 or above")


@dataclass(frozen=True)
class Blind:
    """A metric cannot be read from a second of the profile to another."""

    metric: str
    begin: float
    end: float

    def __post_init__(self) -> None:
        if self.end <= self.begin:
            raise ValueError(f"blind for {self.metric}: from {self.begin} to {self.end}; "
                             "allowed: an end after its begin")


@dataclass(frozen=True)
class Profile:
    """Stages, one after the other. After the last, and before the first, there is no load."""

    stages: tuple[Stage, ...]
    blind: tuple[Blind, ...] = ()

    def __post_init__(self) -> None:
        if not self.stages:
            raise ValueError("stages of a profile: none; allowed: at least one")

    @property
    def seconds(self) -> float:
        """Of all stages."""
        return sum(stage.seconds for stage in self.stages)

    def at(self, second: float) -> tuple[float, float]:
        """(requests a second, CPU milliseconds of one) at a time."""
        before, began = 0.0, 0.0
        for stage in self.stages:
            if began <= second < began + stage.seconds:
                part = (second - began) / stage.seconds if stage.shape == RAMP else 1.0
                return before + (stage.rate - before) * part, stage.cpu_ms
            before, began = stage.rate, began + stage.seconds
        return 0.0, 0.0

    def is_blind(self, metric: str, second: float) -> bool:
        """Whether nobody can read it."""
        return any(one.metric == metric and one.begin <= second < one.end for one in self.blind)


def together(loads: Sequence[tuple[float, float, float, float]], seconds: float) -> tuple[Stage, ...]:
    """The stages that loads, each (begin, end, rate, cpu_ms), come to while some go on beside others."""
    edges = sorted({0.0, seconds, *(min(max(0.0, at), seconds) for load in loads for at in load[:2])})
    stages = []
    for begin, end in zip(edges, edges[1:]):
        going = [load for load in loads if load[0] <= begin and end <= load[1]]
        rate = sum(load[2] for load in going)
        burnt = sum(load[2] * load[3] for load in going)
        stages.append(Stage(end - begin, rate, burnt / rate if rate else 0.0))
    return tuple(stages)
