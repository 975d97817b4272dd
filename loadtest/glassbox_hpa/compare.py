"""What was foretold, held against what happened: a table of steps, and what is wrong in words.

A step of several replicas is several crossings (2 -> 3, 3 -> 4), as one of the two may take in one go what the other
takes in two. Each crossing foretold is held against the one of its kind that is nearest in time, and neighbours with
the same times make one row.

A fault is
  - replicas that are further apart than allowed, for longer than allowed;
  - a crossing that is too early or too late;
  - a crossing that only one of the two has - unless the other has a step the same way in the time allowed, which then
    is the same step, of another size: how far apart the sizes may be is said by the first rule.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Iterator, NamedTuple, Optional, Protocol, Sequence


class Looked(Protocol):
    """A moment foretold, or a look at the real one: on one clock, which begins with the load."""

    @property
    def t(self) -> float: ...

    @property
    def current(self) -> int: ...


@dataclass(frozen=True)
class Limits:
    """What is still good."""

    replicas: int = 1
    seconds: float = 60.0
    out_seconds: float = 60.0  # of a step out


DEMO_LIMITS = Limits(out_seconds=30.0)


class Crossing(NamedTuple):
    """Of one replica."""

    t: float
    before: int
    after: int

    @property
    def is_out(self) -> bool:
        return self.after > self.before


@dataclass(frozen=True)
class Row:
    """One step, from and to so many replicas; None where it never was."""

    before: int
    after: int
    foretold: Optional[float]
    happened: Optional[float]

    @property
    def off(self) -> Optional[float]:
        """Seconds that it came later than foretold."""
        return None if self.foretold is None or self.happened is None else self.happened - self.foretold

    def cells(self) -> tuple[str, str, str, str]:
        """Step, foretold, happened, off: for a table."""
        return (f"{self.before} → {self.after}", moment(self.foretold), moment(self.happened),
                "" if self.off is None else f"{self.off:+.0f} s")


@dataclass(frozen=True)
class Comparison:
    """Rows in the order of time, and what is wrong."""

    rows: tuple[Row, ...]
    faults: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        return not self.faults

    def markdown(self) -> str:
        """As a table."""
        lines = ["| replicas | foretold at | happened at | off by |", "|---|---:|---:|---:|"]
        return "\n".join([*lines, *(f"| {' | '.join(row.cells())} |" for row in self.rows), ""])


def moment(at: Optional[float]) -> str:
    """For a table."""
    return "never" if at is None else f"{at:.0f} s"


def crossings(line: Sequence[Looked]) -> list[Crossing]:
    """All, in the order of time."""
    found = []
    for one, next_one in zip(line, line[1:]):
        way = 1 if next_one.current > one.current else -1
        found += [Crossing(next_one.t, at, at + way) for at in range(one.current, next_one.current, way)]
    return found


def paired(foretold: Sequence[Crossing], happened: Sequence[Crossing]) -> list[tuple[Optional[Crossing],
                                                                                     Optional[Crossing]]]:
    """Those of one kind, the nearest first; who is left has no partner."""
    near = sorted((abs(one.t - other.t), at, there) for at, one in enumerate(foretold)
                  for there, other in enumerate(happened) if one[1:] == other[1:])
    partner: dict[int, int] = {}
    for _, at, there in near:
        if at not in partner and there not in partner.values():
            partner[at] = there
    pairs: list[tuple[Optional[Crossing], Optional[Crossing]]] = [
        (one, happened[partner[at]] if at in partner else None) for at, one in enumerate(foretold)]
    return pairs + [(None, other) for there, other in enumerate(happened) if there not in partner.values()]


def rows_of(foretold: Sequence[Crossing], happened: Sequence[Crossing]) -> tuple[Row, ...]:
    """Neighbours with the same times together."""
    singles = []
    for one, other in paired(foretold, happened):
        known = one or other
        assert known is not None
        singles.append(Row(known.before, known.after, one and one.t, other and other.t))
    singles.sort(key=lambda row: (row.foretold if row.foretold is not None else row.happened,
                                  row.before if row.after > row.before else -row.before))
    rows: list[Row] = []
    for row in singles:
        last = rows[-1] if rows else None
        if (last and last.after == row.before and (last.foretold, last.happened) == (row.foretold, row.happened)):
            rows[-1] = Row(last.before, row.after, row.foretold, row.happened)
        else:
            rows.append(row)
    return tuple(rows)


def at(line: Sequence[Looked], time: float) -> int:
    """Replicas at a time."""
    return line[max(0, bisect_right(line, time, key=lambda one: one.t) - 1)].current


def apart(predicted: Sequence[Looked], actual: Sequence[Looked], limits: Limits) -> Iterator[str]:
    """Stretches of time in which the two are too far from each other, for too long."""
    times = sorted({one.t for line in (predicted, actual) for one in line
                    if max(predicted[0].t, actual[0].t) <= one.t <= min(predicted[-1].t, actual[-1].t)})
    began: Optional[float] = None
    worst: tuple[int, int] = (0, 0)
    for time in (*times, None):
        pair = (0, 0) if time is None else (at(predicted, time), at(actual, time))
        if abs(pair[0] - pair[1]) > limits.replicas and time is not None:
            began = time if began is None else began
            worst = max(worst, pair, key=lambda one: abs(one[0] - one[1]))
            continue
        ended = times[-1] if time is None and times else time
        if began is not None and ended is not None and ended - began > limits.seconds:
            yield (f"replicas: from {moment(began)} to {moment(ended)} further apart than {limits.replicas}, "
                   f"at the most {worst[0]} foretold and {worst[1]} there; allowed for {limits.seconds:.0f} s")
        began, worst = None, (0, 0)


def fault_of(row: Row, foretold: Sequence[Crossing], happened: Sequence[Crossing], limits: Limits,
             end: float) -> Optional[str]:
    """What is wrong with a step."""
    out = row.after > row.before
    allowed = limits.out_seconds if out else limits.seconds
    step = f"{row.before} → {row.after}"
    if row.off is not None:
        late = "late" if row.off > 0 else "early"
        return None if abs(row.off) <= allowed else (
            f"{step}: foretold at {moment(row.foretold)}, happened at {moment(row.happened)}, "
            f"{abs(row.off):.0f} s too {late}; allowed: {allowed:.0f} s")
    time, others = ((row.foretold, happened) if row.happened is None else (row.happened, foretold))
    assert time is not None
    if any(one.is_out == out and abs(one.t - time) <= allowed for one in others):
        return None
    if row.foretold is None:
        return f"{step}: happened at {moment(time)}, and nobody had foretold it"
    if time + allowed > end:
        return f"{step}: foretold at {moment(time)}, and watched only until {moment(end)}: too short to tell"
    return f"{step}: foretold at {moment(time)}, and never came"


def compare(predicted: Sequence[Looked], actual: Sequence[Looked], limits: Limits = Limits()) -> Comparison:
    """The table and the faults."""
    for name, line in (("predicted", predicted), ("actual", actual)):
        if not line:
            raise ValueError(f"{name}: empty; allowed: at least one moment")
    foretold, happened = crossings(predicted), crossings(actual)
    rows = rows_of(foretold, happened)
    faults = [fault_of(row, foretold, happened, limits, actual[-1].t) for row in rows]
    return Comparison(rows, (*apart(predicted, actual, limits), *(one for one in faults if one)))
