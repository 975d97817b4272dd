"""hpa-reads: the autoscaler reads each of its metrics, and may act on them."""

from typing import Any, Optional

from ..autoscaler import autoscaler, named, part, scaled_objects
from ..cluster import Object, condition, name_of
from ..facts import Facts
from ..finding import Finding, broken, skipped, some, upgrade, values
from .adapter_rule import metric, right_url
from .custom_metrics_api import quantity

ID = "hpa-reads"
PROMISE = "that the service scales"
FOLLOWS = ("pods-ready", "custom-metrics-api", "metrics-api")

# Which link each kind of metric comes by, and what to do where that one is well.
SOURCE = {"Pods": "custom-metrics-api", "Resource": "metrics-api", "ContainerResource": "metrics-api",
          "External": "KEDA's external.metrics API"}


def keda_not_ready(facts: Facts) -> Optional[Finding]:
    for one in scaled_objects(facts):
        ready, fallback = condition(one, "Ready"), condition(one, "Fallback")
        name = name_of(one)
        if ready.get("status") != "True":
            return broken(f"KEDA's ScaledObject {name} is not ready: {ready.get('reason', '')}: "
                          f"{ready.get('message') or 'KEDA has not looked at it: is it installed?'}",
                          values("autoscaling.keda.prometheusAddress", "{}:{}".format(*right_url(facts))),
                          "or " + values("autoscaling.type", "HorizontalPodAutoscaler"))
        if fallback.get("status") == "True":
            return broken(f"KEDA's ScaledObject {name} has fallen back to a fixed number of pods: it cannot read "
                          "Prometheus", values("autoscaling.keda.prometheusAddress", "{}:{}".format(*right_url(facts))))
    return None


def no_hpa(facts: Facts) -> Optional[Finding]:
    if autoscaler(facts) is not None:
        return None
    if scaled_objects(facts):
        return broken("there is a ScaledObject, and KEDA has made no HPA for it",
                      "kubectl -n keda logs deployment/keda-operator --tail=20")
    if facts.is_off("autoscaling.enabled"):
        return skipped(f"autoscaling.enabled is off, there is no HPA: {PROMISE} stays unproved",
                       values("autoscaling.enabled", "true"), values("autoscaling.requests.enabled", "true"))
    if facts.values:
        return broken("there is no HPA, though the values want one: it was deleted",
                      upgrade(facts.release, facts.namespace))
    return broken(f"no HPA scales Deployment {facts.fullname}", values("autoscaling.enabled", "true"))


def no_target(facts: Facts) -> Optional[Finding]:
    hpa = autoscaler(facts)
    able = condition(hpa, "AbleToScale")
    target = hpa["spec"]["scaleTargetRef"]
    if facts.deployment is not None and target["name"] != facts.fullname:
        return broken(f"HPA {name_of(hpa)} scales {target['kind']} {target['name']}, not {facts.fullname}",
                      f"kubectl -n {facts.namespace} edit hpa {name_of(hpa)}  # spec.scaleTargetRef.name: "
                      f"{facts.fullname}")
    if able.get("status") == "False":
        return broken(f"HPA {name_of(hpa)} is not able to scale: {able.get('reason')}: {able.get('message', '')}",
                      f"kubectl -n {facts.namespace} edit hpa {name_of(hpa)}  # spec.scaleTargetRef: what is there")
    return None


def not_looked(facts: Facts) -> Optional[Finding]:
    hpa = autoscaler(facts)
    if (hpa.get("status") or {}).get("conditions"):
        return None
    return broken(f"the controller has not looked at HPA {name_of(hpa)} yet: it does every 15 s",
                  "wait: doctor --wait 60", "then look at kube-controller-manager: its HPA controller does not run")


def value(given: dict[str, Any]) -> str:
    """Of a target or a current value, the one that is set."""
    for name in ("averageUtilization", "averageValue", "value"):
        if given.get(name) is not None:
            return f"{given[name]} %" if name == "averageUtilization" else f"{quantity(str(given[name])):.3g}"
    return ""


def same(spec: Object, status: Object) -> bool:
    return spec["type"] == status.get("type") and named(spec) == named(status)


def readings(hpa: Object) -> list[tuple[Object, str]]:
    """Each metric of the specification with the value that was read, "" if none was."""
    current = (hpa.get("status") or {}).get("currentMetrics") or []
    return [(spec, next((value(part(one).get("current") or {}) for one in current if same(spec, one)), ""))
            for spec in hpa["spec"].get("metrics") or []]


