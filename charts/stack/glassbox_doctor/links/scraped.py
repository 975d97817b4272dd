"""scraped: Prometheus has a target for each ready pod, each is up, and their job is the rules' job."""

from typing import Optional

from ..cluster import Object, labels_of, name_of, namespace_of
from ..facts import Facts
from ..finding import Finding, broken, either, some, stack, upgrade, values
from ..kubectl import Failed
from ..selectors import Selector, contains, lacking, selects, words
from . import down, workload

ID = "scraped"
PROMISE = "that Prometheus asks the service for its metrics"
FOLLOWS = ("pods-ready",)

JOB = "glassbox"  # what rules, dashboards and the adapter select
OPERATOR = "prometheus-operator"


def no_operator_kinds(facts: Facts) -> Optional[Finding]:
    if facts.ours("servicemonitors") is not None:
        return None
    return broken("the cluster knows no ServiceMonitor: the Prometheus Operator is not installed",
                  "charts/stack/install --only kube-prometheus-stack")


def no_prometheus(facts: Facts) -> Optional[Finding]:
    if facts.prometheus_object is not None:
        return None
    return broken(f"no Prometheus object in namespace {facts.monitoring}, nor in another that may be seen",
                  stack("prometheus.enabled", "true"),
                  "doctor --monitoring-namespace NAMESPACE, where it is in another")


def no_monitor(facts: Facts) -> Optional[Finding]:
    if facts.monitor is not None:
        return None
    for key in ("monitoring.enabled", "monitoring.serviceMonitor.enabled"):
        if facts.is_off(key):
            return broken(f"there is no ServiceMonitor: {key} is off", values(key, "true"))
    if facts.values:
        return broken("there is no ServiceMonitor, though the values want one: it was deleted",
                      upgrade(facts.release, facts.namespace))
    return broken("there is no ServiceMonitor of the release", values("monitoring.enabled", "true"))


def not_selected(facts: Facts) -> Optional[Finding]:
    """The most frequent of all: the labels that the operator looks for are not those it has."""
    return by_label(facts, "ServiceMonitor", facts.monitor, "serviceMonitorSelector")


def by_label(facts: Facts, kind: str, thing: Object, key: str) -> Optional[Finding]:
    """Whether Prometheus' selector for a kind takes an object of ours; one of two lines mends it."""
    prometheus = facts.prometheus_object
    selector, labels = prometheus["spec"].get(key), labels_of(thing)
    if selects(selector, labels):
        return None
    wanted = lacking(selector, labels)
    mine = ", ".join(f"{name}={labels[name]}" if name in labels else f"no {name}" for name in wanted)
    lines = []
    for name, value in wanted.items():
        lines.append(values(f"monitoring.labels.{name}", value))
        if name == "release":
            lines.append(values("monitoring.release", value) + "  (with the line above)")
    return broken(f"Prometheus {name_of(prometheus)} selects {words(selector)} ({key}); {kind} "
                  f"{name_of(thing)} has {mine or 'other labels'}", *either(lines, everything(selector, key)))


def everything(selector: Selector, key: str) -> str:
    """The line by which Prometheus would take all. The chart's `…NilUsesHelmValues` decides only where no selector
    was written: then it is `release: RELEASE`."""
    if set((selector or {}).get("matchLabels") or {}) == {"release"} and not selector.get("matchExpressions"):
        return stack(f"prometheus.prometheusSpec.{key}NilUsesHelmValues", "false")
    return stack("prometheus.prometheusSpec", f"{{{key}: {{}}, {key}NilUsesHelmValues: false}}")


def namespace_not_selected(facts: Facts) -> Optional[Finding]:
    return by_namespace(facts, "serviceMonitorNamespaceSelector")


def by_namespace(facts: Facts, key: str) -> Optional[Finding]:
    """Whether Prometheus looks into our namespace; a selector that is not set means its own alone."""
    prometheus = facts.prometheus_object
    selector, own = prometheus["spec"].get(key), namespace_of(prometheus)
    labels = facts.namespace_labels(facts.namespace)
    if selects(selector, labels) or (selector is None and own == facts.namespace):
        return None
    looks = words(selector) if selector is not None else f"its own namespace {own} alone"
    lines = [f"kubectl label namespace {facts.namespace} {name}={value}"
             for name, value in lacking(selector, labels).items() if "kubernetes.io/" not in name]
    return broken(f"Prometheus {name_of(prometheus)} looks into {looks} ({key}), and not into {facts.namespace}",
                  *either(lines, stack(f"prometheus.prometheusSpec.{key}", "{}")))


