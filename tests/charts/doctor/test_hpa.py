"""metrics-api and hpa-reads: CPU, and an autoscaler that sees."""

import copy
from typing import Any

import pytest

from examine import Case, check, drop, labels, look, one, warn
from test_adapter import keda, off
from world import NAME, PODS, World, whole

SAMPLES = r"^/apis/metrics.k8s.io/v1beta1/namespaces/store/pods"
LOGS = "kubectl -n watch logs deployment/metrics-server"


def said(line: str) -> Any:
    def break_it(world: World) -> None:
        world["raw"][SAMPLES]["items"].pop()
        world["logs"]["metrics-server-0"] = f"started\n{line}\nserving\n"
    return break_it


def unavailable(world: World) -> None:
    one(world, "apiservices", "v1beta1.metrics.k8s.io")["status"]["conditions"] = [
        {"type": "Available", "status": "False", "reason": "MissingEndpoints",
            "message": "endpoints have no addresses"}]


def nobodys(world: World) -> None:
    unavailable(world)
    one(world, "apiservices", "v1beta1.metrics.k8s.io")["spec"]["service"]["name"] = "nobody"


def no_answer(world: World) -> None:
    del world["raw"][SAMPLES]
    world["refusals"][SAMPLES] = "Error from server (ServiceUnavailable): the server is currently unable to handle it"


