"""Every read and write may be cut short, interrupted or told to come again: nothing that anybody
sees of the service changes. The bytes to a client are the same, every line of the log is whole, every
span arrives, the books balance, and no request fails.
"""

import re
import signal

import pytest

import accesslog
from collector import Collector
from load import GOOD, MALFORMED, run_mixed
from service import QUIET, Service
from wire import Closed, Connection, eventually, request

pytestmark = pytest.mark.timeout(120)

# How many of a hundred transfers meet what.
WEATHERS = {
    "cut": {"short_percent": 90},
    "interrupted": {"interrupted_percent": 40},
    "told to come again": {"again_percent": 40},
    "all of it": {"short_percent": 50, "interrupted_percent": 15, "again_percent": 15},
}
COUNTS = {"short_percent": "cut", "interrupted_percent": "interrupted",
          "again_percent": "told_again"}
TOTAL = 2000
LOGS = {"OTEL_LOGS_EXPORTER": "otlp"}


def turn(control, weather):
    for name, percent in weather.items():
        setattr(control.orders, name, percent)


def check_weather(control, weather):
    """It did happen, and often."""
    for name in weather:
        assert getattr(control.orders, COUNTS[name]) > 20, name


# ---- bytes --------------------------------------------------------------------------------------

# What differs from one answer to the next by its nature: times and ids.
VARYING = [(re.compile(rb"\r\nDate: [^\r]*"), b""), (re.compile(rb"\r\ntraceresponse: [^\r]*"), b""),
           (re.compile(rb"burnt [0-9.]* ms"), b"")]

BODY = b"0123456789abcdef" * 4000
CONVERSATIONS = {
    "a pipeline": [(method, raw) for method, raw in GOOD
                   if not re.search(rb" (/|/demo/random-error)[ ?]", raw)] * 4,
    "large bodies": [("POST", request("/demo/hello", "POST", body=BODY)),
                     ("GET", request("/version")),
                     ("POST", request("/demo/hello", "POST", body=BODY[:5]))] * 5,
    "large heads": [("GET", request("/demo/hello", headers=[("X-Large", "v" * 12000)]))] * 10,
} | {f"malformed {number}": [("GET", raw)] for number, raw in enumerate(MALFORMED)}


def bytes_of(address, conversation):
    """All answers as they came, without what varies."""
    answers = []
    with Connection(address, timeout=30) as connection:
        connection.send(b"".join(raw for _, raw in conversation))
        for method, _ in conversation:
            raw = connection.response(method).raw
            for pattern, replacement in VARYING:
                raw = pattern.sub(replacement, raw)
            answers.append(raw)
    return answers


@pytest.mark.parametrize("weather", WEATHERS)
def test_a_client_sees_the_same_bytes(control, weather):
    with Service("--workers", "1", env=control.env(QUIET)) as service:
        calm = {name: bytes_of(service.public, c) for name, c in CONVERSATIONS.items()}
        turn(control, WEATHERS[weather])
        for name, conversation in CONVERSATIONS.items():
            assert bytes_of(service.public, conversation) == calm[name], name
    check_weather(control, WEATHERS[weather])


# ---- signals ------------------------------------------------------------------------------------

def check_end(line, sent, log, collector):
    """Everything that was sent is everywhere."""
    assert line["finished"] == sent
    assert line["log_written"] == len(log.entries) == sent
    assert line["spans_acknowledged"] == line["spans_ended"] == collector.acknowledged
    assert line["otlp_logs_acknowledged"] == collector.logs_acknowledged == sent
    spans = [seen.span for seen in collector.spans()]
    assert len({span.span_id for span in spans}) == len(spans) == line["spans_ended"]
    assert {entry["x-span-id"] for entry in log.entries} <= {span.span_id.hex() for span in spans}


@pytest.mark.parametrize("weather", WEATHERS)
def test_every_request_is_everywhere(control, weather, tmp_path, collector):
    path = tmp_path / "log"
    env = control.env(collector.env(**LOGS), collector.trusted)
    with Service("--workers", "2", log=path, env=env) as service:
        turn(control, WEATHERS[weather])
        tally = run_mixed(service.public, TOTAL, control.orders.seed)
        assert (tally.failed, tally.refused) == ([], 0)
        line = service.stop()
    check_weather(control, WEATHERS[weather])
    check_end(line, tally.sent, accesslog.load(path), collector)


def test_a_log_that_is_reopened_loses_no_line(control, tmp_path):
    """Cut short in the middle of a line, and the file changes: each line is whole in one of them."""
    path = tmp_path / "log"
    with Collector() as collector:
        with Service("--workers", "2", log=path, env=control.env(collector.env(**LOGS))) as service:
            turn(control, WEATHERS["all of it"])
            sent = 0
            for number in range(4):
                sent += run_mixed(service.public, TOTAL // 4, control.orders.seed + number).sent
                path.rename(tmp_path / f"log.{number}")
                service.signal(signal.SIGHUP)
                assert eventually(path.exists)
            line = service.stop()
        log = accesslog.Log()
        for part in [*(tmp_path / f"log.{n}" for n in range(4)), path]:
            log.entries += accesslog.load(part).entries
        check_end(line, sent, log, collector)


@pytest.mark.parametrize("exporter", ["console", "none"])
def test_the_standard_streams_stay_whole(control, exporter):
    """Log on stdout, diagnostics and spans on stderr, both pipes."""
    with Service("--workers", "2", env=control.env({"OTEL_TRACES_EXPORTER": exporter})) as service:
        turn(control, WEATHERS["all of it"])
        tally = run_mixed(service.public, TOTAL, control.orders.seed)
        assert (tally.failed, tally.refused) == ([], 0)
        line = service.stop()
        assert line["finished"] == tally.sent == len(service.log.entries)
        spans = [m for m in service.messages if "traceId" in m or "trace_id" in m]
        assert len(spans) == line.get("spans_acknowledged", 0)


# ---- a connection that ends ---------------------------------------------------------------------

def test_who_goes_away_is_noticed(control):
    """Interruptions hide no client that has gone, and make none of one that stays."""
    with Service("--workers", "1", env=control.env(QUIET)) as service:
        turn(control, {"interrupted_percent": 60, "again_percent": 30})
        with Connection(service.public, timeout=30) as staying:
            for number in range(20):
                with Connection(service.public) as going:
                    going.send(request("/demo/hello?delay=5000"))
                    if number % 2:
                        going.reset()
                assert staying.ask().status == 200
            assert eventually(lambda: sum(
                entry["x-error"] == "client_disconnected" for entry in service.log.entries) == 20)
            assert eventually(
                lambda: service.value("glassbox_connections", listener="public") == 2)
            with pytest.raises(Closed):
                staying.exchange(b"\0\r\n\r\n")
                staying.response()
