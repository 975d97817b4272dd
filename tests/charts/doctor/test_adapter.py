"""adapter-rule and custom-metrics-api: from the series to the metric that an HPA can ask for."""

from typing import Any

import pytest

from examine import Case, check, drop, look, one
from glassbox_doctor.adapter import Rule, seconds
from test_series import without
from world import ADAPTER, PODS, VALUES, World, helm, thing, whole

ADAPTERS = "values of prometheus-adapter: "
LINE = ADAPTERS + 'rules.custom[0].seriesQuery: http_server_request_duration_seconds_count{namespace!="",pod!=""}'
RIGHT = 'http_route=~"/|/demo/hello|/demo/random-error|/demo/work"'
WANTED = ADAPTERS + f"rules.custom[0].metricsQuery: …{{<<.LabelMatchers>>,{RIGHT}}}…"
API = r"^/apis/custom.metrics.k8s.io/v1beta1"


def config(old: str, new: str) -> Any:
    def break_it(world: World) -> None:
        assert old in ADAPTER
        one(world, "configmaps", "prometheus-adapter")["data"]["config.yaml"] = ADAPTER.replace(old, new)
    return break_it


def url(given: str) -> Any:
    def break_it(world: World) -> None:
        arguments = one(world, "deployments", "prometheus-adapter")["spec"]["template"]["spec"]["containers"][0]["args"]
        arguments[0] = f"--prometheus-url={given}"
    return break_it


def unavailable(replicas: int) -> Any:
    def break_it(world: World) -> None:
        thing_ = one(world, "deployments", "prometheus-adapter")
        thing_["spec"]["replicas"] = replicas
        thing_["status"] = {}
        one(world, "pods", "adapter-0")["status"] = {"containerStatuses": [
            {"name": "prometheus-adapter", "image": "i", "state": {"waiting": {"reason": "CrashLoopBackOff",
                                                                               "message": "back-off 10s"}}}]}
    return break_it


def no_image(world: World) -> None:
    unavailable(1)(world)
    one(world, "pods", "adapter-0")["status"]["containerStatuses"][0]["state"]["waiting"].update(
        reason="ImagePullBackOff", message="not found")


def keda(world: World) -> None:
    world["objects"]["scaledobjects"].append(thing(
        "shop-glassbox", "store", {"app.kubernetes.io/instance": "shop"}, spec={},
        status={"conditions": [{"type": "Ready", "status": "True"}]}))


def off(world: World) -> None:
    drop(world, "secrets")
    world["objects"]["secrets"].append(helm("shop", {**VALUES, "autoscaling": {"enabled": False}}))
    drop(world, "horizontalpodautoscalers")


def another_prometheus(world: World) -> None:
    from world import WATCH, service
    world["objects"]["services"].append(service("thanos", WATCH, {}, {"app": "thanos"}, http=9090))
    url("http://thanos.watch.svc:9090")(world)
    world["raw"]["/services/thanos:9090/proxy/api/v1/query"] = {"status": "success", "data": {"result": []}}


def of_a_vendor(*metrics: str) -> Any:
    """Its agent serves the one API that there is for custom metrics."""
    def break_it(world: World) -> None:
        args = one(world, "deployments", "prometheus-adapter")["spec"]["template"]["spec"]["containers"][0]
        args["args"] = ["--secure-port=6443"]
        one(world, "deployments", "prometheus-adapter")["metadata"]["name"] = "vendor-agent"
        world["raw"][API + "$"] = {"resources": [{"name": name} for name in metrics]}
    return break_it


def shorter(world: World) -> None:
    config("[2m]", "[30s]")(world)


