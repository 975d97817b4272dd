"""Under constant load: what ends in order loses nothing, what is killed loses what it had in its hands, and no more."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import killing
import pytest
from cluster import Cluster
from glassbox import Glassbox
from killing import Victim
from ledger import SPAN_FLUSH, Moment
from release import Release
from rolls import LONG, Event, Rolls, Table, in_order, is_gone
from wire import eventually

pytestmark = pytest.mark.usefixtures("three", "quiet")

UNPROVED = "the container's process is not one of this machine's; unproved: what is lost when one is killed"


@pytest.fixture(scope="module")
def release(cluster: Cluster, service: Glassbox) -> Release:
    """Helm's."""
    return Release(cluster, service)


@pytest.fixture(scope="module")
def three(release: Release, service: Glassbox) -> Iterator[None]:
    """Three replicas, whatever the autoscaler would have; put back at the end."""
    revision = release.revision()
    release.upgrade(autoscaling__minReplicas=3, autoscaling__maxReplicas=3)
    try:
        wait_for(service, 3)
        yield
    finally:
        release.rollback(revision)
        wait_settled(service)


@pytest.fixture(scope="module")
def table(results: Path) -> Table:
    """build/e2e/rolls.md"""
    return Table(results / "rolls.md")


def wait_for(service: Glassbox, count: int) -> None:
    """Until there are that many, settled."""
    assert eventually(lambda: service.is_settled() and len(service.names()) == count, 240, 0.5), \
        service.deployment()["status"]


def wait_settled(service: Glassbox) -> None:
    """Until the roll that was ordered is over: the controller has seen it."""
    time.sleep(1)
    service.settle()


def pod_of(service: Glassbox, name: str) -> dict[str, Any]:
    """As the API has it."""
    return next(pod for pod in service.pods() if pod["metadata"]["name"] == name)


def test_nothing_happens(rolls: Rolls, table: Table) -> None:
    """The rule for what follows: where nobody ends, the metrics say the same number, too."""
    outcome = in_order(rolls, table, "nothing", lambda: (lambda: None, lambda: True, 0), 10)
    assert outcome.counted == len(outcome.ledger.sent.requests)


def test_rolling_update(rolls: Rolls, release: Release, service: Glassbox, table: Table) -> None:
    """helm upgrade, with another annotation of the pods, and helm rollback."""
    def upgrade() -> Event:
        old = service.names()
        return (lambda: release.upgrade(podAnnotations={"e2e-roll": str(time.time())}), is_gone(service, old), len(old))

    def rollback() -> Event:
        old = service.names()
        return lambda: release.rollback(str(int(release.revision()) - 1)), is_gone(service, old), len(old)
    in_order(rolls, table, "helm upgrade", upgrade, 35)
    in_order(rolls, table, "helm rollback", rollback, 35)


def test_scale_in(rolls: Rolls, release: Release, service: Glassbox, table: Table) -> None:
    """Three to two, by the autoscaler, whose bounds say so."""
    def bounds(count: int) -> None:
        release.upgrade(autoscaling__minReplicas=count, autoscaling__maxReplicas=count)

    def scale_in() -> Event:
        bounds(3)
        wait_for(service, 3)
        return lambda: bounds(2), lambda: len(service.pods()) == 2, 1
    try:
        in_order(rolls, table, "scale-in", scale_in, 40)
    finally:
        bounds(3)
        wait_for(service, 3)


