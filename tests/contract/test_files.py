"""Where expressions are found: each kind of file, each place in it, in words that lead there."""

import json
import textwrap
from pathlib import Path

import pytest
from contract import Contract, expressions, files, problems


def written(folder: Path, name: str, text: str) -> list[tuple[str, str, str]]:
    """Where, text and kind of what is found in a file of this content."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return [(e.where, e.text, e.kind) for e in expressions([path], folder)]


RULES = """\
    groups:
      - name: a
        rules:
          - {record: "a:b", expr: up}
          - alert: Down
            expr: up == 0
            labels: {severity: page}
            annotations:
              summary: '{{ with query "sum(up)" }}{{ . | first | value }}{{ end }}'
              more: "{{ query `count(up{job=\\"a\\"})` }}"
"""


def test_rule_files(tmp_path: Path) -> None:
    assert written(tmp_path, "alerts/r.yaml", RULES) == [
        ("alerts/r.yaml: recording rule a:b", "up", "query"),
        ("alerts/r.yaml: alert Down severity=page: query of its `summary`", "sum(up)", "query"),
        (
            "alerts/r.yaml: alert Down severity=page: query of its `more`",
            'count(up{job="a"})',
            "query",
        ),
        ("alerts/r.yaml: alert Down severity=page", "up == 0", "query"),
    ]


def test_prometheus_rules(tmp_path: Path) -> None:
    text = "kind: PrometheusRule\nspec:\n  groups:\n  - name: a\n    rules:\n    - {alert: B, expr: up}\n"
    assert written(tmp_path, "alerts/kubernetes/p.yaml", text) == [
        ("alerts/kubernetes/p.yaml: alert B", "up", "query")
    ]


def test_promtool_tests(tmp_path: Path) -> None:
    text = """\
        rule_files: [r.yaml]
        tests:
          - name: near miss
            input_series:
              - {series: 'up{job="a"}', values: "1x5"}
            alert_rule_test:
              - {eval_time: 5m, alertname: Down}
            promql_expr_test:
              - {expr: sum(up), eval_time: 1m}
        """
    assert written(tmp_path, "alerts/tests/t.yaml", text) == [
        ("alerts/tests/t.yaml: test near miss: input", 'up{job="a"}', "series"),
        ("alerts/tests/t.yaml: test near miss: expression", "sum(up)", "query"),
        ("alerts/tests/t.yaml: test near miss: at 5m", "Down", "alert"),
    ]


def test_the_autoscalers_configurations(tmp_path: Path) -> None:
    text = """\
        rules:
          - seriesQuery: 'app_requests_total{namespace!="",pod!=""}'
            metricsQuery: sum(rate(<<.Series>>{<<.LabelMatchers>>,route="/"}[2m])) by (<<.GroupBy>>)
        ---
        kind: ScaledObject
        metadata: {name: app}
        spec:
          triggers:
            - {type: prometheus, metadata: {query: sum(up), threshold: "5"}}
            - {type: cpu, metadata: {value: "5"}}
        """
    assert written(tmp_path, "charts/values.yaml", text) == [
        ("charts/values.yaml: seriesQuery", 'app_requests_total{namespace!="",pod!=""}', "query"),
        (
            "charts/values.yaml: metricsQuery",
            'sum(rate(app_requests_total{namespace="a",pod="b",route="/"}[2m])) by (namespace, pod)',
            "query",
        ),
        ("charts/values.yaml: app: trigger", "sum(up)", "query"),
    ]


def test_runbooks(tmp_path: Path) -> None:
    text = """\
        # A runbook

        ```promql
        # what is down
        up == 0

        sum by (job) (
          up
        )
        ```

        ```sh
        curl localhost
        ```

        1. Then:

           ```promql cluster
           count(up)
           ```
        """
    assert written(tmp_path, "alerts/runbooks/A.md", text) == [
        ("alerts/runbooks/A.md:4: query", "# what is down\nup == 0", "query"),
        ("alerts/runbooks/A.md:7: query", "sum by (job) (\n  up\n)", "query"),
        ("alerts/runbooks/A.md:19: query", "count(up)", "query"),
    ]


BOARD = {
    "schemaVersion": 41,
    "templating": {
        "list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus"},
            {"name": "job", "type": "query", "query": {"query": "label_values(up, job)", "refId": "A"}},
            {"name": "instance", "type": "query", "query": 'label_values(up{job="$job"}, instance)'},
            {"name": "route", "type": "custom", "options": [{"value": "$__all"}, {"value": "/"}, {"value": "/work"}]},
            {"name": "window", "type": "interval", "query": "10m,1h"},
            {"name": "top", "type": "custom", "query": "5, 10"},
        ]
    },
    "annotations": {
        "list": [
            {"name": "built in", "datasource": {"type": "grafana", "uid": "-- Grafana --"}, "expr": "no"},
            {"name": "drills", "datasource": {"type": "prometheus"}, "expr": "up", "tagKeys": "job", "titleFormat": "{{instance}}"},
        ]
    },
    "panels": [
        {
            "type": "row",
            "title": "folded",
            "panels": [{"title": "inner", "targets": [{"refId": "B", "expr": "up"}]}],
        },
        {
            "title": "Rate",
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "targets": [
                {
                    "refId": "A",
                    "expr": 'topk($top, sum by (route) (rate(app_requests_total{route=~"$route",job=~"${job:regex}",'
                    "instance=~'[[instance]]'}[$__rate_interval])))",
                    "legendFormat": "{{route}}",
                },
                {"refId": "C", "expr": "max_over_time(up[$window:$__interval]) * $__range_s"},
                {"refId": "T", "datasource": {"type": "tempo"}, "expr": "not for us"},
            ],
        },
    ],
}  # fmt: skip


def test_dashboards(tmp_path: Path) -> None:
    any_value = "\ue000"
    assert written(tmp_path, "dashboards/json/b.json", json.dumps(BOARD)) == [
        ('dashboards/json/b.json: panel "inner" (B)', "up", "query"),
        (
            'dashboards/json/b.json: panel "Rate" (A)',
            'topk(5, sum by (route) (rate(app_requests_total{route=~"/|/work",'
            f"job=~\"{any_value}\",instance=~'{any_value}'}}[5m])))",
            "query",
        ),
        ('dashboards/json/b.json: panel "Rate" (C)', "max_over_time(up[10m:1m]) * 3600", "query"),
        ('dashboards/json/b.json: annotation "drills"', "up", "query"),
        ("dashboards/json/b.json: variable job", "label_values(up, job)", "labels"),
        (
            "dashboards/json/b.json: variable instance",
            f'label_values(up{{job="{any_value}"}}, instance)',
            "labels",
        ),
    ]


def test_other_json_is_none_of_ours(tmp_path: Path) -> None:
    assert written(tmp_path, "loadtest/slo.json", '{"panels": 5, "expr": "up"}') == []


def problems_of(folder: Path, name: str, text: str, contract: Contract) -> list[str]:
    """What is wrong in a file of this content."""
    path = folder / name
    path.write_text(text)
    return [p for e in expressions([path], folder) for p in problems(e, contract)]


def test_a_board_is_fine(tmp_path: Path, names: Contract) -> None:
    assert problems_of(tmp_path, "b.json", json.dumps(BOARD), names) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            ("legendFormat", "{{method}}"),
            "its legend needs `method`: `method` was dropped by `sum by (route)`",
        ),
        (
            ("expr", 'up{job="$__from",jo="$job"}'),
            '`up`: `jo="$…"`: there is no label `jo`; nearest: `job`',
        ),
        (("expr", 'app_requests_total{route="$missing"}'), None),
        (("expr", "$metric_of_a_variable"), None),
    ],
)
def test_what_a_panel_takes_of_its_query(
    tmp_path: Path, names: Contract, change: tuple[str, str], problem: str | None
) -> None:
    board = json.loads(json.dumps(BOARD))
    target = board["panels"][1]["targets"][0]
    target.update(dict([change]))
    if change[0] == "expr":
        del target["legendFormat"]
    told = problems_of(tmp_path, "b.json", json.dumps(board), names)
    assert [p.startswith(problem) for p in told] == [True] if problem else told == []


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("label_values(up, job)", None),
        ("label_values(app_connections{listener=\"public\"}, instance)", None),
        ("label_values(job)", None),
        ("label_names()", None),
        ("metrics(app_.*)", None),
        ("query_result(sum by (job) (up))", None),
        ("label_values(up, joob)", "`label_values(up, joob)`: there is no label `joob`; nearest: `job`"),
        ("label_values(upp, job)", "no metric `upp`: nothing emits it; nearest: `up`"),
        ("label_values(up, job, x)", "no PromQL: "),
        ("query_result(sum by (a) (up))", "`sum by (a)`: there is no label `a`"),
        ("metrics(apps_.*)", "`metrics(apps_.*)`: no metric matches"),
        ("labels_values(up, job)", "not understood: `labels_values(up, job)`"),
    ],
)  # fmt: skip
def test_variables(tmp_path: Path, names: Contract, query: str, problem: str | None) -> None:
    board = {
        "schemaVersion": 41,
        "panels": [],
        "templating": {"list": [{"name": "v", "type": "query", "query": query}]},
    }
    told = problems_of(tmp_path, "b.json", json.dumps(board), names)
    assert [p.startswith(problem) for p in told] == [True] if problem else told == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{{ $labels.job }} {{ .Labels.job }} {{ $labels.severity }}", None),
        ("{{ with $labels.route }}{{ $labels.route }}{{ end }}", None),
        ('{{ or $labels.route "any" }}', None),
        ("{{ $labels.route }}", "its `summary` needs `route`: there is no label `route`"),
        ("{{ .Labels.route }}", "its `summary` needs `route`: there is no label `route`"),
        ('{{ query "sum(upp)" }}', "no metric `upp`: nothing emits it; nearest: `up`"),
        ('{{ printf "sum(upp{job=%q})" .x | query }}', None),
    ],
)
def test_annotations_take_labels_that_the_alert_has(
    tmp_path: Path, names: Contract, text: str, problem: str | None
) -> None:
    rule = {
        "alert": "A",
        "expr": "up == 0",
        "labels": {"severity": "page"},
        "annotations": {"summary": text},
    }
    told = problems_of(
        tmp_path, "r.yaml", json.dumps({"groups": [{"name": "a", "rules": [rule]}]}), names
    )
    assert [p.startswith(problem) for p in told] == [True] if problem else told == []


def test_a_test_is_of_an_alert_that_there_is(tmp_path: Path, names: Contract) -> None:
    """promtool is content with a near miss of an alert that does not exist."""
    test = {"alert_rule_test": [{"eval_time": "1m", "alertname": "AppDwon"}]}
    text = json.dumps({"rule_files": ["r.yaml"], "tests": [test]})
    told = problems_of(tmp_path, "t.yaml", text, names)
    assert told == ["there is no alert `AppDwon`; nearest: `AppDown`"]


def test_which_files_are_looked_at(tmp_path: Path) -> None:
    for name in (
        "alerts/a.yaml", "alerts/source/a.yaml", "alerts/runbooks/a.md", "dashboards/json/a.json", "infra/a.yml",
        "dashboards/generate.py", "docs/a.md", "docs/reference/README.md", "src/a.yaml", "loadtest/b/README.md",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [path.relative_to(tmp_path).as_posix() for path in files(tmp_path)] == [
        "dashboards/json/a.json",
        "alerts/a.yaml",
        "alerts/runbooks/a.md",
        "infra/a.yml",
        "loadtest/b/README.md",
        "docs/a.md",
    ]
