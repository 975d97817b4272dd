"""What is printed at the end: each timeline, or a line each and the count."""

from . import due
from .timeline import Timeline
from .words import span


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
