"""Labels on their way up: what aggregations, functions and operators leave of them."""

import pytest
from contract import Contract, Expression, problems

BUCKETS = "rate(app_duration_seconds_bucket[5m])"
REQUESTS = "rate(app_requests_total[5m])"

FINE = [
    f"histogram_quantile(0.99, sum by (le, route) ({BUCKETS}))",
    f"histogram_quantile(0.99, {BUCKETS})",
    f"sum by (route) ({REQUESTS})",
    f"sum by (instance) (sum without (route) ({REQUESTS}))",
    f"sum without (instance, pod) ({REQUESTS})",
    f"sum(sum by (route) ({REQUESTS}))",
    f"topk by (route) (3, {REQUESTS})",
    f"sum by (method) (topk(3, {REQUESTS}))",
    f"max_over_time(sum by (route) ({REQUESTS})[1h:1m])",
    f"max_over_time((sum by (route) ({REQUESTS}) > 0)[1h:1m] offset 1d)",
    'count by (version) (count_values("version", app_connections_limit))',
    f"sum by (route) ({REQUESTS}) / sum by (route) ({REQUESTS})",
    f'sum by (route) (rate(app_requests_total{{code=~"5.."}}[5m])) / on (route) sum by (route) ({REQUESTS})',
    f"sum by (route, code) ({REQUESTS}) / on (route) group_left () sum by (route) ({REQUESTS})",
    f"sum by (route, code) ({REQUESTS}) / ignoring (code) group_left () sum by (route) ({REQUESTS})",
    f"sum by (instance) ({REQUESTS}) * on (instance) group_left (version) app_info",
    f"app_info * on (instance) group_right (version) sum by (instance, route) ({REQUESTS})",
    f"sum by (version) (sum by (instance) ({REQUESTS}) * on (instance) group_left (version) app_info)",
    'app_connections{listener="public"} / ignoring (listener) app_connections_limit',
    'app_connections{listener="public"} / on (job, instance) app_connections_limit',
    "sum by (route) (rate(app_requests_total[5m])) or vector(0)",
    f"sum({REQUESTS}) > bool 5",
    f"sum by (route) ({REQUESTS}) > 5",
    f"sum by (route) ({REQUESTS}) and on (route) (sum by (route) ({REQUESTS}) > 5)",
    'sum by (short) (label_replace(app_connections, "short", "$1", "listener", "(.*)"))',
    'label_replace(app_connections, "a", "b", "", "")',
    'sum by (both) (label_join(app_connections, "both", "-", "job", "listener"))',
    'absent(up{job="app"}) * on () group_left () vector(1) or absent(up{job="app"})',
    'sum by (job) (absent(up{job="app",instance=~".+"}))',
    "scalar(app_connections_limit) * app_connections",
    "-app_connections",
    'sum by (__name__) ({__name__=~"app_connections.*"})',
    "predict_linear(app_connections[1h], 3600)",
    "app_connections == ignoring (instance) group_left () max without (instance) (app_connections)",
    "sum by (objective, route) (route:app_requests:rate5m)",
    "sum by (objective) (route:app_requests:twice)",
    'up{job="app"} == 0 unless on (job) app_connections_limit',
]

