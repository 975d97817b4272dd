"""scraped: from a ServiceMonitor that is not there to a target that is down, and who is to blame."""

from typing import Any

import pytest

from examine import Case, check, drop, labels, look, one, warn
from world import NAME, NAMESPACE, POOL, PODS, VALUES, WATCH, World, helm, thing, whole

ALL = ("values of kube-prometheus-stack: prometheus.prometheusSpec: {serviceMonitorSelector: {}, "
       "serviceMonitorSelectorNilUsesHelmValues: false}")
EDIT = f"kubectl -n {NAMESPACE} edit servicemonitor {NAME}  "


def values(world: World, **monitoring: Any) -> None:
    drop(world, "secrets")
    world["objects"]["secrets"].append(helm("shop", {**VALUES, "monitoring": {**VALUES["monitoring"], **monitoring}}))


def switched_off(**monitoring: Any) -> Any:
    def break_it(world: World) -> None:
        drop(world, "servicemonitors")
        values(world, **monitoring)
    return break_it


def installed_otherwise(world: World) -> None:
    drop(world, "servicemonitors")
    drop(world, "secrets")


def selector(**of: Any) -> Any:
    return lambda world: one(world, "prometheuses")["spec"].update(of)


def other_label(world: World) -> None:
    labels(one(world, "servicemonitors"))["release"] = "prometheus"
    selector(serviceMonitorSelector={"matchLabels": {"release": "kps"}})(world)


def expression(world: World) -> None:
    selector(serviceMonitorSelector={"matchExpressions": [{"key": "team", "operator": "In", "values": ["a",
        "b"]}]})(world)


def no_service(world: World) -> None:
    del labels(one(world, "services", f"{NAME}-admin"))["glassbox.dev/listener"]


def nobody_behind(world: World) -> None:
    one(world, "services", f"{NAME}-admin")["spec"]["selector"] = {"app": "other"}
    one(world, "endpointslices", f"{NAME}-admin-x")["endpoints"] = []


def no_pods(world: World) -> None:
    one(world, "endpointslices", f"{NAME}-admin-x")["endpoints"] = []


def unwritten(event: str = "", replicas: int = 1, operator: bool = True) -> Any:
    def break_it(world: World) -> None:
        world["prometheus"].update(config="scrape_configs: []\n", targets=[])
        if event:
            warn(world, "ServiceMonitor", NAME, "InvalidConfiguration", event)
        one(world, "deployments", "kps-operator")["spec"]["replicas"] = replicas
        one(world, "deployments", "kps-operator")["status"] = {"availableReplicas": replicas} if replicas else {}
        if not operator:
            drop(world, "deployments", "kps-operator")
    return break_it


def not_accepted(world: World) -> None:
    unwritten()(world)
    one(world, "servicemonitors")["status"] = {"bindings": [{"conditions": [
        {"type": "Accepted", "status": "False", "message": "no such TLS secret"}]}]}


def dropped(world: World) -> None:
    world["prometheus"].update(targets=[], dropped=[{"scrapePool": POOL, "discoveredLabels": {
        "__meta_kubernetes_service_name": "shop-glassbox", "__meta_kubernetes_endpointslice_port_name": "http"}}])


def down(error: str, policy: bool = False) -> Any:
    def break_it(world: World) -> None:
        world["prometheus"]["targets"][0].update(health="down", lastError=error)
        if policy:
            world["objects"]["networkpolicies"].append(thing("fence", NAMESPACE, spec={
                "podSelector": {"matchLabels": {"app.kubernetes.io/instance": "shop"}}, "policyTypes": ["Ingress"]}))
    return break_it


def job(world: World) -> None:
    for one_target in world["prometheus"]["targets"]:
        one_target["labels"]["job"] = "shop-glassbox-admin"


