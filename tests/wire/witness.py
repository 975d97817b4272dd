"""One exchange, four witnesses: the bytes on the wire, the metric, the span and the log line.

`Witnesses.of(send)` runs an exchange against a service that exports to a collector, waits until all
three signals have come, checks what must hold for every exchange whatsoever (that they agree), and
hands them to the test for what is special about this one.
"""

import re
from dataclasses import dataclass

from collector import attributes
from service import parse_samples
from wire import DATE, eventually

DURATION = "http_server_request_duration_seconds_count"
SERVER = 2
UNSET, ERROR = 0, 2
SCRAPE = ("http_route", "/metrics")


@dataclass
class Witness:
    response: object   # wire.Response, or None when nothing came
    labels: dict       # of the one series that moved
    span: object       # OTLP Span
    attributes: dict   # of the span
    line: dict         # of the access log

    @property
    def error(self):
        return self.line["x-error"]


class Witnesses:
    def __init__(self, service, collector):
        self.service = service
        self.collector = collector

    def counts(self):
        """Requests by label set, once none is in flight; this class's own scrapes left out."""
        return {labels: value for labels, value
                in parse_samples(self.service.settle(), DURATION).items() if SCRAPE not in labels}

    def moved(self, before):
        after = self.counts()
        return {labels: value - before.get(labels, 0) for labels, value in after.items()
                if value != before.get(labels, 0)}

    def of(self, send):
        """`send()` performs one exchange and returns its Response, or None."""
        before, seen = self.counts(), len(self.service.log.entries)
        response = send()
        moved = eventually(lambda: self.moved(before))
        assert list(moved.values()) == [1], f"observations: {moved}"
        if response is not None and response.header("traceresponse"):
            trace_id, span_id, _ = response.trace
            line = self.service.log.wait(lambda entry: entry["x-span-id"] == span_id)
        else:
            line = self.fresh_line(seen)
        assert line, "no line in the access log"
        trace_id, span_id = line["x-trace-id"], line["x-span-id"]
        spans = self.collector.wait(trace_id, span_id)
        assert len(spans) == 1, f"{len(spans)} spans"
        span = spans[0].span
        witness = Witness(response, dict(next(iter(moved))), span, attributes(span), line)
        agree(witness)
        return witness

    def fresh_line(self, seen):
        """The line of an exchange that told no id: the first new one that is no scrape's."""
        def fresh():
            return next((entry for entry in self.service.log.entries[seen:]
                         if entry["x-route"] != "/metrics"), None)
        return eventually(fresh)


def agree(witness):
    """What the three signals say of the same exchange, and what the client saw."""
    labels, facts, line, response = (witness.labels, witness.attributes, witness.line,
                                     witness.response)
    status = line["sc-status"]
    assert labels.get("http_response_status_code") == status
    assert facts.get("http.response.status_code") == (int(status) if status else None)
    assert labels.get("http_route") == facts.get("http.route") == line["x-route"]
    assert labels.get("error_type") == facts.get("error.type") == line["x-error"]
    assert labels["http_request_method"] == facts["http.request.method"]
    assert labels["url_scheme"] == facts["url.scheme"] == "http"
    assert labels.get("network_protocol_version") == facts.get("network.protocol.version")
    method, route = facts["http.request.method"], facts.get("http.route")
    name = "HTTP" if method == "_OTHER" else method
    assert witness.span.name == (f"{name} {route}" if route else name)
    assert witness.span.kind == SERVER
    assert witness.span.end_time_unix_nano >= witness.span.start_time_unix_nano > 0
    assert witness.span.status.code == wanted_status(status, line["x-error"])
    if response is not None:
        agree_with_bytes(witness)


def wanted_status(status, error):
    """UNSET up to 4xx; ERROR for 5xx and for what failed on the way."""
    if status and status.startswith("4"):
        return UNSET
    return ERROR if error else UNSET


def agree_with_bytes(witness):
    response, line = witness.response, witness.line
    trace_id, span_id, flags = response.trace
    assert response.status == int(line["sc-status"])
    assert (trace_id, span_id) == (line["x-trace-id"], line["x-span-id"])
    assert (trace_id, span_id) == (witness.span.trace_id.hex(), witness.span.span_id.hex())
    assert witness.span.flags & 0xff == flags
    assert DATE.match(response.header("date") or ""), response.header("date")
    if not response.interim:
        assert int(line["sc-bytes"]) == len(response.raw)
    assert re.match(r"[0-9]", line["time-taken"])
    taken = (witness.span.end_time_unix_nano - witness.span.start_time_unix_nano) / 1e9
    assert abs(float(line["time-taken"]) - taken) < 0.0011, "time-taken and the span differ"
