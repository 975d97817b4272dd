"""metrics-api: metrics-server (or who stands for it) gives CPU and memory of our containers."""

from typing import Any, Optional

from ..cluster import name_of, namespace_of
from ..facts import Facts
from ..finding import Finding, broken, some, values
from ..kubectl import Failed, Forbidden
from .custom_metrics_api import quantity, unavailable

ID = "metrics-api"
PROMISE = "that an HPA can read CPU"
FOLLOWS = ("pods-ready",)

API_SERVICE = "v1beta1.metrics.k8s.io"
API = "/apis/metrics.k8s.io/v1beta1"


def api_missing(facts: Facts) -> Optional[Finding]:
    if facts.cluster.get("apiservices", API_SERVICE) is not None:
        return None
    return broken(f"there is no APIService {API_SERVICE}: kube-prometheus-stack does not bring it, nor do some clouds",
                  "charts/stack/install --only metrics-server")


def api_unavailable(facts: Facts) -> Optional[Finding]:
    return unavailable(facts, facts.cluster.get("apiservices", API_SERVICE) or {}, "metrics-server")


def samples(facts: Facts) -> dict[str, dict[str, str]]:
    """CPU by container, of each of our pods that has a sample."""
    selector = f"app.kubernetes.io%2Finstance%3D{facts.release}"
    found: list[dict[str, Any]] = facts.cluster.json(
        f"{API}/namespaces/{facts.namespace}/pods?labelSelector={selector}")["items"]
    return {name_of(one): {part["name"]: part["usage"]["cpu"] for part in one["containers"]} for one in found}


def not_answering(facts: Facts) -> Optional[Finding]:
    try:
        samples(facts)
    except Failed as error:
        return broken(f"{API} does not answer: {error}", server_logs(facts))
    return None


def server_logs(facts: Facts) -> str:
    service = (facts.cluster.get("apiservices", API_SERVICE) or {"spec": {}})["spec"].get("service") or {}
    where, name = service.get("namespace", "kube-system"), service.get("name", "metrics-server")
    return f"kubectl -n {where} logs deployment/{name}"


def complaint(facts: Facts) -> str:
    """The last line in which metrics-server says why it could not ask a kubelet."""
    service = (facts.cluster.get("apiservices", API_SERVICE) or {"spec": {}})["spec"].get("service") or {}
    try:
        found = facts.cluster.get("services", service.get("name", ""), service.get("namespace", ""))
        pods = facts.pods_of({"matchLabels": found["spec"]["selector"]}, namespace_of(found)) if found else []
        said = facts.cluster.kubectl.logs(namespace_of(pods[0]), name_of(pods[0]),
                                          pods[0]["spec"]["containers"][0]["name"], "--tail=50") if pods else ""
    except (Failed, Forbidden, KeyError):
        return ""
    lines = [line for line in said.splitlines() if "Failed to scrape node" in line or "x509" in line]
    return lines[-1] if lines else ""


def no_sample(facts: Facts) -> Optional[Finding]:
    missing = [name for name in facts.pod_names if name not in samples(facts)]
    if not missing:
        return None
    said = complaint(facts)
    if "x509" in said:
        return broken(f"no sample of {some(missing)}: metrics-server does not trust the kubelet's certificate: {said}",
                      values("kubeletArgs", "[--kubelet-certificate-authority=…], or, in a cluster for trying, "
                             "[--kubelet-insecure-tls]", "metrics-server"))
    if said:
        return broken(f"no sample of {some(missing)}: metrics-server cannot ask the kubelet: {said}",
                      values("kubeletArgs", "[--kubelet-preferred-address-types=InternalIP]", "metrics-server"))
    return broken(f"no sample of {some(missing)}: pods younger than two of its rounds have none",
                  "wait: doctor --wait 90", server_logs(facts))


def wrong_container(facts: Facts) -> Optional[Finding]:
    """The HPA reads the service's own container, so that a sidecar does not dilute it."""
    name = facts.container["name"]
    lacking = [pod for pod in facts.pod_names if name not in samples(facts).get(pod, {})]
    if not lacking:
        return None
    return broken(f"the sample of {some(lacking)} has no container {name}", "wait: doctor --wait 90",
                  server_logs(facts))


CAUSES = (api_missing, api_unavailable, not_answering, no_sample, wrong_container)
BROUGHT = (no_sample, wrong_container)


def green(facts: Facts) -> str:
    name, found = facts.container["name"], samples(facts)
    used = ", ".join(f"{1000 * quantity(found[pod][name]):.0f}m" for pod in facts.pod_names)
    return f"CPU of container {name} in {len(facts.pod_names)} pods: {used or '-'}"
