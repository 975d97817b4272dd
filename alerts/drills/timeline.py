"""What happened in a drill, when, beside when it was due; and the verdict."""

from dataclasses import asdict, dataclass, field
from typing import Any, Optional

from . import due
from .words import clock, span


@dataclass
class Event:
    """One step. `since` is the step that its delay counts from; `due` is in seconds after that."""

    name: str
    since: Optional[str] = None
    at: Optional[float] = None
    due: Optional[float] = None
    note: str = ""
    waived: bool = False  # not waited for, as what came before it did not come

    def verdict(self, start: Optional[float]) -> str:
        """ok, or what is wrong."""
        if self.waived and self.at is None:
            return ""
        if self.due is None:
            return "" if self.at is not None else "did not come"
        if self.at is None or start is None:
            return "did not come"
        late = self.at - start - self.due - due.grace(self.due)
        return "ok" if late <= 0 else f"LATE by {span(late + due.grace(self.due))}"


STEPS = (
    ("armed", None),
    ("seen", "armed"),
    ("pending", "seen"),
    ("firing", "seen"),
    ("notified", "seen"),
    ("restored", "seen"),
    ("over", "restored"),
    ("gone", "restored"),
    ("resolved", "restored"),
)
SAID = {
    "armed": "fault armed", "seen": "seen in Prometheus", "pending": "pending", "firing": "firing",
    "notified": "notified", "restored": "restored", "over": "fault gone in Prometheus",
    "gone": "alert gone in Prometheus", "resolved": "resolve notified",
}


@dataclass
class Timeline:
    """Of one alert."""

    name: str
    events: dict[str, Event] = field(default_factory=lambda: {name: Event(name, since) for name, since in STEPS})
    reckoning: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)  # beside what came late

    def at(self, name: str) -> Optional[float]:
        return self.events[name].at

    def mark(self, name: str, moment: float, note: str = "") -> bool:
        """Notes when it happened; False if that is known already."""
        event = self.events[name]
        if event.at is not None:
            return False
        event.at, event.note = moment, note or event.note
        return True

    def waive(self, *names: str) -> None:
        """Does not wait for these: something else is wrong, and said."""
        for name in names:
            self.events[name].waived = True

    def expect(self, name: str, seconds: float) -> None:
        self.events[name].due = seconds

    def deadline(self, name: str) -> float:
        """The moment after which it is late; never, while what it counts from has not come."""
        event = self.events[name]
        start = self.at(event.since) if event.since else None
        return due.NEVER if start is None or event.due is None else start + event.due + due.grace(event.due)

    def delay(self, name: str) -> Optional[float]:
        event = self.events[name]
        start = self.at(event.since) if event.since else None
        return None if start is None or event.at is None else event.at - start

    def problems(self) -> list[str]:
        """All that was wrong."""
        found = list(self.wrong)
        for event in self.events.values():
            verdict = event.verdict(self.at(event.since) if event.since else None)
            if verdict and verdict != "ok":
                why = f" ({event.note})" if event.note and event.at is None else ""
                found.append(f"{SAID[event.name]}: {verdict}{why}")
        return found

    def lines(self) -> list[str]:
        """The table."""
        lines = [f"{self.name}", f"  {'':<26}{'at':<12}{'delay':>12}  {'since':<10}{'due within':>13}{'+ grace':>12}"]
        for event in self.events.values():
            delay = self.delay(event.name)
            verdict = event.verdict(self.at(event.since) if event.since else None)
            grace = "" if event.due is None else span(due.grace(event.due))
            lines.append("  " + (
                f"{SAID[event.name]:<26}{'-' if event.at is None else clock(event.at):<12}"
                f"{'' if delay is None else span(delay):>12}  {event.since or '':<10}"
                f"{'' if event.due is None else span(event.due):>13}{grace:>12}  {verdict}"
                f"{'  (' + event.note + ')' if event.note else ''}").rstrip())
        return lines

    def as_json(self) -> dict[str, Any]:
        events = [{**asdict(event), "delay": self.delay(event.name),
                   "grace": None if event.due is None else due.grace(event.due),
                   "verdict": event.verdict(self.at(event.since) if event.since else None)}
                  for event in self.events.values()]
        return {"drill": self.name, "reckoning": self.reckoning, "events": events, "problems": self.problems()}


def column(timeline: Timeline, name: str) -> str:
    """A delay beside the one that was due."""
    delay, event = timeline.delay(name), timeline.events[name]
    had = "-" if delay is None else span(delay)
    return f"{had} / {'-' if event.due in (None, due.NEVER) else span(event.due or 0)}"


def summary(timelines: list[Timeline], refusals: list[tuple[str, str]], lasted: float, tables: bool) -> list[str]:
    """The closing lines. With `tables` a single drill's steps are all shown."""
    lines: list[str] = [""]
    if tables:
        for timeline in timelines:
            lines += timeline.lines()
    else:
        rows = [("alert", "firing", "notified", "gone", "resolved", "")]
        rows += [(timeline.name, *(column(timeline, name) for name in ("firing", "notified", "gone", "resolved")),
                  "ok" if not timeline.problems() else "; ".join(timeline.problems())) for timeline in timelines]
        rows += [(name, "-", "-", "-", "-", f"refused: {why}") for name, why in refusals]
        widths = [max(len(row[number]) for row in rows) for number in range(5)]
        lines.append("had / due within; firing and notified since the fault was seen, gone and resolved since it was "
                     "taken away")
        lines += ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[5]]).rstrip()
                  for row in rows]
    wrong = sum(bool(timeline.problems()) for timeline in timelines) + len(refusals)
    for timeline in timelines:
        if tables:
            lines += [f"  {problem}" for problem in timeline.problems()]
    total = len(timelines) + len(refusals)
    lines += ["", f"{total - wrong} of {total} came when due" + (f", {wrong} did not" if wrong else "")
              + f"; {span(lasted)} in all"]
    return lines
