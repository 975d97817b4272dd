"""series: which are missing, and which labels."""

from typing import Any

import pytest

from examine import Case, check, look, one
from world import NAME, NAMESPACE, World, whole

EDIT = f"kubectl -n {NAMESPACE} edit servicemonitor {NAME}  "


def without(**labels: str) -> Any:
    """Takes away the series that have these labels."""
    def break_it(world: World) -> None:
        world["prometheus"]["series"] = [one for one in world["prometheus"]["series"]
                                         if not labels.items() <= one.items()]
    return break_it


def relabelled(name: str, value: str = "") -> Any:
    def break_it(world: World) -> None:
        for labels in world["prometheus"]["series"]:
            if "job" in labels:
                labels.pop(name)
                labels.update({name: value} if value else {})
    return break_it


def only_probes(world: World) -> None:
    without(http_route="/demo/hello")(world)


CASES = [
    Case("none", without(job="glassbox"), 'no series with job="glassbox"',
         EDIT + "# spec.endpoints[0].metricRelabelings: none that drops them"),
    Case("other namespace", relabelled("namespace", "exported"),
         "no series has namespace=\"store\"; there is 'exported'",
         EDIT + "# spec.endpoints[0]: honorLabels: false, no relabelling of namespace"),
    Case("no pod", relabelled("pod"), "series have no label pod",
         EDIT + "# spec.endpoints[0].relabelings: none that drops or renames pod"),
    Case("one dropped", without(__name__="glassbox_fault_in_force"),
         "1 of 12 expected series are missing: glassbox_fault_in_force",
         EDIT + "# spec.endpoints[0].metricRelabelings: none that drops them"),
    Case("no request yet", only_probes, "no request of a user was seen yet, only probes and scrapes",
         "kubectl get --raw /api/v1/namespaces/store/services/shop-glassbox:http/proxy/demo/hello  "
         "# some times, so that each pod has one"),
    Case("no native histograms", without(__name__="http_server_request_duration_seconds"),
         "asks for native histograms, and Prometheus (version v3.15.0) has none",
         "values of kube-prometheus-stack: prometheus.prometheusSpec.image.tag: v3.9 or later, for older ones values "
         "of kube-prometheus-stack: prometheus.prometheusSpec.enableFeatures: [native-histograms]"),
    Case("no cAdvisor", without(__name__="container_cpu_usage_seconds_total"), "the kubelet's cAdvisor is not scraped",
         "values of kube-prometheus-stack: kubelet.enabled: true"),
    Case("no kube-state-metrics", without(__name__="kube_horizontalpodautoscaler_status_current_replicas"),
         "kube-state-metrics is not scraped", "values of kube-prometheus-stack: kubeStateMetrics.enabled: true"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_series(case: Case) -> None:
    check("series", case)


def test_native_histograms_that_nobody_asked_for_may_be_off() -> None:
    world = whole()
    one(world, "servicemonitors")["spec"]["scrapeNativeHistograms"] = False
    without(__name__="http_server_request_duration_seconds")(world)
    finding = look(world)["series"]
    assert finding.state == "ok" and "native histograms off" in finding.found


def test_a_pod_without_a_request_is_named() -> None:
    world = whole()
    from world import PODS
    without(http_route="/demo/hello", pod=PODS[1])(world)
    finding = look(world)["series"]
    assert finding.state == "ok" and finding.found.endswith(f"no request yet on {PODS[1]}")


def test_the_autoscalers_series_is_not_missed_where_there_is_none() -> None:
    world = whole()
    world["objects"]["horizontalpodautoscalers"].clear()
    without(__name__="kube_horizontalpodautoscaler_status_current_replicas")(world)
    assert look(world)["series"].state == "ok"
