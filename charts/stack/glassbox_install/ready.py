"""Whether a part is there: its workloads, what the operator makes of its objects, the API that it serves.

Each kind has a function that says what is missing, or "". The wait asks all of them each second, up to its
limit or until a pod has long been in a state that does not heal, and says meanwhile what it waits for.
"""

from __future__ import annotations

import time
from typing import Callable

from .parts import Part
from .tools import Tools

TICK = 1.0
TELL_SECONDS = 10.0
HOPELESS_SECONDS = 60.0  # of a state that does not heal by waiting
Lacking = list[tuple[dict | None, str]]


def _condition(thing: dict, kind: str) -> dict:
    conditions = thing.get("status", {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), {})


def _counts(what: str, have: int, want: int) -> str:
    return "" if have == want else f"{have} of {want} {what}"


def deployment(thing: dict) -> str:
    """All replicas are of the last revision, and available; none is of another."""
    status, want = thing.get("status", {}), thing["spec"].get("replicas", 1)
    return (_unseen(thing) or _counts("updated", status.get("updatedReplicas", 0), want)
            or _counts("available", status.get("availableReplicas", 0), want)
            or _counts("left", status.get("replicas", 0), want))


def statefulset(thing: dict) -> str:
    """The same, with what such a one counts."""
    status, want = thing.get("status", {}), thing["spec"].get("replicas", 1)
    stale = status.get("currentRevision") != status.get("updateRevision")
    return (_unseen(thing) or _counts("ready", status.get("readyReplicas", 0), want)
            or ("being replaced" if stale and status.get("updatedReplicas", 0) < want else ""))


def daemonset(thing: dict) -> str:
    """One on each node where it belongs."""
    status = thing.get("status", {})
    want = status.get("desiredNumberScheduled", 0)
    return (_unseen(thing) or _counts("updated", status.get("updatedNumberScheduled", 0), want)
            or _counts("available", status.get("numberAvailable", 0), want))


def operated(thing: dict) -> str:
    """A Prometheus or Alertmanager: the operator has made what it asks for."""
    for kind in ("Reconciled", "Available"):
        condition = _condition(thing, kind)
        if not condition:
            return "the operator has not seen it yet"
        if condition.get("observedGeneration", 0) < thing["metadata"]["generation"]:
            return "the operator has not seen its last change yet"
        if condition["status"] != "True":
            return f"{kind} is {condition['status']}: {condition.get('message', '')}".rstrip(": ")
    return ""


def autoscaler(thing: dict) -> str:
    """It has made as many pods as it must, whatever its metrics say: it begins with one."""
    have, least = thing.get("status", {}).get("currentReplicas", 0), thing["spec"].get("minReplicas", 1)
    return "" if have >= least else f"{have} replicas of at least {least}"


def api_service(thing: dict) -> str:
    """The API server reaches who serves it."""
    condition = _condition(thing, "Available")
    return "" if condition.get("status") == "True" else f"not available: {condition.get('message', 'not said')}"


def _unseen(thing: dict) -> str:
    seen = thing.get("status", {}).get("observedGeneration", 0) >= thing["metadata"]["generation"]
    return "" if seen else "its last change is not seen yet"


KINDS: dict[str, Callable[[dict], str]] = {
    "Deployment": deployment, "StatefulSet": statefulset, "DaemonSet": daemonset,
    "Prometheus": operated, "Alertmanager": operated, "HorizontalPodAutoscaler": autoscaler, "APIService": api_service}


def things(tools: Tools, part: Part, namespace: str, release: str) -> list[dict]:
    """The objects by which a part is judged."""
    mine = f"app.kubernetes.io/instance={release}"
    found = tools.items("deployments,statefulsets,daemonsets,horizontalpodautoscalers", "-n", namespace, "-l", mine)
    if part.name == "kube-prometheus-stack":
        made = tools.items("prometheuses.monitoring.coreos.com,alertmanagers.monitoring.coreos.com",
                           "-n", namespace, "-l", f"release={release}")
        names = {f"{each['kind'].lower()}-{each['metadata']['name']}" for each in made}
        found += made + [each for each in tools.items(
            "statefulsets", "-n", namespace, "-l", "app.kubernetes.io/managed-by=prometheus-operator")
            if each["metadata"]["name"] in names]
    if part.api:
        found += [thing for thing in [tools.get("apiservice", part.api)] if thing]
    return found


def named(thing: dict) -> str:
    """`Deployment monitoring/webhook`."""
    meta = thing["metadata"]
    return f"{thing['kind']} {meta['namespace'] + '/' if 'namespace' in meta else ''}{meta['name']}"


def missing(tools: Tools, part: Part, namespace: str, release: str) -> Lacking:
    """What is not ready, with what it lacks; empty when all is well."""
    if silent := tools.silent():
        return [(None, silent)]
    found = things(tools, part, namespace, release)
    if not [each for each in found if each["kind"] in ("Deployment", "StatefulSet", "DaemonSet")]:
        return [(None, f"no workload in {namespace} has app.kubernetes.io/instance={release}")]
    if part.api and found[-1]["kind"] != "APIService":
        return [(None, f"no APIService {part.api}")]
    return [(each, lacks) for each in found if (lacks := KINDS[each["kind"]](each))]


def wait(tools: Tools, part: Part, namespace: str, release: str, seconds: int,
         hopeless: Callable[[Tools, Lacking], bool]) -> Lacking:
    """Until all is ready: empty; or it is no use to wait any longer: what was missing then."""
    begin = told = time.monotonic()
    hopeless_since = None
    while lacking := missing(tools, part, namespace, release):
        now = time.monotonic()
        if now - begin >= seconds or (hopeless_since and now - hopeless_since >= HOPELESS_SECONDS):
            return lacking
        if now - told >= TELL_SECONDS:
            told = now
            thing, lacks = lacking[0]
            more = f", and {len(lacking) - 1} more" if len(lacking) > 1 else ""
            print(f"   {now - begin:3.0f} s: {named(thing) + ': ' if thing else ''}{lacks}{more}", flush=True)
            hopeless_since = (hopeless_since or now) if hopeless(tools, lacking) else None
        time.sleep(TICK)
    return []
