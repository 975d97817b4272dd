"""Each way in which a link is broken on purpose: a row in BREAKS. `apply` breaks it and gives back what mends it.

A break is what a person does by mistake: a label, a port's name, a rule, an address. It is done to the object in the
cluster, so that nothing has to be installed anew; what the doctor has to name is the link, and in its fix the line.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import getitem
from typing import Any

import yaml

from cluster import Cluster
from glassbox import APPS, Glassbox
from wire import eventually

MONITORING, OPERATED = "monitoring", "apis/monitoring.coreos.com/v1"
STACK = "kube-prometheus-stack"
NOBODY = "nobody"
Undo = Callable[[], None]


@dataclass(frozen=True)
class World:
    """What is broken."""

    cluster: Cluster
    service: Glassbox

    def get(self, group: str, kind: str, name: str, namespace: str = "") -> Any:
        """An object."""
        where = f"/namespaces/{namespace}" if namespace else ""
        return self.cluster.get(f"/{group}{where}/{kind}/{name}")

    def change(self, namespace: str, what: str, patch: list[dict[str, Any]], back: list[dict[str, Any]]) -> Undo:
        """A JSON patch, and the one that undoes it."""
        self.cluster.patch(namespace, what, patch, "json")
        return lambda: self.cluster.patch(namespace, what, back, "json")

    def misname(self, namespace: str, what: str, found: Any, *where: str | int) -> Undo:
        """Nobody's name in place of the one that the object, which was found, has there."""
        return self.change(namespace, what, put(NOBODY, *where), put(reduce(getitem, where, found), *where))

    def scaled_to_nothing(self, namespace: str, name: str, was: int) -> Undo:
        """A Deployment, and back."""
        def scale(count: int) -> None:
            self.cluster.kubectl("--namespace", namespace, "scale", f"deployment/{name}", f"--replicas={count}")
        scale(0)
        return lambda: scale(was)


@dataclass(frozen=True)
class Break:
    """`link` is what must be named, `fix` a regular expression of the line that it must name; `follows` are the links
    that may be broken because of it."""

    name: str
    link: str
    fix: str
    apply: Callable[[World], Undo]
    follows: frozenset[str] = frozenset()


def pointer(*parts: str | int) -> str:
    """A JSON pointer."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def put(value: Any, *path: str | int) -> list[dict[str, Any]]:
    """A patch of one replacement (or addition: of a key they are the same)."""
    return [{"op": "add", "path": pointer(*path), "value": value}]


def take(*path: str | int) -> list[dict[str, Any]]:
    """A patch of one removal."""
    return [{"op": "remove", "path": pointer(*path)}]


def both(*undos: Undo) -> Undo:
    """In the reverse order."""
    def undo() -> None:
        for one in reversed(undos):
            one()
    return undo


# ---- pods and scrapes ---------------------------------------------------------------------------

def no_pods(world: World) -> Undo:
    """Scaled to nothing; the HPA leaves that alone."""
    service = world.service
    return world.scaled_to_nothing(service.namespace, service.name, service.deployment()["spec"]["replicas"])


def monitor(world: World) -> tuple[str, Any]:
    """(kind/name, object) of the release's ServiceMonitor."""
    found = world.cluster.items(world.service.namespace, "servicemonitors", world.service.selector, OPERATED)[0]
    return f"servicemonitor/{found['metadata']['name']}", found


def monitors_port(world: World) -> Undo:
    """A name that the Service has not."""
    what, found = monitor(world)
    return world.misname(world.service.namespace, what, found, "spec", "endpoints", 0, "port")


def monitors_selector(world: World) -> Undo:
    """Labels that no Service has."""
    what, found = monitor(world)
    return world.misname(world.service.namespace, what, found, "spec", "selector", "matchLabels",
                         "app.kubernetes.io/instance")


def admin_service(world: World) -> tuple[str, Any]:
    """The Service that is scraped."""
    name = f"{world.service.name}-admin"
    return f"service/{name}", world.get("api/v1", "services", name, world.service.namespace)


def services_port(world: World) -> Undo:
    """The port has another name than the monitor's."""
    what, found = admin_service(world)
    return world.misname(world.service.namespace, what, found, "spec", "ports", 0, "name")


