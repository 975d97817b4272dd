"""What the dashboards ask is answered by the operator's Prometheus, under load: also what tests/dashboards can only
feed, which is a cluster's. What is left empty is a list with reasons, held exactly."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

import answers
import reading
from answers import Answer, ask_all, missing
from client import LoadTest
from drilling import kubectl
from drills.configmap import ConfigMap
from reading import Expression, every_expression
from wire import eventually

# Scrapes each 5 s, in the demo profile: Grafana makes it four of them.
BUILT_IN = {**reading.BUILT_IN, "__rate_interval": "20s"}
SPAN = 900  # seconds that a board shows: starts of pods, too

# What is empty, and why that is right: (a name of the series, or where it stands) -> the reason.
EMPTY = [
    (r"otel_sdk_(processor_|exporter_)?log_\w+", "(?!Log records$).*",  # that one says 2, which is `off`
     "log records are not sent: the access log on stdout has each request already (otlp.logs)"),
    (r"container_cpu_cfs_\w+", ".*",
     "the chart sets no CPU limit: nothing is throttled, and cAdvisor has no series of it"),
]


def reason(expression: Expression) -> str:
    """Why it is empty; nothing where it must not be."""
    return next((why for names, where, why in EMPTY if re.fullmatch(where, expression.where)
                 and any(re.fullmatch(names, name) for name in expression.names)), "")


@pytest.fixture(scope="module")
def load_test(cluster, stack, service, clients) -> Iterator[None]:
    """Results of one are coming."""
    running = LoadTest(cluster, service.host, f"{stack.prometheus}.{stack.monitoring}.svc:9090")
    running.on()
    yield
    running.off()


@pytest.fixture(scope="module")
def trouble(cluster, service, prometheus, switch, tmp_path_factory) -> Iterator[None]:
    """A fault is in force in every pod, an alert fires, and a pod has begun: else marks, rows and ends of these would be
    false. Not on the drill's route, which would find its alert firing already."""
    switch.on()
    cluster.kubectl("--namespace", service.namespace, "delete", "pod", service.names()[0])
    service.settle()
    plan = {"begin": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "faults": [{"route": "/demo/work", "duration": "30m", "error": {"ratio": 0.5, "status": 503}}]}
    armed = ConfigMap(f"{service.name}-faults", service.namespace,
                      kubectl=str(kubectl(cluster, tmp_path_factory.mktemp("trouble"))))
    try:
        armed.arm(plan)
        assert eventually(lambda: all(service.in_force().values()), 150, 1), "the kubelet brings it within a minute or so"
        assert eventually(lambda: prometheus.value('count(ALERTS{alertstate="firing", severity="page"})'), 180, 1)
        yield
    finally:
        armed.restore()
        eventually(lambda: not any(service.in_force().values()), 150, 1)


@pytest.fixture(scope="module")
def asked(prometheus, trouble, load_test, results, request) -> dict[Expression, Answer]:
    """All of them, once, until there is no answer to come any more."""
    patch = pytest.MonkeyPatch()
    request.addfinalizer(patch.undo)
    patch.setattr(reading, "BUILT_IN", BUILT_IN)
    found = ask_all(prometheus, every_expression(), patience=90, span=SPAN)
    (results / "dashboards.json").write_text(json.dumps({
        **answers.counts(found),
        "empty": {str(one): reason(one) for one, answer in found.items() if missing(one, answer)}}, indent=2) + "\n")
    return found


def test_every_expression_is_answered(asked):
    """Or there is a reason for it to be empty."""
    assert {str(one): one.filled for one, answer in asked.items() if missing(one, answer) and not reason(one)} == {}


def test_every_reason_is_needed(asked):
    """What was answered after all has no excuse any more."""
    assert [str(one) for one, answer in asked.items() if reason(one) and not missing(one, answer)] == []
    assert all(any(why == reason(one) for one in asked) for _, _, why in EMPTY)


def test_what_a_cluster_has_is_answered_by_the_cluster(asked):
    """kube-state-metrics, cAdvisor and a load test, by the names that tests/dashboards feeds."""
    names = {name for one, answer in asked.items() if not missing(one, answer) for name in one.names}
    assert {name.split("_")[0] for name in names} >= {"kube", "container", "http", "glassbox", "k6"}
