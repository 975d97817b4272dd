"""collector-span: who was told to send, to whom, and what became of it."""

from typing import Any

import pytest

from examine import Case, check, drop, look, one
from glassbox_doctor.collector import spans
from world import NAME, NOW, PODS, World, exposition, otlp, whole

RIGHT = "values of glassbox: otlp.endpoint: http://opentelemetry-collector.watch.svc:4318"
PEERS = ("values of glassbox: networkPolicy.collectorTo: [{namespaceSelector: {matchLabels: "
         "{kubernetes.io/metadata.name: watch}}}]")


def environment(**of: str) -> Any:
    def break_it(world: World) -> None:
        container = one(world, "deployments", NAME)["spec"]["template"]["spec"]["containers"][0]
        container["env"] = [one for one in container["env"] if one["name"] not in of] + [
            {"name": name, "value": value} for name, value in of.items()]
    return break_it


def endpoint(url: str) -> Any:
    return environment(OTEL_EXPORTER_OTLP_ENDPOINT=url)


def no_collector(world: World) -> None:
    drop(world, "services", "opentelemetry-collector")


def down(replicas: int, deployment: bool = True) -> Any:
    def break_it(world: World) -> None:
        one(world, "endpointslices", "opentelemetry-collector-x")["endpoints"] = [{"conditions": {"ready": False}}]
        thing = one(world, "deployments", "opentelemetry-collector")
        thing["spec"]["replicas"] = replicas
        thing["status"] = {}
        drop(world, "pods", "collector-0")
        if not deployment:
            drop(world, "deployments", "opentelemetry-collector")
    return break_it


def failing(retries: int = 0, **failed: int) -> Any:
    return lambda world: world["expositions"].update({PODS[1]: exposition(0, retries, **failed)})


def counters(*lines: str) -> Any:
    return lambda world: world["expositions"].update({"collector-0": "\n".join(lines) + "\n"})


def file(*lines: str) -> Any:
    return lambda world: world["files"].update({"collector-0/reader": "\n".join(lines) + "\n"})


def unreadable(world: World) -> None:
    del world["files"]["collector-0/reader"]


def stale(world: World) -> None:
    file(otlp(PODS[0], NOW - 500))(world)
    world["expositions"][PODS[0]] = exposition(90, 4, timeout=12)


def agent_shut_off(world: World) -> None:
    endpoint("http://$(HOST_IP):4318")(world)
    failing(timeout=9)(world)


