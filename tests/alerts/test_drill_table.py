"""The table against the project: every alert has a drill or a reason, and no wave's faults disturb each other."""

import itertools
import re
from pathlib import Path

import pytest
import yaml

from drills import facts, listing, rules, table
from drills.table import DRILLS, OTHERS, Drill, disturbs, slow_ticket, touches
from drills.alertmanager import matchers, routes

ALERTS = Path(__file__).resolve().parents[2] / "alerts"


def shipped() -> set[tuple[str, str]]:
    """(alert, severity) of all rules."""
    return {(rule.name, rule.labels["severity"]) for rule in rules.from_files(ALERTS / "prometheus" / "real")
            if rule.alerting}


def test_each_alert_has_a_drill_or_a_reason() -> None:
    drilled = {(drill.alert, drill.severity) for drill in DRILLS}
    assert drilled <= shipped()
    assert {name for name, _ in shipped() - drilled} == set(OTHERS)
    assert not {name for name, _ in drilled} & set(OTHERS)


def test_each_runbook_that_names_a_drill_names_one_that_there_is() -> None:
    names = {drill.alert for drill in DRILLS} | set(OTHERS)
    for page in (ALERTS / "runbooks").glob("*.md"):
        for name in re.findall(r"alerts/drill (Glassbox\w+)", page.read_text()):
            assert name in names, page


def made(drill: Drill, profile: str = "real") -> list[dict[str, object]]:
    all_rules = rules.from_files(ALERTS / "prometheus" / profile)
    return drill.make(facts.of_rules(all_rules, drill))[0]


@pytest.mark.parametrize("wave", table.waves(), ids=lambda wave: wave[0].wave)
def test_a_waves_faults_do_not_disturb_each_other(wave: list[Drill]) -> None:
    entries = {str(drill): made(drill) for drill in wave}
    for one, other in itertools.combinations(wave, 2):
        assert disturbs(one, entries[str(one)], other, entries[str(other)]) is None
    # No page of a wave inhibits a ticket of it: they are of different objectives.
    objectives = [(drill.alert, drill.match().get("http_route")) for drill in wave if "Burn" in drill.alert]
    assert len(set(objectives)) == len(objectives)


def test_what_disturbs() -> None:
    hello, busy, refused = (table.by_name(name) for name in ("ErrorBudgetBurn", "WorkersBusy", "FaultPlanRefused"))
    plan = [{"route": "/demo/hello", "error": {"ratio": 0.3}}]
    other = [{"route": "/demo/hello", "error": {"ratio": 0.4}}]
    assert disturbs(hello, plan, hello, plan) is None
    assert disturbs(hello, plan, hello, other) == "both set error on /demo/hello, differently"
    assert disturbs(hello, plan, busy, []) == f"{busy} takes the whole process"
    assert disturbs(hello, plan, refused, []) == "one is a plan, the other a file that is none"


def test_touches() -> None:
    assert touches([{"route": "/", "error": {"ratio": 1}, "seed": 7, "duration": "1m"}, {"not_ready": True}]) == {
        ("/", "error"): {"ratio": 1}, (None, "not_ready"): True}


@pytest.mark.parametrize("thresholds, ceiling", [((0.01, 0.03), 0.06), ((0.15, 0.45), 0.9)])
def test_a_tail_of_latency_is_as_long_as_it_must_be(thresholds: tuple[float, ...], ceiling: float) -> None:
    """The share that is slower lies between the ticket's highest factor and the page's lowest."""
    from drills.effects import slower_than
    _, effect = slow_ticket(facts.Facts("/demo/hello", thresholds=thresholds, ceiling=ceiling, le=0.1))
    assert effect.latency is not None
    assert thresholds[-1] < slower_than(0.1, *effect.latency) < ceiling


def test_the_list_knows_all_of_it() -> None:
    lines = "\n".join(listing.table())
    assert "?" not in lines and "never" not in lines
    for name, _ in shipped():
        assert name in lines


# ---- Alertmanager's tree ------------------------------------------------------------------------

TREE = yaml.safe_load("""
receiver: all
group_wait: 30s
group_by: [alertname]
routes:
  - matchers: ['severity="page"', 'team=~"demo|other"']
    receiver: page
    group_wait: 10s
    routes:
      - match: {team: other}
        group_interval: 1m
  - matchers: ['{severity="ticket", team!="x"}']
    receiver: log
    continue: true
  - match_re: {severity: tick.*}
    receiver: ticket
    group_by: [alertname, job]
""")


@pytest.mark.parametrize("labels, receiver, wait, interval", [
    ({"severity": "page", "team": "demo"}, "page", 10, 300), ({"severity": "page", "team": "other"}, "page", 10, 60),
    ({"severity": "page"}, "all", 30, 300), ({"severity": "ticket"}, "log", 30, 300), ({}, "all", 30, 300)])
def test_an_alerts_route(labels: dict[str, str], receiver: str, wait: float, interval: float) -> None:
    route = routes(TREE, labels)[0]
    assert (route.receiver, route.group_wait, route.group_interval) == (receiver, wait, interval)


def test_a_route_that_continues() -> None:
    assert [route.receiver for route in routes(TREE, {"severity": "ticket"})] == ["log", "ticket"]
    assert routes(TREE, {"severity": "ticket"})[1].group_by == ("alertname", "job")


def test_matchers_with_commas_in_quotes() -> None:
    assert matchers({"matchers": ['{a="b,c", d!~"e|f"}', "g=h"]}) == [
        ("a", "=", "b,c"), ("d", "!~", "e|f"), ("g", "=", "h")]
