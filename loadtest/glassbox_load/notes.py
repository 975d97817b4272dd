"""What the scripts say of single requests: the slowest, and those that failed (k6/lib/notes.js)."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Note:
    """A request as k6 saw it; status 0: no answer."""

    route: str
    ms: float
    status: int
    trace: str
    error: str
    at: float  # milliseconds since the epoch, when it had ended


def read(console: Path) -> dict[str, list[Note]]:
    """`slow`, the slowest first, and `failed`, the earliest first; each once."""
    found: dict[str, dict[str, Note]] = {"slow": {}, "failed": {}}
    for line in console.read_text(encoding="utf-8").splitlines() if console.exists() else ():
        try:
            row = json.loads(line)
            kind = found[row.pop("note")]
            kind[row["trace"]] = Note(**row)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # what somebody's own script says
    return {"slow": sorted(found["slow"].values(), key=lambda one: -one.ms),
            "failed": sorted(found["failed"].values(), key=lambda one: one.at)}
