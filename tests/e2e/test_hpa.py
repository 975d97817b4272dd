"""The autoscaler: out on requests alone, out on CPU alone, in again after, never in while it cannot see.

What is sent is reckoned from the targets that are in force: it comes to two replicas more than the least. A little
load goes on all the time: nothing of it may fail when pods go.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from autoscaler import Autoscaler, Sample, target_of, wanted, write_recording
from cluster import Cluster
from conftest import Prometheus, Stack
from glassbox import Glassbox
from openload import Load
from requests_log import Row
from rolls import Rolls
from wire import eventually

pytestmark = [pytest.mark.usefixtures("quiet"), pytest.mark.timeout(900)]

REQUESTS, CPU = "http_requests_per_second", "cpu"
RECORDINGS = Path(__file__).parent / "recordings"
MORE = 2         # replicas beyond the least, by the load
STEADY = 20      # requests a second that go on
HEAVY_RATE = 5   # a second, which burn CPU
PUSH = 60        # seconds that the load lasts which scales by its number
BURN = 90        # and by its CPU: that figure is later, by metrics-server's interval
UNREADABLE = 'ALERTS{alertname="GlassboxHpaMetricUnreadable", alertstate="firing"}'
ADAPTER = "deployment/prometheus-adapter"
SYNC = 15        # seconds between two looks of the autoscaler
BY_REQUESTS = "Scaling on request rate"
BY_CPU = "Scaling on CPU, then with request rate unreadable for a while"
QUIET = [Row("/demo/hello", close=True), Row("/demo/hello?delay=50")]


@pytest.fixture
def scaler(cluster: Cluster, service: Glassbox) -> Iterator[Autoscaler]:
    """At rest: the least replicas, and it reads both metrics."""
    least = service.hpa()["spec"]["minReplicas"]
    with Autoscaler(cluster, service) as watched:
        assert eventually(lambda: is_at_rest(watched.latest(), least), 240, 1), watched.latest()
        service.settle()
        del watched.samples[:]
        yield watched


def is_at_rest(sample: Sample, least: int) -> bool:
    """Whether nothing is to be done."""
    return sample.current == sample.desired == sample.ready == least and {REQUESTS, CPU} <= set(sample.metrics)


def keep(scaler: Autoscaler, name: str, what: str, results: Path) -> None:
    """The table and the recording, also of what failed."""
    (results / f"hpa-{name}.md").write_text(scaler.table(what))
    write_recording(results / f"hpa-{name}.json", scaler.recording(what))


def record(scaler: Autoscaler, name: str, what: str) -> None:
    """With E2E_RECORD, in the repository: of what went as it should."""
    if os.environ.get("E2E_RECORD"):
        RECORDINGS.mkdir(exist_ok=True)
        write_recording(RECORDINGS / f"hpa-{name}.json", scaler.recording(what))


def started(stack: ExitStack, scaler: Autoscaler, rolls: Rolls, rows: list[Row], rate: int, seconds: int) -> Load:
    """A load that is under way."""
    load = Load(rolls.cluster, rolls.namespace, f"http://{rolls.service.host}", rows, rate, seconds)
    stack.enter_context(load)
    scaler.loads.append(load)
    load.wait_begun()
    return load


def within(load: Load, what: str, check: Callable[[], bool]) -> None:
    """Something happens before a load ends."""
    assert eventually(lambda: check() or load.is_over(), load.seconds + 60, 0.5)
    assert check() and not load.is_over(), f"{what}: not before the load was over"


def check_out(scaler: Autoscaler, goal: int, idle: str) -> None:
    """It went out as far as it had to, and the other metric had no part in it."""
    assert goal <= max(one.desired for one in scaler.samples) <= goal + 1
    limit = target_of(scaler.spec, idle)
    over = [one for one in scaler.samples if one.metrics.get(idle, 0) > limit]
    assert not over, f"{idle} was over its target, too: {over[0]}"


def test_requests_alone(scaler: Autoscaler, rolls: Rolls, results: Path) -> None:
    """Cheap requests: out on their number, while the CPU has little to do; in again when they stop."""
    least = scaler.spec["minReplicas"]
    goal = least + MORE
    rate = round(target_of(scaler.spec, REQUESTS) * (goal - 0.6)) - STEADY
    try:
        with ExitStack() as stack:
            steady = started(stack, scaler, rolls, QUIET, STEADY, 2 * PUSH + 60)
            push = started(stack, scaler, rolls, [Row("/demo/hello"), Row("/")], rate, PUSH)
            within(push, f"{goal} replicas", lambda: scaler.latest().ready >= goal)
            rolls.account(push.finish(), push.agent).check_nothing_lost()
            within(steady, f"{least} replicas", lambda: scaler.latest().current == least)
            rolls.account(steady.finish(), steady.agent).check_nothing_lost()
            check_out(scaler, goal, CPU)
        record(scaler, "requests", BY_REQUESTS)
    finally:
        keep(scaler, "requests", BY_REQUESTS, results)


def test_cpu_alone_and_blind(scaler: Autoscaler, rolls: Rolls, stack: Stack, prometheus: Prometheus, results: Path) -> None:
    """Few heavy requests: out on CPU. Then the load ends, and so does what serves the other metric: the CPU says that
    pods could go, and none goes until both can be read again."""
    least = scaler.spec["minReplicas"]
    goal = least + MORE
    asked = rolls.service.deployment()["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"]
    assert asked.endswith("m"), asked
    burnt = float(asked[:-1]) * target_of(scaler.spec, CPU) / 100 * (goal - 0.7)  # milliseconds a second
    heavy = Row(f"/demo/work?cpu_ms={round(burnt / HEAVY_RATE)}")
    patience = scaler.spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] + 2 * SYNC
    try:
        with ExitStack() as loads:
            steady = started(loads, scaler, rolls, QUIET, HEAVY_RATE, BURN + patience + 150)
            push = started(loads, scaler, rolls, [heavy], HEAVY_RATE, BURN)
            within(push, f"{goal} replicas", lambda: scaler.latest().ready >= goal)
            check_out(scaler, goal, REQUESTS)
            blind(scaler, rolls.cluster, prometheus, stack.monitoring, push, patience)
            within(steady, f"{least} replicas", lambda: scaler.latest().current == least)
            for load in (push, steady):
                rolls.account(load.finish(), load.agent).check_nothing_lost()
        record(scaler, "cpu", BY_CPU)
    finally:
        keep(scaler, "cpu", BY_CPU, results)


def blind(scaler: Autoscaler, cluster: Cluster, prometheus: Prometheus, namespace: str, push: Load, patience: int) -> None:
    """No adapter, no load: the replicas stay as they are, for longer than it takes to scale in, and somebody is told."""
    replicas = cluster.kubectl("--namespace", namespace, "get", ADAPTER, "--output=jsonpath={.spec.replicas}")
    cluster.kubectl("--namespace", namespace, "scale", ADAPTER, "--replicas=0")
    try:
        # The autoscaler tells it, though the CPU alone would have it act.
        assert eventually(lambda: scaler.latest().active == ("False", "FailedGetPodsMetric"), 120, 0.5), scaler.latest()
        push.finish()
        limit = target_of(scaler.spec, CPU)
        assert eventually(lambda: is_low(scaler.latest(), limit), 120, 0.5), scaler.latest()
        held = scaler.latest().current
        since = len(scaler.samples)
        assert not eventually(lambda: scaler.latest().desired < held, patience, 0.5), "it scaled in without seeing"
        assert eventually(lambda: prometheus.value(UNREADABLE), 120, 1), "nobody is told"
        seen = scaler.samples[since:]
        assert {one.current for one in seen} == {held}
        assert all(one.active[0] == "False" and REQUESTS not in one.metrics for one in seen), "it could see"
    finally:
        cluster.kubectl("--namespace", namespace, "scale", ADAPTER, f"--replicas={replicas}")


def is_low(sample: Sample, limit: float) -> bool:
    """Whether by the CPU there are more than are needed."""
    return CPU in sample.metrics and wanted(sample.current, sample.metrics[CPU], limit) < sample.current
