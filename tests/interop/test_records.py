"""A record as a real Collector has it: there before it is acknowledged, and the same through every
channel."""

import json
from pathlib import Path

import pytest

from otelcol import LOGS, SIGNALS, Otelcol, Signal
from run import LOOK, acknowledged, environment
from service import Service
from wire import ask, eventually

AT_ONCE = {"OTEL_BSP_SCHEDULE_DELAY": "0", "OTEL_BLRP_SCHEDULE_DELAY": "0"}

# What every channel is given: a parent from elsewhere, text that needs care, an error, a child span.
PARENT = [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
          ("tracestate", "vendor=value, other=a b"), ("User-Agent", "caf\xe9 \"x\"")]
ASKED = ("/demo/hello?delay=1", "/no/such?q=%22%00%ff&empty=", "/demo/hello?delay=x", "/")

# What differs from one process, connection or moment to the next.
OWN_FIELDS = {"spanId", "parentSpanId", "startTimeUnixNano", "endTimeUnixNano", "timeUnixNano",
              "observedTimeUnixNano"}
OWN_ATTRIBUTES = {"network.peer.port", "client.port", "service.instance.id", "process.pid",
                  "http.server.request.duration"}


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
def test_written_before_it_is_acknowledged(signal: Signal, otelcol_binary: str,
                                           tmp_path: Path) -> None:
    """No queue, no batch, no buffer: the file has a record as soon as the service knows that it was
    taken. With a buffer that is emptied once a second it would have it by chance at best."""
    made = 0

    def taken() -> bool:
        nonlocal made
        body = ask(service.public, "/metrics", headers=LOOK).body.decode()
        made += signal is LOGS
        return acknowledged(signal, body) >= wanted
    # One worker: its records leave in the order of the requests.
    with Otelcol(otelcol_binary, tmp_path) as otelcol, \
            Service("--workers", "1", env=environment(**otelcol.env(**AT_ONCE))) as service:
        for _ in range(20):
            _, span_id, _ = ask(service.public).trace
            made += 1
            wanted = made
            assert eventually(taken, timeout=30, pause=0.002)
            written = [record["spanId"] for record in otelcol.written(signal)]
            assert written[wanted - 1:wanted] == [span_id]


def lasting(part):
    """Any part of OTLP's JSON without what is its own."""
    if isinstance(part, list):
        return [lasting(item) for item in part
                if not (isinstance(item, dict) and item.get("key") in OWN_ATTRIBUTES)]
    if isinstance(part, dict):
        return {name: lasting(value) for name, value in part.items() if name not in OWN_FIELDS}
    return part


def sent_through(otelcol: Otelcol, signal: Signal, compression: str) -> list[str]:
    """What the Collector has of `ASKED`, sorted; resource and scope with each record."""
    resources, scopes, records = signal.parts
    env = environment(**otelcol.env(**AT_ONCE, OTEL_EXPORTER_OTLP_COMPRESSION=compression))
    with Service(env=env) as service:
        for target in ASKED:
            ask(service.public, target, headers=PARENT)
        line = service.stop()
    assert line[signal.terms + "acknowledged"] == line[signal.sent] >= len(ASKED)
    return sorted(json.dumps(lasting([resource["resource"], scope["scope"], record]),
                             sort_keys=True)
                  for request in otelcol.requests(signal) for resource in request[resources]
                  for scope in resource[scopes] for record in scope[records])


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
def test_same_through_every_channel(signal: Signal, otelcol_binary: str, certificates: Path,
                                    tmp_path: Path) -> None:
    arrived = {}
    for name, tls, compression in (("plain", None, "none"), ("gzip", None, "gzip"),
                                   ("TLS", certificates, "none"),
                                   ("TLS, gzip", certificates, "gzip")):
        folder = tmp_path / name
        folder.mkdir()
        only = compression if compression != "none" else None
        with Otelcol(otelcol_binary, folder, tls, only) as otelcol:
            arrived[name] = sent_through(otelcol, signal, compression)
    assert len(arrived["plain"]) >= len(ASKED)
    assert all(PARENT[0][1].split("-")[1] in record for record in arrived["plain"])
    for name, records in arrived.items():
        assert records == arrived["plain"], name
