"""A line of the service's access log, and which columns the format's `#Fields` names.

W3C Extended: values are separated by blanks, texts are quoted with doubled quotes inside.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .refused import Refused
from .tail import Tail

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
    """What is written to it from now on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fields: list[str] = []
        self.tail = Tail(path, from_end=True)
        try:
            with path.open("rb") as before:  # the last #Fields is what holds now
                for raw in before:
                    if raw.startswith(b"#"):
                        self._directive(raw.decode(errors="replace"))
        except OSError as error:
            raise Refused(f"{path}: {error.strerror}") from None

    def check_has(self, *names: str) -> None:
        """Refuses a log without these columns."""
        if lacking := [name for name in names if name not in self.fields]:
            raise Refused(f"the access log {self.path} lacks {', '.join(lacking)} (--access-log-fields)")

    def close(self) -> None:
        self.tail.close()

    def lines(self) -> Iterator[Line]:
        """Those that have come since the last time."""
        for text in self.tail.lines():
            if text.startswith("#"):
                self._directive(text)
            elif text:
                yield self._line(text)

    def _directive(self, text: str) -> None:
        if text.startswith("#Fields:"):
            self.fields = text.partition(":")[2].split()

    def _line(self, text: str) -> Line:
        self.check_has(*NEEDED)
        row = dict(zip(self.fields, map(unquoted, VALUE.findall(text))))
        try:
            return Line(text, row[TRACE], row[PATH], int(row[STATUS] or 0), float(row[TAKEN] or 0), row.get(FAULT, ""),
                        row.get(ERROR, ""), row[AGENT])
        except (KeyError, ValueError):
            raise Refused(f"the access log {self.path} has a line that is none: {text[:120]!r}") from None