CASES = [
    Case("no operator", lambda world: world["objects"].pop("servicemonitors"),
         "the cluster knows no ServiceMonitor", "charts/stack/install --only kube-prometheus-stack"),
    Case("no Prometheus", lambda world: drop(world, "prometheuses"), "no Prometheus object in namespace watch",
         "values of kube-prometheus-stack: prometheus.enabled: true"),
    Case("monitoring off", switched_off(enabled=False), "there is no ServiceMonitor: monitoring.enabled is off",
         "values of glassbox: monitoring.enabled: true"),
    Case("monitor off", switched_off(serviceMonitor={"enabled": False}),
         "there is no ServiceMonitor: monitoring.serviceMonitor.enabled is off",
         "values of glassbox: monitoring.serviceMonitor.enabled: true"),
    Case("monitor deleted", lambda world: drop(world, "servicemonitors"), "it was deleted",
         "helm upgrade shop charts/glassbox -n store --reset-then-reuse-values"),
    Case("not by Helm", installed_otherwise, "there is no ServiceMonitor of the release",
         "values of glassbox: monitoring.enabled: true"),
    Case("other label: ours", other_label, "selects release=kps (serviceMonitorSelector); ServiceMonitor shop-glassbox "
         "has release=prometheus", "values of glassbox: monitoring.labels.release: kps"),
    Case("other label: theirs", other_label, "release=prometheus", "or values of kube-prometheus-stack: "
         "prometheus.prometheusSpec.serviceMonitorSelectorNilUsesHelmValues: false"),
    Case("by expression: ours", expression, "selects team In (a, b) (serviceMonitorSelector); ServiceMonitor "
         "shop-glassbox has no team", "values of glassbox: monitoring.labels.team: a"),
    Case("by expression: theirs", expression, "selects team In (a, b)", f"or {ALL}"),
    Case("a label of their own", selector(serviceMonitorSelector={"matchLabels": {"team": "sre"}}), "has no team",
         f"or {ALL}"),
    Case("not our label", selector(serviceMonitorSelector={"matchExpressions": [
        {"key": "release", "operator": "DoesNotExist"}]}), "has other labels", ALL),
    Case("no selector", selector(serviceMonitorSelector=None), "selects nothing (it is not set)", ALL),
    Case("namespace without label", selector(serviceMonitorNamespaceSelector={"matchLabels": {"watched": "yes"}}),
         "looks into watched=yes (serviceMonitorNamespaceSelector), and not into store",
         "kubectl label namespace store watched=yes"),
    Case("own namespace alone", selector(serviceMonitorNamespaceSelector=None),
         "looks into its own namespace watch alone",
         "values of kube-prometheus-stack: prometheus.prometheusSpec.serviceMonitorNamespaceSelector: {}"),
    Case("no Service", no_service, "no Service in store has these labels",
         EDIT + f"# spec.selector: labels of Service {NAME}-admin"),
    Case("no port", lambda world: one(world, "servicemonitors")["spec"]["endpoints"][0].update(port="metrics"),
         "scrapes port metrics; Service shop-glassbox-admin has admin", EDIT + "# spec.endpoints[0].port: admin"),
    Case("the Service's port", lambda world: one(world, "services",
         f"{NAME}-admin")["spec"]["ports"][0].update(name="ops"),
         "scrapes port admin; Service shop-glassbox-admin has ops",
         f"kubectl -n store edit service {NAME}-admin  # spec.ports[0].name: admin"),
    Case("nobody behind", nobody_behind, "its selector wants app=other, and no pod has that",
         f"kubectl -n store edit service {NAME}-admin  # spec.selector: labels of the pods"),
    Case("no pods", no_pods, "none of its pods is there yet", "first mend pods-ready"),
    Case("Prometheus down", lambda world: drop(world, "pods", "prometheus-kps-prometheus-0"),
         "Prometheus kps-prometheus does not answer: nothing runs: it has no pod",
         "kubectl -n watch get pods,events  # of prometheus-kps-prometheus-0"),
    Case("rejected", unwritten("scrapeTimeout greater than scrapeInterval"),
         "the operator rejects ServiceMonitor shop-glassbox: scrapeTimeout greater than scrapeInterval",
         EDIT + "# what it says"),
    Case("not accepted", not_accepted, "the operator rejects ServiceMonitor shop-glassbox: no such TLS secret",
         EDIT + "# what it says"),
    Case("operator at 0", unwritten(replicas=0), "the Prometheus Operator is not running (0 wanted, 0 available)",
         "kubectl -n watch scale deployment/kps-operator --replicas=1"),
    Case("no operator's Deployment", unwritten(operator=False), "the Prometheus Operator has no Deployment in watch",
         "values of kube-prometheus-stack: prometheusOperator.enabled: true"),
    Case("not yet", unwritten(), "has not taken ServiceMonitor shop-glassbox up yet", "wait: doctor --wait 90"),
    Case("dropped", dropped, f"all 1 targets of {POOL} are dropped by relabelling, among them Service shop-glassbox, "
         "port http", EDIT + "# selector, port"),
    Case("may not list", lambda world: world["prometheus"].update(targets=[]), "sees no endpoint in store",
         "kubectl auth can-i list endpointslices.discovery.k8s.io -n store "
         "--as=system:serviceaccount:watch:prometheus"),
    Case("policy", down('Get "http://10.0.0.9:8081/metrics": context deadline exceeded', policy=True),
         "1 of 2 targets are down: http://10.0.0.9:8081/metrics",
         f"values of glassbox: networkPolicy.monitoringFrom: [{{namespaceSelector: {{matchLabels: "
         f"{{kubernetes.io/metadata.name: {WATCH}}}}}}}]  (NetworkPolicy fence selects the pods)"),
    Case("slow", down("context deadline exceeded"), "context deadline exceeded",
         "values of glassbox: monitoring.serviceMonitor.scrapeTimeout: longer, if the pod is merely slow"),
    Case("refused", down("dial tcp 10.0.0.9:8081: connect: connection refused"), "connection refused",
         "values of glassbox: extraArgs: no --admin-listen, --listen: port admin is where /metrics is asked for"),
    Case("no route", down("dial tcp 10.0.0.9:8081: connect: no route to host"), "no route to host",
         "no route from Prometheus' node to the pod's: the cluster's network, not a line of values"),
    Case("404", down("server returned HTTP status 404 Not Found"), "404", EDIT + "# spec.endpoints[0].path: /metrics"),
    Case("401", down("server returned HTTP status 401 Unauthorized"), "401",
         EDIT + "# spec.endpoints[0]: what the port asks for"),
    Case("500", down("server returned HTTP status 500 Internal Server Error"), "500",
         f"kubectl -n store logs deployment/{NAME} --tail=20"),
    Case("TLS", down("http: server gave HTTP response to HTTPS client"), "HTTPS client",
         EDIT + "# spec.endpoints[0].scheme: http"),
    Case("limit", down("sample limit exceeded"), "limit exceeded",
         EDIT + "# spec.sampleLimit, labelLimit, bodySizeLimit: higher, or none"),
    Case("other words", down("unexpected end of input"), "unexpected end of input",
         f"kubectl -n store logs deployment/{NAME} --tail=20"),
    Case("not asked yet", lambda world: world["prometheus"]["targets"][0].update(health="unknown"),
         "1 of 2 targets have not been asked yet", "wait: doctor --wait 60"),
    Case("job", job, 'have job="shop-glassbox-admin"', EDIT + "# spec.jobLabel: app.kubernetes.io/name"),
    Case("a pod less", lambda world: world["prometheus"]["targets"].pop(), f"1 ready pods are no targets: {PODS[1]}",
         "wait: doctor --wait 60  (discovery takes some seconds)"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_scraped(case: Case) -> None:
    check("scraped", case)


def test_later_links_say_that_they_follow() -> None:
    world = whole()
    drop(world, "servicemonitors")
    world["prometheus"].update(series=[], targets=[])
    findings = look(world)
    assert findings["series"].found.startswith("follows from scraped: ")
    assert findings["adapter-rule"].found.startswith("follows from series: its seriesQuery")
    assert findings["pods-ready"].state == "ok" and findings["rules-loaded"].state == "ok"


def test_a_break_of_its_own_follows_from_nothing() -> None:
    world = whole()
    world["prometheus"].update(series=[], targets=[])
    drop(world, "deployments", "prometheus-adapter")
    assert look(world)["adapter-rule"].found.startswith("there is no prometheus-adapter")


def test_a_prometheus_that_selects_us_is_taken_before_another() -> None:
    world = whole()
    other = thing("a-other", WATCH, spec={"serviceMonitorSelector": {"matchLabels": {"team": "other"}}})
    world["objects"]["prometheuses"].insert(0, other)
    assert look(world)["scraped"].state == "ok"


def test_a_target_of_a_pod_that_leaves_may_be_down() -> None:
    world = whole()
    one(world, "pods", PODS[1])["metadata"]["deletionTimestamp"] = "2026-11-26T16:00:00Z"
    world["prometheus"]["targets"][1].update(health="down", lastError="connection refused")
    assert look(world)["scraped"].state == "ok"
