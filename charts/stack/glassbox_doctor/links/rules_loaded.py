"""rules-loaded: every rule of our PrometheusRules is evaluated by Prometheus without an error, and what is left to
kube-prometheus-stack is there."""

from typing import Optional

from ..cluster import Object, name_of
from ..facts import Facts
from ..finding import Finding, broken, skipped, some, stack, upgrade, values
from .scraped import by_label, by_namespace, not_written

ID = "rules-loaded"
PROMISE = "that alerts and recording rules are evaluated"
FOLLOWS: tuple[str, ...] = ()

# Of alerts/source, shipped_by: what rules.skipShipped leaves to kube-prometheus-stack (a test holds them together).
SHIPPED = {"GlassboxTargetDown": "TargetDown", "GlassboxRestarting": "KubePodCrashLooping",
           "GlassboxCpuThrottled": "CPUThrottlingHigh", "GlassboxHpaAtMaximum": "KubeHpaMaxedOut",
           "GlassboxDeadMansSwitch": "Watchdog"}


def switched_off(facts: Facts) -> Optional[Finding]:
    if facts.rule_objects or not facts.is_off("monitoring.rules.enabled") or facts.is_off("monitoring.enabled"):
        return None
    return skipped(f"monitoring.rules.enabled is off: {PROMISE} stays unproved",
                   values("monitoring.rules.enabled", "true"))


def no_object(facts: Facts) -> Optional[Finding]:
    if facts.rule_objects:
        return None
    if facts.ours("prometheusrules") is None:
        return broken("the cluster knows no PrometheusRule: the Prometheus Operator is not installed",
                      "charts/stack/install --only kube-prometheus-stack")
    if facts.is_off("monitoring.enabled") or not facts.values:
        return broken("there is no PrometheusRule of the release", values("monitoring.enabled", "true"))
    return broken("there is no PrometheusRule, though the values want one: it was deleted",
                  upgrade(facts.release, facts.namespace))


def emptied(facts: Facts) -> Optional[Finding]:
    for thing in facts.rule_objects:
        if not any(group.get("rules") for group in thing["spec"].get("groups") or []):
            return broken(f"PrometheusRule {name_of(thing)} has no rules: somebody has changed it",
                          upgrade(facts.release, facts.namespace))
    return None


def no_prometheus(facts: Facts) -> Optional[Finding]:
    if facts.prometheus_object is not None:
        return None
    return broken("no Prometheus object reads the PrometheusRule", stack("prometheus.enabled", "true"))


def not_selected(facts: Facts) -> Optional[Finding]:
    found = (by_label(facts, "PrometheusRule", one, "ruleSelector") for one in facts.rule_objects)
    return next((finding for finding in found if finding), None)


def namespace_not_selected(facts: Facts) -> Optional[Finding]:
    return by_namespace(facts, "ruleNamespaceSelector")


def file_of(thing: Object) -> str:
    """As the operator names the file that it writes for a PrometheusRule."""
    meta = thing["metadata"]
    return f"/{meta['namespace']}-{meta['name']}-{meta['uid']}.yaml"


def loaded(facts: Facts, thing: Object) -> dict[str, Object]:
    """Its groups as Prometheus has them, by name."""
    return {group["name"]: group for group in facts.prometheus.rules() if group["file"].endswith(file_of(thing))}


def rules(facts: Facts) -> list[Object]:
    """All our rules that Prometheus has."""
    return [rule for thing in facts.rule_objects for group in loaded(facts, thing).values() for rule in group["rules"]]


def not_loaded(facts: Facts) -> Optional[Finding]:
    for thing in facts.rule_objects:
        if not loaded(facts, thing):
            return not_written(facts, "PrometheusRule", thing)
        missing = [group["name"] for group in thing["spec"]["groups"] if group["name"] not in loaded(facts, thing)]
        if missing:
            return broken(f"Prometheus lacks {len(missing)} groups of {name_of(thing)}: {some(missing)}: "
                          "it has an older one", "wait: doctor --wait 90",
                          f"then kubectl -n {facts.monitoring} logs prometheus-"
                          f"{name_of(facts.prometheus_object)}-0 --container=prometheus --tail=20")
    return None


def failing(facts: Facts) -> Optional[Finding]:
    for rule in rules(facts):
        if rule["health"] == "err":
            many = sum(one["health"] == "err" for one in rules(facts))
            kept = next((name_of(one) for one in facts.rule_objects if rule["name"] in str(one["spec"])),
                        facts.fullname)
            return broken(f"{many} rules fail, the first is {rule['name']}: {rule.get('lastError', '')}",
                          f"kubectl -n {facts.namespace} edit prometheusrule {kept}  # expr of {rule['name']}")
    return None


def unevaluated(facts: Facts) -> Optional[Finding]:
    waiting = [rule["name"] for rule in rules(facts) if rule["health"] == "unknown"]
    if not waiting:
        return None
    return broken(f"{len(waiting)} rules have not been evaluated yet: {some(waiting)}", "wait: doctor --wait 90")


def left_out(facts: Facts) -> list[str]:
    """Of ours, those that the release leaves to kube-prometheus-stack."""
    have = {rule["name"] for rule in rules(facts)}
    return [name for name in SHIPPED if name not in have]


def twin_missing(facts: Facts) -> Optional[Finding]:
    everything = {rule["name"] for group in facts.prometheus.rules() for rule in group["rules"]}
    absent = [SHIPPED[name] for name in left_out(facts) if SHIPPED[name] not in everything]
    if not absent:
        return None
    return broken(f"left to kube-prometheus-stack, and not there either: {some(absent)}",
                  values("monitoring.rules.skipShipped", "false"), "or " + stack("defaultRules.create", "true"))


CAUSES = (switched_off, no_object, emptied, no_prometheus, not_selected, namespace_not_selected, not_loaded, failing,
          unevaluated, twin_missing)
BROUGHT: tuple[()] = ()


def green(facts: Facts) -> str:
    groups = sum(len(loaded(facts, thing)) for thing in facts.rule_objects)
    others = left_out(facts)
    return (f"{len(rules(facts))} rules in {groups} groups evaluate without an error"
            + (f"; {len(others)} alerts are left to kube-prometheus-stack" if others else ""))
