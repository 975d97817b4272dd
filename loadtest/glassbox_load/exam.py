"""The service, cross-examined: what k6 sent against what was finished, written and traced, route by route.

    sent       by k6's own count
    finished   the difference of http_server_request_duration_seconds_count
    lines      of the access log with the test's id
    spans      SERVER spans of the test's traces; due are as many as were sampled

All must be the same, to the last one. What cannot be read is not examined, and is said. Requests of others on the same
routes would make the metrics prove nothing: then there is no answer.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .accesslog import Line

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
        found = {"finished": (self.finished, self.sent), "lines": (self.lines, self.sent), "spans": (self.spans, self.due)}
        return {name: have - due for name, (have, due) in found.items() if have is not None and have != due}


@dataclass(frozen=True)
class Exam:
    """All routes, and what makes it worthless."""

    rows: tuple[Row, ...]
    unread: tuple[str, ...] = ()             # signals
    others: tuple[tuple[str, str, int], ...] = ()   # (agent, route, requests): not of this test
    twice: int = 0                           # traces with more than one line: sent again by k6's client

    @property
    def agrees(self) -> bool:
        """Whether nothing differs, nobody else called, and there was something to compare."""
        return not self.others and len(self.unread) < 3 and not any(row.differences() for row in self.rows)


def examine(sent: Mapping[str, int], share: float, finished: Mapping[str, int] | None, lines: list[Line] | None,
            spans: Mapping[str, Counter] | None, agent: str) -> Exam:
    """`agent` is the test's User-Agent; `lines` are all that were written in the meantime, `spans` by trace id."""
    ours = [line for line in lines or () if line.agent == agent]
    written = Counter(line.route for line in ours)
    traced = sum((spans or {}).values(), Counter())
    rows = tuple(Row(route, count, None if finished is None else finished.get(route, 0),
                     None if lines is None else written[route], None if spans is None else traced[route],
                     sampled(count, share)) for route, count in sorted(sent.items()))
    unread = [name for name, signal in (("metrics", finished), ("access log", lines), ("spans", spans)) if signal is None]
    others = Counter((line.agent or "-", line.route) for line in lines or () if line.agent != agent and line.route in sent)
    traces = Counter(line.trace for line in ours)
    return Exam(rows, tuple(unread), tuple((*who, count) for who, count in others.most_common()),
                sum(count > 1 for count in traces.values()))


def table(exam: Exam) -> list[str]:
    """For people."""
    head = f"  {'route':<20} {'sent':>9} {'finished':>9} {'lines':>9} {'spans':>9} {'due':>9}  difference"
    return [head, *(f"  {row.route:<20} {row.sent:>9} {shown(row.finished):>9} {shown(row.lines):>9} {shown(row.spans):>9} "
                    f"{row.due:>9}  {difference(row)}" for row in exam.rows)]


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
    for agent, route, count in exam.others:
        yield f"others were on {route}: {count} requests of {agent}"
    if exam.twice:
        yield f"{exam.twice} requests came twice: Go's client sends a GET again whose kept connection ended before the answer"
