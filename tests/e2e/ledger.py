"""What a load's client counted, held against what the service wrote and the Collector got, request by request.

    client ── trace id ──> line of the access log (of which pod's which run) ──> SERVER span

Counts alone could hide a loss behind a double; so each request is found again by its trace id, in every log that there
was, those of the dead included. A pod that dies without a word leaves less; how much less it may be is judged by when
the requests ended that are missing: what it keeps in memory is as old as its flush intervals, and not older.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from requests_log import Sending, Sent

# How long the service keeps what it has, in seconds: a line waits for others 10 ms from the first on
# (telemetry/src/access_log/writer.h), a span until OTEL_BSP_SCHEDULE_DELAY is over.
LINE_FLUSH = 0.010
SPAN_FLUSH = 5.0
# Beside that: an export that is under way and was not answered, a thread that had to wait for a CPU.
UNDER_WAY = 1.0


@dataclass(frozen=True)
class Moment:
    """When something was killed, as exactly as it is known: seconds since the epoch."""

    after: float
    before: float


@dataclass
class Ledger:
    """Of one load."""

    sent: Sending
    lines: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))  # by trace id
    spans: Counter = field(default_factory=Counter)                                            # by trace id

    def add_lines(self, entries: list[dict[str, Any]], agent: str) -> "Ledger":
        """Access log entries; only those of the load count, known by its User-Agent."""
        for entry in entries:
            if entry["cs(User-Agent)"] == agent:
                self.lines[entry["x-trace-id"]].append(entry)
        return self

    def add_spans(self, trace_ids: list[str]) -> "Ledger":
        """Of SERVER spans with the load's User-Agent, each span once."""
        self.spans.update(trace_ids)
        return self

    def line_count(self) -> int:
        """All of the load's."""
        return sum(map(len, self.lines.values()))

    def span_count(self) -> int:
        """All of the load's."""
        return self.spans.total()

    # ---- what is missing, and what is too much --------------------------------------------------

    def answered(self) -> list[Sent]:
        """Requests that had the answer that was due."""
        return self.sent.outcomes("answered")

    def without_line(self) -> list[Sent]:
        """Answered, and in no log."""
        return [one for one in self.answered() if not self.lines.get(self.sent.trace_id(one.number))]

    def without_span(self) -> list[Sent]:
        """Answered, and no span came."""
        return [one for one in self.answered() if not self.spans[self.sent.trace_id(one.number)]]

    def doubles(self) -> list[str]:
        """Trace ids that are in two lines or two spans: a client sent it again, or we wrote it twice."""
        return sorted({trace for trace, found in self.lines.items() if len(found) > 1}
                      | {trace for trace, count in self.spans.items() if count > 1})

    def strange(self) -> list[str]:
        """Trace ids with the load's User-Agent that the client does not know of."""
        known = {self.sent.trace_id(one.number) for one in self.sent.requests}
        return sorted((set(self.lines) | set(self.spans)) - known)

    def otherwise(self) -> list[str]:
        """Answers whose line tells another status than the client got."""
        made = []
        for one in self.answered():
            for entry in self.lines.get(self.sent.trace_id(one.number), ()):
                if int(entry["sc-status"] or 0) != one.status:
                    made.append(f"{one}: the line says {entry['sc-status']}")
        return made

    def check_nothing_lost(self) -> None:
        """Every request was answered, and is in one line and one span."""
        failed = [one for one in self.sent.requests if one.outcome != "answered"]
        assert not failed, f"{len(failed)} of {len(self.sent.requests)} failed: {[str(one) for one in failed[:10]]}"
        self._check_books()
        for what, lost in (("line", self.without_line()), ("span", self.without_span())):
            assert not lost, f"{len(lost)} without a {what}: {[str(one) for one in lost[:10]]}"
        assert len(self.sent.requests) == self.line_count() == self.span_count()

    def _check_books(self) -> None:
        """What holds also where something dies."""
        assert not self.strange(), f"of nobody: {self.strange()[:10]}"
        assert not self.doubles(), f"twice: {self.doubles()[:10]}"
        assert not self.otherwise(), self.otherwise()[:10]
        assert not self.sent.outcomes("wrong"), [str(one) for one in self.sent.outcomes("wrong")[:10]]

    # ---- when one dies --------------------------------------------------------------------------

    def on_the_dead(self, moment: Moment) -> list[Sent]:
        """In flight by the client's count when one was killed, and on that one: another's line would say
        so, its own would say that it had answered before. Who was refused was on none."""
        return [one for one in self.sent.requests
                if one.begin <= moment.before and one.end >= moment.after and one.outcome != "refused"
                and not self.lines.get(self.sent.trace_id(one.number))]

    def check_death(self, moment: Moment, pod: str, restart: int, span_flush: float = SPAN_FLUSH) -> None:
        """What one of several may take with it: the requests it was serving, and what it had not yet handed on."""
        self._check_books()
        in_flight = self.on_the_dead(moment)
        for one in self.sent.outcomes("cut"):
            assert one in in_flight, f"was not in flight at the kill: {one}"
        # Nothing else was served by the dead: but for an answer that was on its way, and whose line was not.
        late = [one for one in in_flight if one.outcome == "answered" and one.end > moment.before + UNDER_WAY]
        assert not late, f"answered by nobody: {[str(one) for one in late[:10]]}"
        for one in self.sent.outcomes("refused"):
            assert one.end >= moment.after, f"refused before the kill: {one}"
        for what, lost, interval in (("line", self.without_line(), LINE_FLUSH),
                                     ("span", self.without_span(), span_flush)):
            for one in lost:
                assert self.was_of(one, pod, restart), f"no {what}, and it was not the dead one's: {one}"
                assert one.end >= moment.after - interval - UNDER_WAY, \
                    f"no {what}, and older than a flush interval by {moment.after - interval - one.end:.3f} s: {one}"

    def was_of(self, one: Sent, pod: str, restart: int) -> bool:
        """Whether no other container has it in its log."""
        return all((entry["pod"], entry["restart"]) == (pod, restart)
                   for entry in self.lines.get(self.sent.trace_id(one.number), ()))

    def oldest(self, lost: list[Sent], moment: Moment) -> float:
        """How long before the kill the oldest of what is missing had ended, in seconds."""
        return max((moment.before - one.end for one in lost), default=0.0)


def told_by_the_dead(text: list[str]) -> dict[str, Any] | None:
    """The exit line among a container's lines, or None."""
    for line in reversed(text):
        if line.startswith("{") and '"reconciliation"' in line:
            told = json.loads(line)
            if told.get("component") == "reconciliation":
                return told
    return None
