"""Whether glassbox did the work it was timed for: spans acknowledged, log lines written.

A server that drops what it records is fast. So each turn ends when glassbox's queues are empty, and
its own counters, checked against what the sink counted, say how much arrived.
"""

import time
from dataclasses import dataclass

from contenders import SETTINGS, ServerError, metrics_of_glassbox, sink_stats, total

QUEUES_EMPTY_SECONDS = 5
SCRAPES_SPANS = 200  # spans of our own scrapes may reach the sink between two looks
SCRAPES_RECORDS = 8  # and so many of their records may be waiting at any time


@dataclass(frozen=True)
class Done:
    """What became of the requests of a turn, as shares of all; None: that signal is off."""

    exported: float | None = None  # of the sampled spans, acknowledged by the sink
    logged: float | None = None  # of the access-log lines, written
    sent: float | None = None  # of the log records, acknowledged by the sink


def exported_total(metrics: dict[str, float], word: str) -> float:
    """Records of a signal acknowledged: the series without an error."""
    family = f"otel_sdk_exporter_{word}_exported_total"
    failed = sum(
        value
        for name, value in metrics.items()
        if name.startswith(family + "{") and "error_type=" in name
    )
    return total(metrics, family) - failed


def waiting(metrics: dict[str, float]) -> float:
    """Records in glassbox's queues, give or take what the asking itself puts there."""
    return sum(
        total(metrics, name)
        for name in (
            "otel_sdk_processor_span_queue_size",
            "otel_sdk_exporter_span_inflight",
            "otel_sdk_processor_log_queue_size",
            "otel_sdk_exporter_log_inflight",
            "glassbox_access_log_waiting",
        )
    )


def settle(name: str) -> Done:
    """Waits until the contender's queues are empty and tells what became of the records.

    Returns at once for what has no queues that can be asked. Raises when glassbox and the sink
    disagree, or when spans went unsampled that should not.
    """
    if name not in SETTINGS:
        time.sleep(0.1)
        return Done()
    deadline = time.monotonic() + QUEUES_EMPTY_SECONDS
    metrics = metrics_of_glassbox()
    while waiting(metrics) > SCRAPES_RECORDS and time.monotonic() < deadline:
        time.sleep(0.1)
        metrics = metrics_of_glassbox()
    written = total(metrics, "glassbox_access_log_written_total")
    lost = total(metrics, "glassbox_access_log_dropped_total")
    logged = written / (written + lost) if written else 0.0
    if name == "tracing off":
        return Done(logged=logged)
    return Done(exported_share(name, metrics), logged, sent_share(name, metrics))


def exported_share(name: str, metrics: dict[str, float]) -> float:
    """Share of the sampled spans that were acknowledged."""
    exported = exported_total(metrics, "span")
    ended = total(metrics, "glassbox_spans_ended_total")
    unsampled = total(metrics, "glassbox_spans_unsampled_total")
    received = sink_stats()["spans"]
    if not exported <= received <= exported + SCRAPES_SPANS:
        raise ServerError(f"{name}: {exported:.0f} spans acknowledged, the sink has {received}")
    if name.startswith("everything") and unsampled > 0:
        raise ServerError(f"{name}: {unsampled:.0f} spans were not sampled")
    sampled = ended - unsampled
    return exported / sampled if sampled else 0.0


def sent_share(name: str, metrics: dict[str, float]) -> float | None:
    """Share of the log records that were acknowledged; None where none are sent."""
    created = total(metrics, "otel_sdk_log_created_total")
    if not created:
        return None
    sent, received = exported_total(metrics, "log"), sink_stats()["logs"]
    if not sent <= received <= sent + SCRAPES_SPANS:
        raise ServerError(f"{name}: {sent:.0f} records acknowledged, the sink has {received}")
    return sent / created