def resting(facts: Facts) -> Optional[Finding]:
    active = condition(autoscaler(facts), "ScalingActive")
    if active.get("reason") != "ScalingDisabled":
        return None
    return broken(f"HPA {name_of(autoscaler(facts))} rests: {active.get('message', '')}",
                  f"kubectl -n {facts.namespace} scale deployment/{facts.fullname} --replicas=2")


def several(facts: Facts) -> Optional[Finding]:
    """As after a change to KEDA, or an HPA that somebody made by hand: neither scales then."""
    hpa = autoscaler(facts)
    active = condition(hpa, "ScalingActive")
    if active.get("reason") != "AmbiguousSelector":
        return None
    others = [name_of(one) for one in facts.cluster.find("horizontalpodautoscalers", facts.namespace) or []
              if name_of(one) != name_of(hpa)]
    return broken(f"HPA {name_of(hpa)} is not the only one: {active.get('message', '')}",
                  *([f"kubectl -n {facts.namespace} delete hpa {name}  # if it is that which the message names"
                     for name in others] or [f"kubectl -n {facts.namespace} get hpa  # that which the message names"]))


def unread(facts: Facts) -> Optional[Finding]:
    """One unread metric blocks scaling in, all of them block scaling out too."""
    hpa = autoscaler(facts)
    blind = [spec for spec, read in readings(hpa) if not read]
    active = condition(hpa, "ScalingActive")
    if not blind and active.get("status") != "False":
        return None
    total = len(hpa["spec"].get("metrics") or [])
    message = active.get("message", "") if active.get("status") == "False" else last_event(facts, hpa, blind)
    if not blind:
        return broken(f"HPA {name_of(hpa)} is not active: {active.get('reason')}: {message}", "wait: doctor --wait 60")
    names = [named(spec) for spec in blind]
    effect = "it does not scale at all" if len(blind) == total else "it does not scale in"
    return broken(f"HPA {name_of(hpa)} reads {total - len(blind)} of {total} metrics, {effect}; unread: "
                  f"{some(names)}: {message or 'no value yet'}",
                  *[line for spec in blind for line in mend(facts, spec)])


def mend(facts: Facts, spec: Object) -> list[str]:
    """What to change for one metric that is not read."""
    kind = spec["type"]
    edit = f"kubectl -n {facts.namespace} edit hpa {name_of(autoscaler(facts))}  # "
    if kind == "ContainerResource" and part(spec)["container"] != facts.container["name"]:
        return [f"{edit}containerResource.container: {facts.container['name']}"]
    if kind in ("Resource", "ContainerResource") and "cpu" not in (
            (facts.container.get("resources") or {}).get("requests") or {}):
        return [values("resources.requests.cpu", "100m") + "  (utilization is of what is requested)"]
    if kind == "Pods" and named(spec) != metric(facts):
        return [values("autoscaling.requests.metric", metric(facts)) + "  (the adapter has no rule for another)",
                f"{edit}pods.metric.name: {metric(facts)}"]
    return [f"first mend {SOURCE.get(kind, kind)}; where that is well: wait: doctor --wait 60"]


def last_event(facts: Facts, hpa: Object, blind: list[Object]) -> str:
    """About one of the metrics that are not read: older events may be about what was mended."""
    words = [part(spec)["name"] if "name" in part(spec) else named(spec) for spec in blind]
    for event in facts.cluster.events(facts.namespace, "HorizontalPodAutoscaler", name_of(hpa)):
        message = event.get("message", "")
        if event.get("reason", "").startswith(("FailedGet", "FailedCompute", "Invalid")) and any(
                word in message for word in words):
            return message
    return ""


CAUSES = (keda_not_ready, no_hpa, no_target, not_looked, resting, several, unread)
BROUGHT = (resting, unread)


def green(facts: Facts) -> str:
    hpa = autoscaler(facts)
    read = ", ".join(f"{named(spec)} {now} of {value(part(spec)['target'])}" for spec, now in readings(hpa))
    status = hpa.get("status") or {}
    limited = condition(hpa, "ScalingLimited")
    note = f"; at its limit: {limited.get('reason')}" if limited.get("status") == "True" else ""
    return (f"{read}; {status.get('currentReplicas', '?')} pods, {status.get('desiredReplicas', '?')} wanted"
            f" ({hpa['spec'].get('minReplicas', 1)} to {hpa['spec']['maxReplicas']}){note}")