def monitored(facts: Facts) -> list[Object]:
    """The Services that the ServiceMonitor selects, as far as they are in our namespace."""
    return [service for service in facts.cluster.find("services", facts.namespace) or []
            if selects(facts.monitor["spec"]["selector"], labels_of(service))]


def no_service(facts: Facts) -> Optional[Finding]:
    if monitored(facts):
        return None
    selector = facts.monitor["spec"]["selector"]
    return broken(f"ServiceMonitor {name_of(facts.monitor)} selects {words(selector)}: no Service in "
                  f"{facts.namespace} has these labels",
                  down.edit(facts, f"spec.selector: labels of Service {facts.fullname}-admin"))


def no_port(facts: Facts) -> Optional[Finding]:
    """Where a container has a port of that name it is the Service that calls it something else."""
    services = monitored(facts)
    names = sorted({port.get("name", "") for service in services for port in service["spec"]["ports"]})
    containers = [port.get("name", "") for port in facts.container.get("ports") or []]
    for endpoint in facts.monitor["spec"]["endpoints"]:
        wanted = endpoint.get("port")
        if not wanted or wanted in names:
            continue
        fix = (f"kubectl -n {facts.namespace} edit service {name_of(services[0])}  # spec.ports[0].name: {wanted}"
               if wanted in containers else
               down.edit(facts, f"spec.endpoints[0].port: {'admin' if 'admin' in names else names[0]}"))
        return broken(f"ServiceMonitor {name_of(facts.monitor)} scrapes port {wanted}; Service {name_of(services[0])} "
                      f"has {some(names)}", fix)
    return None


def no_endpoints(facts: Facts) -> Optional[Finding]:
    for service in monitored(facts):
        if facts.endpoints(service):
            return None
    service = monitored(facts)[0]
    selector = service["spec"].get("selector") or {}
    if any(contains(labels_of(pod), selector) for pod in facts.pods) or not facts.pods:
        return broken(f"Service {name_of(service)} has no endpoints: none of its pods is there yet",
                      "first mend pods-ready")
    return broken(f"Service {name_of(service)} has no endpoints: its selector wants "
                  f"{words({'matchLabels': selector})}, and no pod has that",
                  f"kubectl -n {facts.namespace} edit service {name_of(service)}  # spec.selector: labels of the pods")


def prometheus_down(facts: Facts) -> Optional[Finding]:
    try:
        facts.prometheus.alertmanagers()
    except Failed as error:
        where = namespace_of(facts.prometheus_object)
        return broken(f"Prometheus {name_of(facts.prometheus_object)} does not answer: {error}: "
                      f"{workload.trouble(facts.prometheus.pods)}",
                      f"kubectl -n {where} get pods,events  # of prometheus-{name_of(facts.prometheus_object)}-0")
    return None


def pools(facts: Facts) -> list[str]:
    """As the operator names the scrape jobs of a ServiceMonitor."""
    return [f"serviceMonitor/{facts.namespace}/{name_of(facts.monitor)}/{index}"
            for index in range(len(facts.monitor["spec"]["endpoints"]))]


def targets(facts: Facts) -> tuple[list[Object], list[Object]]:
    active, dropped = [], []
    for pool in pools(facts):
        here = facts.prometheus.targets(pool)
        active += here[0]
        dropped += here[1]
    return active, dropped


def not_taken_up(facts: Facts) -> Optional[Finding]:
    """The operator has not written the job, or Prometheus has not read it."""
    if any(f"job_name: {pool}\n" in facts.prometheus.config() for pool in pools(facts)):
        return None
    return not_written(facts, "ServiceMonitor", facts.monitor)


def refusal(facts: Facts, kind: str, thing: Object) -> str:
    """Why the operator does not take an object: in its status, where that is switched on, or in an event."""
    for binding in (thing.get("status") or {}).get("bindings") or []:
        for one in binding.get("conditions") or []:
            if one.get("type") == "Accepted" and one.get("status") == "False":
                return one.get("message", "")
    for event in facts.cluster.events(facts.namespace, kind, name_of(thing)):
        if event.get("type") == "Warning":
            return event.get("message", "")
    return ""


