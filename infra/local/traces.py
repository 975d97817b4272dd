#!/usr/bin/env python3
"""A trace that the Collector wrote, for people.

    curl -si 'http://127.0.0.1:8080/demo/hello?delay=50' | python3 infra/local/traces.py -
    python3 infra/local/traces.py 8d1c3f0e…                  by id, or a whole traceresponse
    python3 infra/local/traces.py                            the newest
    python3 infra/local/traces.py --serve 127.0.0.1:16686    /trace/ID, as Jaeger has it

The file is OTLP/JSON, a request a line; what was rotated away lies beside it with a date in its
name. A trace asked for by id is waited for: spans leave the service in batches. Nothing but Python
is needed.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "build/demo/traces.json"
PATIENCE = 10.0  # seconds; the service sends a batch each second
BAR = 32         # characters for the whole trace
ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
RESPONSE = re.compile(r"^traceresponse:\s*00-([0-9a-f]{32})-", re.I | re.M)
KINDS = {2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
NOT_SET, OK, ERROR = range(3)


def files(file: Path) -> list[Path]:
    """The newest first: the one that is written to, then what was rotated away."""
    old = sorted(file.parent.glob(f"{file.stem}-*{file.suffix}"), reverse=True)
    return [path for path in (file, *old) if path.exists()]


def spans_of(line: str) -> Iterator[dict]:
    """The spans of one request; none of a line that is being written."""
    try:
        request = json.loads(line)
    except ValueError:
        return
    for resource in request.get("resourceSpans", ()):
        for scope in resource.get("scopeSpans", ()):
            yield from scope.get("spans", ())


def find(file: Path, trace_id: str) -> list[dict]:
    """All spans of a trace that are in the files, by their start."""
    found = []
    for path in files(file):
        with open(path, encoding="utf-8") as lines:
            found += [span for line in lines if trace_id in line for span in spans_of(line)
                      if span["traceId"] == trace_id]
    return sorted(found, key=lambda span: int(span["startTimeUnixNano"]))


def newest(file: Path) -> str | None:
    """The id of the trace whose span was written last."""
    for path in files(file):
        last = None
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                last = line if line.endswith("\n") else last
        for span in reversed(list(spans_of(last or ""))):
            return span["traceId"]
    return None


def wait_for(file: Path, trace_id: str, patience: float = PATIENCE) -> list[dict]:
    """Its spans, when they are there; none after `patience`."""
    until = time.monotonic() + patience
    while not (spans := find(file, trace_id)) and time.monotonic() < until:
        time.sleep(0.2)
    return spans


def text_of(value: dict) -> str:
    """An attribute's value, whatever its type."""
    kind, inner = next(iter(value.items()), ("", ""))
    if kind == "arrayValue":
        return ", ".join(map(text_of, inner.get("values", ())))
    return str(inner)


def render(spans: list[dict]) -> str:
    """The tree: each span with its part of the time, its attributes and events beneath."""
    first = min(int(span["startTimeUnixNano"]) for span in spans)
    whole = max(int(span["endTimeUnixNano"]) for span in spans) - first or 1
    ids = {span["spanId"] for span in spans}
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(first / 1e9))
    lines = [f"trace {spans[0]['traceId']}", f"{when}, {len(spans)} spans, {whole / 1e6:.3f} ms", ""]

    def add(span: dict, depth: int) -> None:
        start = int(span["startTimeUnixNano"]) - first
        length = int(span["endTimeUnixNano"]) - first - start
        bar = (" " * (BAR * start // whole) + "#" * max(1, BAR * length // whole))[:BAR]
        status = "  ERROR" if span.get("status", {}).get("code", NOT_SET) == ERROR else ""
        name = "  " * depth + span["name"]
        lines.append(f"{name:<36} |{bar:<{BAR}}| {start / 1e6:10.3f} + {length / 1e6:.3f} ms  "
                     f"{KINDS.get(span.get('kind'), 'INTERNAL')}{status}")
        beneath = "  " * depth + "    "
        lines.extend(f"{beneath}{item['key']} = {text_of(item['value'])}"
                     for item in span.get("attributes", ()))
        lines.extend(f"{beneath}event {event['name']} at {(int(event['timeUnixNano']) - first) / 1e6:.3f} ms"
                     for event in span.get("events", ()))
        for child in spans:
            if child.get("parentSpanId") == span["spanId"]:
                add(child, depth + 1)
    for span in spans:
        if span.get("parentSpanId", "") not in ids:  # also where the caller's span is not ours
            add(span, 0)
    return "\n".join(lines)


class Page(BaseHTTPRequestHandler):
    """GET /trace/ID: the tree as text. GET /: the newest, GET /healthz: 200."""

    file = FILE

    def do_GET(self) -> None:
        """What BaseHTTPRequestHandler calls."""
        path = self.path.partition("?")[0]
        if path == "/healthz":
            return self._answer(200, "ok")
        trace_id = newest(self.file) if path == "/" else path.removeprefix("/trace/")
        if not trace_id or not ID.fullmatch(trace_id):
            return self._answer(404, "no trace yet" if path == "/" else "ask for /trace/ID: 32 digits, 0-9 a-f")
        spans = wait_for(self.file, trace_id)
        if not spans:
            return self._answer(404, f"no span of {trace_id} has been written, or not any more")
        return self._answer(200, render(spans))

    def _answer(self, status: int, text: str) -> None:
        body = (text + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args) -> None:  # pylint: disable=redefined-builtin
        """Who looked is nobody's business."""


def asked_for(words: str | None, file: Path) -> str | None:
    """The id: of an argument, of a response on stdin (`-`), or the newest."""
    if words is None:
        return newest(file)
    if words == "-":
        match = RESPONSE.search(sys.stdin.read())
        return match.group(1) if match else None
    match = ID.search(words.lower())
    return match.group() if match else None


def main() -> int:
    """0 when a trace was shown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("id", nargs="?", help="a trace id, a traceresponse, or - for a response on stdin")
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--wait", type=float, default=PATIENCE, help="seconds for it to arrive (10)")
    parser.add_argument("--serve", metavar="HOST:PORT")
    arguments = parser.parse_args()
    if arguments.serve:
        host, _, port = arguments.serve.rpartition(":")
        Page.file = arguments.file
        ThreadingHTTPServer((host, int(port)), Page).serve_forever()
    trace_id = asked_for(arguments.id, arguments.file)
    if trace_id is None:
        print("no trace id: " + ("no trace was written yet" if arguments.id is None else
                                 "32 digits 0-9 a-f, or a response with traceresponse (curl -i)"),
              file=sys.stderr)
        return 2
    spans = wait_for(arguments.file, trace_id, arguments.wait)
    if not spans:
        print(f"no span of {trace_id} in {arguments.file}", file=sys.stderr)
        return 1
    print(render(spans))
    return 0


if __name__ == "__main__":
    sys.exit(main())
