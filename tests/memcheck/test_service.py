"""The whole service under memcheck: all signals on, requests of every kind, a scrape in each format, a
log that is reopened, an end in order. Not an error, nothing lost.
"""

import signal

import pytest

import accesslog
from certificates import Authority
from collector import Collector, server_tls
from load import run_mixed
from programs import FOUND, MEMCHECK
from service import Service
from wire import ask, eventually

pytestmark = pytest.mark.timeout(170)

TOTAL = 1000
FORMATS = ["text/plain", "application/openmetrics-text; version=1.0.0",
           "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily;"
           " encoding=delimited"]
SLOW = ("--drain-timeout", "30s", "--flush-timeout", "30s", "--head-timeout", "60s",
        "--random-error-seed", "1")


def memcheck(tmp_path):
    """valgrind in front, what it says in a file."""
    return [*MEMCHECK, f"--log-file={tmp_path / 'memcheck'}"]


def exercise(service, admin):
    """Requests, scrapes, and an order to reopen."""
    tally = run_mixed(service.public, TOTAL, seed=1, concurrency=8)
    assert (tally.failed, tally.refused) == ([], 0)
    for accept in FORMATS:
        for coding in ("gzip", "identity"):
            headers = [("Accept", accept), ("Accept-Encoding", coding)]
            assert ask(admin, "/metrics", headers=headers).status == 200
    service.signal(signal.SIGHUP)
    assert service.wait_message(lambda m: "reopen" in m.get("message", ""), timeout=20)
    assert ask(service.public).status == 200
    return tally


def check(service, tmp_path):
    """Its end, and what memcheck has to say."""
    service.signal()
    status = service.wait(120)
    said = (tmp_path / "memcheck").read_text()
    assert said == "", said
    assert status == 0 != FOUND
    line = service.reconciliation
    assert line["balanced"]
    return line


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "authority")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_all_signals_to_a_collector(tmp_path, authority, scheme):
    tls, env = None, {}
    if scheme == "https":
        identity = authority.issue("collector", "DNS:localhost,IP:127.0.0.1")
        tls = server_tls(identity.certificate, identity.key)
        env = {"OTEL_EXPORTER_OTLP_CERTIFICATE": str(authority.certificate)}
    with Collector(tls=tls) as collector:
        env |= collector.env(OTEL_LOGS_EXPORTER="otlp", OTEL_EXPORTER_OTLP_COMPRESSION="gzip")
        path = tmp_path / "log"
        service = Service("--workers", "2", *SLOW, env=env, admin=True, log=path,
                          wrapper=memcheck(tmp_path))
        exercise(service, service.admin)
        assert eventually(lambda: collector.acknowledged > 0, timeout=30)
        line = check(service, tmp_path)
        assert line["spans_acknowledged"] == line["spans_ended"] == collector.acknowledged
        assert line["otlp_logs_acknowledged"] == collector.logs_acknowledged == line["finished"]
        assert len(accesslog.load(path).entries) == line["finished"]


def test_console_and_streams(tmp_path):
    env = {"OTEL_TRACES_EXPORTER": "console"}
    service = Service("--workers", "1", *SLOW, env=env, iis=True, wrapper=memcheck(tmp_path))
    exercise(service, service.public)
    line = check(service, tmp_path)
    assert line["spans_acknowledged"] == line["spans_ended"] > 0


def test_a_collector_that_refuses_fails_and_hangs(tmp_path):
    """The ways out of an export that went wrong, and an end in the middle of one."""
    with Collector("garbage") as collector:
        env = collector.env(OTEL_EXPORTER_OTLP_TIMEOUT="3000", OTEL_BSP_EXPORT_TIMEOUT="3000")
        service = Service("--workers", "1", *SLOW[:2], "--flush-timeout", "1s", env=env,
                          wrapper=memcheck(tmp_path))
        for mode in ("garbage", "not_otlp", "cut", "throttled", "partial", "refusing", "hang"):
            seen = len(collector.requests)
            collector.mode = mode
            assert ask(service.public).status == 200
            collector.wait_requests(seen + 1, timeout=30)
        line = check(service, tmp_path)
        assert line["spans_failed"] > 0
        collector.stopping.set()