def services_selector(world: World) -> Undo:
    """Labels that no pod has."""
    what, _ = admin_service(world)
    return world.change(world.service.namespace, what, put(NOBODY, "spec", "selector", "track"),
                        take("spec", "selector", "track"))


def selected_by_label(world: World, selector: str, what: str, found: Any) -> Undo:
    """As kube-prometheus-stack is by default: it takes what carries its release's label, and ours carries another."""
    operator = world.change(MONITORING, f"prometheus/{STACK}-prometheus",
                            put({"matchLabels": {"release": STACK}}, "spec", selector), put({}, "spec", selector))
    return both(operator, world.misname(world.service.namespace, what, found, "metadata", "labels", "release"))


def monitors_label(world: World) -> Undo:
    """The most repeated complaint about that chart."""
    what, found = monitor(world)
    return selected_by_label(world, "serviceMonitorSelector", what, found)


def dropped_series(world: World) -> Undo:
    """Scraped, and dropped again."""
    what, found = monitor(world)
    kept = found["spec"]["endpoints"][0].get("metricRelabelings", [])
    where = ("spec", "endpoints", 0, "metricRelabelings")
    drop = {"sourceLabels": ["__name__"], "regex": "http_server_request_duration_seconds.*", "action": "drop"}
    return world.change(world.service.namespace, what, put([*kept, drop], *where), put(kept, *where))


# ---- rules --------------------------------------------------------------------------------------

def rules(world: World) -> tuple[str, Any]:
    """The release's first PrometheusRule that has an alert."""
    for found in world.cluster.items(world.service.namespace, "prometheusrules", world.service.selector, OPERATED):
        if any("alert" in rule for group in found["spec"]["groups"] for rule in group["rules"]):
            return f"prometheusrule/{found['metadata']['name']}", found
    raise AssertionError("no alert in any PrometheusRule")


def rules_label(world: World) -> Undo:
    """Likewise."""
    what, found = rules(world)
    return selected_by_label(world, "ruleSelector", what, found)


def alerts_namespace(world: World) -> Undo:
    """One alert without it."""
    what, found = rules(world)
    group, rule = next((i, j) for i, one in enumerate(found["spec"]["groups"]) for j, rule in enumerate(one["rules"])
                       if "alert" in rule)
    where = ("spec", "groups", group, "rules", rule, "labels", "namespace")
    return world.change(world.service.namespace, what, take(*where), put(world.service.namespace, *where))


# ---- metrics for the HPA ------------------------------------------------------------------------

def restart(world: World, name: str) -> None:
    """And it is up again."""
    world.cluster.kubectl("--namespace", MONITORING, "rollout", "restart", f"deployment/{name}")
    world.cluster.kubectl("--namespace", MONITORING, "rollout", "status", f"deployment/{name}", "--timeout=100s")


def adapters_rule(world: World) -> Undo:
    """It calls the metric something else."""
    found = world.get("api/v1", "configmaps", "prometheus-adapter", MONITORING)
    (key, text), = found["data"].items()
    document = yaml.safe_load(text)
    for rule in document["rules"]:
        rule["name"]["as"] = rule["name"]["as"].replace("http_requests", NOBODY)

    def write(content: str) -> None:
        world.cluster.patch(MONITORING, "configmap/prometheus-adapter", {"data": {key: content}})
        restart(world, "prometheus-adapter")
    write(yaml.safe_dump(document))
    return lambda: write(text)


def api(name: str) -> Callable[[World], Undo]:
    """An APIService that leads to nobody."""
    def apply(world: World) -> Undo:
        found = world.get("apis/apiregistration.k8s.io/v1", "apiservices", name)
        return world.misname("default", f"apiservice/{name}", found, "spec", "service", "name")
    return apply


def no_metrics_server(world: World) -> Undo:
    """Wherever it is: its APIService tells."""
    found = world.get("apis/apiregistration.k8s.io/v1", "apiservices", "v1beta1.metrics.k8s.io")["spec"]["service"]
    selector = world.get("api/v1", "services", found["name"], found["namespace"])["spec"]["selector"]
    what = ",".join(f"{name}={value}" for name, value in selector.items())
    deployment, = (one for one in world.cluster.items(found["namespace"], "deployments", "", APPS)
                   if one["spec"]["template"]["metadata"]["labels"].items() >= selector.items())
    undo = world.scaled_to_nothing(found["namespace"], deployment["metadata"]["name"], deployment["spec"]["replicas"])
    assert eventually(lambda: not world.cluster.items(found["namespace"], "pods", what), 60, 0.5), what
    return undo


