"""What a run is told: environment variables, or NAME=value on the command line, which overrules them.

The table is settings.json, which the scripts read, too: names, defaults, bounds. All that is wrong is said at once, by
name, with what is allowed.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .refused import Refused

HERE = Path(__file__).resolve().parents[1]
TABLE = json.loads((HERE / "settings.json").read_text(encoding="utf-8"))
ACTIONS = tuple(TABLE["actions"])
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")


class Wrong(ValueError):
    """A value that a setting cannot have; says what it is not, and what is allowed."""


def number(row: Mapping[str, Any], text: str) -> float:
    """Within the row's bounds."""
    value = float(text) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) else math.nan  # what JavaScript takes for the same
    if not row["least"] <= value <= row["most"]:
        raise Wrong(f"not a number from {row['least']:g} to {row['most']:g}")
    return value


def seconds(text: str) -> float:
    """1m30s is 90; not a number for what is no duration."""
    parts = PART.findall(text)
    return sum(float(amount) * UNITS[unit] for amount, unit in parts) if parts and not PART.sub("", text) else math.nan


def duration(row: Mapping[str, Any], text: str) -> float:
    """In seconds, within the row's bounds."""
    value = seconds(text)
    if not row["least"] <= value <= row["most"]:
        raise Wrong(f"not a duration (500ms, 30s, 1m30s) from {row['least']:g}s to {row['most']:g}s")
    return value


def mix(_: Mapping[str, Any], text: str) -> dict[str, float]:
    """Shares of the user actions, which add up to 1."""
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, colon, weight = part.partition(":")
        if name not in ACTIONS or not colon or name in weights or not re.fullmatch(r"\d+(\.\d+)?", weight):
            raise Wrong(f"`{part}` is no NAME:WEIGHT, each name once, of {', '.join(ACTIONS)}")
        weights[name] = float(weight)
    whole = sum(weights.values())
    if whole <= 0:
        raise Wrong("no weight is above 0")
    return {name: weight / whole for name, weight in weights.items() if weight > 0}


def word(row: Mapping[str, Any], text: str) -> str:
    """A text of few characters."""
    if not re.fullmatch(row["pattern"], text):
        raise Wrong(f"not {row['means']}")
    return text


KINDS: dict[str, Callable[[Mapping[str, Any], str], Any]] = {
    "number": number, "duration": duration, "mix": mix, "word": word}


@dataclass(frozen=True)
class Settings:
    """Of one run: `text` as k6 takes them, `values` as numbers; `given` are those that somebody set."""

    workload: str
    text: Mapping[str, str]
    values: Mapping[str, Any]
    given: frozenset[str]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def __contains__(self, name: str) -> bool:
        return name in self.values


def defaults(workload: str) -> dict[str, str]:
    """What the workload has, and its values unless told otherwise: its own, and those that all have, or that it
    shares."""
    own = TABLE["workloads"][workload]
    shared = own.get("shares", [name for name, row in TABLE["settings"].items() if "default" in row])
    return {name: own.get(name, row.get("default")) for name, row in TABLE["settings"].items()
            if name in own or name in shared}


def judged_by(workload: str) -> str:
    """`objective`, or `symptom`: k6/lib/judge.js."""
    return TABLE["workloads"][workload].get("by", "objective")


def no_workload(name: str) -> str:
    """Which there are."""
    return f"`{name}` is no workload: {', '.join(TABLE['workloads'])}"


def assignments(words: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """NAME=value; a name that is none of the workload's is refused."""
    given: dict[str, str] = {}
    for each in words:
        name, equals, value = each.partition("=")
        if not equals or name not in known:
            raise Refused(f"`{each}` is no setting: NAME=value, of {', '.join(known)}")
        given[name] = value
    return given


def read(workload: str, words: Iterable[str], environment: Mapping[str, str]) -> Settings:
    """The settings of a run, checked."""
    if workload not in TABLE["workloads"]:
        raise Refused(no_workload(workload))
    text = defaults(workload)
    given = {name: environment[name] for name in text if environment.get(name)} | assignments(words, text)
    text |= given
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for name, value in text.items():
        row = TABLE["settings"][name]
        try:
            values[name] = KINDS[row["kind"]](row, value)
        except Wrong as why:
            wrong.append(f"{name}={value}: {why}")
    if wrong:
        raise Refused("\n".join(wrong))
    return Settings(workload, text, values, frozenset(given))


def help_of(workload: str) -> str:
    """For people: each setting, its default, what it is."""
    rows = [(f"{name}={value}", TABLE["settings"][name]["help"]) for name, value in defaults(workload).items()]
    width = max(len(left) for left, _ in rows)
    return "\n".join(f"  {left:<{width}}  {right}" for left, right in rows)