CASES = [
    Case("nothing deployed", lambda world: drop(world, "deployments", NAME),
         "there is no Deployment, so nobody sends spans",
         "first mend pods-ready"),
    Case("no endpoint", environment(OTEL_EXPORTER_OTLP_ENDPOINT="", OTEL_TRACES_EXPORTER="none"),
         "otlp.endpoint is empty", RIGHT),
    Case("never sampled", environment(OTEL_TRACES_SAMPLER="always_off"), "no trace is sampled: always_off",
         "values of glassbox: otlp.sampler.name: parentbased_always_on"),
    Case("ratio 0", environment(OTEL_TRACES_SAMPLER="traceidratio", OTEL_TRACES_SAMPLER_ARG="0"),
         "no trace is sampled: traceidratio 0", "values of glassbox: otlp.sampler.name: parentbased_always_on"),
    Case("wrong name", endpoint("http://collector.watch.svc:4318"), "there is no Service collector in namespace watch",
         RIGHT),
    Case("in our own namespace", endpoint("http://opentelemetry-collector:4318"),
         "there is no Service opentelemetry-collector in namespace store", RIGHT),
    Case("no collector", no_collector, "there is no Service opentelemetry-collector in namespace watch",
         "charts/stack/install --only opentelemetry-collector"),
    Case("wrong port", endpoint("http://opentelemetry-collector.watch.svc:4319"),
         "has no port 4319, it has 4317, 4318", RIGHT),
    Case("port of gRPC", endpoint("http://opentelemetry-collector.watch.svc:4317"), "is the port for gRPC", RIGHT),
    Case("collector at 0", down(0), "Deployment opentelemetry-collector is scaled to 0",
         "kubectl -n watch scale deployment/opentelemetry-collector --replicas=1"),
    Case("collector down", down(1), "Deployment opentelemetry-collector is not available: it has no pod",
         "kubectl -n watch logs deployment/opentelemetry-collector --all-containers --tail=20"),
    Case("nobody behind", down(1, deployment=False), "no Deployment stands behind it",
         "charts/stack/install --only opentelemetry-collector"),
    Case("policy", failing(retries=3), "3 tries again, failed: none given up yet", PEERS),
    Case("timeout", failing(timeout=9), "failed: 9 timeout", PEERS),
    Case("token", failing(**{"401": 9}), "failed: 9 401",
         "values of glassbox: otlp.headersSecret: a Secret whose key headers has what the collector asks for"),
    Case("not OTLP", failing(**{"404": 9}), "failed: 9 404", RIGHT),
    Case("overload", failing(**{"503": 9, "timeout": 1}), "failed: 9 503, 1 timeout",
         "values of opentelemetry-collector: resources.limits.memory: more"),
    Case("refused", counters("otelcol_receiver_accepted_spans 0", "otelcol_receiver_refused_spans 12"),
         "has refused all 12 spans", "values of opentelemetry-collector: resources.limits.memory: more"),
    Case("not passed on", counters("otelcol_receiver_accepted_spans 9", "otelcol_exporter_send_failed_spans 9"),
         "has passed none on, 9 were lost at its exporter",
         "values of opentelemetry-collector: tempo.endpoint: where Tempo is, or empty for a file"),
    Case("outside", endpoint("https://otlp.example.com"), "https://otlp.example.com is no Service of the cluster and has "
         "acknowledged 180 spans; that they lie where they should stays unproved", "", "skipped"),
    Case("the node's agent", endpoint("http://$(HOST_IP):4318"), "http://$(HOST_IP):4318 is no Service of the cluster "
         "and has acknowledged 180 spans", "", "skipped"),
    Case("in the same pod", endpoint("http://localhost:4318"), "http://localhost:4318 is no Service", "", "skipped"),
    Case("the node's agent is shut off", agent_shut_off, "failed: 9 timeout",
         "values of glassbox: networkPolicy.collectorTo: [{ipBlock: {cidr: ADDRESS/32}}]"),
    Case("no span of ours", file(otlp("other-1", NOW, "other")), "the collector's file has no span of our pods",
         "wait: doctor --wait 30"),
    Case("no file", unreadable, "the collector's file cannot be read",
         "kubectl -n watch exec collector-0 -c reader -- ls -l /traces"),
    Case("old", stale,
         "the last span of our pods is 500 s old, by this machine's clock: nothing arrives any more (timeout)",
         PEERS),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_collector_span(case: Case) -> None:
    check("collector-span", case)


def test_a_collector_that_passes_on_has_no_file() -> None:
    world = whole()
    one(world, "pods", "collector-0")["spec"]["containers"].pop()
    finding = look(world)["collector-span"]
    assert finding.state == "ok" and "that they can be found there stays unproved" in finding.found


def test_a_few_sampled_spans_may_be_old() -> None:
    world = whole()
    stale(world)
    environment(OTEL_TRACES_SAMPLER="parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG="0.01")(world)
    assert look(world)["collector-span"].state == "ok"


def test_a_failure_that_is_over_breaks_nothing() -> None:
    world = whole()
    world["expositions"][PODS[0]] = exposition(90, 7, connection=12)
    assert look(world)["collector-span"].state == "ok"


def test_a_line_that_was_cut_is_left_out() -> None:
    whole_line = otlp(PODS[0], NOW)
    found = list(spans(whole_line[40:] + "\n" + whole_line + "\n[]\n"))
    assert [(span.service, span.pod, span.end) for span in found] == [("glassbox", PODS[0], NOW)]
