"""The collector that otlp.endpoint names: its Service, its pods, what it counts, and the spans in its file."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Iterator, Optional
from urllib.parse import SplitResult, urlsplit

from .cluster import Object, name_of, namespace_of
from .exposition import Scrape
from .facts import NAME, Facts
from .kubectl import Failed, Forbidden

READER, FILE, TAIL = "reader", "/traces/traces.json", 2_000_000
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Span:
    """Whose it is, and when it ended, in seconds since the epoch."""

    service: str
    namespace: str
    pod: str
    end: float


def text_of(attributes: list[dict[str, Any]]) -> dict[str, str]:
    return {one["key"]: one.get("value", {}).get("stringValue", "") for one in attributes}


def spans(lines: str) -> Iterator[Span]:
    """Of OTLP's JSON, a request a line; a first line that was cut is no JSON and is left out."""
    for line in lines.splitlines():
        try:
            resources = json.loads(line).get("resourceSpans") or []
        except (json.JSONDecodeError, AttributeError):
            continue
        for one in resources:
            about = text_of((one.get("resource") or {}).get("attributes") or [])
            for scope in one.get("scopeSpans") or []:
                for span in scope.get("spans") or []:
                    yield Span(about.get("service.name", ""), about.get("k8s.namespace.name", ""),
                               about.get("k8s.pod.name", ""), int(span.get("endTimeUnixNano", 0)) / 1e9)


class Collector:
    """By the endpoint that the service is given."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    @property
    def endpoint(self) -> str:
        return (self.facts.environment("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
                or self.facts.environment("OTEL_EXPORTER_OTLP_ENDPOINT"))

    @property
    def url(self) -> SplitResult:
        return urlsplit(self.endpoint)

    @property
    def port(self) -> int:
        return self.url.port or DEFAULT_PORTS.get(self.url.scheme, 80)

    @property
    def place(self) -> Optional[tuple[str, str]]:
        """Name and namespace of the Service that the host's name means; None: no Service, but the node's own agent
        (`$(HOST_IP)`), one in the same pod, or something outside of the cluster."""
        host = self.url.hostname or ""
        parts = host.split(".")
        if "$(" in host or ":" in host or host == "localhost" or (len(parts) > 2 and parts[2] != "svc"):
            return None
        return parts[0], parts[1] if len(parts) > 1 else self.facts.namespace

    @cached_property
    def service(self) -> Optional[Object]:
        return self.facts.cluster.get("services", *self.place) if self.place and self.place[0] else None

    @cached_property
    def other(self) -> Optional[Object]:
        """A collector that is there, whatever the endpoint says."""
        found = self.facts.cluster.find("services", self.facts.monitoring, {NAME: "opentelemetry-collector"})
        return found[0] if found else None

    @property
    def right(self) -> str:
        """What the endpoint should be."""
        name, namespace = ((name_of(self.other), namespace_of(self.other)) if self.other else
                           ("opentelemetry-collector", self.facts.monitoring))
        return f"http://{name}.{namespace}.svc:4318"

    @cached_property
    def pods(self) -> list[Object]:
        if self.service is None or not self.service["spec"].get("selector"):
            return []
        return self.facts.pods_of({"matchLabels": self.service["spec"]["selector"]}, namespace_of(self.service))

    @property
    def pod(self) -> str:
        """As kubectl's logs and exec take it: whatever workload stands behind the Service."""
        return name_of(self.pods[0]) if self.pods else f"service/{name_of(self.service)}"

    @cached_property
    def counts(self) -> Optional[Scrape]:
        """Its own metrics; None where it does not serve them on the usual port, or not to this user."""
        try:
            return Scrape(self.facts.cluster, self.pods[0], "8888") if self.pods else None
        except (Failed, Forbidden):
            return None

    @property
    def has_reader(self) -> bool:
        return any(one["name"] == READER for pod in self.pods[:1] for one in pod["spec"]["containers"])

    @cached_property
    def ours(self) -> list[Span]:
        """Of its file's end, the spans of our pods."""
        pod = self.pods[0]
        said = self.facts.cluster.kubectl.execute(namespace_of(pod), name_of(pod), READER,
                                                  "tail", "-c", str(TAIL), FILE)
        names = {name_of(one) for one in self.facts.all_pods}
        return [span for span in spans(said) if span.namespace == self.facts.namespace and span.pod in names]
