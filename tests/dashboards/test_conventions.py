"""The committed dashboards keep the conventions; what they do not keep has a reason in dashboards/.lint.

And the rules are rules: each is shown a dashboard that breaks it.
"""

import json
import re
from pathlib import Path
from typing import Any, Callable

import pytest
import yaml

from conventions import RULES, broken, covers, exclusions, idle
from reading import FOLDER, ROOT, Board, every_board, read

BOARDS = every_board()
SERVICE = FOLDER / "json/service.json"
WANTED = {"service", "slo", "saturation", "telemetry", "incident", "autoscaling", "load-test"}


def test_all_are_there():
    assert {board.name for board in BOARDS} >= WANTED


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_rule(board: Board, rule: str):
    assert broken(board, rule, exclusions().get(rule, [])) == []


def test_no_exception_is_idle():
    assert {rule: found for rule, entries in exclusions().items()
            if (found := idle(rule, entries))} == {}


def test_uids_are_unique():
    uids = [board.document["uid"] for board in BOARDS]
    assert len(set(uids)) == len(uids)


def test_alerts_lead_to_dashboards_that_are_there():
    """What a page links to, in both profiles."""
    uids = {board.document["uid"] for board in BOARDS}
    found = {uid for path in (ROOT / "alerts/prometheus").glob("*/*.yaml")
             for uid in re.findall(r"/d/([\w-]+)", path.read_text())}
    assert found and found <= uids, found - uids


def test_the_dashboard_of_an_alert_has_a_panel_that_watches_it():
    """Who was paged and follows the link sees what it was about: the panel links to its runbook."""
    watched = {(board.document["uid"], match.group(1)) for board in BOARDS for shown in board.panels
               for link in shown.get("links", ())
               if (match := re.search(r"/(\w+)\.md$", link["url"]))}
    led = {(match.group(1), rule["alert"])
           for path in (ROOT / "alerts/prometheus/real").glob("*.yaml")
           for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]
           if (match := re.search(r"/d/([\w-]+)", rule.get("annotations", {}).get("dashboard_url", "")))}
    assert len(led) > 20 and led - watched == set()


# ---- the rules are rules ------------------------------------------------------------------------

