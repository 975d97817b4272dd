"""The metrics adapter, found by the API that it serves: its pods, arguments, and the rules in its ConfigMap."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Optional
from urllib.parse import SplitResult, urlsplit

from .cluster import Object, labels_of, name_of, namespace_of
from .facts import NAME, Facts
from .kubectl import Absent, Forbidden

CUSTOM = "v1beta1.custom.metrics.k8s.io"
API = "/apis/custom.metrics.k8s.io/v1beta1"
REQUESTS = "http_server_request_duration_seconds"
SERIES = f"{REQUESTS}_count"
ROUTE = re.compile(r'\bhttp_route(=~|!~|!=|=)"((?:[^"\\]|\\.)*)"')
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str) -> float:
    """A duration as Prometheus and Go write it."""
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(r"([\d.]+)(ms|[smhd])", text))


def fits(pattern: str, text: str) -> bool:
    """As Prometheus anchors it; its few expressions that Python does not have fit nothing."""
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:
        return False


@dataclass(frozen=True)
class Rule:
    """One of `rules`."""

    document: dict[str, Any]

    @property
    def series_query(self) -> str:
        return self.document.get("seriesQuery", "")

    @property
    def metrics_query(self) -> str:
        return self.document.get("metricsQuery", "")

    def names(self, series: str) -> Optional[str]:
        """The metric that a series becomes, as the adapter names it."""
        name = self.document.get("name") or {}
        matches, given = name.get("matches") or ".*", name.get("as") or ""
        found = re.search(matches, series)
        if found is None:
            return None
        template = given or ("$1" if found.re.groups else "$0")
        return found.expand(re.sub(r"\$\{?(\d+)\}?", r"\\g<\1>", template))

    @property
    def series(self) -> str:
        """The name of the series, where the query says one, or has an expression that the service's fits."""
        found = re.match(r'\s*([a-zA-Z_:][\w:]*)', self.series_query) or re.search(r'__name__="([^"]+)"',
                                                                                  self.series_query)
        if found:
            return found[1]
        pattern = re.search(r'__name__=~"([^"]+)"', self.series_query)
        return SERIES if pattern and fits(pattern[1], SERIES) else ""

    @property
    def resources(self) -> dict[str, str]:
        """Label: resource."""
        over = (self.document.get("resources") or {}).get("overrides") or {}
        return {label: given.get("resource", "") for label, given in over.items()}

    @property
    def by_template(self) -> bool:
        return bool((self.document.get("resources") or {}).get("template"))

    @property
    def matchers(self) -> list[tuple[str, str]]:
        """Operator and value of those for the route."""
        return [(operator, value.replace("\\\\", "\\")) for operator, value in ROUTE.findall(self.metrics_query)]

    def counts(self, route: str) -> bool:
        """Whether a request for a route is among those that it adds up, as Prometheus reads its matchers."""
        return all({"=": route == value, "!=": route != value, "=~": fits(value, route),
                    "!~": not fits(value, route)}[operator] for operator, value in self.matchers)

    @property
    def routes(self) -> list[str]:
        """Those that it names, rather than describes."""
        named = [part for operator, value in self.matchers if operator in ("=", "=~") for part in value.split("|")]
        return sorted(part.replace("\\", "") for part in named if not re.search(r"(?<!\\)[.*+?()\[\]^$]", part))

    @property
    def window(self) -> str:
        found = re.search(r"\[((?:\d+(?:ms|[smhd]))+)[\]:]", self.metrics_query)
        return found[1] if found else ""


class Adapter:
    """The Deployment behind custom.metrics.k8s.io, or, while nobody is, the one that is called prometheus-adapter."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    @cached_property
    def api_service(self) -> Optional[Object]:
        return self.facts.cluster.get("apiservices", CUSTOM)

    @cached_property
    def deployment(self) -> Optional[Object]:
        place = (self.api_service or {"spec": {}})["spec"].get("service") or {}
        service = self.facts.cluster.get("services", place["name"], place["namespace"]) if place else None
        found = self.facts.behind(service) if service else None
        if found is not None:
            return found
        try:
            everywhere = self.facts.cluster.find("deployments") or []
        except Forbidden:
            everywhere = self.facts.cluster.find("deployments", self.facts.monitoring) or []
        return next((one for one in everywhere if labels_of(one).get(NAME, "").endswith("prometheus-adapter")), None)

    @property
    def namespace(self) -> str:
        return namespace_of(self.deployment) if self.deployment else self.facts.monitoring

    @cached_property
    def arguments(self) -> list[str]:
        """Of the container that is the adapter, its command and arguments in one."""
        containers = self.deployment["spec"]["template"]["spec"]["containers"] if self.deployment else []
        for one in containers:
            words = (one.get("command") or []) + (one.get("args") or [])
            if any(word.startswith("--prometheus-url") for word in words):
                return words
        return []

    def argument(self, name: str, default: str = "") -> str:
        for index, word in enumerate(self.arguments):
            if word.startswith(f"--{name}="):
                return word.partition("=")[2]
            if word == f"--{name}" and index + 1 < len(self.arguments):
                return self.arguments[index + 1]
        return default

    @property
    def url(self) -> SplitResult:
        return urlsplit(self.argument("prometheus-url"))

    @property
    def is_prometheus_adapter(self) -> bool:
        """By the one argument that it cannot be without."""
        return bool(self.argument("prometheus-url"))

    @cached_property
    def metrics(self) -> list[str]:
        """What the API lists, whoever serves it."""
        try:
            return [one["name"] for one in self.facts.cluster.json(API)["resources"]]
        except Absent:
            return []  # none at all

    @property
    def relist(self) -> float:
        return seconds(self.argument("metrics-relist-interval", "10m"))

    @cached_property
    def config_map(self) -> Optional[Object]:
        """That which is mounted and holds --config's file."""
        spec = self.deployment["spec"]["template"]["spec"] if self.deployment else {}
        for volume in spec.get("volumes") or []:
            name = (volume.get("configMap") or {}).get("name")
            found = self.facts.cluster.get("configmaps", name, self.namespace) if name else None
            if found and any("rules" in text.lower() for text in (found.get("data") or {}).values()):
                return found
        return None

    @cached_property
    def rules(self) -> list[Rule]:
        texts = (self.config_map or {}).get("data") or {}
        wanted = self.argument("config").rpartition("/")[2]
        text = texts.get(wanted) or next(iter(texts.values()), "")
        document = self.facts.cluster.kubectl.read_yaml(text) if text.strip() else {}
        return [Rule(one) for one in document.get("rules") or []]

    def rule_for(self, metric: str) -> Optional[Rule]:
        """The rule that gives a metric of this name."""
        return next((rule for rule in self.rules if rule.series and rule.names(rule.series) == metric), None)

    @property
    def name(self) -> str:
        return name_of(self.deployment) if self.deployment else "prometheus-adapter"
