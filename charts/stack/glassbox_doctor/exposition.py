"""Samples of a Prometheus text exposition that a pod gave: what it says of itself, whoever else can hear it."""

import re
from typing import Iterator, NamedTuple

from .cluster import Cluster, Object, name_of, namespace_of, proxy

LINE = re.compile(r'([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')


class Sample(NamedTuple):
    name: str
    labels: dict[str, str]
    value: float


def samples(text: str) -> Iterator[Sample]:
    for line in text.splitlines():
        found = LINE.match(line) if not line.startswith("#") else None
        if found:
            yield Sample(found[1], dict(LABEL.findall(found[2] or "")), float(found[3]))


class Scrape:
    """All samples of one pod, by the API server's proxy."""

    def __init__(self, cluster: Cluster, pod: Object, port: str) -> None:
        path = proxy("pods", namespace_of(pod), name_of(pod), port, "metrics")
        self.samples = list(samples(cluster.text(path)))

    def total(self, name: str, **labels: str) -> float:
        """The sum over the series with these labels; with a label of "" those that lack it. Counters of an
        OpenTelemetry library may lack their _total."""
        return sum(one.value for one in self.samples
                   if one.name in (name, f"{name}_total")
                   and all(one.labels.get(key, "") == value for key, value in labels.items()))

    def by(self, name: str, label: str) -> dict[str, float]:
        """The sums by a label's values, those that are not 0."""
        found: dict[str, float] = {}
        for one in self.samples:
            if one.name in (name, f"{name}_total") and one.labels.get(label) and one.value:
                found[one.labels[label]] = found.get(one.labels[label], 0.0) + one.value
        return found