def hpas_metric(world: World) -> Undo:
    """A name that the adapter does not serve."""
    found = world.service.hpa()
    number = next(i for i, one in enumerate(found["spec"]["metrics"]) if one["type"] == "Pods")
    return world.misname(world.service.namespace, f"hpa/{world.service.name}", found, "spec", "metrics", number,
                         "pods", "metric", "name")


# ---- spans and dashboards -----------------------------------------------------------------------

def otlp_endpoint(world: World) -> Undo:
    """A host that there is not; the pods are rolled twice."""
    service, name = world.service, "OTEL_EXPORTER_OTLP_ENDPOINT"
    container = service.deployment()["spec"]["template"]["spec"]["containers"][0]
    was = next(one["value"] for one in container["env"] if one["name"] == name)

    def write(value: str) -> None:
        world.cluster.kubectl("--namespace", service.namespace, "set", "env", f"deployment/{service.name}",
                              f"--containers={service.container}", f"{name}={value}")
    write(re.sub("//[^.:/]+", f"//{NOBODY}", was))
    return lambda: write(was)


def dashboards_label(world: World) -> Undo:
    """One ConfigMap that the sidecar does not look at."""
    found = world.cluster.items(world.service.namespace, "configmaps", "grafana_dashboard=1")[0]
    where = ("metadata", "labels", "grafana_dashboard")
    return world.change(world.service.namespace, f"configmap/{found['metadata']['name']}", take(*where),
                        put("1", *where))


SCRAPED = frozenset({"series", "adapter-rule", "custom-metrics-api", "hpa-reads"})
BREAKS = [
    Break("the Deployment scaled to nothing", "pods-ready", r"scale", no_pods,
          SCRAPED | {"scraped", "collector-span", "metrics-api"}),
    Break("the ServiceMonitor's port", "scraped", r"port", monitors_port, SCRAPED),
    Break("the ServiceMonitor's selector", "scraped", r"(?i)selector|label", monitors_selector, SCRAPED),
    Break("the Service's port name", "scraped", r"port", services_port, SCRAPED),
    Break("the Service's selector", "scraped", r"(?i)selector", services_selector, SCRAPED),
    Break("the ServiceMonitor's label", "scraped", r"monitoring\.labels|release", monitors_label, SCRAPED),
    Break("series that are dropped", "series", r"metricRelabelings", dropped_series, SCRAPED),
    Break("the PrometheusRule's label", "rules-loaded", r"monitoring\.labels|release", rules_label,
          frozenset({"alert-namespace"})),
    Break("an alert without namespace", "alert-namespace", r"namespace", alerts_namespace),
    Break("the adapter's rule", "adapter-rule", r"rules\.custom|http_requests_per_second", adapters_rule,
          frozenset({"custom-metrics-api", "hpa-reads"})),
    Break("the APIService of custom metrics", "custom-metrics-api", r"v1beta1\.custom\.metrics|prometheus-adapter",
          api("v1beta1.custom.metrics.k8s.io"), frozenset({"hpa-reads"})),
    Break("the APIService of resource metrics", "metrics-api", r"v1beta1\.metrics\.k8s\.io|metrics-server",
          api("v1beta1.metrics.k8s.io"), frozenset({"hpa-reads"})),
    Break("metrics-server scaled to nothing", "metrics-api", r"metrics-server", no_metrics_server,
          frozenset({"hpa-reads"})),
    Break("the HPA's metric", "hpa-reads", r"autoscaling\.requests\.metric", hpas_metric,
          frozenset({"adapter-rule", "custom-metrics-api"})),
    Break("the collector's address", "collector-span", r"otlp\.endpoint", otlp_endpoint, frozenset({"hpa-reads"})),
    Break("a dashboard's label", "dashboards-loaded", r"grafana_dashboard|dashboards\.label", dashboards_label),
]
