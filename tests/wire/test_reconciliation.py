"""The promise: every request is a log line, a span and an observation, and the three add up.

    finished = observations
             = log lines written + waiting + dropped
             = SERVER spans acknowledged + waiting + in flight + unsampled + dropped + failed

under mixed load, whatever the collector and the log's destination do; and no request pays for it.
`Service.stop` checks the equation itself; here it is held against what the client counted.
"""

import fcntl
import os
import subprocess
import threading

import pytest

import accesslog
from collector import Collector, dead_endpoint
from load import run_mixed
from service import Service, losses, parse_samples
from witness import DURATION
from wire import eventually

pytestmark = pytest.mark.timeout(120)

TOTAL = 20_000
SHORT = {"OTEL_BSP_EXPORT_TIMEOUT": "400", "OTEL_EXPORTER_OTLP_TIMEOUT": "300",
         "OTEL_BSP_SCHEDULE_DELAY": "100"}
OPTIONS = ("--workers", "2", "--flush-timeout", "1s", "--random-error-ratio", "0.2")


def check_client(tally):
    """Not one failed, none waited, and the mix was what it says."""
    assert (tally.failed, tally.refused) == ([], 0)
    assert tally.whole + tally.abandoned == tally.sent
    assert tally.slowest < 10, "a pipeline of 60, delays and work included"
    assert {200, 400, 404, 405, 414, 431, 500, 501, 505} <= set(tally.answered)


def statuses(body):
    """{status: requests} of a scrape; None for those without."""
    result = {}
    for labels, value in parse_samples(body, DURATION).items():
        status = dict(labels).get("http_response_status_code")
        status = int(status) if status else None
        result[status] = result.get(status, 0) + value
    return result


def settle(service, tally):
    """Waits until all that was sent has finished: (that scrape's body, scrapes made on the way,
    which are requests, too)."""
    made = [0]

    def finished():
        body = service.scrape().body.decode()
        made[0] += 1
        count = sum(parse_samples(body, DURATION).values())
        return body if count == tally.sent + made[0] - 1 else None
    body = eventually(finished, timeout=10, pause=0.05)
    assert body, "requests without an end, or more than were sent"
    return body, made[0]


def check_live(body, tally):
    """The equation of the living service: what every scrape can see."""
    def total(name):
        return sum(parse_samples(body, name).values())
    finished = total(DURATION)
    assert total("glassbox_requests_finished_total") == finished
    # Log lines are counted by another thread: the sum is exact when nothing moves.
    assert finished == (total("glassbox_access_log_written_total")
                        + total("glassbox_access_log_waiting")
                        + total("glassbox_access_log_dropped_total"))
    ended = parse_samples(body, "glassbox_spans_ended_total")
    server = sum(value for labels, value in ended.items()
                 if "server" in dict(labels)["kind"].lower())
    assert server == finished
    seen = statuses(body)
    for status, count in tally.answered.items():
        if status != 200:  # scrapes are 200, too
            # A response that was abandoned after its status went out counts with that status.
            assert count <= seen.get(status, 0) <= count + tally.abandoned, status


def run(service, total=TOTAL, seed=1):
    """The load, then the checks that need a living service. Returns (tally, finished)."""
    tally = run_mixed(service.public, total, seed)
    check_client(tally)
    body, scrapes = settle(service, tally)
    check_live(body, tally)
    return tally, tally.sent + scrapes


@pytest.mark.parametrize("mode", ["ok", "slow", "throttled", "unavailable", "garbage", "partial",
                                  "cut", "hang"])
def test_whatever_the_collector_does(mode):
    # Who answers gets the time to: an answer that comes too late is acknowledged on one side only.
    answers = mode in ("ok", "partial")
    options = (*OPTIONS, "--flush-timeout", "20s") if answers else OPTIONS
    with Collector(mode, retry_after="30") as collector:
        env = collector.env(**({} if answers else SHORT))
        with Service(*options, env=env) as service:
            _, finished = run(service)
            line = service.stop()
        collector.stopping.set()
        assert line["finished"] == finished
        assert line["log_dropped"] == 0 and line["log_written"] == finished
        assert len(service.log.entries) == finished
        assert line["spans_acknowledged"] == collector.acknowledged
        if answers:
            assert line["spans_acknowledged"] > 0
            assert line["spans_failed"] == collector.rejected
        else:
            assert line["spans_acknowledged"] == 0
            assert line["spans_failed"] + line["spans_dropped"] + line["spans_inflight"] \
                + line["spans_waiting"] == line["spans_ended"]


def test_collector_dead():
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": dead_endpoint(), **SHORT}
    with Service(*OPTIONS, env=env) as service:
        _, finished = run(service)
        line = service.stop()
    assert line["finished"] == finished
    assert line["spans_acknowledged"] == 0
    assert line["log_written"] == len(service.log.entries) == finished
    assert losses(line, "spans_failed")["connection"] > 0
    assert set(losses(line, "spans_failed")) <= {"connection", "shutdown"}


