"""A viewer of the live page: reads its stream, and holds every event against the shape it must have.

`Viewer` opens GET /page/events on a socket and gives events one by one; chunks, event framing and JSON
are read strictly. What an event has beyond its shape, or lacks, is an AssertionError: the page's script
relies on the shape and on nothing else.
"""

import json
import re
from collections import namedtuple

from wire import Connection, parse_head, request

Event = namedtuple("Event", "name data")

HEX16, HEX32 = re.compile(r"[0-9a-f]{16}\Z"), re.compile(r"[0-9a-f]{32}\Z")
EXEMPLAR = re.compile(r'# \{trace_id="([0-9a-f]{32})",span_id="([0-9a-f]{16})"\} (\d+(?:\.\d+)?) '
                      r"(\d+\.\d{1,3}|\d+)\Z")
SERIES = re.compile(r'http_server_request_duration_seconds_bucket\{.*,le="([^"]+)"\}\Z')
STATES = {"starting", "ready", "draining", "stopped"}
SIGNALS = {"spans", "log", "records", "page", "diagnostics", "metrics"}


# ---- shapes -------------------------------------------------------------------------------------

def whole(value):
    assert type(value) is int and value >= 0, value


def number(value):
    assert type(value) in (int, float) and value >= 0, value


def text(value):
    assert type(value) is str, value


def truth(value):
    assert type(value) is bool, value


def one_of(*allowed):
    def check(value):
        assert value in allowed, value
    return check


def like(pattern):
    def check(value):
        assert type(value) is str and pattern.match(value), value
    return check


def maybe(shape):
    """The shape, or null."""
    return lambda value: value is None or check_shape(value, shape)


def check_shape(value, shape):
    """A dict has exactly these keys; a list is of one shape throughout; the rest are functions."""
    if isinstance(shape, dict):
        assert type(value) is dict and set(value) == set(shape), (set(value) ^ set(shape), value)
        for key, inner in shape.items():
            check_shape(value[key], inner)
    elif isinstance(shape, list):
        assert type(value) is list, value
        for item in value:
            check_shape(item, shape[0])
    else:
        shape(value)


def pair(value):
    """An attribute: key and value, both strings."""
    assert type(value) is list and len(value) == 2, value
    check_shape(value, [text])


HELLO = {"version": text, "revision": text, "pid": whole, "instance": text, "started_ms": number,
         "workers": whole, "bounds": [number], "routes": [text], "burst": truth, "fault_api": truth,
         "log_fields": maybe(text), "log_separator": one_of("\t", " "), "tracing": truth,
         "incidents": [text],
         "kinds": [{"fault": text, "scope": one_of("route", "process"), "help": text}]}

EVENT = {"name": text, "at_ms": number, "attributes": [pair]}
SPAN = {"span_id": like(HEX16), "parent_id": maybe(like(HEX16)), "name": text,
        "kind": one_of("SERVER", "INTERNAL"), "start_ms": number, "end_ms": number,
        "status": one_of("UNSET", "OK", "ERROR"), "attributes": [pair], "events": [EVENT]}
REQUEST = {"id": like(HEX16), "trace_id": like(HEX32), "sampled": truth, "failed": truth,
           "user": truth, "end_ms": number,
           "duration_ms": number, "method": text, "route": maybe(text), "path": text,
           "status": maybe(whole), "error": maybe(text), "fault": maybe(text),
           "bucket": {"le": text, "index": whole, "count": whole}, "exemplar": maybe(like(EXEMPLAR)),
           "series": like(SERIES), "log": maybe(text), "spans": [SPAN]}

EQUATION = {"finished": whole, "metrics": whole,
            "log": maybe({"written": whole, "waiting": whole, "dropped": whole}),
            "spans": maybe({name: whole for name in ("server", "internal", "acknowledged", "waiting",
                                                     "inflight", "unsampled", "dropped", "failed")}),
            "records": maybe({name: whole for name in ("acknowledged", "waiting", "inflight",
                                                       "dropped", "failed")}),
            "balanced": {"metrics": truth, "log": maybe(truth), "spans": maybe(truth),
                         "records": maybe(truth)}}


def is_balanced(equation):
    """Whether every line that is on is; one that is off is judged by nobody."""
    for line in ("log", "spans", "records"):
        assert (equation[line] is None) == (equation["balanced"][line] is None), equation
    return all(value is not False for value in equation["balanced"].values())


def faults(value):
    """As GET /faults answers; its own tests look into it."""
    assert set(value) == {"source", "plan", "faults", "file"}, value
    assert value["source"] in ("none", "file", "api", "incident"), value


FRAME = {"now_ms": number, "state": one_of(*STATES), "ready": truth, "finished": whole,
         "failed": whole, "active": whole, "connections": whole,
         "by_route": [{"route": text, "count": whole, "failed": whole}], "buckets": [whole],
         "equation": EQUATION,
         "losses": [{"signal": one_of(*SIGNALS), "reason": text, "count": whole}],
         "faults": faults, "viewers": whole, "requests_skipped": whole,
         "requests": [lambda value: check_request(value)]}