REFUSED = [
    (
        f"histogram_quantile(0.99, sum by (route) ({BUCKETS}))",
        "`histogram_quantile` needs `le`: `le` was dropped by `sum by (route)`",
    ),
    (
        "histogram_quantile(0.99, rate(app_duration_seconds_count[5m]))",
        "`histogram_quantile` needs `le`: there is no label `le` "
        "(there are: container, endpoint, instance, job, namespace, otel_metric_overflow, pod, route, service)",
    ),
    (
        f"sum by (instance) (sum by (route) ({REQUESTS}))",
        "`sum by (instance)`: `instance` was dropped by `sum by (route)`",
    ),
    (
        f"sum by (job) (sum({REQUESTS}))",
        "`sum by (job)`: `job` was dropped by `sum`",
    ),
    (
        f"max by (job) (max_over_time(sum by (route) ({REQUESTS})[1h:1m]))",
        "`max by (job)`: `job` was dropped by `sum by (route)`",
    ),
    (
        f"sum without (route) (sum by (job) ({REQUESTS}))",
        "`sum without (route)`: `route` was dropped by `sum by (job)`",
    ),
    (
        f"sum by (le) (histogram_quantile(0.9, {BUCKETS}))",
        "`sum by (le)`: `le` was dropped by `histogram_quantile`",
    ),
    (
        f"topk by (worker) (3, sum by (route) ({REQUESTS}))",
        "`topk by (worker)`: there is no label `worker` (there are: route)",
    ),
    (
        'sum by (route) (rate(app_requests_total{route=""}[5m]))',
        """`sum by (route)`: `route` was dropped by `route=""`""",
    ),
    (
        f"sum by (job) ({REQUESTS}) / sum by (route) ({REQUESTS})",
        "`/`: one side has `job`, on the other `job` was dropped by `sum by (route)`",
    ),
    (
        'app_connections{listener="public"} / app_connections_limit',
        "`/`: one side has `listener`, on the other there is no label `listener`; nearest: `instance` "
        "(there are: container, endpoint, instance, job, namespace, pod, service)",
    ),
    (
        'app_connections{listener="public"} - app_connections{listener="operators"}',
        "`-`: the sides never have the same `listener`",
    ),
    (
        f"sum by (job) ({REQUESTS}) or on (rout) sum by (route) ({REQUESTS})",
        "`or on (rout)`: there is no label `rout` (there are: job)",
    ),
    (
        f"sum by (job) ({REQUESTS}) / on (route) sum by (route) ({REQUESTS})",
        "`/ on (route)`: `route` was dropped by `sum by (job)`",
    ),
    (
        "app_connections / ignoring (listner) app_connections",
        "`/ ignoring (listner)`: there is no label `listner`; nearest: `listener` (there are: container, "
        "endpoint, instance, job, listener, namespace, otel_metric_overflow, pod, service)",
    ),
    (
        f"sum by (instance) ({REQUESTS}) * on (instance) group_left (versoin) app_info",
        "`group_left (versoin)`: there is no label `versoin`; nearest: `version` "
        "(there are: container, endpoint, instance, job, namespace, pod, service, version)",
    ),
    (
        f"sum by (job) (sum by (job) ({REQUESTS}) / on () group_right () sum by (route) ({REQUESTS}))",
        "`sum by (job)`: `job` was dropped by `sum by (route)`",
    ),
    (
        'sum by (job) (app_connections{listener="public"} / on (instance) app_connections_limit)',
        "`sum by (job)`: `job` was dropped by `/ on (instance)`",
    ),
    (
        'label_replace(app_connections, "a", "$1", "listner", "(.*)")',
        "`label_replace`: there is no label `listner`; nearest: `listener` (there are: container, "
        "endpoint, instance, job, listener, namespace, otel_metric_overflow, pod, service)",
    ),
    (
        'label_join(sum by (job) (app_connections), "a", "-", "job", "listener")',
        "`label_join`: `listener` was dropped by `sum by (job)`",
    ),
    (
        'sum by (instance) (absent(up{job="app"}))',
        "`sum by (instance)`: there is no label `instance` (there are: job)",
    ),
    (
        "absent(app_duration_seconds_count)",
        "`absent` of a histogram (`app_duration_seconds_count`): ask `up` instead",
    ),
    ("rate(app_connections[5m])", "`rate` of `app_connections`, which is a gauge"),
    ("delta(app_requests_total[5m])", "`delta` of `app_requests_total`, which is a counter"),
    (
        "histogram_fraction(0, 0.1, app_connections)",
        "`histogram_fraction` works on native histograms alone, and classic series are queried",
    ),
    (
        "histogram_count(app_connections)",
        "`histogram_count` works on native histograms alone, and classic series are queried",
    ),
    (
        "mad_over_time(app_connections[5m])",
        "`mad_over_time` is not in both Prometheus 2.42 and 3",
    ),
    (
        "holt_winters(app_connections[5m], 0.5, 0.5)",
        "no PromQL: unknown function with name 'holt_winters'",
    ),
    ("limitk(2, app_connections)", "`limitk`: Prometheus 2.42 does not know it"),
    (
        "sum by (pod) (route:app_requests:rate5m)",
        "`sum by (pod)`: `pod` was dropped by `sum by (route)`",
    ),
]


@pytest.mark.parametrize("text", FINE)
def test_labels_that_are_left_may_be_named(names: Contract, text: str) -> None:
    assert problems(Expression("here", text), names) == []


@pytest.mark.parametrize(("text", "problem"), REFUSED)
def test_labels_that_are_gone_are_refused_with_what_took_them(
    names: Contract, text: str, problem: str
) -> None:
    assert problems(Expression("here", text), names) == [problem]


def test_everything_that_is_wrong_is_told_once(names: Contract) -> None:
    text = 'sum by (a) (app_connections{listener="x"}) / sum by (a) (app_connections{listener="x"})'
    told = problems(Expression("here", text), names)
    assert len(told) == 2
    assert told[0].startswith('`app_connections`: `listener="x"`')
    assert told[1].startswith("`sum by (a)`: there is no label `a`")
