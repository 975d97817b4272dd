"""adapter-rule: prometheus-adapter has a rule that makes the request rate of our series, of users' routes alone."""

from functools import lru_cache
from typing import Optional
from urllib.parse import urlencode

from ..adapter import CUSTOM, SERIES, Adapter, Rule, seconds
from ..autoscaler import RATE, is_wanted, rate_metric, scaled_objects
from ..cluster import Object, name_of, namespace_of, proxy
from ..facts import Facts
from ..finding import Finding, broken, skipped, some, values
from ..kubectl import Failed, Forbidden
from ..selectors import contains
from . import workload
from .series import OPERATORS, called_routes

ID = "adapter-rule"
PROMISE = "that prometheus-adapter makes a metric of the request rate"
FOLLOWS = ("series",)

HELM_VALUES = "prometheus-adapter"


@lru_cache(maxsize=1)
def adapter(facts: Facts) -> Adapter:
    """One for a round of looks."""
    return Adapter(facts)


def metric(facts: Facts) -> str:
    """What the HPA asks for. Where the adapter has no rule for that, and one for the usual name, it is the HPA that is
    wrong, and hpa-reads says so."""
    wanted = rate_metric(facts) or RATE
    return RATE if not adapter(facts).rule_for(wanted) and adapter(facts).rule_for(RATE) else wanted


def line(key: str, value: object) -> str:
    return values(key, value, HELM_VALUES)


RIGHT_SERIES = line("rules.custom[0].seriesQuery", f'{SERIES}{{namespace!="",pod!=""}}')


def by_keda(facts: Facts) -> Optional[Finding]:
    if not scaled_objects(facts):
        return None
    return skipped(f"KEDA scales the release and asks Prometheus itself: {PROMISE} is not needed")


def not_wanted(facts: Facts) -> Optional[Finding]:
    if is_wanted(facts):
        return None
    key = "autoscaling.enabled" if facts.is_off("autoscaling.enabled") else "autoscaling.requests.enabled"
    return skipped(f"{key} is off, nothing reads the request rate: {PROMISE} stays unproved", values(key, "true"))


def no_adapter(facts: Facts) -> Optional[Finding]:
    if adapter(facts).deployment is not None:
        return None
    return broken("there is no prometheus-adapter: nothing makes custom metrics",
                  "charts/stack/install --only prometheus-adapter")


def another(facts: Facts) -> Optional[Finding]:
    """A cluster has one server of custom metrics, and a cloud's or a vendor's may be it."""
    found = adapter(facts)
    if found.is_prometheus_adapter:
        return None
    whose = f"Deployment {found.name} in {found.namespace}, which is no prometheus-adapter"
    if f"pods/{metric(facts)}" in found.metrics:
        return skipped(f"{metric(facts)} comes from {whose}: {PROMISE} is not needed, and which requests it counts "
                       "stays unproved")
    return broken(f"custom metrics come from {whose} and has no {metric(facts)}; a cluster has one server for them",
                  values("autoscaling.type", "ScaledObject") + "  (KEDA asks Prometheus itself)",
                  f"or charts/stack/install --only prometheus-adapter, after kubectl delete apiservice {CUSTOM}: "
                  "whoever reads the other's metrics loses them")


def not_running(facts: Facts) -> Optional[Finding]:
    return workload.unavailable(facts, adapter(facts).deployment)


def rule(facts: Facts) -> Rule:
    found = adapter(facts).rule_for(metric(facts))
    if found is None:
        raise Failed(f"no rule for {metric(facts)}")
    return found


def no_rule(facts: Facts) -> Optional[Finding]:
    found = adapter(facts)
    if found.rule_for(metric(facts)) is not None:
        return None
    where = f"ConfigMap {name_of(found.config_map)}" if found.config_map else "its configuration, which was not found,"
    names = [one.names(one.series) or "?" for one in found.rules if one.series]
    return broken(f"{where} has no rule for {metric(facts)}" + (f", only for {some(names)}" if names else ""),
                  line("rules.custom[0].name.as", metric(facts)), RIGHT_SERIES)


def wrong_resources(facts: Facts) -> Optional[Finding]:
    found = rule(facts)
    if found.by_template or (found.resources.get("namespace") == "namespace" and found.resources.get("pod") == "pod"):
        return None
    return broken("its rule does not tell which labels are namespace and pod: the API has no pods/" + metric(facts),
                  line("rules.custom[0].resources.overrides",
                       "{namespace: {resource: namespace}, pod: {resource: pod}}"))


def right_url(facts: Facts) -> tuple[str, int]:
    """Where Prometheus really is, for a pod of the adapter."""
    service = facts.prometheus.service
    if service is None:
        return "http://kube-prometheus-stack-prometheus." + facts.monitoring + ".svc", 9090
    ports = service["spec"]["ports"]
    port = next((one["port"] for one in ports if one.get("name") in ("http-web", "web")), ports[0]["port"])
    return f"http://{name_of(service)}.{namespace_of(service)}.svc", port


