"""A page in a cluster: a drill arms the fault by the ConfigMap on every replica, the in-cluster Alertmanager tells the
webhook's pod, the fault is taken away, and the resolve is told."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from drilling import Drill
from wire import eventually

ALERT, ROUTE = "GlassboxErrorRatioHigh", "/demo/hello"


@dataclass
class Seen:
    """What there was while the drill went on, and after it."""

    status: int
    text: str
    timeline: dict[str, Any]
    before: str                                                       # the ConfigMap's plan
    after: str
    struck: dict[str, set[str]] = field(default_factory=dict)         # pod -> faults in force during the drill
    left: dict[str, set[str]] = field(default_factory=dict)           # and after it
    told: list[dict[str, Any]] = field(default_factory=list)          # the webhook's notifications
    firing: list[dict[str, Any]] = field(default_factory=list)        # Alertmanager's alerts during the drill


def is_ours(alert: dict[str, Any]) -> bool:
    """What the drill fires, and no other route's."""
    return alert["labels"]["alertname"] == ALERT and alert["labels"].get("http_route") == ROUTE


def plan(service) -> str:
    """Of the ConfigMap that all pods mount."""
    return service.faults()["data"]["plan.json"]


@pytest.fixture(scope="module")
def drilled(cluster, stack, service, prometheus, switch, results, tmp_path_factory) -> Iterator[Seen]:
    """One whole drill, looked at from all sides."""
    switch.on()
    folder = tmp_path_factory.mktemp("drill")
    urls = {"prometheus": prometheus.url,
            "alertmanager": cluster.of_service(stack.monitoring, stack.alertmanager, "http-web"),
            "webhook": cluster.of_service(stack.monitoring, stack.webhook, "http")}
    flow = f'sum(rate(http_server_request_duration_seconds_count{{http_route="{ROUTE}"}}[1m])) > 1'
    assert eventually(lambda: prometheus.value(flow), 90, 1), "no traffic to strike"
    fast = any(rule["labels"].get("profile") == "fast" for group in prometheus.api("rules")["groups"]
               for rule in group["rules"] if rule["name"].startswith("Glassbox"))
    before = plan(service)
    last = json.loads(cluster.text(f"{urls['webhook']}/notifications"))["last"]
    struck: dict[str, set[str]] = {}
    firing: list[dict[str, Any]] = []

    def looks() -> bool:
        struck.update({pod: faults for pod, faults in service.in_force().items() if faults})
        if not firing:
            alerts = json.loads(cluster.text(f"{urls['alertmanager']}/api/v2/alerts"))
            firing.extend(one for one in alerts if is_ours(one))
        return running.process.poll() is not None

    with Drill(cluster, folder, urls, ALERT, "--route", ROUTE, "--namespace", service.namespace, "--config-map",
               f"{service.name}-faults", *(["--fast"] if fast else [])) as running:
        eventually(looks, 480, 1)
        status = running.process.wait(30)
    (results / "drill.txt").write_text(running.text)
    assert running.report.exists(), running.text
    told = json.loads(cluster.text(f"{urls['webhook']}/notifications?after={last}"))
    eventually(lambda: not any(service.in_force().values()), 120, 1)
    yield Seen(status, running.text, running.timelines()[0], before, plan(service), struck,
               service.in_force(), told["notifications"], firing)


def test_drill_says_that_all_came_when_due(drilled: Seen):
    assert drilled.status == 0, drilled.text


def test_every_replica_had_the_plan(service, drilled: Seen):
    assert set(drilled.struck) >= set(service.names()) and len(drilled.struck) > 1
    assert set(map(frozenset, drilled.struck.values())) == {frozenset({"error"})}


def test_page_fired_through_alertmanager(service, drilled: Seen):
    labels = {"alertname": ALERT, "severity": "page", "http_route": ROUTE, "namespace": service.namespace}
    assert any(one["labels"] == one["labels"] | labels for one in drilled.firing), drilled.firing
    assert all(one["annotations"].get("runbook_url") for one in drilled.firing)


def test_webhook_was_told_firing_and_resolved(service, drilled: Seen):
    told = [(notification["status"], alert["status"]) for notification in drilled.told
            for alert in notification["alerts"]
            if is_ours(alert) and alert["labels"].get("severity") == "page"
            and alert["labels"]["namespace"] == service.namespace]
    assert told and told[0] == ("firing", "firing") and told[-1][1] == "resolved", told


def test_nothing_is_left_of_it(drilled: Seen):
    assert drilled.after == drilled.before
    assert not any(drilled.left.values()), drilled.left


def test_an_upgrade_after_a_drill_may_bring_another_plan(cluster, service, drilled: Seen):
    """The drill wrote into an object of Helm's: who owns that key must not keep an upgrade from its work."""
    def revision() -> int:
        return json.loads(cluster.helm("--namespace", service.namespace, "status", service.release, "--output",
                                       "json"))["version"]

    before, other = revision(), {"name": "e2e", "begin": "2026-01-01T00:00:00Z", "faults": []}
    cluster.helm("--namespace", service.namespace, "upgrade", service.release, "charts/glassbox",
                 "--reset-then-reuse-values", "--set-json", f"faults.plan={json.dumps(other)}")
    try:
        assert json.loads(plan(service)) == other
    finally:
        cluster.helm("--namespace", service.namespace, "rollback", service.release, str(before))
    assert plan(service) == drilled.before