CASES = [
    Case("KEDA", keda, "KEDA scales the release and asks Prometheus itself", "", "skipped"),
    Case("switched off", off, "autoscaling.enabled is off, nothing reads the request rate",
         "values of glassbox: autoscaling.enabled: true", "skipped"),
    Case("no adapter", lambda world: drop(world, "deployments", "prometheus-adapter"), "there is no prometheus-adapter",
         "charts/stack/install --only prometheus-adapter"),
    Case("at 0", unavailable(0), "Deployment prometheus-adapter is scaled to 0",
         "kubectl -n watch scale deployment/prometheus-adapter --replicas=1"),
    Case("crashes", unavailable(1), "Deployment prometheus-adapter is not available: CrashLoopBackOff: "
         "back-off 10s", "kubectl -n watch logs deployment/prometheus-adapter --all-containers --tail=20"),
    Case("no image", no_image, "Deployment prometheus-adapter is not available: ImagePullBackOff: not found",
         ADAPTERS + "image: one that the node can pull"),
    Case("no rule", config("{as: http_requests_per_second}", "{as: requests_per_second}"),
         "ConfigMap prometheus-adapter has no rule for http_requests_per_second, only for requests_per_second",
         ADAPTERS + "rules.custom[0].name.as: http_requests_per_second"),
    Case("no rules", lambda world: one(world, "configmaps", "prometheus-adapter")["data"].update(
        {"config.yaml": "rules: []"}), "has no rule for http_requests_per_second", LINE),
    Case("no resources", config("pod: {resource: pod}", "instance: {resource: pod}"),
         "does not tell which labels are namespace and pod",
         ADAPTERS + "rules.custom[0].resources.overrides: {namespace: {resource: namespace}, pod: {resource: pod}}"),
    Case("wrong host", url("http://prometheus.default.svc:9090"), "there is no Service prometheus in default",
         ADAPTERS + "prometheus.url: http://kube-prometheus-stack-prometheus.watch.svc"),
    Case("wrong port", url("http://kube-prometheus-stack-prometheus.watch.svc:80"),
         "Service kube-prometheus-stack-prometheus has no port 80", ADAPTERS + "prometheus.port: 9090"),
    Case("another's API", of_a_vendor("pods/queue_length"), "custom metrics come from Deployment vendor-agent in watch, "
         "which is no prometheus-adapter and has no http_requests_per_second",
         "values of glassbox: autoscaling.type: ScaledObject  (KEDA asks Prometheus itself)"),
    Case("another's metric", of_a_vendor("pods/http_requests_per_second"), "http_requests_per_second comes from "
         "Deployment vendor-agent in watch", "", "skipped"),
    Case("another Prometheus", another_prometheus, "another Prometheus than the one that scrapes the service, and has "
         "none of its series",
         ADAPTERS + "prometheus.url: http://kube-prometheus-stack-prometheus.watch.svc"),
    Case("no series", config('_count{namespace!=""', '_total{namespace!=""'),
         "matches no series of namespace store", LINE),
    Case("probes counted", config(f",{RIGHT}", ""), "counts all requests, probes and scrapes too", WANTED),
    Case("a route less", config("|/demo/work", ""), "does not count /demo/work", WANTED),
    Case("a route more", config("|/demo/work", "|/demo/work|/readyz"), "counts /readyz, which no user calls", WANTED),
    Case("short window", shorter, "its window of 30s has less than four scrapes (every 15s)",
         ADAPTERS + "rules.custom[0].metricsQuery: …[60s]…"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_adapter_rule(case: Case) -> None:
    check("adapter-rule", case)


def test_an_adapter_that_asks_outside_of_the_cluster_is_not_judged() -> None:
    world = whole()
    url("https://prometheus.example.com/api")(world)
    assert look(world)["adapter-rule"].state == "ok"


def test_whoever_has_the_series_may_be_asked() -> None:
    """A Thanos in front of several of them."""
    world = whole()
    another_prometheus(world)
    world["raw"]["/services/thanos:9090/proxy/api/v1/query"]["data"]["result"] = [{"metric": {}, "value": [0, "4"]}]
    assert look(world)["adapter-rule"].state == "ok"


def test_without_rules_the_routes_are_those_that_were_called() -> None:
    world = whole()
    drop(world, "prometheusrules")
    assert "counts /, /demo/random-error, /demo/work, which no user calls" in look(world)["adapter-rule"].found


def test_the_same_rule_in_other_words() -> None:
    """By expressions, as adapters' rules often are: what counts is what Prometheus would make of them."""
    world = whole()
    text = ADAPTER.replace('http_server_request_duration_seconds_count{namespace!="",pod!=""}',
                           '\'{__name__=~"^http_server_.*_count$",namespace!="",pod!=""}\'')
    for matcher in ('http_route=~"/|/demo/.*"', 'http_route!~"|/metrics|/[a-z]+z|/version|/faults|/inc.*|/page/.*"'):
        one(world, "configmaps", "prometheus-adapter")["data"]["config.yaml"] = text.replace(RIGHT, matcher)
        finding = look(world)["adapter-rule"]
        assert finding.state == "ok" and "of 4 routes" in finding.found, finding
    one(world, "configmaps", "prometheus-adapter")["data"]["config.yaml"] = text.replace(RIGHT, 'http_route!="/metrics"')
    assert "counts /faults, /incidents/{name}, /livez, /page/events" in look(world)["adapter-rule"].found


def test_routes_that_nobody_knows_are_not_judged() -> None:
    world = whole()
    drop(world, "prometheusrules")
    without(http_route="/demo/hello")(world)
    assert look(world)["adapter-rule"].state == "ok"


RULES = [
    ({"as": "rate"}, "x_count", "rate"),
    ({"matches": "^(.*)_total$"}, "x_total", "x"),
    ({"matches": "^(.*)_total$", "as": "${1}_per_second"}, "x_total", "x_per_second"),
    ({"matches": "^(.*)_total$"}, "x_count", None),
    ({}, "x_count", "x_count"),
]


@pytest.mark.parametrize("name, series, metric", RULES)
def test_names_are_the_adapters(name: dict[str, str], series: str, metric: Any) -> None:
    assert Rule({"name": name}).names(series) == metric


@pytest.mark.parametrize("text, given", [("2m", 120), ("1h30m", 5400), ("500ms", 0.5), ("20s", 20), ("1d", 86400)])
def test_durations(text: str, given: float) -> None:
    assert seconds(text) == given


def condition(reason: str, message: str) -> Any:
    return lambda world: one(world, "apiservices", "v1beta1.custom.metrics.k8s.io")["status"].update(
        conditions=[{"type": "Available", "status": "False", "reason": reason, "message": message}])


def nobody(world: World) -> None:
    condition("ServiceNotFound", "service/nobody in watch is not present")(world)
    one(world, "apiservices", "v1beta1.custom.metrics.k8s.io")["spec"]["service"]["name"] = "nobody"


def at_0(world: World) -> None:
    unavailable(0)(world)
    condition("MissingEndpoints", "endpoints have no addresses")(world)


def values(*pods: str) -> Any:
    def break_it(world: World) -> None:
        answer = world["raw"][API + "/namespaces/store/pods/"]
        answer["items"] = [{**answer["items"][0], "describedObject": {"name": name}} for name in pods]
    return break_it


def no_metric(world: World) -> None:
    del world["raw"][API + "/namespaces/store/pods/"]
    world["refusals"][API + "/namespaces"] = ("Error from server (NotFound): the server could not find the metric "
                                              "http_requests_per_second for pods")


HELLO = ("kubectl get --raw /api/v1/namespaces/store/services/shop-glassbox:http/proxy/demo/hello  "
         "# some times: a rate needs requests in two scrapes")
APIS = [
    Case("KEDA", keda, "that an HPA can ask for the request rate is not needed", "", "skipped"),
    Case("no APIService", lambda world: drop(world, "apiservices", "v1beta1.custom.metrics.k8s.io"),
         "there is no APIService v1beta1.custom.metrics.k8s.io", "charts/stack/install --only prometheus-adapter"),
    Case("no Service", nobody, "is unavailable: ServiceNotFound: service/nobody in watch is not present",
         "kubectl edit apiservice v1beta1.custom.metrics.k8s.io  # spec.service: prometheus-adapter's Service"),
    Case("no pod", at_0, "MissingEndpoints: endpoints have no addresses; Deployment prometheus-adapter is scaled to 0",
         "kubectl -n watch scale deployment/prometheus-adapter --replicas=1"),
    Case("no answer", condition("FailedDiscoveryCheck", "failing or missing response"),
         "FailedDiscoveryCheck: failing or missing response",
         "the pods are there and do not answer the API server: they start, or a NetworkPolicy or a firewall stands "
         "between control plane and nodes"),
    Case("another's API", of_a_vendor(), "follows from adapter-rule: custom metrics come from Deployment vendor-agent",
         "values of glassbox: autoscaling.type: ScaledObject  (KEDA asks Prometheus itself)"),
    Case("not listed", lambda world: world["raw"].update({API + "$": {"resources": []}}),
         "does not list pods/http_requests_per_second, of 0 metrics: the adapter asks which series there are every 30",
         "wait: doctor --wait 90"),
    Case("no value", values(), "no value of http_requests_per_second for pods with app.kubernetes.io/instance=shop: it "
         "is empty", HELLO),
    Case("others' values", values("else-1"), "it has values of 1 other pods", HELLO),
    Case("no metric", no_metric, "the server could not find the metric", HELLO),
]


@pytest.mark.parametrize("case", APIS, ids=lambda case: case.name)
def test_custom_metrics_api(case: Case) -> None:
    check("custom-metrics-api", case)


def test_a_pod_without_a_value_is_named() -> None:
    world = whole()
    values(PODS[0])(world)
    finding = look(world)["custom-metrics-api"]
    assert finding.state == "ok" and f"none yet for {PODS[1]}, which counts as 0" in finding.found


def test_series_missing_breaks_the_adapters_rule_too() -> None:
    world = whole()
    without(job="glassbox")(world)
    assert look(world)["adapter-rule"].found.startswith("follows from series: ")


def test_an_adapter_that_no_api_service_names_is_found_by_its_label() -> None:
    world = whole()
    nobody(world)
    findings = look(world)
    assert findings["adapter-rule"].state == "ok" and findings["custom-metrics-api"].state == "broken"


def test_an_adapter_in_a_namespace_of_its_own_is_found_without_rights_elsewhere() -> None:
    """By the Service of its API, in that one's namespace."""
    world = whole()
    for kind, name in (("deployments", "prometheus-adapter"), ("services", "prometheus-adapter"), ("pods", "adapter-0"),
                       ("configmaps", "prometheus-adapter")):
        one(world, kind, name)["metadata"]["namespace"] = "custom-metrics"
    one(world, "apiservices", "v1beta1.custom.metrics.k8s.io")["spec"]["service"]["namespace"] = "custom-metrics"
    world["refusals"]["^/apis/apps/v1/deployments$"] = ('Error from server (Forbidden): deployments.apps is forbidden: '
                                                        'User "eve" cannot list resource "deployments"')
    assert look(world)["adapter-rule"].state == "ok"
