"""What a drill asks of Prometheus: rules, alerts, targets, and what series read."""

import re
import urllib.parse
from datetime import datetime
from typing import Any, Optional

from . import rules
from .web import Refused, call


def stamp(text: str) -> float:
    """Seconds since the epoch of an RFC 3339 time with as many digits as Go likes."""
    return datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", r"\1", text.replace("Z", "+00:00"))).timestamp()


class Prometheus:
    """One Prometheus, by its URL."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def get(self, path: str, **parameters: Any) -> Any:
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        answer = call("Prometheus", f"{self.url}/api/v1/{path}{query}")
        if not isinstance(answer, dict) or answer.get("status") != "success":
            raise Refused(f"{self.url} does not answer as Prometheus does")
        return answer["data"]

    def rules(self) -> list[rules.Rule]:
        return rules.from_api(self.get("rules"))

    def alerts(self) -> list[dict[str, Any]]:
        """Pending and firing ones; what is over is not there."""
        return self.get("alerts")["alerts"]

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """An instant query: labels and value of each series."""
        data = self.get("query", query=expression)
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(row["metric"], float(row["value"][1])) for row in data["result"]]

    def targets(self, job: str, namespace: Optional[str] = None) -> list[dict[str, Any]]:
        """The job's targets, in a cluster of one namespace: instance, whether it is up, and the scrape interval in
        seconds."""
        found = self.get("targets", state="active")["activeTargets"]
        return [{"instance": target["labels"]["instance"], "up": target["health"] == "up",
                 "scrape": rules.seconds(target.get("scrapeInterval"), 60.0)}
                for target in found if target["labels"].get("job") == job
                and (namespace is None or target["labels"].get("namespace") == namespace)]


def chosen(series: list[tuple[dict[str, str], float]], labels: dict[str, str]) -> list[float]:
    """The values of series whose labels do not contradict these."""
    return [value for have, value in series
            if all(have.get(name, wanted) == wanted for name, wanted in labels.items())]


class Live:
    """Reads for rules.tree what a Prometheus has; what the fault makes of it, an effect says."""

    def __init__(self, prometheus: Prometheus, labels: dict[str, str], effect: "Any", scrape: float) -> None:
        self.prometheus = prometheus
        self.labels = {name: value for name, value in labels.items() if name not in ("severity",)}
        self.effect = effect
        self.scrape = scrape

    def value(self, expression: str) -> Optional[float]:
        values = chosen(self.prometheus.query(expression), self.labels)
        return max(values) if values else None

    def age(self, shape: rules.Shape) -> float:
        """By how many samples the series has in the window; the oldest of them counts."""
        window = f"{int(shape.window * 1000)}ms"
        name = sorted(shape.metrics)[0] if shape.metrics else None
        if name is None:
            return rules.due.NEVER
        wanted = ",".join(f'{k}="{v}"' for k, v in self.labels.items() if k == "http_route" and k in shape.matchers)
        rows = self.prometheus.query(f"max(count_over_time({name}{{{wanted}}}[{window}]))")
        if not rows:
            return 0.0
        age = rows[0][1] * self.scrape
        return rules.due.NEVER if age >= shape.window - 1.5 * self.scrape else age

    def above(self, shape: rules.Shape, threshold: float) -> float:
        """By the buckets within histogram_quantile()."""
        for node in rules.nodes(shape.expression):
            if isinstance(node, rules.promql.Call) and node.func.name == "histogram_quantile":
                rows = [(have, value) for have, value in self.prometheus.query(str(node.args[1]))
                        if all(have.get(n, w) == w for n, w in self.labels.items())]
                return share_above(rows, threshold)
        return 0.0

    def level(self, shape: rules.Shape, threshold: float, base: float) -> tuple[Optional[float], float]:
        return self.effect.level(shape, threshold, base)


def share_above(rows: list[tuple[dict[str, str], float]], threshold: float) -> float:
    """Of cumulative buckets: the share of observations above the largest bound that is not above the threshold."""
    buckets: dict[float, float] = {}
    for labels, value in rows:
        bound = float(labels["le"].replace("+Inf", "inf"))
        buckets[bound] = buckets.get(bound, 0.0) + value
    total = buckets.get(float("inf"), 0.0)
    if not total > 0:
        return 0.0
    return 1 - max((value for bound, value in buckets.items() if bound <= threshold), default=0.0) / total
