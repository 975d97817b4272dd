"""What a fault does to a request: bytes, metric, span, child span, log line, kind by kind; and whom it
never touches."""

import json
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

import faults
from collector import Collector, attributes
from faults import Operator, plan
from service import Service
from wire import Closed, Connection, Response, ask, eventually, request
from witness import Witness, Witnesses

INTERNAL = 1
ALWAYS = {"ratio": 1}
ERROR = {"ratio": 1, "status": 503}
LATENCY = {"p50": "30ms", "p90": "30ms", "p99": "30ms"}
DETAIL = "this error was injected by a fault plan"


@pytest.fixture(scope="module")
def service(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    token = faults.token_file(tmp_path_factory.mktemp("faults"))
    with Service("--fault-token-file", token, "--random-error-ratio", "0", "--workers", "2",
                 admin=True, env=collector.env()) as service:
        yield service


@pytest.fixture(scope="module")
def operator(service: Service) -> Operator:
    return Operator(service)


@pytest.fixture
def arm(operator: Operator) -> Iterator[Callable[..., dict[str, Any]]]:
    """Arms one entry for a route; nothing is in force after the test."""
    def put(route: str = "/demo/hello", name: str = "drill", **kinds: Any) -> dict[str, Any]:
        return operator.put(plan({"route": route, **kinds}, begin=None, name=name, seed=3))
    yield put
    assert operator.clear()["source"] == "none"


def cut(call: Callable[[], Response]) -> Callable[[], None]:
    """An exchange that must not come to its end."""
    def run() -> None:
        with pytest.raises(Closed):
            call()
    return run


def child(collector: Collector, witness: Witness) -> Any:
    """The one INTERNAL span `fault` within the witness's."""
    found = collector.wait(witness.line["x-trace-id"], kind=INTERNAL)
    span, = [seen.span for seen in found if seen.span.name == "fault"]
    assert span.parent_span_id == witness.span.span_id
    assert (witness.span.start_time_unix_nano <= span.start_time_unix_nano
            <= span.end_time_unix_nano <= witness.span.end_time_unix_nano)
    return span


def assert_told(witness: Witness, kinds: str) -> None:
    """Attributes, one event and x-fault say the same."""
    assert witness.line["x-fault"] == witness.attributes["glassbox.fault.kinds"] == kinds
    assert witness.attributes["glassbox.fault.plan"] == "drill"
    assert witness.attributes["glassbox.fault.n"] >= 0
    names = [event.name for event in witness.span.events]
    assert names.count("fault.injected") == 1
    assert ("glassbox.fault.delay_ms" in witness.attributes) == ("latency" in kinds)
    assert ("glassbox.fault.cpu_ms" in witness.attributes) == ("cpu" in kinds)
    assert ("glassbox.fault.status" in witness.attributes) == ("error" in kinds)


def assert_untouched(witness: Witness) -> None:
    assert witness.line["x-fault"] is None
    assert not any(key.startswith("glassbox.fault") for key in witness.attributes)
    assert all(event.name != "fault.injected" for event in witness.span.events)


# ---- kind by kind -------------------------------------------------------------------------------

@pytest.mark.parametrize("status", [400, 404, 429, 500, 503, 599])
def test_error(service, witnesses, collector, arm, status):
    arm(error={"ratio": 1, "status": status})
    before = faults.injected(service, "/demo/hello")
    with Connection(service.public) as connection:
        witness = witnesses.of(connection.ask)
        assert not witness.response.closes
    assert witness.response.status == status
    assert witness.response.header("content-type") == "application/problem+json"
    assert json.loads(witness.response.body)["detail"] == DETAIL
    assert_told(witness, "error")
    assert witness.attributes["glassbox.fault.status"] == status
    assert witness.error == (str(status) if status >= 500 else None)
    child(collector, witness)
    after = faults.injected(service, "/demo/hello")
    assert after == {**before, "error": before["error"] + 1}


@pytest.mark.parametrize("status, title, header", [
    (401, "Unauthorized", ("www-authenticate", "Bearer")),
    (405, "Method Not Allowed", ("allow", "GET, HEAD, OPTIONS")),
    (499, "Client Error", None), (599, "Server Error", None)])
def test_an_error_is_a_whole_answer(service, arm, status, title, header):
    """With a title, and with the header that its status asks for."""
    arm(error={"ratio": 1, "status": status})
    response = ask(service.public)
    assert (response.status, json.loads(response.body)["title"]) == (status, title)
    for name in ("www-authenticate", "allow"):
        assert response.header(name) == (header[1] if header and header[0] == name else None)


def test_error_to_head_and_as_text(service, witnesses, arm):
    arm(error=ERROR)
    with Connection(service.public) as connection:
        witness = witnesses.of(lambda: connection.ask(method="HEAD"))
        assert (witness.response.status, witness.response.body) == (503, b"")
        assert_told(witness, "error")
        text = connection.ask(headers=[("Accept", "text/plain")])
    assert text.body == f"503 Service Unavailable: {DETAIL}\n".encode()


def test_latency(service, witnesses, collector, arm):
    arm(latency=LATENCY)
    before = service.value("glassbox_fault_delay_seconds_total", http_route="/demo/hello")
    witness = witnesses.of(lambda: ask(service.public))
    assert witness.response.body == b"hello, world!\n"
    assert_told(witness, "latency")
    delay_ms = witness.attributes["glassbox.fault.delay_ms"]
    assert 0 <= delay_ms <= 30
    span = child(collector, witness)
    assert span.end_time_unix_nano - span.start_time_unix_nano >= delay_ms * 1e6 - 1
    assert float(witness.line["time-taken"]) >= delay_ms / 1e3 - 1e-6
    waited = service.value("glassbox_fault_delay_seconds_total", http_route="/demo/hello") - before
    assert waited == pytest.approx(delay_ms / 1e3, abs=1e-6)
    assert witness.error is None


def test_latency_before_the_handlers_own_wait(service, witnesses, collector, arm):
    """Two waits, two child spans, one after the other."""
    arm(latency={"p50": "10ms", "p90": "10ms", "p99": "10ms"})
    witness = witnesses.of(lambda: ask(service.public, "/demo/hello?delay=20"))
    assert witness.response.status == 200
    own = child(collector, witness)
    spans = collector.wait(witness.line["x-trace-id"], kind=INTERNAL, count=2)
    delay, = [seen.span for seen in spans if seen.span.name == "delay"]
    assert own.end_time_unix_nano <= delay.start_time_unix_nano


def test_cpu_then_the_handlers_own_work(service, witnesses, collector, arm):
    arm("/demo/work", cpu={"per_request": "20ms"})
    witness = witnesses.of(lambda: ask(service.public, "/demo/work?cpu_ms=15"))
    assert witness.response.body.startswith(b"burnt 15.")
    assert_told(witness, "cpu")
    assert 20 <= witness.attributes["glassbox.fault.cpu_ms"] < 30
    assert float(witness.line["time-taken"]) >= 0.035
    own = child(collector, witness)
    assert own.end_time_unix_nano - own.start_time_unix_nano >= 20e6


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reset(service, witnesses, collector, arm, method):
    arm(reset=ALWAYS)

    def run():
        with Connection(service.public) as connection:
            connection.send(request(method=method))
            with pytest.raises(Closed) as closed:
                connection.response(method)
        assert closed.value.reset and closed.value.partial == b""
    witness = witnesses.of(run)
    assert_told(witness, "reset")
    assert witness.error == "fault_reset"
    assert witness.line["sc-status"] is None
    assert witness.line["sc-bytes"] == "0"
    child(collector, witness)


def test_truncate(service, witnesses, collector, arm):
    """The head promises all of the body; half of it comes, then the end."""
    arm(truncate=ALWAYS)
    with Connection(service.public) as connection:
        def run():
            connection.send(request())
            with pytest.raises(Closed) as closed:
                connection.response()
            assert not closed.value.reset
            assert closed.value.partial == b"hello, "
        witness = witnesses.of(run)
    assert_told(witness, "truncate")
    assert witness.error == "fault_truncated"
    assert witness.line["sc-status"] == "200"
    child(collector, witness)


def test_truncate_has_nothing_to_cut_of_head(service, witnesses, arm):
    arm(truncate=ALWAYS)
    with Connection(service.public) as connection:
        witness = witnesses.of(lambda: connection.ask(method="HEAD"))
        assert witness.response.header("content-length") == "14"
    assert_untouched(witness)


def test_several_at_once(service, witnesses, collector, arm):
    """Latency and CPU first; of the answers the reset wins, then the error."""
    arm(latency=LATENCY, cpu={"per_request": "5ms"}, error=ERROR, truncate=ALWAYS)
    witness = witnesses.of(lambda: ask(service.public))
    assert witness.response.status == 503
    assert_told(witness, "error,latency,cpu")
    arm(latency=LATENCY, reset=ALWAYS, error=ERROR, truncate=ALWAYS)
    witness = witnesses.of(cut(lambda: ask(service.public)))
    assert_told(witness, "latency,reset")
    span = child(collector, witness)
    assert (span.end_time_unix_nano - span.start_time_unix_nano
            >= witness.attributes["glassbox.fault.delay_ms"] * 1e6 - 1)


def test_a_plan_without_a_name_has_none_in_the_span(service, witnesses, operator):
    operator.put(plan({"route": "/demo/hello", "error": ERROR}, begin=None))
    witness = witnesses.of(lambda: ask(service.public))
    operator.clear()
    assert witness.attributes["glassbox.fault.kinds"] == "error"
    assert "glassbox.fault.plan" not in witness.attributes


# ---- whom it never touches ----------------------------------------------------------------------

ALL = {"error": ERROR, "reset": ALWAYS, "latency": LATENCY, "cpu": {"per_request": "1ms"},
       "truncate": ALWAYS}


@pytest.mark.parametrize("target, method, status", [
    ("/livez", "GET", 200), ("/readyz", "GET", 200), ("/version", "GET", 200),
    ("/faults", "GET", 401), ("/incidents/outage", "POST", 401), ("/no/such", "GET", 404)])
def test_operators_are_never_struck(service, witnesses, arm, target, method, status):
    arm("/*", **ALL)
    witness = witnesses.of(lambda: ask(service.operators, target, method))
    assert witness.response.status == status
    assert_untouched(witness)


@pytest.mark.parametrize("target, method, status", [
    ("/demo/hello", "OPTIONS", 204), ("/demo/hello", "POST", 405), ("/", "DELETE", 405),
    ("/no/such", "GET", 404), ("/livez", "GET", 404)])
def test_what_no_handler_answers_is_never_struck(service, witnesses, arm, target, method, status):
    arm("/*", **ALL)
    witness = witnesses.of(lambda: ask(service.public, target, method))
    assert witness.response.status == status
    assert_untouched(witness)


def test_refusals_and_scrapes_are_never_struck(service, witnesses, arm):
    arm("/*", **ALL)
    witness = witnesses.of(lambda: ask(service.public, host=None))
    assert (witness.response.status, witness.error) == (400, "bad_host")
    assert_untouched(witness)
    for address in (service.public, service.operators):
        for _ in range(3):
            assert ask(address, "/metrics").status == 200
    assert all(entry["x-fault"] is None for entry in service.log.entries
               if entry["x-route"] == "/metrics")


def test_other_routes_go_on(service, witnesses, arm):
    arm("/demo/hello", **ALL)
    witness = witnesses.of(lambda: ask(service.public, "/"))
    assert witness.response.status == 200
    assert_untouched(witness)


# ---- who does not wait for it -------------------------------------------------------------------

def test_a_client_that_goes_while_it_waits(service, witnesses, collector, arm):
    """It waited as long as it was there, and got no error."""
    arm(latency={"p50": "60s", "p90": "60s", "p99": "60s"}, error=ERROR)
    before = faults.injected(service, "/demo/hello")
    waited = service.value("glassbox_fault_delay_seconds_total", http_route="/demo/hello")

    def run():
        with Connection(service.public) as connection:
            connection.send(request())
            assert eventually(lambda: connection.is_taken())
            time.sleep(0.05)
            connection.reset()
    witness = witnesses.of(run)
    assert witness.error == "client_disconnected"
    assert witness.line["sc-status"] is None
    assert_told(witness, "latency")
    delay_ms = witness.attributes["glassbox.fault.delay_ms"]
    assert 0 < delay_ms <= float(witness.line["time-taken"]) * 1e3 + 0.001
    after = service.value("glassbox_fault_delay_seconds_total", http_route="/demo/hello")
    assert after - waited == pytest.approx(delay_ms / 1e3, abs=1e-6)
    assert faults.injected(service, "/demo/hello") == {**before, "latency": before["latency"] + 1}
    child(collector, witness)


def test_a_client_that_goes_while_it_burns(service, witnesses, arm):
    arm(cpu={"per_request": "20s"})

    def run():
        with Connection(service.public) as connection:
            connection.send(request())
            time.sleep(0.1)
            connection.reset()
    witness = witnesses.of(run)
    assert witness.error == "client_disconnected"
    assert_told(witness, "cpu")
    assert 0 <= witness.attributes["glassbox.fault.cpu_ms"] < 20_000


def test_a_wait_leaves_the_worker_to_others(tmp_path):
    """One worker: a request that is held up holds up nobody else."""
    path = tmp_path / "plan.json"
    faults.write(path, plan({"route": "/demo/hello",
                             "latency": {"p50": "30s", "p90": "30s", "p99": "30s"}}))
    with Service("--faults", path, "--workers", "1") as service:
        with Connection(service.public) as held:
            held.send(request())
            for _ in range(20):
                assert ask(service.public, "/").status == 200


def test_sigterm_while_a_request_is_held_up(tmp_path):
    """What is in flight is drained: its injected wait too, and the books balance."""
    path = tmp_path / "plan.json"
    faults.write(path, plan({"route": "/demo/hello", "seed": 12,
                             "latency": {"p50": "3s", "p90": "4s", "p99": "4s"}}))
    with Collector() as collector, Service("--faults", path,
                                           env=collector.env()) as service:
        answers = []
        with Connection(service.public) as connection:
            connection.send(request())
            assert eventually(lambda: connection.is_taken())
            waiter = threading.Thread(target=lambda: answers.append(connection.response()))
            waiter.start()
            line = service.stop()
            waiter.join()
        assert [(answer.status, answer.closes) for answer in answers] == [(200, True)]
        assert line["spans_internal"] == 1
    assert [entry["x-fault"] for entry in service.log.entries] == ["latency"]


def test_a_drain_that_is_over_ends_it(tmp_path):
    path = tmp_path / "plan.json"
    faults.write(path, plan({"route": "/demo/hello", "error": ERROR,
                             "latency": {"p50": "60s", "p90": "60s", "p99": "60s"}}))
    with Service("--faults", path, "--drain-timeout", "50ms") as service:
        with Connection(service.public) as connection:
            connection.send(request())
            assert eventually(lambda: connection.is_taken())
            service.stop()
    entry, = service.log.entries
    assert (entry["x-error"], entry["sc-status"], entry["x-fault"]) == ("shutdown", None, "latency")


def test_the_log_record_says_the_same(tmp_path):
    """Where log records are exported they have the span's attributes."""
    path: Path = tmp_path / "plan.json"
    faults.write(path, plan({"route": "/demo/hello", "error": ERROR, "latency": LATENCY,
                             "cpu": {"per_request": "1ms"}}, name="records"))
    with Collector() as collector, \
            Service("--faults", path,
                    env=collector.env(OTEL_LOGS_EXPORTER="otlp")) as service:
        response = ask(service.public)
        _, span_id, _ = response.trace
        seen, = collector.wait_logs(span_id)
        span, = collector.wait(span_id=span_id)

    def told(holder: Any) -> dict[str, Any]:
        return {key: value for key, value in attributes(holder).items()
                if key.startswith("glassbox.fault")}
    assert told(seen.record) == told(span.span)
    assert told(seen.record)["glassbox.fault.kinds"] == "error,latency,cpu"
