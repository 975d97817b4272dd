"""What the scripts say of single requests as they end: the slowest, and those that failed (k6/lib/notes.js)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .accesslog import Line
from .tail import Tail

FAILURES = 50  # that are kept of a route


@dataclass(frozen=True)
class Note:
    """A request as k6 saw it; status 0: no answer."""

    route: str
    ms: float
    status: int
    trace: str
    error: str
    at: float  # milliseconds since the epoch, when it had ended
    expected: bool = False  # whether its status is one that the user action expects


@dataclass
class Notes:
    """Of one run, read while it goes on; of each route `most` of the slowest are kept and the first failures, with their
    lines of the log as they come."""

    console: Path
    most: int
    by_route: dict[str, tuple[list[Note], list[Note]]] = field(default_factory=dict)  # slow, failed
    lines: dict[str, Line] = field(default_factory=dict)                              # by trace

    def __post_init__(self) -> None:
        self.tail = Tail(self.console, from_end=False)

    @property
    def slow(self) -> list[Note]:
        """Of all routes, the slowest first."""
        return sorted((one for slow, _ in self.by_route.values() for one in slow), key=lambda one: -one.ms)

    @property
    def failed(self) -> list[Note]:
        """Of all routes, the earliest first."""
        return sorted((one for _, failed in self.by_route.values() for one in failed), key=lambda one: one.at)

    def close(self) -> None:
        self.tail.close()

    def read(self, recent: Iterable[Line]) -> None:
        """What was said since, and whether a line has come for it."""
        for text in self.tail.lines():
            self._take(text)
        for slow, _ in self.by_route.values():
            slow[:] = sorted(set(slow), key=lambda one: -one.ms)[:self.most]
        wanted = {one.trace for pair in self.by_route.values() for notes in pair for one in notes}
        self.lines = {trace: line for trace, line in self.lines.items() if trace in wanted}
        self.lines |= {line.trace: line for line in recent if line.trace in wanted}

    def _take(self, text: str) -> None:
        try:
            row = json.loads(text)
            kind, note = row.pop("note"), Note(**row)
        except (ValueError, KeyError, TypeError, AttributeError):
            return  # what somebody's own script says
        slow, failed = self.by_route.setdefault(note.route, ([], []))
        if kind == "slow":
            slow.append(note)
        elif kind == "failed" and len(failed) < FAILURES:
            failed.append(note)