SHAPES = {"hello": HELLO, "frame": FRAME, "lost": {"frames": whole}, "bye": {}}


def check_request(value):
    """A request, and what its parts must agree on."""
    value = dict(value)
    assert value.pop("cut", True) is True
    check_shape(value, REQUEST)
    server = value["spans"][0]
    assert server["kind"] == "SERVER" and server["span_id"] == value["id"]
    assert all(span["kind"] == "INTERNAL" and span["parent_id"] == value["id"]
               for span in value["spans"][1:])
    assert all(span["start_ms"] <= span["end_ms"] <= value["end_ms"] for span in value["spans"])
    assert abs(server["end_ms"] - server["start_ms"] - value["duration_ms"]) < 0.0021
    assert value["bucket"]["count"] >= 1
    assert (server["status"] == "ERROR") == value["failed"]
    if not value["sampled"]:
        assert all(span["attributes"] == span["events"] == [] for span in value["spans"])
    if value["exemplar"] is not None:
        assert EXEMPLAR.match(value["exemplar"]).groups()[:2] == (value["trace_id"], value["id"])
    assert SERIES.match(value["series"]).group(1) == value["bucket"]["le"]
    if value["log"] is not None:
        assert "\n" not in value["log"] and value["log"].isascii()


def strict(pairs):
    """No key twice."""
    result = dict(pairs)
    assert len(result) == len(pairs), [key for key, _ in pairs]
    return result


def not_json(constant):
    raise AssertionError(f"{constant} is no JSON")


def parse_event(raw):
    """`event: name`, one line of `data: JSON`."""
    lines = raw.split(b"\n")
    assert len(lines) == 2 and lines[0].startswith(b"event: ") and lines[1].startswith(b"data: ")
    name = lines[0][7:].decode("ascii")
    data = json.loads(lines[1][6:].decode("utf-8"), object_pairs_hook=strict,
                      parse_constant=not_json)
    check_shape(data, SHAPES[name])
    return Event(name, data)


# ---- the stream ---------------------------------------------------------------------------------

class Viewer:
    """An open page. `hello` is its first event; what comes after is given by next() and its like."""

    def __init__(self, address, version="1.1", host="viewer.test:8080", **more):
        self.connection = Connection(address, **more)
        self.connection.send(request("/page/events", version=version, host=host,
                                     headers=[("Accept", "text/event-stream")]))
        self.status, _, self.headers = parse_head(self.connection._head())
        self.chunked = ("transfer-encoding", "chunked") in self.headers
        self.bytes = b""       # of events, chunks undone
        self.ended = False     # by the last chunk, or the end of the connection
        assert self.status == 200, self.status
        first = self.next()
        assert first.name == "hello"
        self.hello = first.data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.connection.close()

    def _take(self, length):
        connection = self.connection
        while len(connection.buffer) < length:
            connection._more()
        taken, connection.buffer = connection.buffer[:length], connection.buffer[length:]
        return taken

    def _chunk(self):
        """One more piece, whole; empty: the end."""
        connection = self.connection
        if not self.chunked:
            taken = connection.socket.recv(65536) if not connection.buffer else connection.buffer
            connection.buffer = b""
            return taken
        while b"\r\n" not in connection.buffer:
            connection._more()
        size, _, connection.buffer = connection.buffer.partition(b"\r\n")
        assert re.fullmatch(rb"[0-9a-f]+", size), size
        data = self._take(int(size, 16))
        assert self._take(2) == b"\r\n"
        return data

    def next(self):
        """The next event, or None at the end of the stream."""
        while b"\n\n" not in self.bytes:
            data = self._chunk()
            if not data:
                assert self.bytes == b"", self.bytes[:200]
                self.ended = True
                return None
            self.bytes += data
        raw, _, self.bytes = self.bytes.partition(b"\n\n")
        return parse_event(raw)

    def frame(self, wanted=lambda frame: True, most=400):
        """The first of the next `most` frames for which `wanted` holds."""
        for _ in range(most):
            event = self.next()
            assert event is not None, "the stream ended"
            if event.name == "frame" and wanted(event.data):
                return event.data
        raise AssertionError("no such frame")

    def requests(self, wanted, most=40):
        """Requests of the next frames until `wanted(all of them)` holds; all of them."""
        seen = []

        def enough(frame):
            seen.extend(frame["requests"])
            return wanted(seen)
        self.frame(enough, most)
        return seen

    def shown(self, span_id, most=40):
        """The request of this span id."""
        seen = self.requests(lambda requests: any(one["id"] == span_id for one in requests), most)
        return next(one for one in seen if one["id"] == span_id)

    def rest(self):
        """All events up to the end."""
        return list(iter(self.next, None))
