"""A metric that is renamed: each panel, rule and query that would go blind is named, also through a rule."""

import re

import blind
import contract as contract_module
import pytest
from contract import Contract, Expression

DASHBOARDS = contract_module.ROOT / "dashboards" / "json"
RULES = contract_module.ROOT / "alerts" / "prometheus"

ASKED = [
    Expression('b.json: panel "Rate" (A)', "sum(rate(app_requests_total[5m]))"),
    Expression('b.json: panel "By rule" (A)', "route:app_requests:rate5m"),
    Expression('b.json: panel "By two" (A)', 'max(route:app_requests:twice{route="/"}) > 5'),
    Expression('b.json: panel "Other" (A)', "app_connections"),
    Expression('b.json: panel "Alerts" (A)', 'ALERTS{severity="ticket"}'),
    Expression("b.json: variable v", "label_values(app_requests_total, job)", "labels"),
    Expression(
        "r.yaml: alert Errors severity=page", "app_requests_total > 5 and app_connections > 1"
    ),
    Expression("r.yaml: recording rule a:b", "sum by (a) (up)"),
    Expression("A.md:5: query", "topk(5, app_requests_total)"),
    Expression("t.yaml: test 1: input", 'app_requests_total{route="/"}', "series"),
]


def test_who_goes_blind_and_why(names: Contract) -> None:
    direct = "no metric `app_requests_total`: nothing emits it"
    by_rule = (
        "no metric `route:app_requests:rate5m`: it is recorded from nothing: "
        f"rules.yaml: recording rule route:app_requests:rate5m: {direct}"
    )
    assert blind.blinded(ASKED, names, ["app_requests_total"]) == {
        'b.json: panel "Rate" (A)': [direct],
        'b.json: panel "By rule" (A)': [by_rule],
        'b.json: panel "By two" (A)': [
            "no metric `route:app_requests:twice`: it is recorded from nothing: "
            f"rules.yaml: recording rule route:app_requests:twice: {by_rule}"
        ],
        "b.json: variable v": [direct],
        "r.yaml: alert Errors severity=page": [direct],
        "A.md:5: query": [direct],
        "t.yaml: test 1: input": [direct],
    }


def test_what_was_wrong_before_is_not_told(names: Contract) -> None:
    """Nor of an alert's own labels, though it would not fire."""
    found = blind.blinded(ASKED, names, ["app_connections"])
    assert sorted(found) == ['b.json: panel "Other" (A)', "r.yaml: alert Errors severity=page"]


def test_each_place_says_what_it_is() -> None:
    assert [blind.kind_of(expression.where) for expression in ASKED] == [
        "panel", "panel", "panel", "panel", "panel", "variable", "alert", "recording rule", "query", "test",
    ]  # fmt: skip


def test_a_metric_that_does_not_exist(capsys: pytest.CaptureFixture) -> None:
    assert blind.main(["--without", "glassbox_redy"]) == 2
    assert (
        capsys.readouterr().err
        == "the binary has no metric glassbox_redy; nearest: `glassbox_ready`\n"
    )


HANDFUL = [
    "http_server_request_duration_seconds",
    "glassbox_event_loop_lag_seconds",
    "glassbox_connections",
    "glassbox_ready",
    "glassbox_fault_in_force",
    "otel_sdk_exporter_span_exported_total",
    "process_open_fds",
]


@pytest.mark.parametrize("metric", HANDFUL)
def test_all_who_name_it_are_named(
    repository: Contract, asked: list[Expression], metric: str
) -> None:
    """Whoever has the name of one of its series in his query, or of a rule that does, and nobody else."""
    series = {metric, *(f"{metric}_{part}" for part in ("bucket", "sum", "count"))}
    lost: set[str] = set()
    while series:
        lost |= series
        word = re.compile(rf"(?<![\w:])({'|'.join(map(re.escape, sorted(lost)))})(?![\w:])")
        series = {r.record for r in repository.rules if r.record and word.search(r.expr)} - lost
    naming = {expression.where for expression in asked if word.search(expression.text)}
    found = blind.blinded(asked, repository, [metric])
    assert sorted(found) == sorted(naming)
    kinds = {blind.kind_of(where) for where in found}
    assert not list(DASHBOARDS.glob("*.json")) or "panel" in kinds
    assert not list(RULES.rglob("*.yaml")) or "alert" in kinds
