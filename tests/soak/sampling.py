"""A row of figures: what the kernel and what the service itself say, at one moment."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "wire"), str(HERE.parent / "hostile")]

from memory import taken  # noqa: E402
from service import parse_samples  # noqa: E402

# column -> (sample name, labels that must be there)
SAMPLES = {
    "finished": ("glassbox_requests_finished_total", {}),
    "connections": ("glassbox_connections", {"listener": "public"}),
    "active": ("http_server_active_requests", {}),
    "log_queue": ("glassbox_access_log_queue_bytes", {}),
    "log_waiting": ("glassbox_access_log_waiting", {}),
    "log_written": ("glassbox_access_log_written_total", {}),
    "log_dropped": ("glassbox_access_log_dropped_total", {}),
    "log_reopened": ("glassbox_access_log_reopened_total", {}),
    "spans_ended": ("glassbox_spans_ended_total", {}),
    "span_queue": ("otel_sdk_processor_span_queue_size", {}),
    "span_inflight": ("otel_sdk_exporter_span_inflight", {}),
    "record_queue": ("otel_sdk_processor_log_queue_size", {}),
    "record_inflight": ("otel_sdk_exporter_log_inflight", {}),
}
# The same, for counters whose losses have an error_type: (name, whether losses are meant)
OUTCOMES = {
    "spans_exported": ("otel_sdk_exporter_span_exported_total", False),
    "spans_failed": ("otel_sdk_exporter_span_exported_total", True),
    "spans_dropped": ("otel_sdk_processor_span_processed_total", True),
    "records_exported": ("otel_sdk_exporter_log_exported_total", False),
    "records_failed": ("otel_sdk_exporter_log_exported_total", True),
    "records_dropped": ("otel_sdk_processor_log_processed_total", True),
}
COLUMNS = ["seconds", "rss", "pss", "dirty", "descriptors", "threads", "cpu_seconds",
           *SAMPLES, *OUTCOMES]


def total(body, name, labels):
    return sum(value for found, value in parse_samples(body, name).items()
               if labels.items() <= dict(found).items())


def outcome(body, name, lost):
    return sum(value for found, value in parse_samples(body, name).items()
               if ("error_type" in dict(found)) == lost)


def sample(service, seconds):
    """A row: {column: number}. The scrape is part of the load."""
    body = service.scrape().body.decode()
    figures = taken(service.pid)
    row = {"seconds": round(seconds, 2), "rss": figures.rss, "pss": figures.pss,
           "dirty": figures.dirty, "descriptors": figures.descriptors,
           "threads": figures.threads, "cpu_seconds": round(service.cpu_seconds(), 2)}
    row.update({column: int(total(body, *of)) for column, of in SAMPLES.items()})
    row.update({column: int(outcome(body, *of)) for column, of in OUTCOMES.items()})
    return row


def unaccounted(row):
    """What the live equation leaves open: {signal: how many}. Threads count on their own, so a scrape
    in the middle of things may be off by what moves; at rest each is 0."""
    return {
        "lines": row["finished"] - row["log_written"] - row["log_waiting"] - row["log_dropped"],
        "spans": row["spans_ended"] - row["span_queue"] - row["span_inflight"]
        - row["spans_exported"] - row["spans_failed"] - row["spans_dropped"],
        "records": row["finished"] - row["record_queue"] - row["record_inflight"]
        - row["records_exported"] - row["records_failed"] - row["records_dropped"],
    }