def wrong_url(facts: Facts) -> Optional[Finding]:
    """By name: its Service must be there, have the port, and lead to the Prometheus that scrapes us."""
    found = adapter(facts)
    parts = (found.url.hostname or "").split(".")
    host, namespace = parts[0], parts[1] if len(parts) > 1 else found.namespace
    if len(parts) > 2 and parts[2] != "svc":
        return None  # outside of the cluster: not to be judged from here
    url, port = right_url(facts)
    lines = [line("prometheus.url", url), line("prometheus.port", port)]
    service = facts.cluster.get("services", host, namespace) if host else None
    given = found.argument("prometheus-url") or "none"
    if service is None:
        return broken(f"it asks Prometheus at {given}: there is no Service {host or '…'} in {namespace}", *lines)
    asked = found.url.port or (443 if found.url.scheme == "https" else 80)
    if asked not in [one["port"] for one in service["spec"]["ports"]]:
        return broken(f"it asks Prometheus at {given}: Service {host} has no port {asked}", *lines)
    pods, selector = facts.prometheus.pods, service["spec"].get("selector") or {}
    if pods and selector and not contains(pods[0]["metadata"].get("labels") or {}, selector) and not has_ours(
            facts, service, asked):
        return broken(f"it asks {given}, which is another Prometheus than the one that scrapes the service, and has "
                      "none of its series", *lines)
    return None


def has_ours(facts: Facts, service: Object, port: int) -> bool:
    """A Thanos, a Mimir, or a proxy will do as well, if it has what was scraped."""
    path = adapter(facts).url.path.rstrip("/") + "/api/v1/query?" + urlencode(
        {"query": f'count({SERIES}{{namespace="{facts.namespace}"}})'})
    scheme = "https:" if adapter(facts).url.scheme == "https" else ""
    try:
        return bool(facts.cluster.json(proxy("services", namespace_of(service), scheme + name_of(service), str(port),
                                             path))["data"]["result"])
    except (Failed, Forbidden, KeyError, TypeError):
        return False


def no_series(facts: Facts) -> Optional[Finding]:
    query = rule(facts).series_query
    try:
        found = facts.prometheus.query(f"count by (namespace) ({query})")
    except Failed as error:
        if "rejected" not in str(error):
            raise
        return broken(f"Prometheus cannot be asked for its seriesQuery {query}: {error}", RIGHT_SERIES)
    if any(one["metric"].get("namespace") == facts.namespace for one in found):
        return None
    return broken(f"its seriesQuery {query} matches no series of namespace {facts.namespace}", RIGHT_SERIES)


def served_routes(facts: Facts) -> list[str]:
    """What users call: by the objectives' rules, where those are there, else by what was seen."""
    named = {(rule.get("labels") or {}).get("http_route", "") for rule in facts.declared if "record" in rule}
    return sorted(named - set(OPERATORS)) or sorted(called_routes(facts))


def wrong_routes(facts: Facts) -> Optional[Finding]:
    found, served = rule(facts), served_routes(facts)
    right = f'http_route=~"{"|".join(served)}"'
    if not found.matchers:
        return broken(f"{metric(facts)} counts all requests, probes and scrapes too: an idle service never shrinks",
                      line("rules.custom[0].metricsQuery", f"…{{<<.LabelMatchers>>,{right}}}…"))
    if not served:
        return None  # neither rules nor requests to tell
    lost = [one for one in served if not found.counts(one)]
    extra = sorted({one for one in OPERATORS if one and found.counts(one)} | set(found.routes) - set(served))
    if not lost and not extra:
        return None
    said = ([f"does not count {some(lost, 4)}"] if lost else []) + (
        [f"counts {some(extra, 4)}, which no user calls"] if extra else [])
    return broken(f"{metric(facts)} {' and '.join(said)}",
                  line("rules.custom[0].metricsQuery", f"…{{<<.LabelMatchers>>,{right}}}…"))


def short_window(facts: Facts) -> Optional[Finding]:
    """A rate needs two samples; with less than four scrapes a late one leaves it without a value."""
    window = rule(facts).window
    interval = (facts.monitor or {"spec": {"endpoints": [{}]}})["spec"]["endpoints"][0].get("interval", "")
    if not window or not interval or seconds(window) >= 4 * seconds(interval):
        return None
    return broken(f"its window of {window} has less than four scrapes (every {interval}): the rate comes and goes",
                  line("rules.custom[0].metricsQuery", f"…[{int(4 * seconds(interval))}s]…"),
                  "or " + values("monitoring.serviceMonitor.interval", f"{int(seconds(window) / 4) or 1}s"))


CAUSES = (by_keda, not_wanted, no_adapter, another, not_running, no_rule, wrong_resources, wrong_url, no_series, wrong_routes,
          short_window)
BROUGHT = (no_series,)


def green(facts: Facts) -> str:
    found = rule(facts)
    return (f"{metric(facts)} over {found.window} of {sum(map(found.counts, served_routes(facts)))} routes, "
            f"from {adapter(facts).argument('prometheus-url')}")
