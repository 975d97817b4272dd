"""From outside, through whatever leads in: a Gateway or an Ingress. What the client sent is what the service served and
all three signals have; what is the operators' stays inside; a roll behind it loses nothing."""

import json
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from client import NAMESPACE, Client
from cluster import Cluster
from collected import Spans
from conftest import Prometheus
from follow import Logs
from gateway import UNPROVED, Door, conditions, find
from glassbox import OPERATORS, Glassbox
from release import Release
from rolls import PATH, Event, Rolls, Table, in_order, is_gone
from wire import eventually

pytestmark = pytest.mark.usefixtures("quiet")

SENT = 100
OURS = "glassbox-traefik"  # the class of charts/stack's Gateway
FORGED = "203.0.113.9"
# What operators ask on their own port; /metrics answers on the users' as well.
INSIDE = ("/metrics", "/livez", "/readyz", "/faults", "/version", "/page/events", "/incidents/outage")
# The same, written so that who leads in may read another path than who answers.
DISGUISED = ("/demo/../metrics", "/demo/%2e%2e/metrics", "/demo/..%2fmetrics", "//metrics", "/demo/hello/../../metrics",
             "/%6detrics", "/demo/..;/metrics", "/METRICS")


@pytest.fixture(scope="module")
def door(cluster: Cluster, service: Glassbox) -> Door:
    """What leads in."""
    found = find(cluster, service)
    if isinstance(found, str):
        pytest.skip(f"{found}; {UNPROVED}")
    return found


@pytest.fixture(scope="module")
def ours(door: Door) -> Door:
    """It is the Gateway of charts/stack."""
    if door.gateway.get("spec", {}).get("gatewayClassName") != OURS:
        pytest.skip(f"not the Gateway of charts/stack; {UNPROVED} through that one")
    return door


def own(cluster: Cluster, door: Door) -> list[dict[str, Any]]:
    """The pods of our Gateway."""
    return cluster.items(door.gateway["metadata"]["namespace"], "pods", "app.kubernetes.io/name=traefik")


def test_it_is_accepted(door: Door) -> None:
    """The route names a Gateway that takes it and a Service that is there; both are said of the route as it is now."""
    if door.kind == "Ingress":
        pytest.skip("an Ingress tells no conditions; unproved: nothing, its address is used below")
    generation = door.route["metadata"]["generation"]
    for parent in door.route["status"]["parents"]:
        assert {one["observedGeneration"] for one in parent["conditions"]} == {generation}
        assert {name: conditions(parent)[name] for name in ("Accepted", "ResolvedRefs")} == {
            "Accepted": "True", "ResolvedRefs": "True"}
    assert conditions(door.gateway["status"])["Programmed"] == "True"
    assert sum(one["attachedRoutes"] for one in door.gateway["status"]["listeners"]) >= 1


def test_what_was_sent_is_counted_once(door: Door, rolls: Rolls, logs: Logs, spans: Spans, caller: Client,
                                       frozen: list[str]) -> None:
    """Requests, lines, spans and observations, one by one by their ids and by count, on more than one pod."""
    before = rolls.counted()
    agent = f"door/{secrets.token_hex(4)}"
    answers = caller.call(f"{door.url}{PATH}", SENT, agent)
    ids = Counter(answer.trace_id for answer in answers)
    assert [answer.status for answer in answers] == [200] * SENT and len(ids) == SENT and "" not in ids
    lines = logs.wait_entries(SENT, {"x-route": PATH, "cs(User-Agent)": agent})
    assert Counter(entry["x-trace-id"] for entry in lines) == ids
    traced = spans.wait_servers(SENT, {"user_agent.original": agent})
    assert Counter(span.trace_id for span in traced) == ids
    assert rolls.counted() - before == SENT
    assert len({entry["pod"] for entry in lines}) > 1, "all went to one pod"


