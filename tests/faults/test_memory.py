"""Memory refused while the service is under load: requests may be turned away, but what clients saw
is what was counted, the books balance, and once there is memory again nothing is turned away any more.
"""

import time
from collections import Counter

import pytest

import accesslog
from load import GOOD, MALFORMED, Tally, run_mixed
from service import Service
from wire import Connection, ask, eventually

pytestmark = pytest.mark.timeout(120)

TOTAL = 1500
EVERY = (2, 3, 7, 31, 211)
SERVED_ASKS = 1000  # at most, until memory that is there again serves
ENV = {"OTEL_EXPORTER_OTLP_TIMEOUT": "500", "OTEL_BSP_EXPORT_TIMEOUT": "1000",
       "OTEL_BLRP_EXPORT_TIMEOUT": "1000", "OTEL_LOGS_EXPORTER": "otlp"}


def statuses(log):
    return Counter(int(entry["sc-status"]) for entry in log.entries if entry["sc-status"])


def check_seen(log, tally):
    """Each answer that somebody read whole is a line with that status; a line more than that is one
    whose reader got no whole answer."""
    lines = statuses(log)
    for status, count in tally.answered.items():
        assert count <= lines[status] or status == 503, (status, count, lines)
    # A 503 may be a connection's that was refused before it was a request.
    unread = len(log.entries) - sum(tally.answered.values()) + tally.answered[503]
    assert unread >= 0


def load(service, control, order, seed):
    """The load with memory refused; whoever fails then is not the load's fault."""
    order(control.orders.memory)
    tally = run_mixed(service.public, TOTAL, seed, concurrency=8)
    control.orders.memory.order()
    return tally


def check_calm(service, seed):
    """With memory again, not one fails."""
    asked = iter(range(SERVED_ASKS))

    def served():
        next(asked)
        try:
            return ask(service.public).status == 200
        except Exception:  # noqa: BLE001: one that was refused before
            return False
    assert eventually(served)
    tally = run_mixed(service.public, 300, seed)
    assert (tally.failed, tally.refused) == ([], 0)
    return tally


def check_books(line, log, collector, tallies, probes=0):
    sent = sum(tally.sent for tally in tallies) + probes
    whole = sum(count for tally in tallies for status, count in tally.answered.items()
                if status != 503)
    assert whole <= line["finished"] <= sent + SERVED_ASKS
    assert line["log_written"] + line["log_dropped"] == line["finished"]
    assert line["log_written"] == len(log.entries)
    assert line["spans_acknowledged"] <= collector.acknowledged
    assert line["otlp_logs_acknowledged"] <= collector.logs_acknowledged
    for tally in tallies:
        check_seen(log, tally)


@pytest.mark.parametrize("ours_only", [False, True], ids=["everybody's", "ours"])
@pytest.mark.parametrize("every", EVERY)
def test_every_nth_is_refused(control, tmp_path, every, ours_only, collector):
    path = tmp_path / "log"
    seed = control.orders.seed
    control.orders.ours_only = ours_only
    env = control.env(collector.env(**ENV), collector.trusted)
    with Service("--workers", "2", "--flush-timeout", "2s", log=path, env=env) as service:
        tally = load(service, control, lambda memory: memory.order(every=every), seed)
        refused = control.orders.memory.refused
        calm = check_calm(service, seed + 1)
        line = service.stop()
    assert refused > 0
    check_books(line, accesslog.load(path), collector, [tally, calm])


@pytest.mark.parametrize("ours_only", [False, True], ids=["everybody's", "ours"])
def test_all_is_refused_for_a_while(control, tmp_path, ours_only, collector):
    """Who is connected goes on, probes too; the rest may be turned away."""
    path = tmp_path / "log"
    seed = control.orders.seed
    control.orders.ours_only = ours_only
    env = control.env(collector.env(**ENV), collector.trusted)
    with Service("--workers", "2", "--flush-timeout", "2s", log=path, env=env,
                 admin=True) as service:
        warm = run_mixed(service.public, 300, seed)
        probing = Connection(service.admin)
        assert probing.ask("/readyz").status == 200
        control.orders.memory.from_now_on()
        until = time.monotonic() + 1
        tally, probes = Tally(), 2
        while time.monotonic() < until:
            assert probing.ask("/livez").status == 200
            probes += 1
            more = run_mixed(service.public, 100, seed, concurrency=4)
            tally.sent += more.sent
            tally.answered += more.answered
        control.orders.memory.order()
        calm = check_calm(service, seed + 1)
        assert ask(service.admin, "/readyz").status == 200
        probing.close()
        line = service.stop()
    assert control.orders.memory.refused > 0
    check_books(line, accesslog.load(path), collector, [warm, tally, calm], probes)


def test_a_scrape_without_memory_is_an_error_and_the_next_is_whole(control):
    env = control.env({"OTEL_TRACES_EXPORTER": "none"})
    with Service("--workers", "1", env=env, admin=True) as service:
        with Connection(service.admin) as connection:
            assert connection.ask("/livez").status == 200
            control.orders.memory.from_now_on()
            first = connection.ask("/metrics")
            control.orders.memory.order()
            assert first.status == 503
            second = connection.ask("/metrics")
            assert second.status == 200 and second.body.endswith(b"\n")
            assert b"http_server_request_duration_seconds_count" in second.body
