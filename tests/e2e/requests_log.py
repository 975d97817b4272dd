"""What openload.js leaves in its log, read: each request with its begin and its end, and what became of it.

A request fails in one of three ways that mean different things: it was never sent (no name, no connection: whatever was
asked for has not begun), it was cut (sent, or on its way, and no whole answer came), or it was answered otherwise than
it should be. What k6 calls them is in its documentation of error codes.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

RECORD = re.compile(r'r (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (".*")')
SUMMARY = "summary "
# k6's codes for what ends before a byte of the request is sent: names (1100…), dialling (1210…1219).
NOT_SENT = (*range(1100, 1200), *range(1210, 1220))


@dataclass(frozen=True)
class Row:
    """A kind of request; a load takes its rows in turns."""

    path: str
    method: str = "GET"
    close: bool = False  # on a connection of its own
    status: int = 200    # the answer that is due

    def as_json(self) -> dict:
        """As openload.js takes it."""
        return {"method": self.method, "path": self.path, "close": self.close, "status": self.status}


@dataclass(frozen=True)
class Sent:
    """One request as its client saw it: it lies between these two times, in seconds since the epoch."""

    number: int
    row: Row
    begin: float
    end: float
    status: int
    code: int
    error: str

    @property
    def outcome(self) -> str:
        """answered, refused, cut or wrong."""
        if self.status == self.row.status and not self.error:
            return "answered"
        if self.status:
            # A body that is cut has a status already.
            return "cut" if self.code and self.code < 1400 else "wrong"
        return "refused" if self.code in NOT_SENT else "cut"

    def __str__(self) -> str:
        return (f"#{self.number} {self.row.method} {self.row.path}{' close' if self.row.close else ''}: "
                f"{self.outcome} after {self.end - self.begin:.3f} s: {self.status} {self.code} {self.error}")


@dataclass
class Sending:
    """All requests of a load."""

    run: str  # the first half of each trace id
    requests: list[Sent] = field(default_factory=list)
    summary: dict | None = None

    def trace_id(self, number: int) -> str:
        """Of a request, in all three signals."""
        return f"{self.run}{number:016x}"

    def outcomes(self, outcome: str) -> list[Sent]:
        """Those that became that."""
        return [one for one in self.requests if one.outcome == outcome]

    def check(self) -> "Sending":
        """That it is whole: each request of the rate was sent, and has its one line."""
        assert self.summary, "k6 did not come to its end"
        assert self.summary["dropped"] == 0, f"{self.summary['dropped']} requests were not sent: too few VUs, or no CPU"
        numbers = sorted(one.number for one in self.requests)
        assert numbers == list(range(len(numbers))), "requests without a line, or with two"
        assert len(numbers) == self.summary["iterations"] == self.summary["requests"], self.summary
        return self


def read(run: str, rows: list[Row], lines: Iterable[str]) -> Sending:
    """Of k6's log; lines of its own are passed over. Its times are milliseconds, cut off: an end was up to one later."""
    made = Sending(run)
    for line in lines:
        if line.startswith(SUMMARY):
            made.summary = json.loads(line[len(SUMMARY):])
        elif match := RECORD.fullmatch(line):
            number, row, begin, end, status, code = map(int, match.groups()[:6])
            made.requests.append(Sent(number, rows[row], begin / 1000, (end + 1) / 1000, status, code,
                                      json.loads(match.group(7))))
    return made
