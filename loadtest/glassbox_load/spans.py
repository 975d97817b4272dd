"""The SERVER spans of one test in the Collector's file: those whose trace id begins with the run's."""

from collections import Counter
from pathlib import Path

from traces import files, spans_of  # infra/local

SERVER = 2
ROUTE = "http.route"


def attribute(span: dict, key: str) -> str:
    """A text; empty if the span has none of that name."""
    return next((str(row["value"].get("stringValue", "")) for row in span.get("attributes", ()) if row["key"] == key), "")


def by_trace(path: Path, run: str) -> dict[str, Counter]:
    """trace id -> how often each route has a SERVER span of it."""
    found: dict[str, Counter] = {}
    for file in files(path):
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                if run not in line:
                    continue
                for span in spans_of(line):
                    if span["traceId"].startswith(run) and span.get("kind") == SERVER:
                        found.setdefault(span["traceId"], Counter())[attribute(span, ROUTE)] += 1
    return found
