"""Why a Deployment of the stack does not serve: one of another chart, of which only this much matters."""

from typing import Optional

from ..cluster import Object, condition, labels_of, name_of, namespace_of
from ..facts import NAME, Facts
from ..finding import Finding, broken, values
from .pods_ready import IMAGE, states


def why_not(facts: Facts, deployment: Object) -> str:
    """In a few words."""
    return trouble(facts.pods_of(deployment["spec"]["selector"], namespace_of(deployment)))


def trouble(pods: list[Object]) -> str:
    """Of pods, why the first that is not ready is not."""
    for pod in pods:
        if condition(pod, "Ready").get("status") == "True":
            continue
        for one in states(pod):
            waiting = (one.get("state") or {}).get("waiting")
            if waiting:
                return f"{waiting.get('reason')}: {waiting.get('message', '')}".rstrip(": ")
        scheduled = condition(pod, "PodScheduled")
        if scheduled.get("status") == "False":
            return scheduled.get("message", "it has no node")
        return condition(pod, "Ready").get("message") or "its pod is not ready yet"
    return "its pods are ready" if pods else "it has no pod"


def unavailable(facts: Facts, deployment: Object) -> Optional[Finding]:
    """None where a pod of it is there for others."""
    if (deployment.get("status") or {}).get("availableReplicas"):
        return None
    where, name = namespace_of(deployment), name_of(deployment)
    if deployment["spec"].get("replicas", 1) == 0:
        return broken(f"Deployment {name} is scaled to 0", f"kubectl -n {where} scale deployment/{name} --replicas=1")
    why, chart = why_not(facts, deployment), labels_of(deployment).get(NAME, name)
    fix = f"kubectl -n {where} logs deployment/{name} --all-containers --tail=20"
    if "nodes are available" in why:
        fix = values("resources.requests", "what a node has room for", chart)
    elif why.startswith(IMAGE):
        fix = values("image", "one that the node can pull", chart)
    return broken(f"Deployment {name} is not available: {why}", fix)
