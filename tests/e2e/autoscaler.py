"""What an autoscaler sees and does, each second, from the API: for a table to look at, and as a recording.

A recording is what a predictor is held against: the autoscaler's spec, what was sent in each second by the client's own
count, and beside it what the autoscaler knew and did.

    {"hpa": {spec}, "load": [{"rate": …, "seconds": …, "rows": […]}],
     "samples": [{"t": 12.0, "metrics": {"http_requests_per_second": 80.5, "cpu": 12}, "current": 2, "desired": 4,
                  "ready": 2, "sent": 170, "active": "ValidMetricFound"}, …]}

`t` is in seconds from the first sample, the two metrics are averages of a pod (requests a second; per cent of the CPU
that it requests), null where the autoscaler has none; `active` is the reason of its condition ScalingActive.
"""

import json
import math
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster import Cluster
from glassbox import AUTOSCALING, Glassbox
from openload import Load

EVERY = 1.0
SUFFIXES = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
AS_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"  # what kubectl asks for
COLUMNS = ("Reference", "Targets", "MinPods", "MaxPods", "Replicas")


def quantity(text: str) -> float:
    """Of Kubernetes: 12500m is 12.5."""
    return float(text.rstrip("numkMG")) * SUFFIXES[text[len(text.rstrip("numkMG")):]]


def target_of(spec: dict[str, Any], name: str) -> float:
    """What a metric is to be, on average of a pod."""
    for metric in spec["metrics"]:
        if metric["type"] == "Pods" and metric["pods"]["metric"]["name"] == name:
            return quantity(metric["pods"]["target"]["averageValue"])
        if metric["type"] == "ContainerResource" and metric["containerResource"]["name"] == name:
            return float(metric["containerResource"]["target"]["averageUtilization"])
    raise KeyError(name)


def metrics_of(status: dict[str, Any]) -> dict[str, float]:
    """What it knows now; a metric that it cannot read is not in it."""
    known: dict[str, float] = {}
    for metric in status.get("currentMetrics") or ():
        if metric["type"] == "Pods":
            known[metric["pods"]["metric"]["name"]] = quantity(metric["pods"]["current"]["averageValue"])
        if metric["type"] == "ContainerResource":
            found = metric["containerResource"]
            if "averageUtilization" in found["current"]:
                known[found["name"]] = float(found["current"]["averageUtilization"])
    return known


def condition(status: dict[str, Any], kind: str) -> tuple[str, str]:
    """(status, reason) of a condition."""
    return next(((one["status"], one["reason"]) for one in status.get("conditions") or () if one["type"] == kind),
                ("", ""))


@dataclass(frozen=True)
class Sample:
    """One look."""

    time: float
    metrics: dict[str, float]
    current: int
    desired: int
    ready: int
    active: tuple[str, str]
    cells: tuple[str, ...]  # as kubectl prints them


def wanted(current: int, value: float, target: float) -> int:
    """Replicas by the autoscaler's own rule: nothing within a tenth of the target."""
    ratio = value / target
    return current if abs(ratio - 1) <= 0.1 else math.ceil(current * ratio)


class Autoscaler:
    """One HorizontalPodAutoscaler, looked at from `with` to its end."""

    def __init__(self, cluster: Cluster, service: Glassbox) -> None:
        self.cluster, self.service = cluster, service
        self.samples: list[Sample] = []
        self.loads: list[Load] = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Autoscaler":
        self.spec = self.service.hpa()["spec"]
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join(20)

    def look(self) -> Sample:
        """Now."""
        name, namespace = self.service.name, self.service.namespace
        status = self.service.hpa()["status"]
        ready = self.service.deployment()["status"].get("readyReplicas", 0)
        path = f"/{AUTOSCALING}/namespaces/{namespace}/horizontalpodautoscalers/{name}"
        with self.cluster.open(path, 20, {"Accept": AS_TABLE}) as answer:
            table = json.load(answer)
        names = [column["name"] for column in table["columnDefinitions"]]
        cells = dict(zip(names, table["rows"][0]["cells"]))
        return Sample(time.time(), metrics_of(status), status.get("currentReplicas", 0), status["desiredReplicas"],
                      ready, condition(status, "ScalingActive"), tuple(str(cells[name]) for name in COLUMNS))

    def _watch(self) -> None:
        while not self.over.wait(EVERY):
            try:
                self.samples.append(self.look())
            except (OSError, ValueError):  # the API server is busy: the next look is soon
                continue

    def latest(self) -> Sample:
        """The last look."""
        return self.samples[-1] if self.samples else self.look()

    # ---- what is kept ---------------------------------------------------------------------------

    def table(self, what: str) -> str:
        """`kubectl get hpa` over time: a line where anything has changed."""
        began = self.samples[0].time
        lines = [f"{what}: `kubectl get hpa` over time, a line for each change. Measured {time.strftime('%Y-%m-%d')}.", "",
                 f"| after | {' | '.join(COLUMNS)} | ready | sent/s |", f"|---:{'|---' * len(COLUMNS)}|---:|---:|"]
        last: tuple[str, ...] = ()
        sent = self.sent()
        for sample in self.samples:
            if sample.cells != last:
                last = sample.cells
                lines.append(f"| {sample.time - began:.0f} s | {' | '.join(last)} | {sample.ready} | "
                             f"{sent[int(sample.time)]} |")
        return "\n".join([*lines, ""])

    def sent(self) -> Counter:
        """Requests by the second in which they began."""
        return Counter(int(one.begin) for load in self.loads for one in load.sent().requests)

    def recording(self, what: str) -> dict[str, Any]:
        """All of it."""
        began, sent = self.samples[0].time, self.sent()
        names = [metric["pods"]["metric"]["name"] if metric["type"] == "Pods" else metric["containerResource"]["name"]
                 for metric in self.spec["metrics"]]
        return {
            "what": what, "recorded": time.strftime("%Y-%m-%d"), "hpa": self.spec,
            "load": [{"rate": load.rate, "seconds": load.seconds, "rows": [row.as_json() for row in load.rows]}
                     for load in self.loads],
            "samples": [{"t": round(one.time - began, 1), "metrics": {name: one.metrics.get(name) for name in names},
                         "current": one.current, "desired": one.desired, "ready": one.ready,
                         "sent": sent[int(one.time)], "active": one.active[1]} for one in self.samples]}


def write_recording(file: Path, recording: dict[str, Any]) -> None:
    """A sample a line, so that a difference can be read."""
    head = json.dumps({**recording, "samples": None}, indent=1)
    lines = ",\n  ".join(json.dumps(one) for one in recording["samples"])
    file.write_text(head.replace('"samples": null', f'"samples": [\n  {lines}\n ]') + "\n")
