"""What a run comes to: k6's thresholds, what k6 could not judge, the cross-examination, and the requests to look at.

    0    all objectives held, and the service's signals agree with what was sent
    99   an objective was missed: k6's own status for it
    1    the signals differ, or nothing can be said
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from . import exam
from .exam import Exam
from .k6 import BROKEN, Run
from .metrics import Reading
from .notes import Note, Notes
from .truth import SLO, Judged, Plan

MEASURED = "rate<=1"  # k6/lib/judge.js
KEY = re.compile(r"(?P<metric>\w+)(?:\{route:(?P<route>[^,}]+).*\})?")
OBJECTIVES = {"errors": "availability", "http_req_duration": "latency"}
SHOWN = 5  # requests that a missed objective is shown by
# Which requests tell of a metric, or of an objective.
KINDS = {"errors": "failed", "checks": "failed", "http_req_failed": "failed", "http_req_duration": "slow",
         "availability": "failed", "latency": "slow"}


@dataclass(frozen=True)
class Threshold:
    """One of k6's, and what it measured."""

    metric: str
    threshold: str
    holds: bool
    values: Mapping[str, float]

    @property
    def route(self) -> str:
        """Empty for one of the whole run."""
        return (KEY.match(self.metric) or {"route": ""})["route"] or ""

    @property
    def objective(self) -> str:
        """Of alerts/slo.yaml; empty for what is none."""
        kind = OBJECTIVES.get(self.metric.partition("{")[0])
        return f"{SLO[self.route]['name']}-{kind}" if kind and self.route in SLO else ""

    def __str__(self) -> str:
        measured = ", ".join(f"{name} {value:.4g}" for name, value in sorted(self.values.items()))
        return f"{self.objective or 'k6'}: {self.metric}: {self.threshold} ({measured})"


def thresholds(summary: Mapping[str, Any]) -> list[Threshold]:
    """All that was judged by k6: of the whole run, then route by route."""
    found = [Threshold(metric, text, state["ok"], row["values"]) for metric, row in summary.get("metrics", {}).items()
             for text, state in row.get("thresholds", {}).items() if text != MEASURED]
    return sorted(found, key=lambda one: (one.route, one.metric))


def by_route(summary: Mapping[str, Any], metric: str, value: str) -> dict[str, int]:
    """A count that k6 keeps by route."""
    prefix = f"{metric}{{route:"
    return {name[len(prefix):].rstrip("}"): int(row["values"].get(value, 0))
            for name, row in summary.get("metrics", {}).items() if name.startswith(prefix) and "," not in name}


