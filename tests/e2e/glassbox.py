"""The service as it was installed: its objects, its pods, and what each of them says of itself."""

from typing import Any
from urllib.error import HTTPError

from cluster import Cluster
from service import parse_samples
from wire import eventually

PUBLIC, OPERATORS = 8080, 8081  # the container's ports
TRUTH = "glassbox_fault_in_force"
APPS, AUTOSCALING = "apis/apps/v1", "apis/autoscaling/v2"


def is_ready(pod: dict[str, Any]) -> bool:
    """Whether its conditions say so; one that is going away is not."""
    return "deletionTimestamp" not in pod["metadata"] and any(
        one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", ()))


class Glassbox:
    """One release."""

    container = "glassbox"

    def __init__(self, cluster: Cluster, namespace: str = "glassbox", release: str = "glassbox") -> None:
        self.cluster, self.namespace, self.release = cluster, namespace, release
        self.name = release if "glassbox" in release else f"{release}-glassbox"  # of the objects
        self.selector = f"app.kubernetes.io/name=glassbox,app.kubernetes.io/instance={release}"
        self.host = f"{self.name}.{namespace}.svc"  # for who is in the cluster
        self.url = cluster.of_service(namespace, self.name, "http")

    def pods(self) -> list[dict[str, Any]]:
        """Of the Deployment, ready or not: a Helm test's or a job's has another component."""
        return self.cluster.items(self.namespace, "pods", self.selector + ",app.kubernetes.io/component=server")

    def names(self) -> list[str]:
        """The pods that are ready."""
        return sorted(pod["metadata"]["name"] for pod in self.pods() if is_ready(pod))

    def operators(self, pod: str) -> str:
        """URL of a pod's listener for operators."""
        return self.cluster.of_pod(self.namespace, pod, OPERATORS)

    def deployment(self) -> dict[str, Any]:
        """As the API has it."""
        return self.cluster.get(f"/{APPS}/namespaces/{self.namespace}/deployments/{self.name}")

    def hpa(self) -> dict[str, Any]:
        """As the API has it."""
        return self.cluster.get(f"/{AUTOSCALING}/namespaces/{self.namespace}/horizontalpodautoscalers/{self.name}")

    def is_settled(self) -> bool:
        """Whether all that is wanted runs and is ready, and nothing else is there."""
        found, wanted = self.deployment(), self.deployment()["spec"]["replicas"]
        status = found["status"]
        return (status.get("observedGeneration") == found["metadata"]["generation"]
                and status.get("readyReplicas") == status.get("updatedReplicas") == wanted
                and len(self.pods()) == len(self.names()) == wanted)

    def settle(self, timeout: float = 180) -> list[str]:
        """The pods, when it is."""
        assert eventually(self.is_settled, timeout, 0.5), self.deployment()["status"]
        return self.names()

    def faults(self) -> dict[str, Any]:
        """The ConfigMap with the plan that all pods mount."""
        return self.cluster.get(f"/api/v1/namespaces/{self.namespace}/configmaps/{self.name}-faults")

    def in_force(self) -> dict[str, set[str]]:
        """Which faults, by what each pod says itself."""
        found = {}
        for pod in self.names():
            try:
                samples = parse_samples(self.cluster.text(f"{self.operators(pod)}/metrics"), TRUTH)
            except HTTPError:  # it is gone meanwhile
                continue
            found[pod] = {dict(labels)["fault"] for labels, value in samples.items() if value}
        return found
