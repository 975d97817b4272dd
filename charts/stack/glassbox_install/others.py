"""What a cluster has once, and who has brought it already: an operator of Prometheus, the server of an API.

A second one would not stand beside the first: two operators write over one another's work, and helm adopts nothing
that is another's, in the middle of an installation. So it is refused before anything is changed, with what to do.
"""

from __future__ import annotations

import re

from .parts import Part, Refused, Wish
from .tools import Tools

OPERATOR = re.compile(r"(^|/)prometheus-operator(:|@|$)")  # an image's, whoever's registry it is in
BESIDE = "charts/stack/README.md says how to go beside it"


def _containers(deployment: dict) -> list[dict]:
    return deployment["spec"].get("template", {}).get("spec", {}).get("containers", [])


def words_of(deployment: dict) -> list[str]:
    """All arguments of its containers."""
    return [word for one in _containers(deployment) for word in one.get("args") or []]


def operators(tools: Tools) -> list[dict]:
    """Deployments of the Prometheus Operator, in all namespaces."""
    return [each for each in tools.items("deployments", "-A")
            if any(OPERATOR.search(one.get("image", "")) for one in _containers(each))]


def refuse(tools: Tools, part: Part, wish: Wish) -> None:
    """For a part that is not installed yet."""
    if part.name == "kube-prometheus-stack":
        operator(tools, wish)
    if part.api:
        api(tools, part)


def operator(tools: Tools, wish: Wish) -> None:
    """One that looks into all namespaces: one that is told which ones minds its own."""
    for each in operators(tools):
        if any(re.match(r"--(prometheus-instance-)?namespaces=.", word) for word in words_of(each)):
            continue
        meta = each["metadata"]
        release = (meta.get("labels") or {}).get("app.kubernetes.io/instance", "?")
        raise Refused(f"kube-prometheus-stack: Deployment {meta['namespace']}/{meta['name']} (release {release}) is a "
                      "Prometheus Operator of the whole cluster already; two of them write over one another's work. "
                      f"{BESIDE}: --monitoring-namespace {meta['namespace']}, and --only for the parts that are not there")


def api(tools: Tools, part: Part) -> None:
    """Another's, as helm will see it: with no mark of the part's release."""
    found = tools.get("apiservice", part.api) or {}
    service = found.get("spec", {}).get("service")
    marks = found.get("metadata", {}).get("annotations") or {}
    if not service or marks.get("meta.helm.sh/release-name") == part.name:
        return
    raise Refused(f"{part.name}: APIService {part.api} leads to Service {service['namespace']}/{service['name']} already, "
                  f"and a cluster has one. If that one is broken: kubectl describe apiservice {part.api}; else {BESIDE}")
