"""SERVER spans in the Collector's file: OTLP/JSON, an export a line."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from traces import spans_of  # infra/local

from .tail import Tail

SERVER = 2
ROUTE = "http.route"


class Span(NamedTuple):
    """What counts of one."""

    trace: str
    route: str


def attribute(span: dict, key: str) -> str:
    """A text; empty if the span has none of that name."""
    return next((str(row["value"].get("stringValue", "")) for row in span.get("attributes", ())
                 if row["key"] == key), "")


class Traces:
    """Of traces that begin with a run's digits, as they are written; which may begin only later."""

    def __init__(self, path: Path, run: str) -> None:
        self.run = run
        self.tail = Tail(path, from_end=path.exists())

    def close(self) -> None:
        self.tail.close()

    def spans(self) -> Iterator[Span]:
        """Those that have come since the last time."""
        for text in self.tail.lines():
            if self.run in text:
                for span in spans_of(text):
                    if span["traceId"].startswith(self.run) and span.get("kind") == SERVER:
                        yield Span(span["traceId"], attribute(span, ROUTE))