@dataclass
class Verdict:
    """All of it."""

    run: Run
    workload: str
    status: int                     # k6's
    summary: Mapping[str, Any]
    exam: Exam
    plan: Plan
    injected: Reading | None
    notes: Notes
    judged: list[Judged] = field(default_factory=list)
    traces_page: str = ""

    @property
    def broken(self) -> list[Threshold]:
        return [one for one in thresholds(self.summary) if not one.holds]

    @property
    def missed(self) -> list[Judged]:
        return [one for one in self.judged if not one.holds]

    @property
    def exit_status(self) -> int:
        if self.broken or self.missed or self.status == BROKEN:
            return BROKEN
        return 0 if self.status == 0 and self.summary and self.exam.agrees else 1

    # ---- for people -----------------------------------------------------------------------------

    def text(self) -> str:
        """The report."""
        return "\n".join([f"{self.workload}, test {self.run.testid}", "", *self._objectives(), "",
                          *self._examined(), "", *self._slowest(), "", self._conclusion(), ""])

    def _objectives(self) -> Iterable[str]:
        yield "objectives"
        for one in thresholds(self.summary):
            yield f"  {'held  ' if one.holds else 'MISSED'}  {one}"
        for judged in self.judged:
            yield (f"  {'held  ' if judged.holds else 'MISSED'}  {judged.objective}, "
                   f"with {self.plan.name or 'a plan'} in force: {judged.says}")
        for route in sorted({one.route for one in (*self.broken, *self.missed)} - {""}):
            yield from self._faults(route)
        for one in (*self.broken, *self.missed):
            yield from self._culprits(one)
        if not self.summary:
            yield f"  k6 measured nothing: {self.run.folder / 'k6.log'}"

    def _faults(self, route: str) -> Iterable[str]:
        """What the service says that struck it."""
        struck = {fault: count for (fault, where), count in (self.injected.injected if self.injected else {}).items()
                  if where == route}
        if struck and not self.judged:
            kinds = ", ".join(f"{fault} on {count} requests" for fault, count in sorted(struck.items()))
            yield f"  {route}: faults that nobody declared (FAULTS={self.plan.name or '*'}): {kinds}"

    def _culprits(self, missed: Threshold | Judged) -> Iterable[str]:
        """Requests by which it was missed: of its route, or for a threshold of the whole run of any; what fails by design
        or by a fault that was declared is none."""
        what = missed.metric.partition("{")[0] if isinstance(missed, Threshold) else missed.objective.rpartition("-")[2]
        kind = KINDS.get(what)
        for note in [one for one in getattr(self.notes, kind or "", ()) if self._is_of(one, missed)][:SHOWN]:
            yield from self._told(f"  {kind}: {note.route}: ", note)

    def _is_of(self, note: Note, missed: Threshold | Judged) -> bool:
        line = self.notes.lines.get(note.trace)
        if isinstance(missed, Judged):
            return note.route == missed.route and not (line and line.fault)
        return note.route == missed.route if missed.route else not note.expected

    def _examined(self) -> Iterable[str]:
        yield "the service, cross-examined"
        yield from exam.table(self.exam)
        yield from (f"  {text}" for text in exam.words(self.exam))

    def _slowest(self) -> Iterable[str]:
        yield "the slowest"
        for note in self.notes.slow[:self.notes.most]:
            yield from self._told("  ", note)

    def _told(self, before: str, note: Note) -> Iterable[str]:
        """With its trace, and its line of the log."""
        where = f"{self.traces_page}/trace/{note.trace}" if self.traces_page else note.trace
        yield f"{before}{note.ms:.1f} ms  {note.status or note.error or 'no answer'}  {where}"
        if note.trace in self.notes.lines:
            yield f"      {self.notes.lines[note.trace].text}"

    def _conclusion(self) -> str:
        names = sorted({one.objective or one.metric for one in self.broken} | {one.objective for one in self.missed})
        if self.exit_status == BROKEN:
            return f"MISSED: {', '.join(names) or 'what k6 has in its log'}"
        if self.exit_status == 0:
            return f"HELD: every objective, and every request is in all that was compared: {', '.join(self.exam.read)}"
        if self.status != 0 or not self.summary:
            return f"NOT TO ITS END: k6 ended with {self.status}: {self.run.folder / 'k6.log'}"
        if self.exam.lost or self.exam.others or not self.exam.read:
            return "NOTHING CAN BE SAID: the signals could not be compared"
        return "DIFFERENT: the signals are not what was sent"

    # ---- for programs ---------------------------------------------------------------------------

    def document(self) -> dict[str, Any]:
        """The same, as JSON."""
        def noted(note: Note) -> dict[str, Any]:
            line = self.notes.lines.get(note.trace)
            return {**asdict(note), "line": line.text if line else None}
        return {
            "test": self.run.testid, "workload": self.workload, "exit_status": self.exit_status, "k6": self.status,
            "thresholds": [{**asdict(one), "route": one.route, "objective": one.objective}
                           for one in thresholds(self.summary)],
            "judged": [asdict(one) for one in self.judged],
            "exam": {**asdict(self.exam), "agrees": self.exam.agrees,
                     "differences": {row.route: row.differences() for row in self.exam.rows}},
            "slowest": [noted(note) for note in self.notes.slow[:self.notes.most]],
            "failed": [noted(note) for note in self.notes.failed]}

    def write(self) -> None:
        """Beside what k6 left."""
        (self.run.folder / "verdict.txt").write_text(self.text(), encoding="utf-8")
        (self.run.folder / "verdict.json").write_text(json.dumps(self.document(), indent=1) + "\n", encoding="utf-8")
