"""The names that something emits: the binary's from docs/contract.json, exporters' from exporters/*.yaml,
recording rules' from the rules themselves.

A histogram is its classic series (`_bucket`, `_sum`, `_count`); its bare name is a native one, which nobody
is asked for. Prometheus adds the labels of a target to what it scrapes; which these are depends on where
it runs, so only `job` and `instance` are relied upon.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Mapping

import yaml
from contract_shapes import Label, Shape

HERE = Path(__file__).resolve().parent
OVERFLOW = "otel_metric_overflow"
TARGET = {"job": Label(), "instance": Label()}
CLUSTER = {
    name: Label(optional=True) for name in ("namespace", "pod", "service", "endpoint", "container")
}
# It is no pod: whose container a series is, is in the series, or it is not known.
KUBELET = {
    name: Label(optional=True) for name in ("namespace", "service", "endpoint", "node", "metrics_path")
}
TARGETS = {
    "scraped": {**TARGET, **CLUSTER},
    "kubelet": {**TARGET, **KUBELET},
    "none": {},
}


@dataclass(frozen=True)
class Metric:
    """A family: its type, its own labels, a histogram's buckets as its `le` has them."""

    type: str
    labels: Mapping[str, Label]
    target: Mapping[str, Label] = field(default_factory=dict)
    bounds: frozenset[str] | None = None


def bound_text(bound: float) -> str:
    """A bucket's bound as the binary writes it."""
    return repr(float(bound))


def series_of(name: str, metric: Metric) -> dict[str, Shape]:
    """The series names of a family, and the shape of each."""
    labels = {**metric.target, **metric.labels}
    if metric.type == "histogram":
        bounds = None if metric.bounds is None else metric.bounds | {"+Inf"}
        return {
            f"{name}_bucket": Shape({**labels, "le": Label(bounds)}),
            f"{name}_sum": Shape(labels),
            f"{name}_count": Shape(labels),
        }
    if metric.type == "summary":
        return {
            name: Shape({**labels, "quantile": Label()}),
            f"{name}_sum": Shape(labels),
            f"{name}_count": Shape(labels),
        }
    return {name: Shape(labels)}


def read_contract(path: Path) -> dict[str, Metric]:
    """The binary's families."""
    found = {}
    for name, told in json.loads(path.read_text())["metrics"].items():
        labels = {}
        for label, values in told["labels"].items():
            known = frozenset(values["values"]) if values["closed"] else None
            labels[label] = Label(known, values.get("optional", False))
        if labels and told["type"] != "info":
            labels[OVERFLOW] = Label(frozenset(["true"]), optional=True)
        bounds = (
            frozenset(bound_text(bound) for bound in told["bounds"]) if "bounds" in told else None
        )
        found[name] = Metric(told["type"], labels, TARGETS["scraped"], bounds)
    return found


def _exporter_labels(told: object) -> dict[str, Label]:
    """A list of names, or names with their values (none: not known)."""
    if isinstance(told, list):
        told = dict.fromkeys(told)
    return {
        name: Label(frozenset(map(str, values)) if values else None, optional=True)
        for name, values in (told or {}).items()
    }


def read_exporter(path: Path) -> dict[str, Metric]:
    """An exporter's families: `labels` of the file are those of each, but for what a metric is `without`."""
    told = yaml.safe_load(path.read_text())
    common = _exporter_labels(told.get("labels"))
    found = {}
    for name, metric in told["metrics"].items():
        labels = {**common, **_exporter_labels(metric.get("labels"))}
        labels = {key: labels[key] for key in labels if key not in metric.get("without", ())}
        entry = Metric(metric["type"], labels, TARGETS[told["target"]])
        if metric["type"] == "trend":
            for stat in told["trend_stats"]:
                found[f"{name}_{stat}"] = replace(entry, type="gauge")
        else:
            found[name] = entry
    return found


def read_exporters(folder: Path = HERE / "exporters") -> dict[str, list[Metric]]:
    """All exporters' families; several may have a family of the same name."""
    found: dict[str, list[Metric]] = {}
    for path in sorted(folder.glob("*.yaml")):
        for name, metric in read_exporter(path).items():
            found.setdefault(name, []).append(metric)
    return found