CASES = [
    Case("no APIService", lambda world: drop(world, "apiservices", "v1beta1.metrics.k8s.io"),
         "there is no APIService v1beta1.metrics.k8s.io", "charts/stack/install --only metrics-server"),
    Case("unavailable", unavailable, "APIService v1beta1.metrics.k8s.io is unavailable: MissingEndpoints",
         "kubectl -n watch get service,endpoints,pods  # of metrics-server"),
    Case("nobody's", nobodys, "APIService v1beta1.metrics.k8s.io is unavailable: MissingEndpoints",
         "kubectl edit apiservice v1beta1.metrics.k8s.io  # spec.service: metrics-server's Service"),
    Case("no answer", no_answer, "does not answer: the server is currently unable to handle it", LOGS),
    Case("certificate", said('E1126 "Failed to scrape node" err="x509: certificate signed by unknown authority"'),
         "metrics-server does not trust the kubelet's certificate",
         "values of metrics-server: kubeletArgs: [--kubelet-certificate-authority=…], or, in a cluster for trying, "
         "[--kubelet-insecure-tls]"),
    Case("kubelet", said('E1126 "Failed to scrape node" err="dial tcp: lookup node-1: no such host"'),
         "metrics-server cannot ask the kubelet",
         "values of metrics-server: kubeletArgs: [--kubelet-preferred-address-types=InternalIP]"),
    Case("too young", said("nothing"), f"no sample of {PODS[1]}: pods younger than two of its rounds have none",
         "wait: doctor --wait 90"),
    Case("another container", lambda world: world["raw"][SAMPLES]["items"][0]["containers"][0].update(name="sidecar"),
         f"the sample of {PODS[0]} has no container glassbox", LOGS),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_metrics_api(case: Case) -> None:
    check("metrics-api", case)


def status(kind: str, reason: str, message: str) -> Any:
    def break_it(world: World) -> None:
        conditions = one(world, "horizontalpodautoscalers")["status"]["conditions"]
        conditions[:] = [one for one in conditions if one["type"] != kind] + [
            {"type": kind, "status": "False", "reason": reason, "message": message}]
    return break_it


def unread(index: int, active: bool = True) -> Any:
    """As the controller leaves the place of a metric that it could not read."""
    def break_it(world: World) -> None:
        one(world, "horizontalpodautoscalers")["status"]["currentMetrics"][index] = {"type": ""}
        if active:
            warn(world, "HorizontalPodAutoscaler", NAME, "FailedGetPodsMetric",
                 "unable to get metric http_requests_per_second: no metrics returned")
    return break_it


def both(world: World) -> None:
    one(world, "horizontalpodautoscalers")["status"]["currentMetrics"] = []
    status("ScalingActive", "FailedGetPodsMetric", "the HPA was unable to compute the replica count")(world)


def container(world: World) -> None:
    unread(1)(world)
    one(world, "horizontalpodautoscalers")["spec"]["metrics"][1]["containerResource"]["container"] = "web"


def no_request(world: World) -> None:
    unread(1)(world)
    one(world, "deployments", NAME)["spec"]["template"]["spec"]["containers"][0]["resources"] = {}


def keda_blind(world: World) -> None:
    keda(world)
    one(world, "scaledobjects")["status"]["conditions"] = [
        {"type": "Ready", "status": "False", "reason": "ScaledObjectCheckFailed", "message": "no Prometheus"}]


def metric_renamed(world: World) -> None:
    unread(0)(world)
    one(world, "horizontalpodautoscalers")["spec"]["metrics"][0]["pods"]["metric"]["name"] = "nobody"


def two(world: World) -> None:
    """One is made by hand, with a name that comes first."""
    hand = copy.deepcopy(one(world, "horizontalpodautoscalers"))
    labels(one(world, "horizontalpodautoscalers"))["app.kubernetes.io/managed-by"] = "Helm"
    hand["metadata"].update(name="by-hand", labels={})
    for each in (hand, one(world, "horizontalpodautoscalers")):
        each["status"].update(currentMetrics=[], conditions=[
            {"type": "AbleToScale", "status": "True"}, {"type": "ScalingActive", "status": "False", "reason":
             "AmbiguousSelector", "message": "pods by selector x are controlled by multiple HPAs: [by-hand shop]"}])
    world["objects"]["horizontalpodautoscalers"].insert(0, hand)


def keda_alone(world: World) -> None:
    keda(world)
    drop(world, "horizontalpodautoscalers")


EDIT = f"kubectl -n store edit hpa {NAME}  "
HPA = [
    Case("switched off", off, "autoscaling.enabled is off, there is no HPA: that the service scales stays unproved",
         "values of glassbox: autoscaling.enabled: true", "skipped"),
    Case("deleted", lambda world: drop(world, "horizontalpodautoscalers"), "it was deleted",
         "helm upgrade shop charts/glassbox -n store --reset-then-reuse-values"),
    Case("other target", lambda world: one(world,
         "horizontalpodautoscalers")["spec"]["scaleTargetRef"].update(name="shop"),
         "HPA shop-glassbox scales Deployment shop, not shop-glassbox",
         EDIT + "# spec.scaleTargetRef.name: shop-glassbox"),
    Case("no scale", status("AbleToScale", "FailedGetScale", "the server could not find the requested resource"),
         "is not able to scale: FailedGetScale", EDIT + "# spec.scaleTargetRef: what is there"),
    Case("not looked at", lambda world: one(world, "horizontalpodautoscalers").update(status={}),
         "the controller has not looked at HPA shop-glassbox yet", "wait: doctor --wait 60"),
    Case("at 0", status("ScalingActive", "ScalingDisabled", "scaling is disabled since the replica count is zero"),
         "HPA shop-glassbox rests: scaling is disabled",
         "kubectl -n store scale deployment/shop-glassbox --replicas=2"),
    Case("rate unread", unread(0), "reads 1 of 2 metrics, it does not scale in; unread: http_requests_per_second: "
         "unable to get metric", "first mend custom-metrics-api; where that is well: wait: doctor --wait 60"),
    Case("CPU unread", unread(1, active=False), "unread: cpu of container glassbox: no value yet",
         "first mend metrics-api; where that is well: wait: doctor --wait 60"),
    Case("both unread", both, "reads 0 of 2 metrics, it does not scale at all; unread: http_requests_per_second, cpu "
         "of container glassbox: the HPA was unable",
         "first mend metrics-api; where that is well: wait: doctor --wait 60"),
    Case("another container", container, "unread: cpu of container web",
         "kubectl -n store edit hpa shop-glassbox  # containerResource.container: glassbox"),
    Case("no CPU request", no_request, "unread: cpu of container glassbox",
         "values of glassbox: resources.requests.cpu: 100m  (utilization is of what is requested)"),
    Case("another metric", metric_renamed, "reads 1 of 2 metrics, it does not scale in; unread: nobody",
         "values of glassbox: autoscaling.requests.metric: http_requests_per_second  (the adapter has no rule for "
         "another)"),
    Case("two of them", two, f"HPA {NAME} is not the only one: pods by selector x are controlled by multiple HPAs",
         "kubectl -n store delete hpa by-hand  # if it is that which the message names"),
    Case("KEDA not ready", keda_blind, "is not ready: ScaledObjectCheckFailed: no Prometheus",
         "or values of glassbox: autoscaling.type: HorizontalPodAutoscaler"),
    Case("KEDA elsewhere", keda_blind, "is not ready", "values of glassbox: autoscaling.keda.prometheusAddress: "
         "http://kube-prometheus-stack-prometheus.watch.svc:9090"),
    Case("KEDA without HPA", keda_alone, "KEDA has made no HPA for it",
         "kubectl -n keda logs deployment/keda-operator --tail=20"),
]


@pytest.mark.parametrize("case", HPA, ids=lambda case: case.name)
def test_hpa_reads(case: Case) -> None:
    check("hpa-reads", case)


def test_an_event_about_another_metric_says_nothing() -> None:
    world = whole()
    unread(0)(world)
    unread(1, active=False)(world)
    one(world, "horizontalpodautoscalers")["status"]["currentMetrics"][0] = {
        "type": "Pods", "pods": {"metric": {"name": "http_requests_per_second"}, "current": {"averageValue": "1"}}}
    assert "unread: cpu of container glassbox: no value yet" in look(world)["hpa-reads"].found


def test_keda_in_fallback() -> None:
    world = whole()
    keda(world)
    one(world, "scaledobjects")["status"]["conditions"].append({"type": "Fallback", "status": "True"})
    assert "has fallen back to a fixed number of pods" in look(world)["hpa-reads"].found


def test_at_its_maximum_it_reads_all_the_same() -> None:
    world = whole()
    one(world, "horizontalpodautoscalers")["status"]["conditions"].append(
        {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas"})
    finding = look(world)["hpa-reads"]
    assert finding.state == "ok" and finding.found.endswith("at its limit: TooManyReplicas")


def test_an_hpa_that_asks_for_another_metric_is_the_first_break() -> None:
    world = whole()
    metric_renamed(world)
    assert [name for name, finding in look(world).items() if finding.state == "broken"] == ["hpa-reads"]
