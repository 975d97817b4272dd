"""What the links look at: the release's own objects, and who reads them, each found by label and fetched when asked."""

import base64
import gzip
import json
from functools import cached_property
from typing import Any, Optional

from .cluster import Cluster, Object, condition, labels_of, name_of, namespace_of
from .kubectl import Failed, Forbidden
from .prometheus import Prometheus
from .selectors import contains, selects

UNKNOWN = object()
INSTANCE = "app.kubernetes.io/instance"
COMPONENT = "app.kubernetes.io/component"
NAME = "app.kubernetes.io/name"


def merged(under: Any, over: Any) -> Any:
    """Values as Helm lays them over one another."""
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    return {**under, **{name: merged(under[name], value) if name in under else value for name, value in over.items()}}


def helm_values(secret: Object) -> dict[str, Any]:
    """The values in force of a release, out of the Secret in which Helm keeps it."""
    release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    return merged((release.get("chart") or {}).get("values") or {}, release.get("config") or {})


class Facts:
    """One round of looks at one release."""

    def __init__(self, cluster: Cluster, release: str, namespace: str, monitoring: str) -> None:
        self.cluster = cluster
        self.release = release
        self.namespace = namespace
        self.monitoring = monitoring

    # The release.

    def ours(self, kind: str) -> Optional[list[Object]]:
        """Objects of the release; None where the cluster does not know the kind."""
        return self.cluster.find(kind, self.namespace, {INSTANCE: self.release})

    @cached_property
    def values(self) -> dict[str, Any]:
        """Empty where Helm did not install it, or the user may not see: then nothing is known of intentions."""
        try:
            kept = self.cluster.find("secrets", self.namespace, {"owner": "helm", "name": self.release}) or []
        except (Failed, Forbidden):
            return {}
        deployed = [secret for secret in kept if labels_of(secret).get("status") == "deployed"] or kept
        if not deployed:
            return {}
        try:
            return helm_values(max(deployed, key=lambda secret: int(labels_of(secret).get("version", "0"))))
        except (KeyError, ValueError, OSError):
            return {}

    def value(self, path: str) -> Any:
        found: Any = self.values
        for name in path.split("."):
            if not isinstance(found, dict) or name not in found:
                return UNKNOWN
            found = found[name]
        return found

    def is_off(self, path: str) -> bool:
        """Whether the release's values say so; what is not known is not off."""
        return self.value(path) in (False, "")

    @cached_property
    def deployment(self) -> Optional[Object]:
        found = [one for one in self.ours("deployments") or []
                 if labels_of(one).get(COMPONENT, "server") == "server"]
        return found[0] if found else None

    @cached_property
    def all_pods(self) -> list[Object]:
        """Those that the Deployment selects, the leaving ones too."""
        if self.deployment is None:
            return []
        pods = self.cluster.find("pods", self.namespace) or []
        return [pod for pod in pods if selects(self.deployment["spec"]["selector"], labels_of(pod))]

    @cached_property
    def pods(self) -> list[Object]:
        """Those that are to stay: neither leaving, nor over and done."""
        return [pod for pod in self.all_pods if "deletionTimestamp" not in pod["metadata"]
                and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")]

    @cached_property
    def ready_pods(self) -> list[Object]:
        return [pod for pod in self.pods if condition(pod, "Ready").get("status") == "True"]

    @property
    def pod_names(self) -> list[str]:
        return [name_of(pod) for pod in self.ready_pods]

    @cached_property
    def container(self) -> Object:
        """The service's own, as the Deployment has it."""
        containers = self.deployment["spec"]["template"]["spec"]["containers"] if self.deployment else []
        named = [one for one in containers if one["name"] == "glassbox"]
        return (named or containers or [{"name": "glassbox"}])[0]

    def environment(self, name: str) -> str:
        for one in self.container.get("env") or []:
            if one["name"] == name:
                return str(one.get("value", ""))
        return ""

    @cached_property
    def fullname(self) -> str:
        return name_of(self.deployment) if self.deployment else self.release

    @cached_property
    def monitor(self) -> Optional[Object]:
        found = self.ours("servicemonitors") or []
        return found[0] if found else None

    @cached_property
    def rule_objects(self) -> list[Object]:
        return self.ours("prometheusrules") or []

    @property
    def declared(self) -> list[Object]:
        """The rules of these objects: what Prometheus is to load. Neither groups nor rules must be there."""
        return [rule for thing in self.rule_objects for group in thing["spec"].get("groups") or []
                for rule in group.get("rules") or []]

    # Who reads it.

    def namespace_labels(self, name: str) -> dict[str, str]:
        """What a namespace selector looks at."""
        try:
            found = self.cluster.get("namespaces", name)
        except Forbidden:
            found = None
        return {"kubernetes.io/metadata.name": name, **(labels_of(found) if found else {})}

    def operated(self, kind: str) -> list[Object]:
        """Custom resources of the operator: in the monitoring namespace, else wherever they are."""
        found = self.cluster.find(kind, self.monitoring)
        if found:
            return found
        try:
            return self.cluster.find(kind) or []
        except Forbidden:
            return []

    @cached_property
    def prometheus_object(self) -> Optional[Object]:
        """Where there are several: the one that selects our ServiceMonitor, else the first."""
        found = self.operated("prometheuses")
        if self.monitor is not None:
            labels = labels_of(self.monitor)
            found = sorted(found, key=lambda one: not selects(one["spec"].get("serviceMonitorSelector"), labels))
        return found[0] if found else None

    @cached_property
    def prometheus(self) -> Prometheus:
        return Prometheus(self.cluster, self.prometheus_object, self)

    @cached_property
    def alertmanager_object(self) -> Optional[Object]:
        found = self.operated("alertmanagers")
        return found[0] if found else None

    def stack_deployment(self, name: str, namespace: str = "") -> Optional[Object]:
        """By app.kubernetes.io/name, which ends with it (charts put their release before it): where it is looked for,
        else wherever it is."""
        for place in (namespace or self.monitoring, ""):
            try:
                found = self.cluster.find("deployments", place) or []
            except Forbidden:
                return None
            for one in found:
                labels = labels_of(one)
                if labels.get(NAME, "").endswith(name) or labels.get(COMPONENT) == name:
                    return one
        return None

    def pods_of(self, selector: Any, namespace: str) -> list[Object]:
        pods = self.cluster.find("pods", namespace) or []
        return [pod for pod in pods if selects(selector, labels_of(pod)) and "deletionTimestamp" not in pod["metadata"]]

    def services_of(self, pod: Object) -> list[Object]:
        """The Services that send to a pod, those with an address of their own first."""
        namespace = namespace_of(pod)
        found = [service for service in self.cluster.find("services", namespace) or []
                 if service["spec"].get("selector") and contains(labels_of(pod), service["spec"]["selector"])]
        return sorted(found, key=lambda service: service["spec"].get("clusterIP") == "None")

    def behind(self, service: Object) -> Optional[Object]:
        """The Deployment whose pods a Service sends to."""
        selector = service["spec"].get("selector") or {"": ""}
        for one in self.cluster.find("deployments", namespace_of(service)) or []:
            if contains(one["spec"]["template"]["metadata"].get("labels") or {}, selector):
                return one
        return None

    def endpoints(self, service: Object) -> list[Object]:
        """Of a Service, ready or not, by its slices."""
        slices = self.cluster.find("endpointslices", namespace_of(service),
                                   {"kubernetes.io/service-name": name_of(service)}) or []
        return [endpoint for one in slices for endpoint in one.get("endpoints") or []]

    def ready_endpoints(self, service: Object) -> list[Object]:
        return [one for one in self.endpoints(service) if (one.get("conditions") or {}).get("ready") is not False]
