"""The real autoscaler, looked at each second: for the live line, for the series, for the comparison, and as a
recording."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from glassbox_hpa.model import Moment
from glassbox_hpa.spec import PODS, Spec

from ..refused import Refused
from .api import Api
from .found import path, quantity
from .series import Series

EVERY = 1.0


@dataclass(frozen=True)
class Look:
    """One, on a clock of its own or of the load."""

    t: float
    metrics: dict[str, float | None]  # averages of a pod: requests a second, per cent
    current: int
    wanted: int
    ready: int
    active: str                       # the reason of ScalingActive


def metrics_of(status: dict[str, Any]) -> dict[str, float]:
    """What it knows now; what it cannot read is not in it."""
    known: dict[str, float] = {}
    for metric in status.get("currentMetrics") or ():
        if metric["type"] == "Pods":
            known[metric["pods"]["metric"]["name"]] = quantity(metric["pods"]["current"]["averageValue"])
            continue
        found = metric.get("containerResource") or metric.get("resource") or {}
        if "averageUtilization" in found.get("current", {}):
            known[found["name"]] = float(found["current"]["averageUtilization"])
    return known


def look(api: Api, spec: Spec, namespace: str, release: str, target: str) -> Look:
    """Now."""
    status = api.get(path("hpa", namespace, release))["status"]
    ready = api.get(path("deployment", namespace, target))["status"].get("readyReplicas", 0)
    known = metrics_of(status)
    active = next((one["reason"] for one in status.get("conditions") or () if one["type"] == "ScalingActive"), "")
    return Look(time.time(), {metric.name: known.get(metric.name) for metric in spec.metrics},
                status.get("currentReplicas", 0), status["desiredReplicas"], ready, active)


def ratios(spec: Spec, metrics: dict[str, float | None]) -> dict[str, float]:
    """Each metric over its target."""
    return {metric.name: value / (metric.target / 1000 if metric.kind == PODS else metric.target)
            for metric in spec.metrics if (value := metrics[metric.name]) is not None}


@dataclass
class Watch:
    """From `with` to its end."""

    see: Callable[[], Look]
    spec: Spec
    series: Series | None
    predicted: list[Moment]
    say: Callable[[str], None]
    begun: Callable[[], float | None]       # when the load did
    looks: list[Look] = field(default_factory=list)
    troubles: set[str] = field(default_factory=set)

    def __enter__(self) -> "Watch":
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join(30)

    def _run(self) -> None:
        while not self.over.wait(EVERY):
            try:
                seen = self.see()
            except (Refused, KeyError, ValueError, TypeError):  # the API server is busy: the next look is soon
                continue
            self.looks.append(seen)
            moment = self.foretold(seen.t)
            self.say(self.line(seen, moment))
            self._write(seen, moment)

    def foretold(self, now: float) -> Moment | None:
        """Of a time, when the load has begun."""
        begun = self.begun()
        if begun is None or not 0 <= now - begun < len(self.predicted):
            return None
        return self.predicted[int(now - begun)]

    def line(self, seen: Look, moment: Moment | None) -> str:
        """For people."""
        told = "  ".join(f"{name} {value:.2f}" for name, value in ratios(self.spec, seen.metrics).items())
        at = "  …" if moment is None else f"{moment.t:3.0f}"
        return (f"{at} s  of target: {told or 'unreadable'}  wanted {seen.wanted}  had {seen.current}  "
                f"ready {seen.ready}  predicted {'-' if moment is None else moment.current}")

    def _write(self, seen: Look, moment: Moment | None) -> None:
        values: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {
            ("k6_hpa_wanted_replicas", ()): seen.wanted, ("k6_hpa_current_replicas", ()): seen.current,
            ("k6_hpa_ready_replicas", ()): seen.ready}
        for name, ratio in ratios(self.spec, seen.metrics).items():
            values["k6_hpa_metric_ratio", (("metric_name", name),)] = ratio
        if moment is not None:
            values["k6_hpa_predicted_replicas", ()] = moment.current
            for name, ratio in ratios(self.spec, moment.metrics).items():
                values["k6_hpa_predicted_metric_ratio", (("metric_name", name),)] = ratio
        if self.series is not None:
            try:
                self.series.write(values, seen.t)
            except Refused as refusal:
                self.troubles.add(str(refusal))

    def on_the_load_s_clock(self, begun: float) -> list[Look]:
        """What was seen from the load's beginning on."""
        return [Look(one.t - begun, one.metrics, one.current, one.wanted, one.ready, one.active)
                for one in self.looks if one.t >= begun - EVERY]
