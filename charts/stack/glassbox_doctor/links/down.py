"""Why a scrape fails, by the words in which Prometheus keeps it."""

import re
from typing import Callable, Optional

from ..cluster import Object, labels_of, name_of, namespace_of
from ..facts import Facts
from ..finding import Finding, broken, peers, values
from ..kubectl import Forbidden
from ..selectors import selects


def edit(facts: Facts, line: str) -> str:
    """What to change in the ServiceMonitor."""
    name = name_of(facts.monitor) if facts.monitor else facts.fullname
    return f"kubectl -n {facts.namespace} edit servicemonitor {name}  # {line}"


def policy(facts: Facts) -> Optional[Object]:
    """A NetworkPolicy that keeps callers from our pods, if there is one."""
    labels = labels_of(facts.pods[0]) if facts.pods else {}
    try:
        found = facts.cluster.find("networkpolicies", facts.namespace) or []
    except Forbidden:
        return None
    for one in found:
        if "Ingress" in (one["spec"].get("policyTypes") or ["Ingress"]) and selects(one["spec"]["podSelector"], labels):
            return one
    return None


def timed_out(facts: Facts, error: str) -> list[str]:
    """Nobody refuses, nobody answers: packets are thrown away."""
    found = policy(facts)
    if found is None:
        return [values("monitoring.serviceMonitor.scrapeTimeout", "longer, if the pod is merely slow"),
                "no NetworkPolicy of this namespace selects the pods: look for one of the cluster's network"]
    namespace = namespace_of(facts.prometheus_object) if facts.prometheus_object else facts.monitoring
    return [values("networkPolicy.monitoringFrom", peers(namespace))
            + f"  (NetworkPolicy {name_of(found)} selects the pods)"]


def refused(facts: Facts, error: str) -> list[str]:
    """There is a host, and nothing listens on this port."""
    return [values("extraArgs", "no --admin-listen, --listen: port admin is where /metrics is asked for"),
            f"kubectl -n {facts.namespace} logs deployment/{facts.fullname} --tail=20"]


def unreachable(facts: Facts, error: str) -> list[str]:
    return ["no route from Prometheus' node to the pod's: the cluster's network, not a line of values"]


def status(facts: Facts, error: str) -> list[str]:
    code = re.search(r"HTTP status (\d+)", error)
    if code and code[1] == "404":
        return [edit(facts, "spec.endpoints[0].path: /metrics")]
    if code and code[1] in ("401", "403"):
        return [edit(facts, "spec.endpoints[0]: what the port asks for")]
    return [f"kubectl -n {facts.namespace} logs deployment/{facts.fullname} --tail=20"]


def https(facts: Facts, error: str) -> list[str]:
    return [edit(facts, "spec.endpoints[0].scheme: http")]


def limit(facts: Facts, error: str) -> list[str]:
    return [edit(facts, "spec.sampleLimit, labelLimit, bodySizeLimit: higher, or none")]


REASONS: tuple[tuple[str, Callable[[Facts, str], list[str]]], ...] = (
    (r"context deadline exceeded|i/o timeout|Client\.Timeout", timed_out),
    (r"connection refused", refused),
    (r"no route to host|network is unreachable", unreachable),
    (r"gave HTTP response to HTTPS client|x509|tls:", https),
    (r"limit exceeded|exceeded", limit),
    (r"HTTP status", status),
)


def explain(facts: Facts, target: Object, failing: int, of: int) -> Finding:
    error = target.get("lastError", "")
    lines = next((reason(facts, error) for pattern, reason in REASONS if re.search(pattern, error)),
                 [f"kubectl -n {facts.namespace} logs deployment/{facts.fullname} --tail=20"])
    return broken(f"{failing} of {of} targets are down: {target['scrapeUrl']}: {error}", *lines)