def panel(document: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(one for one in document["panels"] if one["type"] == kind)


def target(document: dict[str, Any]) -> dict[str, Any]:
    return panel(document, "timeseries")["targets"][0]


def variable(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in document["templating"]["list"] if one["name"] == name)


def asks(text: str) -> Callable[[dict[str, Any]], Any]:
    return lambda document: target(document).update(expr=text)


SPOILT: dict[str, Callable[[dict[str, Any]], Any]] = {
    "template-datasource-rule": lambda d: variable(d, "datasource").update(label="Prometheus"),
    "template-job-rule": lambda d: variable(d, "job").update(allValue=".*"),
    "template-instance-rule": lambda d: variable(d, "instance").update(multi=False),
    "template-label-promql-rule": lambda d: variable(d, "job")["query"].update(
        query="label_values(job)"),
    "template-on-time-change-reload-rule": lambda d: variable(d, "job").update(refresh=1),
    "uneditable-dashboard-rule": lambda d: d.update(editable=True),
    "panel-datasource-rule": lambda d: target(d).pop("datasource"),
    "panel-title-description-rule": lambda d: panel(d, "stat").update(description="A number."),
    "panel-units-rule": lambda d: panel(d, "stat")["fieldConfig"]["defaults"].pop("unit"),
    "panel-no-targets-rule": lambda d: panel(d, "stat").update(targets=[]),
    "target-promql-rule": asks("sum(rate(x[5m])"),
    "target-rate-interval-rule": asks('rate(x_total{job=~"$job", instance=~"$instance"}[5m])'),
    "target-job-rule": asks('x{job="glassbox", instance=~"$instance"}'),
    "target-instance-rule": asks('x{job=~"$job"}'),
    "target-counter-agg-rule": asks('rate(x_total[1m]) + y_total'),
    "template-namespace-rule": lambda d: variable(d, "namespace").update(allValue=".+"),
    "namespace-rule": asks('x{job=~"$job", instance=~"$instance"}'),
    "namespace-links-rule": lambda d: d["links"][0].update(includeVars=False),
    "size-rule": lambda d: d.update(description="x" * 200_000),
    "schema-rule": lambda d: d.update(schemaVersion=42),
    "name-rule": lambda d: d.update(uid="another"),
    "ids-rule": lambda d: d["panels"][1].update(id=d["panels"][0]["id"]),
    "grid-rule": lambda d: d["panels"][1]["gridPos"].update(d["panels"][0]["gridPos"]),
    "first-row-rule": lambda d: [one["gridPos"].update(h=14) for one in d["panels"]
                                 if one["gridPos"]["y"]],
    "moment-rule": lambda d: target(d).update(instant=True, range=False),
    "variables-rule": lambda d: d["annotations"]["list"][0].update(expr='up{pod="$pod"}'),
    "le-rule": asks('x_bucket{job=~"$job", instance=~"$instance", le="1"}'),
    "exemplars-rule": lambda d: target(d).update(exemplar=True, expr="up"),
    "links-rule": lambda d: d["links"].append(
        {"type": "link", "url": "/d/glassbox-nowhere?a", "title": "x"}),
}


@pytest.mark.parametrize("rule", RULES)
def test_rule_refuses(rule: str, tmp_path: Path):
    document = read(SERVICE).document
    SPOILT[rule](document)
    spoilt = tmp_path / SERVICE.name
    spoilt.write_text(json.dumps(document))
    assert broken(read(spoilt), rule, exclusions().get(rule, [])) != []


# Where a namespace may be left out, and how it may be asked for wrongly.
MIXING: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "a mark": ("namespace-rule", lambda d: d["annotations"]["list"][0].update(expr='up{job=~"$job"}')),
    "a variable": ("namespace-rule", lambda d: variable(d, "instance")["query"].update(
        query='label_values(up{job=~"$job"}, instance)')),
    "one side": ("namespace-rule", asks('up{namespace=~"$namespace"} / on (job) up{job=~"$job"}')),
    "All as a name": ("namespace-rule", asks('up{namespace="$namespace"}')),
    "another's": ("namespace-rule", asks('up{namespace=~"$job"}')),
    "after the job": ("template-namespace-rule", lambda d: d["templating"]["list"].insert(
        0, d["templating"]["list"].pop(2))),
    "not all": ("template-namespace-rule", lambda d: variable(d, "namespace").update(includeAll=False)),
    "a panel's link": ("namespace-links-rule", lambda d: next(
        link for one in d["panels"] for link in one.get("links", ())
        if link["url"].startswith("/d/")).update(url="/d/glassbox-incident?${job:queryparam}")),
}


@pytest.mark.parametrize("rule, spoil", MIXING.values(), ids=MIXING)
def test_a_dashboard_that_mixes_installations_is_refused(
        rule: str, spoil: Callable[[dict[str, Any]], Any], tmp_path: Path):
    document = read(SERVICE).document
    spoil(document)
    spoilt = tmp_path / SERVICE.name
    spoilt.write_text(json.dumps(document))
    assert len(broken(read(spoilt), rule, exclusions().get(rule, []))) == 1


@pytest.mark.parametrize("kind", ["heatmap", "timeseries"])
def test_a_latency_without_traces_is_refused(kind: str, tmp_path: Path):
    document = read(SERVICE).document
    asked = [one for shown in document["panels"] if shown["type"] == kind
             for one in shown["targets"] if one.get("exemplar")]
    assert len(asked) == 1
    asked[0]["exemplar"] = False
    spoilt = tmp_path / SERVICE.name
    spoilt.write_text(json.dumps(document))
    assert len(broken(read(spoilt), "exemplars-rule", [])) == 1


def test_an_entry_covers_what_it_names_and_no_more():
    board = BOARDS[0]
    entry = {"dashboard": board.document["title"], "series": "k6_.*", "panel": "Requests"}
    assert covers(entry, board, "Requests", "k6_vus")
    assert not covers(entry, board, "Requests", "up")
    assert not covers(entry, board, "Errors", "k6_vus")
    assert not covers({"dashboard": "Another"}, board, "Requests", "k6_vus")
