"""The lines of one test in the service's access log: those whose User-Agent has its id.

W3C Extended: `#Fields` names the columns, values are separated by blanks, texts are quoted with doubled quotes inside.
A log that is rotated while a test goes on is read on where it was, in the file that was renamed, then in the new one.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .refused import Refused

VALUE = re.compile(r'"(?:[^"]|"")*"|\S+')
AGENT, TRACE, PATH, STATUS, TAKEN = "cs(User-Agent)", "x-trace-id", "cs-uri-stem", "sc-status", "time-taken"
FAULT, ERROR = "x-fault", "x-error"
NEEDED = (AGENT, TRACE, PATH, STATUS, TAKEN)


@dataclass(frozen=True)
class Line:
    """One request: as the log has it, and the columns that count."""

    text: str
    trace: str
    route: str
    status: int
    seconds: float
    fault: str  # kinds of faults that struck it; empty where none did
    error: str
    agent: str


def unquoted(value: str) -> str:
    """Nothing for `-`."""
    if value == "-":
        return ""
    return value[1:-1].replace('""', '"') if value.startswith('"') else value


class AccessLog:
    """Read from where it ended when this was made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fields: list[str] = []
        self.rest = b""
        self.file = path.open("rb")
        for raw in self.file:  # the last #Fields before the end is what holds there
            self._directive(raw.decode(errors="replace"))

    def close(self) -> None:
        self.file.close()

    def lines(self) -> Iterator[Line]:
        """What has come since."""
        yield from self._read()
        if self._was_replaced():
            yield from self._read()  # what came between
            self.file.close()
            self.file, self.rest = self.path.open("rb"), b""
            yield from self._read()

    def _was_replaced(self) -> bool:
        """Whether the name leads to another file by now."""
        try:
            return not os.path.samestat(os.fstat(self.file.fileno()), self.path.stat())
        except FileNotFoundError:
            return False

    def _read(self) -> Iterator[Line]:
        *whole, self.rest = (self.rest + self.file.read()).split(b"\n")
        for raw in whole:
            text = raw.decode(errors="replace")
            if text.startswith("#"):
                self._directive(text)
            elif text:
                yield self._line(text)

    def _directive(self, text: str) -> None:
        if text.startswith("#Fields:"):
            self.fields = text.partition(":")[2].split()

    def _line(self, text: str) -> Line:
        if lacking := [name for name in NEEDED if name not in self.fields]:
            raise Refused(f"the access log {self.path} lacks {', '.join(lacking)} (--access-log-fields)")
        row = dict(zip(self.fields, map(unquoted, VALUE.findall(text))))
        return Line(text, row[TRACE], row[PATH], int(row[STATUS] or 0), float(row[TAKEN] or 0), row.get(FAULT, ""),
                    row.get(ERROR, ""), row[AGENT])
