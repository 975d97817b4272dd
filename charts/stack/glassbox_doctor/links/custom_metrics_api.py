"""custom-metrics-api: the API by which an HPA asks for the request rate answers, for our pods."""

from typing import Any, Optional

from ..adapter import API, CUSTOM
from ..cluster import Object, condition, name_of, namespace_of
from ..facts import INSTANCE, Facts
from ..finding import BROKEN, Finding, broken, some
from ..kubectl import Absent, Failed
from . import adapter_rule, workload
from .adapter_rule import adapter, metric

ID = "custom-metrics-api"
PROMISE = "that an HPA can ask for the request rate"
FOLLOWS = ("adapter-rule",)

def not_wanted(facts: Facts) -> Optional[Finding]:
    found = adapter_rule.by_keda(facts) or adapter_rule.not_wanted(facts)
    if found is None:
        return None
    return Finding(found.state, found.found.replace(adapter_rule.PROMISE, PROMISE), found.fix)


def api_missing(facts: Facts) -> Optional[Finding]:
    if facts.cluster.get("apiservices", CUSTOM) is not None:
        return None
    return broken(f"there is no APIService {CUSTOM}", "charts/stack/install --only prometheus-adapter")


def api_unavailable(facts: Facts) -> Optional[Finding]:
    return unavailable(facts, facts.cluster.get("apiservices", CUSTOM) or {}, "prometheus-adapter")


def unavailable(facts: Facts, aggregated: Object, usual: str) -> Optional[Finding]:
    """Of an aggregated API, what the API server says of who serves it, and how that one is."""
    state = condition(aggregated, "Available")
    if state.get("status") == "True":
        return None
    place = aggregated["spec"].get("service") or {}
    service = facts.cluster.get("services", place["name"], place["namespace"]) if place else None
    said = (f"APIService {name_of(aggregated)} is unavailable: {state.get('reason', 'not looked at yet')}: "
            f"{state.get('message', '')}").rstrip(": ")
    if service is None:
        return broken(said, f"kubectl edit apiservice {name_of(aggregated)}  # spec.service: {usual}'s Service",
                      f"or charts/stack/install --only {usual}")
    deployment = facts.behind(service)
    reason = workload.unavailable(facts, deployment) if deployment else None
    if reason is not None:
        return broken(f"{said}; {reason.found}", reason.fix)
    return broken(said, "the pods are there and do not answer the API server: they start, or a NetworkPolicy or a "
                  "firewall stands between control plane and nodes",
                  f"kubectl -n {namespace_of(service)} get service,endpoints,pods  # of {name_of(service)}")


def not_listed(facts: Facts) -> Optional[Finding]:
    names = adapter(facts).metrics
    if f"pods/{metric(facts)}" in names:
        return None
    relist = int(adapter(facts).relist)
    return broken(f"the API does not list pods/{metric(facts)}, of {len(names)} metrics: the adapter asks which series "
                  f"there are every {relist} s", f"wait: doctor --wait {max(90, 2 * relist)}",
                  f"then kubectl -n {adapter(facts).namespace} rollout restart deployment/{adapter(facts).name}  "
                  "# it reads its rules only at the start")


def items(facts: Facts) -> list[dict[str, Any]]:
    """The metric's values, as the HPA's controller asks for them."""
    return facts.cluster.json(f"{API}/namespaces/{facts.namespace}/pods/%2A/{metric(facts)}"
                              f"?labelSelector=app.kubernetes.io%2Finstance%3D{facts.release}")["items"]


def ours(facts: Facts) -> dict[str, str]:
    return {one["describedObject"]["name"]: one["value"] for one in items(facts)
            if one["describedObject"]["name"] in facts.pod_names}


def no_value(facts: Facts) -> Optional[Finding]:
    try:
        found = ours(facts)
        why = f"it has values of {len(items(facts))} other pods" if items(facts) else "it is empty"
    except Absent as error:
        found, why = {}, str(error)
    except Failed as error:
        return broken(f"the API does not answer: {error}",
                      f"kubectl -n {adapter(facts).namespace} logs deployment/{adapter(facts).name} --tail=20")
    if found or not facts.ready_pods:
        return None
    return broken(f"no value of {metric(facts)} for pods with {INSTANCE}={facts.release}: {why}",
                  f"kubectl get --raw /api/v1/namespaces/{facts.namespace}/services/{facts.fullname}:http/proxy/"
                  "demo/hello  # some times: a rate needs requests in two scrapes",
                  "wait: doctor --wait 90")


def of_another(facts: Facts) -> Optional[Finding]:
    """Broken as the link before says; where that is content, its values are looked at all the same."""
    found = adapter_rule.another(facts)
    return found if found is not None and found.state == BROKEN else None


CAUSES = (not_wanted, api_missing, api_unavailable, of_another, not_listed, no_value)
BROUGHT = (api_missing, api_unavailable, of_another, not_listed, no_value)


def quantity(text: str) -> float:
    """A Kubernetes quantity, as far as metrics have them."""
    units = {"m": 1e-3, "u": 1e-6, "n": 1e-9, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 1024, "Mi": 1024 ** 2,
             "Gi": 1024 ** 3}
    number = text.rstrip("munkMGKi")
    return float(number) * units.get(text[len(number):], 1)


def green(facts: Facts) -> str:
    found = ours(facts)
    rates = ", ".join(f"{quantity(value):.3g}" for value in found.values())
    silent = [name for name in facts.pod_names if name not in found]
    note = f"; none yet for {some(silent)}, which counts as 0" if silent else ""
    return f"{metric(facts)} of {len(found)} pods: {rates or '-'}{note}"
