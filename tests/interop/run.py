"""One run: a service under load exports to a real Collector, and what became of each record is
taken from three sides: the access log, the service's own counts, the Collector's files.

The load is steady, single requests on kept connections, and each target says in its query in which
part of the run it was asked, so that the log tells later what was under way when.
"""

import asyncio
import threading
from collections import Counter
from contextlib import contextmanager
from typing import Iterator

from load import Tally, keep_asking
from otelcol import LOGS, SIGNALS, SPANS, Otelcol, Signal
from service import Service, losses, parse_samples
from wire import ask, eventually, request

CLIENTS = 4
SERVER = 2
BATCH = 256   # records a request at most
# Unsampled: a look at the counters adds no span to what it looks at. It does add a log record.
LOOK = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")]
DELAY = "delay=20"
TARGETS = [("GET", f"/demo/hello?{DELAY}&part="), ("GET", "/demo/hello?part="), ("GET", "/?part="),
           ("HEAD", "/demo/hello?part="), ("GET", "/demo/random-error?part="),
           ("GET", "/no/such?part="), ("POST", "/demo/hello?part=")]


def environment(**more: str) -> dict[str, str]:
    """Room for everything, small batches, and patience: nothing is lost unless the event does it."""
    env = {"OTEL_EXPORTER_OTLP_TIMEOUT": "30000", "OTEL_LOGS_EXPORTER": "otlp"}
    for processor in ("BSP", "BLRP"):
        env |= {f"OTEL_{processor}_SCHEDULE_DELAY": "50", f"OTEL_{processor}_EXPORT_TIMEOUT": "90000",
                f"OTEL_{processor}_MAX_QUEUE_SIZE": "100000",
                f"OTEL_{processor}_MAX_EXPORT_BATCH_SIZE": str(BATCH)}
    return {**env, **more}


class Run:
    """A service that exports to `otelcol`, and the load on it."""

    def __init__(self, service: Service, otelcol: Otelcol):
        self.service = service
        self.otelcol = otelcol
        self.tally = Tally()
        self.looks = 0
        self.last_look = ""    # when all was settled
        self.line: dict = {}   # of the exit
        self.paused_seconds = 0.0

    # ---- load -----------------------------------------------------------------------------------

    @contextmanager
    def load(self, part: str = "all") -> Iterator[None]:
        """Load for the length of the block. Every request of it is answered, whole."""
        targets = [(method, request(target + part, method)) for method, target in TARGETS] * 100
        started = threading.Event()

        async def main() -> None:
            nonlocal stop
            stop = (asyncio.get_running_loop(), asyncio.Event())
            started.set()
            await asyncio.gather(*(keep_asking(self.service.public, self.tally, targets, stop[1])
                                   for _ in range(CLIENTS)))
        stop = None
        thread = threading.Thread(target=asyncio.run, args=(main(),))
        thread.start()
        try:
            started.wait()
            yield
        finally:
            stop[0].call_soon_threadsafe(stop[1].set)
            thread.join()
        assert (self.tally.failed, self.tally.refused, self.tally.crossed) == ([], 0, 0)
        assert self.tally.whole == self.tally.sent

    def more(self, count: int) -> None:
        """Waits until that many more requests have been answered."""
        wanted = self.tally.whole + count
        assert eventually(lambda: self.tally.whole >= wanted, timeout=60), "the service is slow"

    # ---- counters -------------------------------------------------------------------------------

    def look(self) -> str:
        """The exposition, as text."""
        self.looks += 1
        response = ask(self.service.operators, "/metrics", headers=LOOK)
        assert response.status == 200
        return response.body.decode()

    def settle(self) -> None:
        """Once the load has ended: waits until each record has its fate, but for that of the look
        that shows it. Longer between looks than a batch takes to go: a look is logged, too."""
        def settled() -> str | None:
            body = self.look()
            waiting = sum(total(body, f"otel_sdk_processor_{signal.metric}_queue_size")
                          + total(body, f"otel_sdk_exporter_{signal.metric}_inflight")
                          for signal in SIGNALS)
            finished = total(body, "glassbox_requests_finished_total")
            return body if finished == self.tally.whole + self.looks - 1 and waiting == 0 else None
        self.last_look = eventually(settled, timeout=60, pause=0.2)
        assert self.last_look, "records without a fate"

    def wait_retries(self, count: int) -> None:
        """Until the service has sent that many requests of each signal again since the call."""
        def retries() -> list[int]:
            body = self.look()
            return [total(body, f"glassbox_{signal.metric}_export_retries_total")
                    for signal in SIGNALS]
        before = retries()
        assert eventually(lambda: all(now >= then + count for now, then in zip(retries(), before)),
                          timeout=60, pause=0.1)

    def end(self) -> None:
        """Once the load has ended, in order: nothing is left for the flush but the last look."""
        self.settle()
        self.line = self.service.stop()


def total(body: str, name: str, **labels: str) -> int:
    """The sum of one name's samples that carry these labels."""
    return int(sum(value for found, value in parse_samples(body, name).items()
                   if labels.items() <= dict(found).items()))


# ---- the three sides ----------------------------------------------------------------------------

def known_ids(signal: Signal, entries: list[dict], part: str = "") -> set[str]:
    """From the access log: what there must be a record of, by id; of one `part` only if it is
    named. A delay is a span of its own, known by its parent. Looks are apart: see look_ids."""
    ids = set()
    for entry in entries:
        query = entry["cs-uri-query"] or ""
        if entry["x-route"] == "/metrics" or not query.endswith(part):
            continue
        ids.add(entry["x-span-id"])
        if signal is SPANS and DELAY in query:
            ids.add(entry["x-span-id"] + "/delay")
    return ids


def look_ids(signal: Signal, entries: list[dict]) -> set[str]:
    """From the access log: the records that looks have made."""
    return {entry["x-span-id"] for entry in entries
            if signal is LOGS and entry["x-route"] == "/metrics"}


def written_ids(signal: Signal, records: list[dict]) -> Counter[str]:
    """From the Collector's files: how often each id was written."""
    if signal is LOGS:
        return Counter(record["spanId"] for record in records)
    spans = {record["spanId"]: record for record in records}
    names = Counter(record["spanId"] if record["kind"] == SERVER
                    else record["parentSpanId"] + "/delay" for record in records)
    assert len(spans) == len(names), "two spans of one name"
    return names


def dropped(signal: Signal, line: dict) -> dict[str, int]:
    """From the exit line: what was given up, by reason."""
    result: dict[str, int] = {}
    for kind in ("dropped", "failed"):
        for reason, count in losses(line, signal.terms + kind).items():
            result[reason] = result.get(reason, 0) + count
    return result


def acknowledged(signal: Signal, body: str) -> int:
    """From a look: what was exported without an error."""
    name = f"otel_sdk_exporter_{signal.metric}_exported_total"
    return int(sum(value for labels, value in parse_samples(body, name).items()
                   if "error_type" not in dict(labels)))


def unanswered(signal: Signal, body: str) -> int:
    """From a look when all is settled: requests that went out and had no answer."""
    answered = total(body, "otel_sdk_exporter_operation_duration_seconds_count",
                     otel_component_type=f"otlp_http_{signal.metric}_exporter",
                     http_response_status_code="200")
    return total(body, f"glassbox_{signal.metric}_export_requests_total") - answered