def test_large_queue_loses_nothing():
    """With a queue for all of it, each request's span arrives, once, under the id in its line."""
    with Collector() as collector:
        env = collector.env(OTEL_BSP_MAX_QUEUE_SIZE="60000", OTEL_BSP_SCHEDULE_DELAY="100")
        with Service("--workers", "2", "--flush-timeout", "20s", env=env) as service:
            _, finished = run(service)
            line = service.stop()
        assert line["spans_acknowledged"] == line["spans_ended"] == collector.acknowledged
        spans = [seen.span.span_id.hex() for seen in collector.find(kind=2)]
    assert len(spans) == len(set(spans)) == finished
    assert set(spans) == {entry["x-span-id"] for entry in service.log.entries}


def test_sampled_in_part():
    with Collector() as collector:
        env = collector.env(OTEL_TRACES_SAMPLER="traceidratio", OTEL_TRACES_SAMPLER_ARG="0.1",
                            OTEL_BSP_MAX_QUEUE_SIZE="60000")
        with Service(*OPTIONS, env=env) as service:
            run(service)
            line = service.stop()
        assert line["spans_acknowledged"] == collector.acknowledged
    assert 0.05 < line["spans_acknowledged"] / line["spans_ended"] < 0.15
    assert line["spans_unsampled"] + line["spans_acknowledged"] == line["spans_ended"]


def test_log_pipe_stuck():
    reader, writer = os.pipe()
    fcntl.fcntl(writer, 1031, 4096)  # F_SETPIPE_SZ
    with Collector() as collector:
        with Service(*OPTIONS, "--access-log-queue", "64KiB", env=collector.env(**SHORT),
                     stdout=writer) as service:
            os.close(writer)
            _, finished = run(service)
            line = service.stop()
    assert line["finished"] == finished
    assert line["log_dropped"] > finished / 2
    assert losses(line, "log_dropped")["queue_full"] > finished / 2
    assert set(losses(line, "log_dropped")) <= {"queue_full", "shutdown"}
    os.set_blocking(reader, False)
    left = os.read(reader, 1 << 16)
    lines = [raw for raw in left.split(b"\n")[:-1] if not raw.startswith(b"#")]
    assert len(lines) == line["log_written"]
    os.close(reader)


def test_log_pipe_slow():
    """A reader that takes a little at a time: some are lost, all are counted."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, 1031, 4096)

    log, done = accesslog.Log(), threading.Event()

    def drip():
        with os.fdopen(reader, "rb", buffering=0) as stream:
            buffered = b""
            while True:
                data = stream.read(4096)
                if not data:
                    assert buffered == b""
                    return
                *lines, buffered = (buffered + data).split(b"\n")
                for raw in lines:
                    log.feed(raw + b"\n")
                done.wait(0.01)
    thread = threading.Thread(target=drip)
    with Service(*OPTIONS, "--access-log-queue", "64KiB", stdout=writer) as service:
        os.close(writer)
        thread.start()
        run(service)
        done.set()
        line = service.stop()
        thread.join(20)
    assert line["log_written"] == len(log.entries)
    assert line["log_dropped"] > 0 and log.remarks


@pytest.mark.root
def test_log_disk_full(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk]).returncode != 0:
        pytest.skip("cannot mount a tmpfs")
    try:
        with Service(*OPTIONS, "--access-log-queue", "64KiB",
                     log=disk / "access.log") as service:
            _, finished = run(service)
            line = service.stop()
        assert line["finished"] == finished
        assert line["log_dropped"] > 0
        raw = (disk / "access.log").read_bytes()
        entries = [one for one in raw.split(b"\n")[:-1] if not one.startswith(b"#")]
        assert len(entries) == line["log_written"]
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_everything_at_once():
    """Collector gone, log stuck, clients rude."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, 1031, 4096)
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": dead_endpoint(), **SHORT}
    with Service(*OPTIONS, "--access-log-queue", "16KiB", env=env, stdout=writer) as service:
        os.close(writer)
        _, finished = run(service, seed=2)
        line = service.stop()
    assert line["finished"] == finished
    assert losses(line, "log_dropped") and losses(line, "spans_failed")
    os.close(reader)


@pytest.mark.parametrize("env", [{"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true"}],
                         ids=["exporter none", "SDK disabled"])
def test_switched_off(env):
    """What is off has no line of the equation; what is left is judged nevertheless."""
    with Service(*OPTIONS, env=env, log="none") as service:
        tally = run_mixed(service.public, 2000)
        _, scrapes = settle(service, tally)
        line = service.stop()
    assert (tally.failed, tally.refused) == ([], 0)
    assert line["finished"] == line["metrics_count"] == tally.sent + scrapes
    assert (line["log"], line["spans"]) == ("off", "off")
    assert not [name for name in line if name.startswith(("log_", "spans_"))], line
