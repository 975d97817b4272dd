"""The HPA of the release: its own, or the one that KEDA made for its ScaledObject."""

from typing import Any, Optional

from .cluster import Object, labels_of
from .facts import Facts
from .kubectl import Forbidden

RATE = "http_requests_per_second"


def scaled_objects(facts: Facts) -> list[Object]:
    try:
        return facts.ours("scaledobjects") or []
    except Forbidden:
        return []


def is_by_hand(hpa: Object) -> bool:
    """Nobody would make it again."""
    return "app.kubernetes.io/managed-by" not in labels_of(hpa)


def autoscaler(facts: Facts) -> Optional[Object]:
    """Whichever scales our Deployment, Helm's or KEDA's before one that was made by hand; one of the release that
    scales something else is ours too."""
    found = sorted(facts.cluster.find("horizontalpodautoscalers", facts.namespace) or [], key=is_by_hand)
    aimed = [one for one in found if one["spec"]["scaleTargetRef"]["name"] == facts.fullname]
    return next(iter(aimed or facts.ours("horizontalpodautoscalers") or []), None)


def named(metric: dict[str, Any]) -> str:
    """What a metric of spec or status is called; "" where the controller left a place empty."""
    kind = metric.get("type", "")
    if kind in ("Resource", "ContainerResource"):
        read = part(metric)
        return read["name"] + (f" of container {read['container']}" if "container" in read else "")
    if kind in ("Pods", "External", "Object"):
        return part(metric)["metric"]["name"]
    return ""


def part(metric: dict[str, Any]) -> dict[str, Any]:
    """Of a metric, what its kind says."""
    kind = metric["type"]
    return metric[kind[0].lower() + kind[1:]]


def rate_metric(facts: Facts) -> Optional[str]:
    """The Pods metric by which it scales; None where it scales without one, or by KEDA."""
    found = autoscaler(facts)
    for metric in (found or {"spec": {}})["spec"].get("metrics") or []:
        if metric["type"] == "Pods":
            return named(metric)
    return None


def is_wanted(facts: Facts) -> bool:
    """Whether anything is to read the request rate from the custom-metrics API."""
    if scaled_objects(facts):
        return False
    off = facts.is_off("autoscaling.enabled") or facts.is_off("autoscaling.requests.enabled")
    return rate_metric(facts) is not None or not off