def test_trace_goes_on_and_the_client_is_known(ours: Door, cluster: Cluster, service: Glassbox, logs: Logs, spans: Spans,
                                               caller: Client) -> None:
    """The span's parent is the caller's own. The service's line has the address of the Gateway's pod; whose request it
    was says the Gateway's line of the same trace, and no header of the client's can say otherwise."""
    trace, parent = secrets.token_hex(16), secrets.token_hex(8)
    caller.curl("--output", "/dev/null", "--header", f"traceparent: 00-{trace}-{parent}-01",
                "--header", f"X-Forwarded-For: {FORGED}", "--header", f"X-Real-Ip: {FORGED}", f"{ours.url}{PATH}")
    assert eventually(lambda: any(span.trace_id == trace for span in spans.look().servers()), 30, 0.5)
    span = next(span for span in spans.servers() if span.trace_id == trace)
    line, = logs.wait_entries(1, {"x-trace-id": trace})
    assert span.parent == parent
    assert line["c-ip"] in {pod["status"]["podIP"] for pod in own(cluster, ours)}

    def said() -> list[dict[str, Any]]:
        return [entry for entry in gateways_log(cluster, ours) if trace in entry.get("downstream_Traceresponse", "")]
    assert eventually(said, 20, 0.5), gateways_log(cluster, ours)[-3:]
    entry, = said()
    client = cluster.get(f"/api/v1/namespaces/{NAMESPACE}/pods/{caller.name}")["status"]["podIP"]
    assert (entry["ClientHost"], entry["DownstreamStatus"], entry["RequestPath"]) == (client, 200, PATH)
    assert FORGED not in json.dumps(entry) + json.dumps(line)


def gateways_log(cluster: Cluster, door: Door) -> list[dict[str, Any]]:
    """Its last lines, of all its pods."""
    space = door.gateway["metadata"]["namespace"]
    texts = (cluster.text(f"/api/v1/namespaces/{space}/pods/{pod['metadata']['name']}/log?tailLines=500")
             for pod in own(cluster, door))
    return [json.loads(text) for one in texts for text in one.splitlines() if text.startswith("{")]


def test_from_a_node_s_port(ours: Door, cluster: Cluster) -> None:
    """From beyond the pods' network, as kind's mapped port leads in: of this machine's loopback, or of the node's."""
    space = ours.gateway["metadata"]["namespace"]
    port = cluster.get(f"/api/v1/namespaces/{space}/services/gateway")["spec"]["ports"][0].get("nodePort")
    if not port or not cluster.is_node:
        pytest.skip("no port of a node that is known to be reached from here; unproved: nothing but that port")
    nodes = cluster.get("/api/v1/nodes")["items"]
    host = next(one["address"] for one in nodes[0]["status"]["addresses"] if one["type"] == "InternalIP")
    said = cluster.run("curl", "-sS", "--max-time", "20", "--output", "/dev/null", "--write-out", "%{http_code}",
                       f"http://{host}:{port}{PATH}").stdout
    assert said == "200"


def test_what_is_the_operators_stays_inside(door: Door, service: Glassbox, caller: Client) -> None:
    """By its own name and by others; within the cluster the same paths answer, so it is the door that refuses."""
    def asked(*urls: str) -> list[str]:
        words = [word for each in urls for word in ("--output", "/dev/null", each)]
        return caller.curl("--path-as-is", "--write-out", "%{http_code} %{url}\n", *words).splitlines()
    pod = next(pod["status"]["podIP"] for pod in service.pods())
    within = asked(f"http://{service.host}/metrics", *(f"http://{pod}:{OPERATORS}{path}" for path in ("/livez", "/version")))
    assert [line.split()[0] for line in within] == ["200"] * 3
    outside = asked(*(f"{door.url}{path}" for path in (*INSIDE, *DISGUISED)))
    assert len(outside) == len(INSIDE + DISGUISED)
    assert [line for line in outside if not line.startswith(("404 ", "400 "))] == []


def test_it_is_scraped(ours: Door, prometheus: Prometheus) -> None:
    """Requests by status, of the Gateway itself."""
    assert eventually(lambda: prometheus.value('count(up{job="traefik"} == 1)'), 60, 1)
    assert eventually(lambda: prometheus.value('sum(traefik_entrypoint_requests_total{entrypoint="web",code="200"})'), 60, 1)


@pytest.fixture
def put_back(cluster: Cluster, service: Glassbox) -> Iterator[Release]:
    """The release as it was."""
    release = Release(cluster, service)
    revision = release.revision()
    try:
        yield release
    finally:
        release.rollback(revision)
        time.sleep(1)  # until the controller has seen it
        service.settle()


def test_a_roll_behind_it_loses_nothing(door: Door, rolls: Rolls, put_back: Release, service: Glassbox,
                                        frozen: list[str], results: Path) -> None:
    """All pods are replaced under load from outside: every request is answered, once, and is in every signal."""
    rolls.url = door.url

    def upgrade() -> Event:
        old = service.names()
        changed = {"podAnnotations": {"e2e-roll": str(time.time())},
                   "autoscaling__minReplicas": len(old), "autoscaling__maxReplicas": len(old)}
        return lambda: put_back.upgrade(**changed), is_gone(service, old), len(old)
    in_order(rolls, Table(results / "gateway.md"), f"helm upgrade, by {door.kind}", upgrade, 35)
