"""What is lost is seen to be: a collector that is not there, a log that nobody reads, a full house.

That these queries answer 0 on a service which loses nothing shows that their series are there; here
they move. And what is lost is counted, so that the equation holds all the same.
"""

import contextlib
import os
import socket
from pathlib import Path

import load
from prometheus import Prometheus, free_port
from reading import Expression, every_expression
from service import Service
from test_off import VERDICTS
from wire import eventually

REQUESTS, LIMIT = 600, 4

# (panel, legend): what must not be 0. The verdicts must.
LOST = {
    ("Lost now", "spans"), ("Lost now", "lines"), ("Lost now", "records"), ("Log stalled", "stalled"),
    ("Spans lost, by reason", "dropped: {{error_type}}"),
    ("Spans lost, by reason", "failed: {{error_type}}"), ("Lines lost, by reason", "{{reason}}"),
    ("Log records by OTLP", "dropped"), ("Log records by OTLP", "failed"),
    ("Exporter: operations that failed", "{{otel_component_name}}"),
    ("Exporter: requests and retries", "spans, again"),
    ("Exporter: requests and retries", "records, again"),
    ("Queues, share in use", "{{instance}} spans"), ("Queues, share in use", "{{instance}} lines"),
    ("Queues, share in use", "{{instance}} log records"),
    ("Refused", "refused"), ("Connections refused, accepts failed", "{{listener}}: {{reason}}")}


def crowd(address: tuple) -> None:
    """More connections at a time than there may be."""
    with contextlib.ExitStack() as stack:
        for _ in range(2 * LIMIT):
            stack.enter_context(socket.create_connection(address, timeout=5))


def highest(prometheus: Prometheus, expression: Expression) -> float:
    """The largest of what it answers."""
    return prometheus.value(f"max({expression.filled})") or 0


def test_what_is_lost_is_seen_and_adds_up(tmp_path: Path):
    every = [one for one in every_expression() if one.board in ("telemetry", "saturation")]
    asked = {(one.where, one.legend): one for one in every if (one.where, one.legend) in LOST}
    assert set(asked) == LOST
    verdicts = [one for one in every if one.where in VERDICTS]
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}",
                   "OTEL_LOGS_EXPORTER": "otlp"}
    for signal in ("BSP", "BLRP"):
        environment |= {f"OTEL_{signal}_SCHEDULE_DELAY": "20", f"OTEL_{signal}_EXPORT_TIMEOUT": "1500",
                        f"OTEL_{signal}_MAX_QUEUE_SIZE": "256",
                        f"OTEL_{signal}_MAX_EXPORT_BATCH_SIZE": "64"}
    unread, written = os.pipe()
    with os.fdopen(unread, "rb") as reader, os.fdopen(written, "wb") as writer, \
            Service("--max-connections", LIMIT, env=environment, admin=True, stdout=writer) as service, \
            Prometheus(tmp_path, service.operators, "exemplar-storage") as prometheus:
        left = dict(asked)

        def all_moved() -> bool:
            load.warm_up(service.public, count=REQUESTS)
            crowd(service.public)
            for key in [key for key, one in left.items() if highest(prometheus, one) > 0]:
                del left[key]
            return not left

        assert eventually(all_moved, timeout=90, pause=0.3), "\n".join(map(str, left))
        said: dict[str, float | None] = {}

        def adds_up() -> bool:
            said.update((one.where, prometheus.value(one.filled)) for one in verdicts)
            return set(said.values()) == {0}

        assert eventually(adds_up, timeout=30, pause=0.3), said
        reader.close()
