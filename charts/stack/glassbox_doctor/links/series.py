"""series: what rules, dashboards and the autoscaler select is there, with the labels by which they select it."""

from typing import Optional

from ..adapter import REQUESTS
from ..facts import Facts
from ..finding import Finding, broken, some, stack
from .down import edit
from .scraped import JOB, targets

ID = "series"
PROMISE = "that the service's metrics are in Prometheus"
FOLLOWS = ("scraped",)

# One of each group that rules and dashboards are made of. None of them needs a user's request.
OWN = (f"{REQUESTS}_count", f"{REQUESTS}_bucket", "glassbox_requests_finished_total", "glassbox_ready",
       "glassbox_connections", "glassbox_event_loop_lag_seconds_bucket", "glassbox_worker_busy_seconds_total",
       "glassbox_access_log_written_total", "glassbox_spans_ended_total", "glassbox_fault_in_force",
       "process_cpu_seconds_total", "process_start_time_seconds")
# Routes of those who watch and operate the service: everything else is called by users.
OPERATORS = ("", "/metrics", "/livez", "/readyz", "/version", "/faults", "/incidents/{name}", "/page/events")
# What only the cluster knows of the pods, and who says it.
OTHERS = {"container_cpu_usage_seconds_total": ("kubelet.enabled", "the kubelet's cAdvisor"),
          "container_memory_working_set_bytes": ("kubelet.enabled", "the kubelet's cAdvisor"),
          "kube_pod_container_resource_requests": ("kubeStateMetrics.enabled", "kube-state-metrics"),
          "kube_horizontalpodautoscaler_status_current_replicas": ("kubeStateMetrics.enabled", "kube-state-metrics")}


def own_query() -> str:
    return f'count by (__name__, namespace, pod) ({{job="{JOB}", __name__=~"{"|".join(OWN)}"}})'


def routes_query(namespace: str) -> str:
    return f'count by (http_route, pod) ({REQUESTS}_count{{job="{JOB}", namespace="{namespace}"}})'


def native_query(namespace: str) -> str:
    return f'count({{__name__="{REQUESTS}", job="{JOB}", namespace="{namespace}"}})'


def others_query(namespace: str) -> str:
    return f'count by (__name__) ({{namespace="{namespace}", __name__=~"{"|".join(OTHERS)}"}})'


def all_own(facts: Facts) -> list[dict[str, str]]:
    return [one["metric"] for one in facts.prometheus.query(own_query())]


def mine(facts: Facts) -> list[dict[str, str]]:
    return [labels for labels in all_own(facts) if labels.get("namespace") == facts.namespace]


def none_at_all(facts: Facts) -> Optional[Finding]:
    if all_own(facts):
        return None
    return broken(f'Prometheus has no series with job="{JOB}"',
                  "wait: doctor --wait 60  (the first scrape is one interval away)",
                  edit(facts, "spec.endpoints[0].metricRelabelings: none that drops them"))


def wrong_namespace(facts: Facts) -> Optional[Finding]:
    """They came from our pods, and say that they are somebody else's: a relabelling, or honorLabels."""
    if mine(facts):
        return None
    seen = sorted({labels.get("namespace", "") for labels in all_own(facts)})
    if targets(facts)[0]:
        return broken(f'no series has namespace="{facts.namespace}"; there is '
                      f"{some([repr(name) for name in seen])}",
                      edit(facts, "spec.endpoints[0]: honorLabels: false, no relabelling of namespace"))
    return broken(f'no series has namespace="{facts.namespace}"', "first mend scraped")


def no_pod_label(facts: Facts) -> Optional[Finding]:
    if all(labels.get("pod") for labels in mine(facts)):
        return None
    return broken("series have no label pod: the custom metric cannot be told apart by pod",
                  edit(facts, "spec.endpoints[0].relabelings: none that drops or renames pod"))


def missing(facts: Facts) -> Optional[Finding]:
    absent = [name for name in OWN if name not in {labels["__name__"] for labels in mine(facts)}]
    if not absent:
        return None
    return broken(f"{len(absent)} of {len(OWN)} expected series are missing: {some(absent)}",
                  edit(facts, "spec.endpoints[0].metricRelabelings: none that drops them"))


def called_routes(facts: Facts) -> dict[str, set[str]]:
    """The routes of users that were called, each with the pods that have served it."""
    found: dict[str, set[str]] = {}
    for one in facts.prometheus.query(routes_query(facts.namespace)):
        route = one["metric"].get("http_route", "")
        if route not in OPERATORS:
            found.setdefault(route, set()).add(one["metric"].get("pod", ""))
    return found


def no_request_yet(facts: Facts) -> Optional[Finding]:
    """Probes and scrapes do not count: a route's series begins with its first request."""
    if called_routes(facts):
        return None
    return broken("no request of a user was seen yet, only probes and scrapes: the request rate has no series",
                  f"kubectl get --raw /api/v1/namespaces/{facts.namespace}/services/{facts.fullname}:http/proxy/"
                  "demo/hello  # some times, so that each pod has one")


def has_native(facts: Facts) -> bool:
    return bool(facts.prometheus.query(native_query(facts.namespace)))


def no_native(facts: Facts) -> Optional[Finding]:
    """Only where they are asked for: rules and dashboards live on the classic ones."""
    if not (facts.monitor or {"spec": {}})["spec"].get("scrapeNativeHistograms") or has_native(facts):
        return None
    version = (facts.prometheus_object or {"spec": {}})["spec"].get("version", "unknown")
    return broken(f"the ServiceMonitor asks for native histograms, and Prometheus (version {version}) has none",
                  stack("prometheus.prometheusSpec.image.tag", "v3.9 or later") + ", for older ones "
                  + stack("prometheus.prometheusSpec.enableFeatures", "[native-histograms]"))


def of_others(facts: Facts, has_hpa: bool) -> Optional[Finding]:
    seen = {one["metric"]["__name__"] for one in facts.prometheus.query(others_query(facts.namespace))}
    for name, (key, who) in OTHERS.items():
        if name not in seen and (has_hpa or "autoscaler" not in name):
            return broken(f"{name} of namespace {facts.namespace} is missing: {who} is not scraped, or has not seen "
                          "the pods yet", stack(key, "true"), "wait: doctor --wait 60, if the pods are new")
    return None


def missing_of_cluster(facts: Facts) -> Optional[Finding]:
    return of_others(facts, bool(facts.ours("horizontalpodautoscalers")))


CAUSES = (none_at_all, wrong_namespace, no_pod_label, missing, no_request_yet, no_native, missing_of_cluster)
BROUGHT = CAUSES


def green(facts: Facts) -> str:
    native = "native histograms on" if has_native(facts) else "native histograms off"
    routes = called_routes(facts)
    pods = set().union(*routes.values())
    idle = [name for name in facts.pod_names if name not in pods]
    quiet = f"; no request yet on {some(idle)}" if idle else ""
    return f"{len(OWN)} of {len(OWN)} of ours, requests on {some(sorted(routes), 4)}, {native}{quiet}"
