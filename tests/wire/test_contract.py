"""docs/contract.json keeps its word: whatever a service is made to expose is in it, and nothing else."""

import json

import pytest

import scrape
from collector import Collector
from service import QUIET, ROOT, Service
from wire import Connection, ask, eventually, request

CONTRACT = json.loads((ROOT / "docs/contract.json").read_text())
OVERFLOW = frozenset({("otel_metric_overflow", "true")})
DURATION = "http_server_request_duration_seconds"
EXPORTED = "otel_sdk_exporter_span_exported_total"


def series_of(name, metric):
    """The names of a family's samples."""
    parts = ("_bucket", "_sum", "_count") if metric["type"] == "histogram" else ("",)
    return {name + part: metric for part in parts}


SERIES = {sample: metric for name, metric in CONTRACT["metrics"].items()
          for sample, metric in series_of(name, metric).items()}


def provoke(service):
    """Requests of every kind: known and unknown routes and methods, both versions, refused, cut off."""
    for target in ("/", "/demo/hello", "/demo/hello?delay=-1", "/demo/work?cpu_ms=1", "/nothing"):
        for method in ("GET", "HEAD", "POST", "BREW"):
            for version in ("1.1", "1.0"):
                with Connection(service.public) as connection:
                    connection.exchange(request(target, method, version=version), method)
    for raw in (b"nonsense\r\n\r\n", request(host=""), b"GET / HTTP/3.0\r\nHost: a\r\n\r\n"):
        with Connection(service.public) as connection:
            connection.exchange(raw)
    with Connection(service.public) as connection:
        connection.send(request("/demo/hello?delay=60000"))
        assert eventually(lambda: service.total("http_server_active_requests") > 1)
        connection.reset()
    ask(service.operators, "/version")
    service.settle()


def broken(samples):
    """What the contract says otherwise, of each sample."""
    for (name, labels), _ in samples.items():
        told = SERIES.get(name)
        if told is None:
            yield f"{name}: not in the contract"
            continue
        values = {key: value for key, value in labels if key != "le"}
        if frozenset(values.items()) == OVERFLOW:
            continue
        bounds = {repr(float(bound)) for bound in told.get("bounds", ())} | {"inf"}
        if name.endswith("_bucket") and dict(labels)["le"] not in bounds:
            yield f"{name}: no bound {dict(labels)['le']}"
        for key in values.keys() - told["labels"].keys():
            yield f"{name}: no label {key}"
        for key, label in told["labels"].items():
            if key not in values and not label.get("optional"):
                yield f"{name}: without {key}: {dict(labels)}"
            if key in values and label["closed"] and values[key] not in label["values"]:
                yield f"{name}: {key}={values[key]}"


def off():
    return QUIET


def console():
    return {"OTEL_TRACES_EXPORTER": "console"}


@pytest.mark.parametrize("env", [off, console], ids=["no exporter", "console"])
def test_what_is_exposed_is_in_the_contract(env, tmp_path):
    with Service("--page", env=env(), admin=True, log=tmp_path / "log") as service:
        provoke(service)
        samples = scrape.parse_openmetrics(service.scrape(scrape.ACCEPT_OPENMETRICS).body).samples
        assert sorted(set(broken(samples))) == []
        errors = {dict(labels).get("error_type") for labels in service.samples(DURATION + "_count")}
        assert {"bad_request", "bad_version", "unknown_method", "client_disconnected"} <= errors


@pytest.mark.parametrize("mode", ["ok", "refusing", "partial"])
def test_what_an_exporter_exposes_is_in_the_contract(mode):
    with Collector(mode) as collector, Service(
            "--flush-timeout", "100ms", admin=True,
            env=collector.env(OTEL_LOGS_EXPORTER="otlp", OTEL_BSP_SCHEDULE_DELAY="50",
                              OTEL_BLRP_SCHEDULE_DELAY="50")) as service:
        ask(service.public)
        assert eventually(lambda: service.total(EXPORTED) > 0)
        samples = scrape.parse_openmetrics(service.scrape(scrape.ACCEPT_OPENMETRICS).body).samples
        assert sorted(set(broken(samples))) == []
    named = {name for name, _ in samples}
    missing = {name for name, metric in CONTRACT["metrics"].items()
               if not named & set(series_of(name, metric))}
    assert missing == set(), "in the contract, and nowhere else"


def test_what_the_contract_says_otherwise_is_seen():
    """A check that cannot fail proves nothing."""
    def told(name, **labels):
        return list(broken({(name, frozenset(labels.items())): 0.0}))
    assert told("glassbox_redy") == ["glassbox_redy: not in the contract"]
    assert told("glassbox_ready", a="b") == ["glassbox_ready: no label a"]
    assert told("glassbox_connections") == ["glassbox_connections: without listener: {}"]
    assert told("glassbox_connections", listener="x") == ["glassbox_connections: listener=x"]
    assert told("glassbox_event_loop_lag_seconds_bucket", worker="0", le="0.3") == [
        "glassbox_event_loop_lag_seconds_bucket: no bound 0.3"]
    assert told("glassbox_connections", otel_metric_overflow="true") == []
