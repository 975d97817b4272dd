"""OTLP as it leaves: envelope, headers, resource, the OTEL_* variables, console. TLS and names have
files of their own."""

import json

import pytest

from collector import Collector, attributes, dead_endpoint
from service import Service
from wire import ask, eventually

BASE = {"OTEL_BSP_SCHEDULE_DELAY": "50"}


def exported(collector, env=None, count=1, calls=1):
    """Starts, asks, waits for the spans, stops; returns (service, requests, spans)."""
    with Service(env=env if env is not None else collector.env()) as service:
        for _ in range(calls):
            ask(service.public)
        assert collector.wait_requests(count) >= count
        service.stop()
    return service, collector.requests, collector.spans()


# ---- the request --------------------------------------------------------------------------------

def test_request_line_and_headers():
    with Collector() as collector:
        _, requests, _ = exported(collector)
    request = requests[0]
    assert request.path == "/v1/traces"
    assert request.headers["Content-Type"] == "application/x-protobuf"
    assert request.headers["User-Agent"].startswith("OTel-OTLP-Exporter-C/")
    assert request.headers["Host"] == f"127.0.0.1:{collector.port}"


def test_headers_of_the_operator():
    with Collector() as collector:
        env = collector.env(
            OTEL_EXPORTER_OTLP_HEADERS="api-key=secret,x-general=1",
            OTEL_EXPORTER_OTLP_TRACES_HEADERS="authorization=Bearer%20abc,x-signal=a%2Cb")
        service, requests, _ = exported(collector, env)
    assert requests[0].headers["authorization"] == "Bearer abc"
    assert requests[0].headers["x-signal"] == "a,b"
    assert requests[0].headers["api-key"] is None, "the signal's own variable wins whole"
    assert "abc" not in json.dumps(service.messages), "a secret in the diagnostics"


def contents(collector):
    """What a span says, but for what is of its one request: ids, times, the client's port."""
    own = {"client.port", "network.peer.port", "server.port"}
    seen = collector.spans()[0]
    return (seen.span.name, seen.span.kind, attributes(seen.resource).keys(), seen.scope.name,
            {key: value for key, value in attributes(seen.span).items() if key not in own})


def test_gzip():
    """By either variable, and what comes out of it is what would have gone in."""
    said = []
    for variables in ({}, {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"},
                      {"OTEL_EXPORTER_OTLP_COMPRESSION": "none",
                       "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "gzip"},
                      {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
                       "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "none"}):
        with Collector() as collector:
            _, requests, _ = exported(collector, collector.env(**variables))
            said.append((requests[0].headers["Content-Encoding"], contents(collector)))
    assert [encoding for encoding, _ in said] == [None, "gzip", "gzip", None]
    assert said[0][1] == said[1][1] == said[2][1] and said[0][1][0] == "GET /demo/hello"


@pytest.mark.parametrize("names, exporter, told", [
    (("HTTPS_PROXY", "http_proxy"), "otlp", "http_proxy, HTTPS_PROXY: proxies are not supported"),
    (("ALL_PROXY", "NO_PROXY"), "otlp", "ALL_PROXY: proxies are not supported"),
    (("NO_PROXY",), "otlp", None),
    (("HTTPS_PROXY", "http_proxy", "ALL_PROXY"), "none", None),
])
def test_proxies_are_not_supported(names, exporter, told):
    """Who sets one is told so by its name, never by its value; spans go directly."""
    with Collector() as collector:
        env = collector.env(OTEL_TRACES_EXPORTER=exporter,
                            **{name: "http://user:secret@127.0.0.1:1" for name in names})
        with Service(env=env) as service:
            ask(service.public)
            assert exporter == "none" or collector.wait_requests(1)
            service.stop()
    told_of = [m["message"] for m in service.messages if "prox" in json.dumps(m).lower()]
    assert len(told_of) == (told is not None)
    assert told is None or told_of[0].startswith(told)
    assert "secret" not in json.dumps(service.messages)


@pytest.mark.parametrize("env, path", [
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{}/"}, "/v1/traces"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{}/prefix"}, "/prefix/v1/traces"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{}/prefix/"}, "/prefix/v1/traces"),
    ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "{}/as/is"}, "/as/is"),
    ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "{}"}, "/"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9/no",
      "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "{}/yes"}, "/yes"),
])
def test_endpoints(env, path):
    with Collector() as collector:
        env = {name: value.format(collector.endpoint) for name, value in env.items()}
        _, requests, _ = exported(collector, {**BASE, **env})
    assert requests[0].path == path


