"""Documents of the API server, by kind or through its proxies; each is fetched once in a round of looks."""

import json
import threading
import urllib.parse
from collections import defaultdict
from typing import Any, Iterator, Optional

from .kubectl import Absent, Failed, Forbidden, Kubectl

Object = dict[str, Any]

# kind: the API it is in, and its name there.
KINDS = {
    "namespaces": "/api/v1", "pods": "/api/v1", "services": "/api/v1", "events": "/api/v1", "configmaps": "/api/v1",
    "secrets": "/api/v1",
    "deployments": "/apis/apps/v1",
    "endpointslices": "/apis/discovery.k8s.io/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "apiservices": "/apis/apiregistration.k8s.io/v1",
    "horizontalpodautoscalers": "/apis/autoscaling/v2",
    "prometheuses": "/apis/monitoring.coreos.com/v1",
    "alertmanagers": "/apis/monitoring.coreos.com/v1",
    "servicemonitors": "/apis/monitoring.coreos.com/v1",
    "prometheusrules": "/apis/monitoring.coreos.com/v1",
    "alertmanagerconfigs": "/apis/monitoring.coreos.com/v1alpha1",
    "scaledobjects": "/apis/keda.sh/v1alpha1",
}


class Cluster:
    """What is asked is remembered, a refusal too: links share what they look at, and see the same. They look side by
    side; who asks for what another has just asked for waits for that answer."""

    def __init__(self, kubectl: Kubectl) -> None:
        self.kubectl = kubectl
        self.answers: dict[str, Any] = {}
        self.asking: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def forget(self) -> None:
        self.answers.clear()

    def text(self, path: str) -> str:
        with self.asking[path]:
            if path not in self.answers:
                try:
                    self.answers[path] = self.kubectl.raw(path)
                except (Failed, Forbidden) as error:
                    self.answers[path] = error
        answer = self.answers[path]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def json(self, path: str) -> Any:
        try:
            return json.loads(self.text(path))
        except json.JSONDecodeError:
            raise Failed(f"{path.partition('?')[0]} answers something other than JSON") from None

    def find(self, kind: str, namespace: str = "", labels: Optional[dict[str, str]] = None) -> Optional[list[Object]]:
        """All of a kind, in a namespace or in all; None where the cluster does not know the kind."""
        where = f"/namespaces/{namespace}" if namespace else ""
        selector = ",".join(f"{name}={value}" for name, value in (labels or {}).items())
        query = "?" + urllib.parse.urlencode({"labelSelector": selector}) if selector else ""
        try:
            return self.json(f"{KINDS[kind]}{where}/{kind}{query}")["items"]
        except Absent:
            return None

    def get(self, kind: str, name: str, namespace: str = "") -> Optional[Object]:
        where = f"/namespaces/{namespace}" if namespace else ""
        try:
            return self.json(f"{KINDS[kind]}{where}/{kind}/{name}")
        except Absent:
            return None

    def events(self, namespace: str, kind: str, name: str) -> Iterator[Object]:
        """About an object, the newest first; none where the user may not see them."""
        try:
            found = self.find("events", namespace) or []
        except Forbidden:
            return
        for event in sorted(found, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "",
                            reverse=True):
            about = event["involvedObject"]
            if about.get("kind") == kind and about.get("name") == name:
                yield event


def proxy(kind: str, namespace: str, name: str, port: str, path: str) -> str:
    """The path by which the API server passes a request on to a Service or a pod."""
    return f"/api/v1/namespaces/{namespace}/{kind}/{name}:{port}/proxy/{path.lstrip('/')}"


def name_of(thing: Object) -> str:
    return thing["metadata"]["name"]


def namespace_of(thing: Object) -> str:
    return thing["metadata"].get("namespace", "")


def labels_of(thing: Object) -> dict[str, str]:
    return thing["metadata"].get("labels") or {}


def condition(thing: Object, kind: str) -> Object:
    """Of status.conditions, the one of a type; an empty one where it is not there."""
    found = [one for one in (thing.get("status") or {}).get("conditions") or [] if one.get("type") == kind]
    return found[0] if found else {}
