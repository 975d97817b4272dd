"""The wall clock steps, back or forth, while requests are under way: whatever is dated follows it, no
duration is negative or huge, and nothing waits for an hour that comes again. The monotonic clock never
steps, but may read the same for a while.
"""

import calendar
import email.utils
import signal
import threading
import time
from datetime import datetime, timezone

import pytest

from collector import Collector
from service import QUIET, Service
from wire import Connection, ask, eventually, request

pytestmark = pytest.mark.timeout(120)

S = 1_000_000_000
HOUR = 3600
STEPS = {"an hour back": -HOUR, "an hour ahead": HOUR, "half a second back": -0.5,
         "back into another year": -400 * 24 * HOUR}
NEAR = 3.0  # seconds: the pace of a busy machine, far from any step but the smallest
SUM = "http_server_request_duration_seconds_sum"


class Asker:
    """Asks on a kept connection, with a delay that a step will fall into, until told to stop."""

    def __init__(self, address):
        self.asked = []  # (monotonic seconds at the send, response)
        self.error = None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(address,))
        self.thread.start()

    def run(self, address):
        try:
            with Connection(address) as connection:
                while not self.stopping.is_set():
                    sent = time.monotonic()
                    self.asked.append((sent, connection.ask("/demo/hello?delay=40")))
        except Exception as error:  # noqa: BLE001: told to the test
            self.error = error

    def stop(self):
        self.stopping.set()
        self.thread.join()
        assert self.error is None, self.error
        return self.asked


def log_time(entry):
    text = f"{entry['date']} {entry['time']}"
    form = "%Y-%m-%d %H:%M:%S.%f" if "." in text else "%Y-%m-%d %H:%M:%S"
    return datetime.strptime(text, form).replace(tzinfo=timezone.utc).timestamp()


def wall_at(monotonic):
    """The true wall clock at a reading of our monotonic one."""
    return time.time() - (time.monotonic() - monotonic)


def check_line(entry, wanted):
    assert abs(log_time(entry) - wanted) < NEAR, (entry, wanted)
    assert 0.04 <= float(entry["time-taken"]) < NEAR, entry


def check_span(span, wanted):
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    assert start <= end < start + NEAR * S, span
    assert abs(end / S - wanted) < NEAR, (span, wanted)
    for event in span.events:
        assert start <= event.time_unix_nano <= end, span


def step(control, service, seconds):
    """Turns the clock in the middle of some requests. Returns what was asked before and after; what
    was under way, and until the service's next tick, may be dated either way."""
    asker = Asker(service.public)
    time.sleep(0.6)
    at = time.monotonic()
    control.orders.wall_offset_ns = int(seconds * S)
    time.sleep(1.6)
    asked = asker.stop()
    before = [(sent, answer) for sent, answer in asked if sent < at - 0.5]
    after = [(sent, answer) for sent, answer in asked if sent > at + 0.5]
    assert before and after, "a machine that slow shows nothing"
    return asked, before, after


@pytest.mark.parametrize("name", STEPS)
def test_the_wall_clock_steps(control, name):
    seconds = STEPS[name]
    with Collector() as collector:
        with Service("--workers", "2", env=control.env(collector.env())) as service:
            asked, before, after = step(control, service, seconds)
            for answers, offset in ((before, 0), (after, seconds)):
                for sent, answer in answers:
                    _, span_id, _ = answer.trace
                    wanted = wall_at(sent) + offset
                    line = service.log.wait(lambda e, i=span_id: e["x-span-id"] == i)
                    check_line(line, wanted)
                    check_span(collector.wait(span_id=span_id)[0].span, wanted)
            # What was under way when it stepped is no longer and no shorter for it.
            for _, answer in asked:
                _, span_id, _ = answer.trace
                line = service.log.wait(lambda e, i=span_id: e["x-span-id"] == i)
                assert 0.04 <= float(line["time-taken"]) < NEAR
                span = collector.wait(span_id=span_id)[0].span
                assert 0 <= span.end_time_unix_nano - span.start_time_unix_nano < NEAR * S
            date = email.utils.parsedate(after[-1][1].header("date"))
            assert abs(calendar.timegm(date) - wall_at(after[-1][0]) - seconds) < NEAR
            assert 0 < service.total(SUM) < NEAR * len(asked)
            service.stop()
        told = service.messages[-1]["time"]
        said = datetime.strptime(told, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
        assert abs(said.timestamp() - time.time() - seconds) < NEAR


@pytest.mark.parametrize("name", STEPS)
def test_nothing_waits_for_the_clock_to_come_back(control, name):
    """Timeouts, the exporter's patience with a collector, and the limit of diagnostics go by the
    monotonic clock."""
    with Collector("unavailable") as collector:
        env = control.env(collector.env())
        with Service("--workers", "1", "--idle-timeout", "700ms", "--head-timeout", "700ms",
                     env=env) as service:
            assert ask(service.public).status == 200
            assert collector.wait_requests(1) >= 1
            with Connection(service.public) as idle, Connection(service.public) as slow:
                idle.ask()
                slow.send(b"GET / HTTP/1.1\r\n")
                control.orders.wall_offset_ns = int(STEPS[name] * S)
                assert idle.at_end()
                assert slow.response().status == 408
            collector.mode = "ok"
            assert eventually(lambda: collector.acknowledged >= 3, timeout=15), "still backing off"
            service.signal(signal.SIGHUP)
            assert service.wait_message(lambda m: "told to reopen" in m["message"])
            line = service.stop()
        assert line["spans_acknowledged"] == line["spans_ended"] == collector.acknowledged


def test_the_monotonic_clock_stands_still(control):
    with Service("--workers", "1", env=control.env(QUIET)) as service:
        with Connection(service.public) as connection, Connection(service.public) as waiting:
            connection.ask()
            control.orders.frozen_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            before = service.cpu_seconds()
            waiting.send(request("/demo/hello?delay=10"))
            for _ in range(50):
                assert connection.ask().status == 200
            time.sleep(0.5)
            assert service.cpu_seconds() - before < 0.4, "it spins until the clock moves"
            control.orders.frozen_ns = 0
            assert waiting.response().status == 200
            assert connection.ask().status == 200
        line = service.stop()
        assert line["finished"] == len(service.log.entries) == 53
        taken = [float(entry["time-taken"]) for entry in service.log.entries]
        assert all(0 <= seconds < NEAR for seconds in taken), taken
        assert sum(seconds == 0 for seconds in taken) >= 40, "equal readings are a duration of 0"
