"""Selectors: metrics, labels and values that are, and what is said of those that are not."""

import pytest
from contract import Contract, Expression, problems

VALUES = "(values: `/`, `/hello`, `/work`)"
HAS = "(there are: code, container, endpoint, instance, job, method, namespace, otel_metric_overflow, pod, route, service)"
WHOLE = "a whole number, which not every Prometheus writes the same way; ask for a bound with a fraction"

FINE = [
    "app_requests_total",
    'app_requests_total{route="/hello"}',
    'app_requests_total{route=~"/|/hello"}',
    'app_requests_total{route=~"(/|/wor.)"}',
    'app_requests_total{route=~"(?:/|/hello)"}',
    'app_requests_total{route=~".+"}',
    'app_requests_total{route=~"|/hello"}',
    'app_requests_total{route!=""}',
    'app_requests_total{route=""}',
    'app_requests_total{route!~"/work"}',
    'app_requests_total{code=~"5.."}',
    'app_requests_total{code="200",job="app",instance=~"$instance"}',
    'app_requests_total{otel_metric_overflow="true"}',
    'app_requests_total{namespace="demo",pod=~"app-.*"}',
    "app_requests_total offset 5m",
    "app_requests_total @ end()",
    "rate(app_requests_total[5m] offset 1d)",
    "rate(app_requests_total[$__rate_interval])",
    "rate(app_requests_total[[[window]]])",
    'app_duration_seconds_bucket{le="0.25"}',
    'app_duration_seconds_bucket{le=~"0.1|0.25"}',
    'app_duration_seconds_bucket{le="+Inf"}',
    "app_duration_seconds_sum / app_duration_seconds_count",
    '{__name__="app_connections"}',
    '{__name__=~"app_conn.*"}',
    'up{job="prometheus"}',
    "k6_duration_p95",
    'k6_duration_max{testid="a"}',
    'ALERTS{alertname="AppDown",alertstate="firing",severity="page"}',
    'ALERTS{what="public",severity="ticket",listener="public"}',
    'ALERTS_FOR_STATE{alertname="AppFull"}',
    'route:app_requests:rate5m{route="/hello",objective="availability"}',
    "42",
    "time() - 5",
]

REFUSED = [
    (
        "app_request_total",
        "no metric `app_request_total`: nothing emits it; nearest: `app_requests_total`",
    ),
    ("nothing_like_it", "no metric `nothing_like_it`: nothing emits it"),
    (
        "app_duration_seconds",
        "no metric `app_duration_seconds`: classic series are queried: `app_duration_seconds_bucket`, "
        "`app_duration_seconds_sum`, `app_duration_seconds_count`",
    ),
    (
        "k6_duration_p99",
        "no metric `k6_duration_p99`: nothing emits it; nearest: `k6_duration_p95`",
    ),
    (
        'app_requests_total{rout="/"}',
        '`app_requests_total`: `rout="/"`: there is no label `rout`; nearest: `route` ' + HAS,
    ),
    (
        'app_requests_total{route="/helo"}',
        '`app_requests_total`: `route="/helo"`: no series has the value `/helo`; nearest: `/hello` '
        + VALUES,
    ),
    (
        'app_requests_total{route!="/helo"}',
        '`app_requests_total`: `route!="/helo"`: no series has the value `/helo`; nearest: `/hello` '
        + VALUES,
    ),
    (
        'app_requests_total{route=~"/|/helo"}',
        '`app_requests_total`: `route=~"/|/helo"`: no series has the value `/helo`; nearest: `/hello` '
        + VALUES,
    ),
    (
        'app_requests_total{route=~"/[\\\\\\\\]?|/helo"}',
        '`app_requests_total`: `route=~"/[\\\\\\\\]?|/helo"`: no series has the value `/helo`; nearest: `/hello` '
        + VALUES,
    ),
    (
        'app_requests_total{route!~"/metrics|/work"}',
        '`app_requests_total`: `route!~"/metrics|/work"`: no series has the value `/metrics` '
        + VALUES,
    ),
    (
        'app_requests_total{route=~"/\\\\pL+"}',
        '`app_requests_total`: `route=~"/\\\\pL+"`: cannot be read here, write it plainer: bad escape \\p at position 1',
    ),
    (
        'app_duration_seconds_bucket{le="1"}',
        '`app_duration_seconds_bucket`: `le="1"`: ' + WHOLE,
    ),
    (
        'app_duration_seconds_bucket{le="1.0"}',
        '`app_duration_seconds_bucket`: `le="1.0"`: ' + WHOLE,
    ),
    (
        'app_duration_seconds_bucket{le=~"0.1|1"}',
        '`app_duration_seconds_bucket`: `le=~"0.1|1"`: ' + WHOLE,
    ),
    (
        'app_duration_seconds_bucket{le="0.2"}',
        '`app_duration_seconds_bucket`: `le="0.2"`: no series has the value `0.2`; nearest: `0.25` '
        "(values: `+Inf`, `0.005`, `0.1`, `0.25`, `1.0`, `2.5`)",
    ),
    ('{__name__=~"apps_.*"}', '`__name__=~"apps_.*"`: no series has the value `apps_.*`'),
    (
        'ALERTS{alertname="AppDwon"}',
        '`ALERTS`: `alertname="AppDwon"`: no series has the value `AppDwon`; nearest: `AppDown` (values: `AppDown`, `AppFull`)',
    ),
    (
        'ALERTS_FOR_STATE{alertstate="firing"}',
        '`ALERTS_FOR_STATE`: `alertstate="firing"`: there is no label `alertstate`; nearest: `alertname` (there '
        "are: alertname, container, endpoint, instance, job, listener, namespace, otel_metric_overflow, pod, "
        "service, severity, what)",
    ),
    (
        'route:app_requests:rate5m{route="/work"}',
        '`route:app_requests:rate5m`: `route="/work"`: no series has the value `/work` (values: `/`, `/hello`)',
    ),
    (
        'app_connections{listener="public" or listener="operators"}',
        "`or` between matchers is not PromQL",
    ),
    ('app_requests_total{route=~"(/"}', "no PromQL: illegal regex for (/"),
    ("app_connections[5m", "no PromQL: unexpected end of input inside brackets"),
]


@pytest.mark.parametrize("text", FINE)
def test_what_is_emitted_may_be_asked_for(names: Contract, text: str) -> None:
    assert problems(Expression("here", text), names) == []


@pytest.mark.parametrize(("text", "problem"), REFUSED)
def test_what_nothing_emits_is_refused_by_name(names: Contract, text: str, problem: str) -> None:
    assert problems(Expression("here", text), names) == [problem]


def test_remote_written_series_have_no_target(names: Contract) -> None:
    [problem] = problems(Expression("here", 'k6_duration_p95{instance="a"}'), names)
    assert "there is no label `instance`" in problem


def test_a_series_is_as_its_exporter_writes_it(names: Contract) -> None:
    """promtool's input has bounds as the binary has them, whole numbers too."""
    fine = Expression("here", 'app_duration_seconds_bucket{le="1.0",route="/"}', "series")
    assert problems(fine, names) == []
    [problem] = problems(Expression("here", 'app_duration_seconds_bucket{le="1"}', "series"), names)
    assert "no series has the value `1`" in problem


def test_a_metric_is_missed_once(names: Contract) -> None:
    """What follows of an unknown metric is not told as well."""
    text = "histogram_quantile(0.9, sum by (le, anything) (rate(app_durations_bucket[5m])))"
    [problem] = problems(Expression("here", text), names)
    assert problem.startswith("no metric `app_durations_bucket`")
