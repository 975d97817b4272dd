#!/usr/bin/env python3
"""Asks a Prometheus that runs somewhere what its exporters really emit, and says where exporters/*.yaml differ:

    python tests/contract/emitted.py http://127.0.0.1:9090 [EXPORTER...]

A metric that is not there need not be wrong: nothing has happened yet that it counts. A label that no series has, a
type that is another, and a value that a closed list lacks are: a query that names them would be let through, or
refused, wrongly. Exit status 1 for those; 2 if Prometheus cannot be asked.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from contract_names import HERE, TARGETS, Metric, read_exporter

Ask = Callable[[str, dict[str, str]], Any]


@dataclass
class Seen:
    """Of a metric: its labels with some of their values, and the types that are told."""

    labels: dict[str, set[str]] = field(default_factory=dict)
    types: set[str] = field(default_factory=set)


def asking(url: str) -> Ask:
    """What asks the Prometheus there: (path below /api/v1, parameters) to `data`."""

    def ask(path: str, parameters: dict[str, str]) -> Any:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{url.rstrip('/')}/api/v1/{path}?{query}", timeout=30) as answer:
            return json.load(answer)["data"]

    return ask


def seen(ask: Ask, name: str, metric: Metric) -> Seen:
    """What Prometheus has of a metric."""
    parts = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count")}
    names = [name + part for part in parts.get(metric.type, ("",))]
    found = Seen()
    for series in ask("series", {"match[]": f'{{__name__=~"{"|".join(names)}"}}'}):
        for label, value in series.items():
            found.labels.setdefault(label, set()).add(value)
    found.types = {told["type"] for told in ask("metadata", {"metric": name}).get(name, [])}
    return found


def differences(name: str, metric: Metric, found: Seen) -> list[str]:
    """Where a list says what is not so."""
    wrong = []
    if found.types and metric.type not in found.types:
        wrong.append(f"{name}: is a {', '.join(sorted(found.types))}, not a {metric.type}")
    for label, told in metric.labels.items():
        if label not in found.labels:
            wrong.append(f"{name}: no series has the label {label}")
        elif told.values is not None and (more := found.labels[label] - told.values):
            wrong.append(f"{name}: {label} may be {', '.join(sorted(more))}, too")
    return wrong


def unlisted(metric: Metric, found: Seen) -> list[str]:
    """Labels that nobody may ask for, though they are there."""
    known = set(metric.labels) | set(metric.target) | {"__name__", "le", "quantile"}
    return sorted(set(found.labels) - known - set(TARGETS["kubelet"]))


def compare(ask: Ask, path: Path) -> tuple[list[str], list[str], list[str]]:
    """An exporter's list: what is wrong, what has labels that are not listed, what is not there."""
    wrong, more, absent = [], [], []
    for name, metric in read_exporter(path).items():
        found = seen(ask, name, metric)
        if not found.labels:
            absent.append(name)
            continue
        wrong += differences(name, metric, found)
        if labels := unlisted(metric, found):
            more.append(f"{name}: {', '.join(labels)}")
    return wrong, more, absent


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="of the Prometheus")
    parser.add_argument("exporter", nargs="*", help="all of them, if none is named")
    options = parser.parse_args(arguments)
    status = 0
    for path in sorted((HERE / "exporters").glob("*.yaml")):
        if options.exporter and path.stem not in options.exporter:
            continue
        try:
            wrong, more, absent = compare(asking(options.url), path)
        except OSError as error:
            print(f"{options.url}: {error}", file=sys.stderr)
            return 2
        count = len(read_exporter(path))
        print(f"{path.stem}: {count - len(absent)} of {count} are there, {len(wrong)} wrong")
        for title, lines in (("wrong", wrong), ("also has", more), ("not there", absent)):
            for line in lines:
                print(f"    {title}: {line}")
        status = status or int(bool(wrong))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