def test_eviction(rolls: Rolls, cluster: Cluster, service: Glassbox, table: Table) -> None:
    """Through the Eviction API, as a drain of the node asks; the disruption budget lets one go at a time."""
    def evict() -> Event:
        one = service.names()[0]
        meta = {"name": one, "namespace": service.namespace}
        path = f"/api/v1/namespaces/{service.namespace}/pods/{one}/eviction"
        return (lambda: cluster.kubectl("create", "--raw", path, "-f", "-", document={
            "apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta}), is_gone(service, [one]), 1)
    in_order(rolls, table, "eviction", evict, 25)


def test_delete(rolls: Rolls, cluster: Cluster, service: Glassbox, table: Table) -> None:
    """kubectl delete pod."""
    def delete() -> Event:
        one = service.names()[0]
        return (lambda: cluster.kubectl("--namespace", service.namespace, "delete", "pod", one, "--wait=false"),
                is_gone(service, [one]), 1)
    in_order(rolls, table, "kubectl delete pod", delete, 25)


# ---- without a word ------------------------------------------------------------------------------

def span_flush(pod: dict[str, Any]) -> float:
    """How long it keeps spans, in seconds."""
    told = {one["name"]: one.get("value") for one in pod["spec"]["containers"][0].get("env", ())}
    return float(told.get("OTEL_BSP_SCHEDULE_DELAY") or SPAN_FLUSH * 1000) / 1000


def die(name: str, how: Callable[[Victim], Moment], rolls: Rolls, service: Glassbox, table: Table) -> dict[str, Any]:
    """One of three; how its container ended, as the API tells it."""
    pod = pod_of(service, service.names()[0])
    victim = killing.find(pod, service.container)
    if victim is None:
        pytest.skip(UNPROVED)

    def status() -> dict[str, Any]:
        return killing.status_of(pod_of(service, victim.pod), service.container)
    outcome = rolls.under_load(name, lambda: how(victim), lambda: status()["restartCount"] > victim.restart, 25, LONG,
                               victim)
    assert outcome.moment and outcome.covered, "the load ended before the container had started again"
    ledger, moment = outcome.ledger, outcome.moment
    table.add(outcome, f"{len(ledger.on_the_dead(moment))} in flight on it; the oldest span "
                       f"lost had ended {ledger.oldest(ledger.without_span(), moment):.1f} s before")
    ledger.check_death(moment, victim.pod, victim.restart, span_flush(pod))
    assert ledger.sent.outcomes("cut"), "nothing was in flight: the load is too small to show anything"
    return status()["lastState"]["terminated"]


def test_sigkill(rolls: Rolls, service: Glassbox, table: Table) -> None:
    """What was in flight on it fails, nothing else does; of its spans those of one interval are lost."""
    ended = die("SIGKILL of one of three", killing.by_signal, rolls, service, table)
    assert ended["exitCode"] == 137


def test_out_of_memory(rolls: Rolls, service: Glassbox, table: Table) -> None:
    """The same, when the kernel does it because the container's memory is used up."""
    victim = killing.find(pod_of(service, service.names()[0]), service.container)
    if victim is None or killing.memory_cgroup(victim) is None or victim.score() < killing.SCORE:
        pytest.skip(f"{UNPROVED} for want of memory")
    ended = die("OOM-kill of one of three", killing.by_memory, rolls, service, table)
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


def test_drain_of_a_node(rolls: Rolls, cluster: Cluster, service: Glassbox, table: Table) -> None:
    """kubectl drain: all that runs on a node goes elsewhere, as fast as the disruption budget lets it."""
    nodes = [node["metadata"]["name"] for node in cluster.get("/api/v1/nodes")["items"]
             if not node["spec"].get("unschedulable") and not node["spec"].get("taints")]
    if len(nodes) < 2:
        pytest.skip("there is one node; unproved: that a drain, which takes all pods of a node, loses nothing")
    drained: list[str] = []

    def drain() -> Event:
        node = pod_of(service, service.names()[0])["spec"]["nodeName"]
        drained.append(node)
        old = [pod["metadata"]["name"] for pod in service.pods() if pod["spec"]["nodeName"] == node]
        return (lambda: cluster.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data",
                                        f"--pod-selector={service.selector}", "--timeout=90s", timeout=120),
                is_gone(service, old), len(old))
    try:
        in_order(rolls, table, "kubectl drain", drain, 60)
    finally:
        for node in drained:
            cluster.kubectl("uncordon", node)
