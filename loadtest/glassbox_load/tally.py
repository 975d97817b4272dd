"""The service's three signals of one test, counted while it goes on.

However long a test is, what is kept of it are counters, a bit a request to tell what came twice, and the lines of those
requests that k6 noted. Lines and spans are read as they are written, because both files are rotated.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from . import metrics
from .accesslog import AccessLog, Line
from .places import Places
from .refused import Refused
from .spans import Traces

RECENT = 20_000  # lines that may come before k6 has noted their request


class Seen:
    """Which requests of a run were there already. A trace's id ends in its scenario's number and its own."""

    def __init__(self) -> None:
        self.of: dict[str, bytearray] = {}
        self.twice = 0

    def add(self, trace: str) -> None:
        """One more."""
        scenario, number = trace[16:20], int(trace[20:], 16)
        bits = self.of.setdefault(scenario, bytearray())
        at, bit = number >> 3, 1 << (number & 7)
        if at >= len(bits):
            bits.extend(bytes(at + 1 - len(bits) + len(bits) // 2))
        self.twice += bool(bits[at] & bit)
        bits[at] |= bit


@dataclass
class Written:
    """Lines of the access log."""

    lines: Counter = field(default_factory=Counter)       # by route: ours
    others: Counter = field(default_factory=Counter)      # (agent, route)
    own_errors: Counter = field(default_factory=Counter)  # by route: ours, with an error, and no fault struck
    unstruck: Counter = field(default_factory=Counter)    # by route: ours, without either
    slow: Counter = field(default_factory=Counter)        # of these, longer than allowed
    seen: Seen = field(default_factory=Seen)

    def add(self, line: Line, agent: str, run: str, limits: dict[str, float]) -> None:
        """One more; `limits` are seconds by route."""
        if line.agent != agent or not line.trace.startswith(run):
            self.others[line.agent or "-", line.route] += 1
            return
        self.lines[line.route] += 1
        self.seen.add(line.trace)
        if line.fault:
            return
        if line.error:
            self.own_errors[line.route] += 1
            return
        self.unstruck[line.route] += 1
        self.slow[line.route] += line.seconds > limits.get(line.route, float("inf"))


class Tally:
    """From now on. What cannot be read any more, and why, is in `lost`; what nobody said the place of, in `unread`."""

    def __init__(self, where: Places, run: str, agent: str, limits: dict[str, float]) -> None:
        self.where, self.run, self.agent, self.limits = where, run, agent, limits
        self.lost: dict[str, str] = {}
        self.unread = [name for name, place in (("metrics", where.metrics), ("access log", where.access_log),
                                                ("spans", where.traces)) if not place]
        self.before = metrics.read(where.metrics) if where.metrics else None
        self.now: metrics.Reading | None = None          # since then
        self.log = AccessLog(where.access_log) if where.access_log else None
        self.traces = Traces(where.traces, run) if where.traces else None
        self.written, self.traced = Written(), Counter()
        self.recent: deque[Line] = deque(maxlen=RECENT)

    def close(self) -> None:
        for one in (self.log, self.traces):
            if one is not None:
                one.close()

    def read(self) -> None:
        """Lines and spans that have come; metrics are read when they are wanted."""
        self._try("access log", self._read_log)
        self._try("spans", self._read_traces)

    def read_metrics(self) -> None:
        """What was counted since the beginning. A service that does not answer now may answer later."""
        self.lost.pop("metrics", None)
        self._try("metrics", self._read_metrics)

    def _try(self, name: str, act: Callable[[], None]) -> None:
        if name in self.lost or name in self.unread:
            return
        try:
            act()
        except Refused as refusal:
            self.lost[name] = str(refusal)

    def _read_log(self) -> None:
        for line in self.log.lines():
            self.written.add(line, self.agent, self.run, self.limits)
            self.recent.append(line)

    def _read_traces(self) -> None:
        for span in self.traces.spans():
            self.traced[span.route] += 1

    def _read_metrics(self) -> None:
        self.now = metrics.read(self.where.metrics).since(self.before)

    def has(self, name: str) -> bool:
        """Whether this signal can be compared."""
        return name not in self.unread and name not in self.lost

    def came(self, routes: Iterable[str], seconds: float) -> dict[str, int]:
        """Requests that somebody sends within so many seconds, by route."""
        if self.before is None:
            return {}
        time.sleep(seconds)
        came = metrics.read(self.where.metrics).since(self.before).finished
        return {route: came[route] for route in routes if came[route]}
