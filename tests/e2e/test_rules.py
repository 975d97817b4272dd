"""The rules of the chart are in the operator's Prometheus: each, and none that cannot be evaluated."""

from typing import Any

import yaml

from wire import eventually


def shipped(cluster, service) -> list[dict[str, Any]]:
    """The groups of the release's PrometheusRules, as Helm has them."""
    manifest = cluster.helm("--namespace", service.namespace, "get", "manifest", service.release)
    return [group for document in yaml.safe_load_all(manifest) if document and document["kind"] == "PrometheusRule"
            for group in document["spec"]["groups"]]


def loaded(prometheus, service) -> dict[str, list[dict[str, Any]]]:
    """Of that namespace, by the group's name: the operator puts namespace and name into the file's."""
    groups = (prometheus.api("rules") or {"groups": []})["groups"]
    return {group["name"]: group["rules"] for group in groups if f"/{service.namespace}-" in group["file"]}


def names(rules: list[dict[str, Any]]) -> list[str]:
    """Of either form of a rule."""
    return [rule.get("alert") or rule.get("record") or rule["name"] for rule in rules]


def test_every_group_and_rule_is_loaded(cluster, service, prometheus):
    wanted = {group["name"]: names(group["rules"]) for group in shipped(cluster, service)}
    assert sum(map(len, wanted.values())) > 50 and any("burn" in name.lower() for group in wanted.values()
                                                       for name in group), "a chart without our rules"
    assert eventually(lambda: {name: names(rules) for name, rules in loaded(prometheus, service).items()} == wanted,
                      120, 1), set(wanted) ^ set(loaded(prometheus, service))


def test_none_has_an_error(service, prometheus):
    def states() -> set[tuple[str, str, str]]:
        return {(rule["name"], rule["health"], rule.get("lastError", ""))
                for rules in loaded(prometheus, service).values() for rule in rules if rule["health"] != "ok"}
    assert loaded(prometheus, service)
    assert eventually(lambda: not states(), 90, 1), states()  # `unknown` until it was evaluated once


def test_none_of_the_others_has_an_error(prometheus):
    """kube-prometheus-stack's own, with our values: rules that its parts do not feed would be noise."""
    def failed() -> list[str]:
        return [f"{group['name']}: {rule['name']}: {rule['lastError']}" for group in prometheus.api("rules")["groups"]
                for rule in group["rules"] if rule["health"] == "err"]
    assert eventually(lambda: not failed(), 60, 1), failed()
    assert eventually(lambda: prometheus.value("sum(increase(prometheus_rule_evaluation_failures_total[1m]))") == 0,
                      90, 1)


def test_every_alert_has_its_namespace(service, prometheus):
    """Or an AlertmanagerConfig of the namespace would not take it."""
    alerts = [rule for rules in loaded(prometheus, service).values() for rule in rules if rule["type"] == "alerting"]
    assert len(alerts) > 20
    assert {rule["labels"].get("namespace") for rule in alerts} == {service.namespace}


def test_nothing_fires_that_should_not(service, prometheus):
    """A service with which nothing is wrong, in a cluster with which nothing is wrong: only the dead man's switches."""
    def firing() -> set[str]:
        return {alert["labels"]["alertname"] for alert in (prometheus.api("alerts") or {"alerts": []})["alerts"]
                if alert["state"] == "firing"}
    silent = {"Watchdog", "GlassboxHeartbeat", "InfoInhibitor"}
    assert eventually(lambda: firing() <= silent and "Watchdog" in firing(), 120, 2), firing()
