"""The service, cross-examined: what k6 sent against what was finished, written and traced, route by route.

    sent       by k6's own count, taken before each is sent
    finished   the difference of http_server_request_duration_seconds_count
    lines      of the access log with the test's id
    spans      SERVER spans of the test's traces; due are as many as were sampled

All must be the same, to the last one. What cannot be read is not examined, and is said. Requests of others on the same
routes would make the metrics prove nothing: then there is no answer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .tally import Tally

GOLDEN = 0.6180339887498949


def sampled(count: int, share: float) -> int:
    """Of the first `count` requests of a scenario: the same sum as in k6/lib/trace.js."""
    return count if share >= 1 else sum((n + 1) * GOLDEN % 1 < share for n in range(count))


@dataclass(frozen=True)
class Row:
    """A route; None is what could not be read."""

    route: str
    sent: int
    finished: int | None
    lines: int | None
    spans: int | None
    due: int              # spans

    def differences(self) -> dict[str, int]:
        """By signal, how many more or fewer than were sent."""
        found = {"finished": (self.finished, self.sent), "lines": (self.lines, self.sent),
                 "spans": (self.spans, self.due)}
        return {name: have - due for name, (have, due) in found.items() if have is not None and have != due}


@dataclass(frozen=True)
class Exam:
    """All routes, and what makes it worth less, or nothing."""

    rows: tuple[Row, ...]
    read: tuple[str, ...]                           # signals that were compared
    unread: tuple[str, ...] = ()                    # that nobody said the place of
    lost: tuple[tuple[str, str], ...] = ()          # that could not be read any more, and why
    others: tuple[tuple[str, str, int], ...] = ()   # (agent, route, requests): not of this test
    twice: int = 0                                  # requests with more than one line: sent again by k6's client

    @property
    def agrees(self) -> bool:
        """Whether nothing differs, nothing was lost, nobody else called, and there was something to compare."""
        return bool(self.rows and self.read) and not (self.others or self.lost or any(
            row.differences() for row in self.rows))


def examine(sent: Mapping[str, int], share: float, tally: Tally) -> Exam:
    """As things are now."""
    finished = tally.now.finished if tally.has("metrics") and tally.now else None
    lines = tally.written.lines if tally.has("access log") else None
    spans = tally.traced if tally.has("spans") else None
    rows = tuple(Row(route, count, None if finished is None else finished[route],
                     None if lines is None else lines[route], None if spans is None else spans[route],
                     sampled(count, share)) for route, count in sorted(sent.items()))
    others = [(*who, count) for who, count in tally.written.others.most_common() if who[1] in sent]
    read = tuple(name for name in ("metrics", "access log", "spans") if tally.has(name))
    return Exam(rows, read, tuple(tally.unread), tuple(sorted(tally.lost.items())), tuple(others),
                tally.written.seen.twice)


def table(exam: Exam) -> list[str]:
    """For people."""
    head = f"  {'route':<20} {'sent':>9} {'finished':>9} {'lines':>9} {'spans':>9} {'due':>9}  difference"
    return [head, *(f"  {row.route:<20} {row.sent:>9} {shown(row.finished):>9} {shown(row.lines):>9} "
                    f"{shown(row.spans):>9} {row.due:>9}  {difference(row)}" for row in exam.rows)]


def shown(count: int | None) -> str:
    """A figure, or that there is none."""
    return "unread" if count is None else str(count)


def difference(row: Row) -> str:
    """0, or which signal is off by how many."""
    return ", ".join(f"{name} {count:+d}" for name, count in row.differences().items()) or "0"


def words(exam: Exam) -> Iterable[str]:
    """What has to be said beside the table."""
    for name in exam.unread:
        yield f"not examined: {name}, which nobody said the place of"
    for name, why in exam.lost:
        yield f"lost: {name}: {why}"
    for agent, route, count in exam.others:
        yield f"others were on {route}: {count} requests of {agent}"
    if exam.twice:
        yield (f"{exam.twice} requests came twice: Go's client sends a GET again whose kept connection ended "
               "before the answer")