def not_written(facts: Facts, kind: str, thing: Object) -> Finding:
    """Why the operator has not brought an object to Prometheus."""
    said = refusal(facts, kind, thing)
    if said:
        return broken(f"the operator rejects {kind} {name_of(thing)}: {said}",
                      f"kubectl -n {facts.namespace} edit {kind.lower()} {name_of(thing)}  # what it says")
    operator = facts.stack_deployment(OPERATOR, namespace_of(facts.prometheus_object))
    if operator is None:
        return broken(f"the Prometheus Operator has no Deployment in {namespace_of(facts.prometheus_object)}: nobody "
                      f"brings {kind} {name_of(thing)} to Prometheus", stack("prometheusOperator.enabled", "true"))
    if not (operator.get("status") or {}).get("availableReplicas"):
        replicas = operator["spec"].get("replicas", 1)
        where = namespace_of(operator)
        return broken(f"the Prometheus Operator is not running ({replicas} wanted, 0 available): nobody brings {kind} "
                      f"{name_of(thing)} to Prometheus",
                      f"kubectl -n {where} scale deployment/{name_of(operator)} --replicas=1" if replicas == 0 else
                      f"kubectl -n {where} describe deployment/{name_of(operator)}")
    return broken(f"Prometheus has not taken {kind} {name_of(thing)} up yet: a new one needs up to 90 s",
                  "wait: doctor --wait 90",
                  f"then kubectl -n {namespace_of(operator)} logs deployment/{name_of(operator)} --tail=20")


def no_target(facts: Facts) -> Optional[Finding]:
    active, dropped = targets(facts)
    if active:
        return None
    if dropped:
        seen = dropped[0].get("discoveredLabels", {})
        return broken(f"all {len(dropped)} targets of {pools(facts)[0]} are dropped by relabelling, among them Service "
                      f"{seen.get('__meta_kubernetes_service_name', '?')}, port "
                      f"{seen.get('__meta_kubernetes_endpointslice_port_name', '?')}",
                      down.edit(facts, "selector, port"))
    return broken(f"Prometheus has the job and sees no endpoint in {facts.namespace}: its service account may not list "
                  "them there, or it has only just begun",
                  f"kubectl auth can-i list endpointslices.discovery.k8s.io -n {facts.namespace} "
                  f"--as=system:serviceaccount:{namespace_of(facts.prometheus_object)}:"
                  f"{facts.prometheus_object['spec'].get('serviceAccountName', 'default')}",
                  stack("global.rbac.create", "true"))


def target_down(facts: Facts) -> Optional[Finding]:
    """Targets of pods that are not ready, or about to go, may be down."""
    ready = set(facts.pod_names)
    mine = [one for one in targets(facts)[0] if one["labels"].get("pod", "") in ready] or targets(facts)[0]
    unasked = [one for one in mine if one["health"] == "unknown"]
    failing = [one for one in mine if one["health"] == "down"]
    if failing:
        return down.explain(facts, failing[0], len(failing), len(mine))
    if unasked:
        return broken(f"{len(unasked)} of {len(mine)} targets have not been asked yet", "wait: doctor --wait 60")
    return None


def wrong_job(facts: Facts) -> Optional[Finding]:
    jobs = sorted({one["labels"].get("job", "") for one in targets(facts)[0]})
    if jobs == [JOB]:
        return None
    return broken(f'its targets have job="{some(jobs)}"; rules, dashboards and the adapter select job="{JOB}"',
                  down.edit(facts, "spec.jobLabel: app.kubernetes.io/name"),
                  f"kubectl -n {facts.namespace} label service {name_of(monitored(facts)[0])} --overwrite "
                  f"app.kubernetes.io/name={JOB}")


def too_few(facts: Facts) -> Optional[Finding]:
    scraped = {one["labels"].get("pod") for one in targets(facts)[0]}
    missing = [name for name in facts.pod_names if name not in scraped]
    # Whether the label is there at all is the next link's affair.
    if not missing or scraped == {None}:
        return None
    return broken(f"{len(missing)} ready pods are no targets: {some(missing)}",
                  "wait: doctor --wait 60  (discovery takes some seconds)",
                  f"then look at the selector of Service {name_of(monitored(facts)[0])}")


CAUSES = (no_operator_kinds, no_prometheus, no_monitor, not_selected, namespace_not_selected, no_service, no_port,
          no_endpoints, prometheus_down, not_taken_up, no_target, target_down, wrong_job, too_few)
BROUGHT = (no_endpoints, no_target, target_down, too_few)


def green(facts: Facts) -> str:
    active = targets(facts)[0]
    up = sum(one["health"] == "up" for one in active)
    every = facts.monitor["spec"]["endpoints"][0].get("interval", "the default interval")
    return f"{up} of {len(active)} targets up, job {JOB}, every {every}"
