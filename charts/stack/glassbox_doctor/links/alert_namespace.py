"""alert-namespace: alerts carry the namespace by which an AlertmanagerConfig takes them, and somebody is told."""

from typing import Optional

from ..cluster import Object, labels_of, name_of, namespace_of
from ..facts import Facts
from ..finding import Finding, broken, either, some, stack, upgrade, values
from ..kubectl import Failed
from ..prometheus import Alertmanager
from ..selectors import lacking, selects, words
from . import workload
from .scraped import not_written

ID = "alert-namespace"
PROMISE = "that an alert reaches a person"
FOLLOWS = ("rules-loaded",)


def strategy(facts: Facts) -> str:
    """Which alerts an AlertmanagerConfig is given: by default those of its own namespace."""
    spec = (facts.alertmanager_object or {"spec": {}})["spec"]
    return (spec.get("alertmanagerConfigMatcherStrategy") or {}).get("type", "OnNamespace")


def alerts(facts: Facts) -> list[Object]:
    """As the objects have them: what Prometheus loads is the link before."""
    return [rule for rule in facts.declared if "alert" in rule]


def no_alerts(facts: Facts) -> Optional[Finding]:
    if alerts(facts):
        return None
    return broken("there are no alerts of the release", "first mend rules-loaded")


def without_namespace(facts: Facts) -> Optional[Finding]:
    """An aggregated rule has lost the label of its series: each alert needs it as a label of its own."""
    spec = (facts.prometheus_object or {"spec": {}})["spec"]
    if spec.get("enforcedNamespaceLabel") == "namespace" or strategy(facts) == "None":
        return None
    wrong = [rule for rule in alerts(facts) if (rule.get("labels") or {}).get("namespace") != facts.namespace]
    if not wrong:
        return None
    has = (wrong[0].get("labels") or {}).get("namespace")
    kept = next(name_of(thing) for thing in facts.rule_objects if wrong[0]["alert"] in str(thing["spec"]))
    return broken(f"{len(wrong)} alerts have {'no label namespace' if has is None else f'namespace={has}'}: "
                  f"{some([rule['alert'] for rule in wrong])}; an AlertmanagerConfig of {facts.namespace} does not "
                  "take them",
                  f"kubectl -n {facts.namespace} edit prometheusrule {kept}  # labels of {wrong[0]['alert']}: "
                  f"namespace: {facts.namespace}",
                  "or " + stack("alertmanager.alertmanagerSpec.alertmanagerConfigMatcherStrategy.type", "None"))


def no_alertmanager(facts: Facts) -> Optional[Finding]:
    if facts.alertmanager_object is not None:
        return None
    return broken(f"no Alertmanager object in namespace {facts.monitoring}: alerts fire and nobody is told",
                  stack("alertmanager.enabled", "true"))


def not_wired(facts: Facts) -> Optional[Finding]:
    try:
        if facts.prometheus.alertmanagers():
            return None
    except Failed:
        return None  # scraped says so
    return broken("Prometheus knows no Alertmanager to send alerts to", stack("alertmanager.enabled", "true"),
                  f"kubectl -n {facts.monitoring} get prometheus -o jsonpath='{{..spec.alerting}}'")


def configs(facts: Facts) -> list[Object]:
    return facts.ours("alertmanagerconfigs") or []


def not_selected(facts: Facts) -> Optional[Finding]:
    for one in configs(facts):
        selector, labels = facts.alertmanager_object["spec"].get("alertmanagerConfigSelector"), labels_of(one)
        if selects(selector, labels):
            continue
        return broken(f"Alertmanager {name_of(facts.alertmanager_object)} selects {words(selector)} "
                      f"(alertmanagerConfigSelector), AlertmanagerConfig {name_of(one)} lacks it",
                      *either([values(f"monitoring.labels.{name}", value)
                               for name, value in lacking(selector, labels).items()],
                              stack("alertmanager.alertmanagerSpec.alertmanagerConfigSelector", "{}")))
    return None


def namespace_not_selected(facts: Facts) -> Optional[Finding]:
    thing = facts.alertmanager_object
    selector = thing["spec"].get("alertmanagerConfigNamespaceSelector")
    if not configs(facts) or selects(selector, facts.namespace_labels(facts.namespace)) or (
            selector is None and namespace_of(thing) == facts.namespace):
        return None
    looks = words(selector) if selector is not None else f"its own namespace {namespace_of(thing)} alone"
    return broken(f"Alertmanager {name_of(thing)} looks into {looks} (alertmanagerConfigNamespaceSelector)",
                  stack("alertmanager.alertmanagerSpec.alertmanagerConfigNamespaceSelector", "{}"))


def receivers(facts: Facts) -> list[str]:
    return Alertmanager(facts.cluster, facts.alertmanager_object, facts).receivers()


def not_answering(facts: Facts) -> Optional[Finding]:
    try:
        receivers(facts)
    except Failed as error:
        where, name = namespace_of(facts.alertmanager_object), name_of(facts.alertmanager_object)
        pods = Alertmanager(facts.cluster, facts.alertmanager_object, facts).pods
        return broken(f"Alertmanager {name} does not answer: {error}: {workload.trouble(pods)}",
                      f"kubectl -n {where} get pods,events  # of alertmanager-{name}-0; a Secret that "
                      "alertmanagerSpec.secrets names must be there")
    return None


def theirs(facts: Facts, config: Object) -> list[str]:
    """The receivers that the operator has written for an AlertmanagerConfig, by the names it gives them."""
    prefix = f"{facts.namespace}/{name_of(config)}/"
    return [name.removeprefix(prefix) for name in receivers(facts) if name.startswith(prefix)]


def rejected(facts: Facts) -> Optional[Finding]:
    """The operator leaves out a config that it cannot use: a Secret that is missing, a route without receiver."""
    for one in configs(facts):
        if not theirs(facts, one):
            return not_written(facts, "AlertmanagerConfig", one)
    return None


def nobody_told(facts: Facts) -> Optional[Finding]:
    """Without an AlertmanagerConfig Alertmanager's own routes decide."""
    if configs(facts) or [name for name in receivers(facts) if name != "null"]:
        return None
    if facts.is_off("monitoring.alertmanagerConfig.enabled") or not facts.values:
        return broken("there is no AlertmanagerConfig, and Alertmanager's only receiver is null: alerts fire and "
                      "nobody is told", values("monitoring.alertmanagerConfig.enabled", "true"),
                      "or " + stack("alertmanager.config", "receivers and routes, as in alerts/alertmanager"))
    return broken("there is no AlertmanagerConfig, though the values want one: it was deleted",
                  upgrade(facts.release, facts.namespace))


CAUSES = (no_alerts, without_namespace, no_alertmanager, not_wired, not_selected, namespace_not_selected, not_answering,
          rejected, nobody_told)
BROUGHT = (no_alerts,)


def green(facts: Facts) -> str:
    told = [name for one in configs(facts) for name in theirs(facts, one)]
    by = "AlertmanagerConfig" if told else "Alertmanager's own routes"
    names = sorted(set(told or [name for name in receivers(facts) if name != "null"]))
    return f"{len(alerts(facts))} alerts have namespace={facts.namespace}; receivers by {by}: {some(names, 4)}"
