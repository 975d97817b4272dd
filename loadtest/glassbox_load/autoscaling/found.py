"""What a cluster says before a run: the autoscaler, its pods, and who looks at them how often.

Everything that the prediction needs is read; nothing is asked of a person that the cluster knows.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from glassbox_hpa.model import World
from glassbox_hpa.spec import PODS, Spec, exact, spec_of

from ..refused import Refused
from ..settings import seconds
from .api import Api, Missing

WINDOW = re.compile(r"\[(\d+[smh])\]")
DEFAULT_RESOLUTION = 60.0  # of metrics-server
KINDS = {"hpa": "apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers", "pods": "api/v1/namespaces/{}/pods",
         "deployment": "apis/apps/v1/namespaces/{}/deployments", "config": "api/v1/namespaces/{}/configmaps",
         "monitor": "apis/monitoring.coreos.com/v1/namespaces/{}/servicemonitors",
         "usage": "apis/metrics.k8s.io/v1beta1/namespaces/{}/pods"}


def path(kind: str, namespace: str, name: str = "") -> str:
    """Of an object, or of all."""
    return "/" + KINDS[kind].format(namespace) + (f"/{name}" if name else "")


def quantity(text: str) -> float:
    """Of Kubernetes: 100m is 0.1, 2 is 2."""
    return float(exact("quantity", text))


@dataclass(frozen=True)
class Found:
    """Of one release."""

    spec: Spec
    raw: Mapping[str, Any]      # the autoscaler's spec, as the API has it
    world: World
    request_millicores: int


def resolution(api: Api) -> float:
    """How often metrics-server asks."""
    try:
        deployment = api.get(path("deployment", "kube-system", "metrics-server"))
    except Missing:
        return DEFAULT_RESOLUTION  # somebody else's
    words = [word for one in deployment["spec"]["template"]["spec"]["containers"] for word in one.get("args", ())]
    return next((seconds(word.partition("=")[2]) for word in words if word.startswith("--metric-resolution=")),
                DEFAULT_RESOLUTION)


def window(api: Api, monitoring: str, metric: str) -> float:
    """Of the rate that the adapter makes of the requests' counter."""
    try:
        config = yaml.safe_load(api.get(path("config", monitoring, "prometheus-adapter"))["data"]["config.yaml"])
    except Missing as missing:
        raise Refused(f"no prometheus-adapter in {monitoring} (MONITORING): {missing}") from None
    except (KeyError, yaml.YAMLError):
        raise Refused(f"the configuration of prometheus-adapter in {monitoring} cannot be read") from None
    query = next((rule["metricsQuery"] for rule in config.get("rules") or ()
                  if rule.get("name", {}).get("as") == metric), "")
    found = WINDOW.search(query)
    if not found:
        raise Refused(f"prometheus-adapter has no rule with a window for {metric}")
    return seconds(found.group(1))


def scraped_each(api: Api, namespace: str, release: str) -> float:
    """By the ServiceMonitor."""
    monitor = api.get(path("monitor", namespace, release))
    return seconds(monitor["spec"]["endpoints"][0].get("interval", "30s"))


def resting(api: Api, namespace: str, names: list[str], container: str) -> float:
    """Millicores of a pod that has nothing to do, now."""
    usage = [sum(quantity(one["usage"]["cpu"]) * 1000 for one in item["containers"] if one["name"] == container)
             for item in api.get(path("usage", namespace))["items"] if item["metadata"]["name"] in names]
    if not usage:
        raise Refused(f"metrics.k8s.io has no usage of the pods {', '.join(names)}")
    return sum(usage) / len(usage)


def asked_for(deployment: dict[str, Any], container: str) -> int:
    """Millicores that a pod's container asks for."""
    for one in deployment["spec"]["template"]["spec"]["containers"]:
        if one["name"] == container and "cpu" in one.get("resources", {}).get("requests", {}):
            return round(quantity(one["resources"]["requests"]["cpu"]) * 1000)
    raise Refused(f"container {container} asks for no CPU (resources.requests.cpu): no autoscaler could take a share "
                  "of it")


def pods_of(api: Api, namespace: str, release: str) -> list[dict[str, Any]]:
    """The release's."""
    selector = f"app.kubernetes.io/name%3Dglassbox,app.kubernetes.io/instance%3D{release}"
    return api.get(f"{path('pods', namespace)}?labelSelector={selector}")["items"]


def look(api: Api, namespace: str, release: str, monitoring: str, housekeeping: float) -> Found:
    """All of it, but how often kubelets look, which no API tells."""
    try:
        hpa = api.get(path("hpa", namespace, release))
    except Missing:
        raise Refused(f"no HorizontalPodAutoscaler {release} in {namespace} (RELEASE, NAMESPACE); "
                      "the chart has one with autoscaling.enabled") from None
    try:
        spec = spec_of(hpa["spec"])
    except ValueError as error:
        raise Refused(f"the autoscaler cannot be foretold: {error}") from None
    metric = next((one.name for one in spec.metrics if one.kind == PODS), "http_requests_per_second")
    container = next((one.container for one in spec.metrics if one.container), "glassbox")
    deployment = api.get(path("deployment", namespace, hpa["spec"]["scaleTargetRef"]["name"]))
    request = asked_for(deployment, container)
    names = [pod["metadata"]["name"] for pod in pods_of(api, namespace, release)]
    world = World(scrape_seconds=scraped_each(api, namespace, release),
                  rate_window_seconds=window(api, monitoring, metric),
                  metrics_seconds=resolution(api), housekeeping_seconds=housekeeping,
                  request_millicores=request, requests_metric=metric,
                  base_millicores=resting(api, namespace, names, container))
    return Found(spec, hpa["spec"], world, request)
