"""rules-loaded and alert-namespace: from the object to Prometheus, from the alert to a receiver."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from examine import Case, check, drop, labels, look, one, warn
from glassbox_doctor.links.rules_loaded import SHIPPED
from test_scraped import selector, switched_off, values
from world import NAME, NAMESPACE, World, thing, whole

ROOT = Path(__file__).resolve().parents[3]
STACK = "values of kube-prometheus-stack: "


def without_rules(**monitoring: Any) -> Any:
    def break_it(world: World) -> None:
        drop(world, "prometheusrules")
        if monitoring:
            values(world, **monitoring)
    return break_it


def unloaded(event: str = "") -> Any:
    def break_it(world: World) -> None:
        world["prometheus"]["groups"] = world["prometheus"]["groups"][-1:]
        if event:
            warn(world, "PrometheusRule", NAME, "InvalidConfiguration", event)
    return break_it


def other_label(world: World) -> None:
    labels(one(world, "prometheusrules"))["release"] = "prometheus"
    selector(ruleSelector={"matchLabels": {"release": "kps"}})(world)


def health(state: str, error: str = "") -> Any:
    return lambda world: world["prometheus"]["groups"][1]["rules"][0].update(health=state, lastError=error)


def no_twin(world: World) -> None:
    world["prometheus"]["groups"][-1]["rules"] = [rule for rule in world["prometheus"]["groups"][-1]["rules"]
                                                  if rule["name"] != "KubeHpaMaxedOut"]


RULES = [
    Case("no operator", lambda world: world["objects"].pop("prometheusrules"), "the cluster knows no PrometheusRule",
         "charts/stack/install --only kube-prometheus-stack"),
    Case("switched off", without_rules(rules={"enabled": False}), "that alerts and recording rules are evaluated stays "
         "unproved", "values of glassbox: monitoring.rules.enabled: true", "skipped"),
    Case("monitoring off", without_rules(enabled=False), "there is no PrometheusRule",
         "values of glassbox: monitoring.enabled: true"),
    Case("deleted", without_rules(), "it was deleted", "helm upgrade shop charts/glassbox -n store --reset-then-reuse-values"),
    Case("emptied", lambda world: one(world, "prometheusrules")["spec"].clear(), "shop-glassbox has no rules",
         "helm upgrade shop charts/glassbox -n store --reset-then-reuse-values"),
    Case("no Prometheus", lambda world: drop(world, "prometheuses"), "no Prometheus object",
         STACK + "prometheus.enabled: true"),
    Case("other label", other_label, "(ruleSelector); PrometheusRule shop-glassbox has release=prometheus",
         "values of glassbox: monitoring.labels.release: kps"),
    Case("other namespace", selector(ruleNamespaceSelector={"matchLabels": {"watched": "yes"}}),
         "looks into watched=yes (ruleNamespaceSelector)",
         "or " + STACK + "prometheus.prometheusSpec.ruleNamespaceSelector: {}"),
    Case("rejected", unloaded("invalid rule: parse error"), "the operator rejects PrometheusRule shop-glassbox: "
         "invalid rule: parse error", f"kubectl -n store edit prometheusrule {NAME}  # what it says"),
    Case("not yet", unloaded(), "has not taken PrometheusRule shop-glassbox up yet", "wait: doctor --wait 90"),
    Case("an older version", lambda world: world["prometheus"]["groups"].pop(1), "lacks 1 groups of "
         "shop-glassbox: glassbox-symptoms", "wait: doctor --wait 90"),
    Case("failing", health("err", "vector contains metrics with the same labelset"),
         "1 rules fail, the first is GlassboxErrorRatioHigh: vector contains",
         f"kubectl -n store edit prometheusrule {NAME}  # expr of GlassboxErrorRatioHigh"),
    Case("not evaluated", health("unknown"), "1 rules have not been evaluated yet", "wait: doctor --wait 90"),
    Case("twin absent", no_twin, "left to kube-prometheus-stack, and not there either: KubeHpaMaxedOut",
         "values of glassbox: monitoring.rules.skipShipped: false"),
]


@pytest.mark.parametrize("case", RULES, ids=lambda case: case.name)
def test_rules_loaded(case: Case) -> None:
    check("rules-loaded", case)


def test_the_twins_are_those_of_the_source() -> None:
    found = {}
    for path in sorted((ROOT / "alerts/source").glob("*.yaml")):
        for alert in yaml.safe_load(path.read_text(encoding="utf-8")).get("alerts") or []:
            if "shipped_by" in alert:
                found[alert["alert"]] = alert["shipped_by"].removeprefix("kube-prometheus-stack: ")
    assert found == SHIPPED


def alert(**given: str) -> Any:
    def break_it(world: World) -> None:
        rule = one(world, "prometheusrules")["spec"]["groups"][1]["rules"][0]
        rule["labels"] = {"severity": "page", **given}
    return break_it


def alertmanager(**of: Any) -> Any:
    return lambda world: one(world, "alertmanagers")["spec"].update(of)


def rejected(world: World) -> None:
    world["receivers"] = ["null"]
    warn(world, "AlertmanagerConfig", NAME, "InvalidConfiguration", 'unable to get secret "slack"')


def nobody(enabled: bool) -> Any:
    def break_it(world: World) -> None:
        drop(world, "alertmanagerconfigs")
        values(world, alertmanagerConfig={"enabled": enabled})
        world["receivers"] = ["null"]
    return break_it


ALERTS = [
    Case("no alerts", lambda world: drop(world, "prometheusrules"), "there are no alerts of the release",
         "first mend rules-loaded"),
    Case("no namespace", alert(), "1 alerts have no label namespace: GlassboxErrorRatioHigh; an AlertmanagerConfig of "
         "store does not take them",
         f"kubectl -n store edit prometheusrule {NAME}  # labels of GlassboxErrorRatioHigh: namespace: store"),
    Case("wrong namespace", alert(namespace="RELEASE_NAMESPACE"), "have namespace=RELEASE_NAMESPACE",
         "or " + STACK + "alertmanager.alertmanagerSpec.alertmanagerConfigMatcherStrategy.type: None"),
    Case("no Alertmanager", lambda world: drop(world, "alertmanagers"), "no Alertmanager object in namespace watch",
         STACK + "alertmanager.enabled: true"),
    Case("not wired", lambda world: world["prometheus"]["alertmanagers"].clear(),
         "Prometheus knows no Alertmanager to send alerts to", STACK + "alertmanager.enabled: true"),
    Case("not selected", alertmanager(alertmanagerConfigSelector={"matchLabels": {"release": "kps"}}),
         "selects release=kps (alertmanagerConfigSelector), AlertmanagerConfig shop-glassbox lacks it",
         "values of glassbox: monitoring.labels.release: kps"),
    Case("namespace not selected", alertmanager(alertmanagerConfigNamespaceSelector=None),
         "looks into its own namespace watch alone",
         STACK + "alertmanager.alertmanagerSpec.alertmanagerConfigNamespaceSelector: {}"),
    Case("down", lambda world: drop(world, "pods", "alertmanager-kps-alertmanager-0"),
         "Alertmanager kps-alertmanager does not answer: nothing runs: it has no pod",
         "kubectl -n watch get pods,events  # of alertmanager-kps-alertmanager-0; a Secret that "
         "alertmanagerSpec.secrets names must be there"),
    Case("rejected", rejected, 'the operator rejects AlertmanagerConfig shop-glassbox: unable to get secret "slack"',
         f"kubectl -n store edit alertmanagerconfig {NAME}  # what it says"),
    Case("nobody is told", nobody(False), "Alertmanager's only receiver is null",
         "values of glassbox: monitoring.alertmanagerConfig.enabled: true"),
    Case("config deleted", nobody(True), "it was deleted", "helm upgrade shop charts/glassbox -n store --reset-then-reuse-values"),
]


@pytest.mark.parametrize("case", ALERTS, ids=lambda case: case.name)
def test_alert_namespace(case: Case) -> None:
    check("alert-namespace", case)


def test_no_label_is_needed_where_the_strategy_is_none() -> None:
    world = whole()
    alert()(world)
    alertmanager(alertmanagerConfigMatcherStrategy={"type": "None"})(world)
    assert look(world)["alert-namespace"].state == "ok"


def test_alertmanagers_own_routes_will_do() -> None:
    world = whole()
    nobody(False)(world)
    world["receivers"] = ["null", "page", "ticket"]
    finding = look(world)["alert-namespace"]
    assert finding.state == "ok" and "Alertmanager's own routes: page, ticket" in finding.found


def test_a_rule_object_of_somebody_else_is_not_ours() -> None:
    world = whole()
    world["objects"]["prometheusrules"].append(thing("other", NAMESPACE, {"app.kubernetes.io/instance": "other"},
                                                     spec={"groups": [{"name": "x", "rules": []}]}))
    assert look(world)["rules-loaded"].state == "ok"


def test_switched_off_is_not_missed() -> None:
    world = whole()
    switched_off(rules={"enabled": False})(world)
    assert look(world)["scraped"].state == "broken"