def test_localhost_is_found_where_only_ipv4_listens():
    """The resolver's first answer may be ::1; each address is tried."""
    with Collector() as collector:
        env = {**BASE, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://localhost:{collector.port}"}
        exported(collector, env)


def test_batches_have_the_size_asked_for():
    with Collector() as collector:
        env = collector.env(OTEL_BSP_MAX_EXPORT_BATCH_SIZE="10", OTEL_BSP_SCHEDULE_DELAY="10000")
        with Service(env=env) as service:
            for _ in range(35):
                ask(service.public)
            assert collector.wait_requests(3) >= 3, "full batches do not wait for the delay"
            sizes = [sum(len(scope.spans) for resource in r.message.resource_spans
                         for scope in resource.scope_spans) for r in collector.requests]
            assert max(sizes) <= 10
            service.stop()
        assert collector.acknowledged == 35, "the rest goes at the flush"


# ---- who speaks ---------------------------------------------------------------------------------

def resource_of(collector, env):
    _, _, spans = exported(collector, env)
    return attributes(spans[0].resource), spans[0].scope


def test_resource_by_default():
    with Collector() as collector:
        resource, scope = resource_of(collector, collector.env())
    assert resource["service.name"] in ("glassbox", "unknown_service:glassbox")
    assert resource["telemetry.sdk.language"] == "c"
    assert resource["telemetry.sdk.name"] not in ("", "opentelemetry")
    assert resource["telemetry.sdk.version"] and resource["service.instance.id"]
    assert resource["service.version"]
    assert scope.name


def test_resource_from_the_environment():
    with Collector() as collector:
        resource, _ = resource_of(collector, collector.env(
            OTEL_SERVICE_NAME="shop", POD_NAME="shop-1", POD_NAMESPACE="prod",
            OTEL_RESOURCE_ATTRIBUTES="service.name=loses,deployment.environment.name=t%20e%2Cst,"
                                     "service.namespace=market"))
    assert resource["service.name"] == "shop"
    assert resource["deployment.environment.name"] == "t e,st"
    assert resource["service.namespace"] == "market"
    assert resource["k8s.pod.name"] == "shop-1"
    assert resource["k8s.namespace.name"] == "prod"


def test_resource_is_in_the_metrics_too():
    with Collector() as collector:
        env = collector.env(OTEL_RESOURCE_ATTRIBUTES='team.name=a"b\\c')
        with Service(env=env) as service:
            info = dict(next(iter(service.samples("target_info"))))
            ask(service.public)
            resource = attributes(collector.wait(count=1)[0].resource)
    assert info["team_name"] == 'a\\"b\\\\c', "escaped, as the format asks"
    for key, value in resource.items():
        if key != "team.name":
            assert info[key.replace(".", "_")] == str(value)


def test_one_bad_attribute_discards_the_variable():
    with Collector() as collector:
        env = collector.env(OTEL_RESOURCE_ATTRIBUTES="good=1,bad=%zz")
        with Service(env=env) as service:
            assert service.wait_message(
                lambda m: m["level"] == "warn" and "OTEL_RESOURCE_ATTRIBUTES" in str(m))
            ask(service.public)
            resource = attributes(collector.wait(count=1)[0].resource)
    assert "good" not in resource and "bad" not in resource


# ---- switched off, or elsewhere -----------------------------------------------------------------

def test_sdk_disabled():
    with Collector() as collector, Service(env=collector.env(OTEL_SDK_DISABLED="true")) as service:
        response = ask(service.public)
        assert response.status == 200
        service.stop()
        assert collector.requests == []
    assert service.reconciliation["spans"] == "off"
    assert service.reconciliation["finished"] == 1


def test_exporter_none():
    with Service(env={"OTEL_TRACES_EXPORTER": "none"}) as service:
        assert ask(service.public).trace
        assert service.samples("otel_sdk_exporter_span_exported_total"), "stands at 0 nevertheless"
    assert service.reconciliation["spans"] == "off"


def test_console_prints_a_span_a_line_on_stderr():
    with Service(env={"OTEL_TRACES_EXPORTER": "console", **BASE}) as service:
        response = ask(service.public, "/demo/hello?delay=1")
        trace_id, span_id, _ = response.trace
        assert service.wait_message(lambda m: span_id in json.dumps(m)
                                    and "GET /demo/hello" in json.dumps(m))
        service.stop()
        spans = [m for m in service.messages if trace_id in json.dumps(m)]
        assert len(spans) == 2, "the SERVER span and its child"
        assert service.log.wait_count(1) == 1, "stdout is the access log alone"
    assert service.reconciliation["spans_acknowledged"] == 2


@pytest.mark.parametrize("name, value", [
    ("OTEL_BSP_SCHEDULE_DELAY", "soon"), ("OTEL_BSP_MAX_QUEUE_SIZE", "-1"),
    ("OTEL_TRACES_EXPORTER", "zipkin"), ("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"), ("OTEL_PROPAGATORS", "b3"),
    ("OTEL_SDK_DISABLED", "perhaps"),
])
def test_unusable_variable_is_told_and_ignored(name, value):
    with Collector() as collector, Service(env=collector.env(**{name: value})) as service:
        assert service.wait_message(lambda m: m["level"] == "warn" and name in json.dumps(m))
        assert ask(service.public).status == 200


# ---- the collector's answers --------------------------------------------------------------------

def failures(service):
    """{error_type: spans} that the exporter gave up."""
    return {dict(labels).get("error_type"): value for labels, value in
            service.samples("otel_sdk_exporter_span_exported_total").items() if value}


@pytest.mark.parametrize("mode, reason", [
    ("refusing", None), ("garbage", None), ("not_otlp", None), ("cut", None)])
def test_failure_is_counted_with_a_reason(mode, reason):
    with Collector(mode) as collector:
        env = collector.env(OTEL_BSP_EXPORT_TIMEOUT="300", OTEL_EXPORTER_OTLP_TIMEOUT="200")
        with Service("--flush-timeout", "500ms", env=env) as service:
            ask(service.public)
            lost = eventually(lambda: failures(service), timeout=8)
            assert lost and None not in lost, lost
            service.stop()
        assert service.reconciliation["spans_failed"] >= 1
        assert service.reconciliation["spans_acknowledged"] == 0


def test_partial_success_is_never_sent_again():
    with Collector("partial") as collector, Service(env=collector.env()) as service:
        for _ in range(5):
            ask(service.public)
        assert eventually(lambda: "rejected" in failures(service))
        service.stop()
        ids = [seen.span.span_id for seen in collector.spans()]
        assert len(ids) == len(set(ids)), "sent again"
    assert service.reconciliation["spans_failed"] == collector.rejected
    assert service.reconciliation["spans_acknowledged"] == collector.acknowledged


def test_warning_of_the_collector_is_passed_on():
    with Collector("warning") as collector, Service(env=collector.env()) as service:
        ask(service.public)
        assert service.wait_message(lambda m: m["level"] == "warn"
                                    and "please send less" in json.dumps(m))
        service.stop()
    assert service.reconciliation["spans_failed"] == 0
    assert service.reconciliation["spans_acknowledged"] == 1


@pytest.mark.parametrize("mode", ["throttled", "unavailable", "cut"])
def test_retried_until_it_is_taken(mode):
    with Collector(mode, retry_after="1") as collector, Service(env=collector.env()) as service:
        response = ask(service.public)
        assert collector.wait_requests(1)
        collector.mode = "ok"
        assert eventually(lambda: collector.acknowledged == 1, timeout=15)
        assert len(collector.find(*response.trace[:2])) >= 2
        assert service.value("glassbox_span_export_retries_total") >= 1
        service.stop()
        assert service.reconciliation["spans_acknowledged"] == collector.acknowledged
    assert service.reconciliation["spans_failed"] == 0


def test_retry_after_is_kept():
    with Collector("throttled", retry_after="2") as collector, \
            Service(env=collector.env()) as service:
        ask(service.public)
        assert collector.wait_requests(1)
        assert collector.wait_requests(2, timeout=1.5) == 1, "before the two seconds"
        collector.mode = "ok"
        assert eventually(lambda: collector.acknowledged == 1, timeout=10)


def test_collector_that_comes_back_is_found():
    """Loss is told when it starts and when it ends, not once a span."""
    endpoint = dead_endpoint()
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **BASE, "OTEL_BSP_EXPORT_TIMEOUT": "200"}
    with Service("--flush-timeout", "300ms", env=env) as service:
        for _ in range(20):
            ask(service.public)
        assert service.wait_message(lambda m: m["level"] in ("warn", "error"))
        assert eventually(lambda: failures(service))
        warnings = [m for m in service.messages if m["level"] in ("warn", "error")]
        assert len(warnings) <= 5, warnings
