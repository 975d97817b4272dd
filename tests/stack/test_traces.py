"""Traces from the Collector's files, as text."""

import json
import subprocess
import sys

import pytest

from command import ROOT
from traces import find, newest, render

PROGRAM = ROOT / "infra/local/traces.py"
FIRST, SECOND, OLD = "1" * 32, "2" * 32, "3" * 32


def span(trace: str, identity: str, name: str, start: int, end: int, **more) -> dict:
    """As the exporter writes it."""
    return {"traceId": trace, "spanId": identity, "name": name, "startTimeUnixNano": str(start * 10**6),
            "endTimeUnixNano": str(end * 10**6), **more}


def line(*spans: dict) -> str:
    """One request."""
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}) + "\n"


@pytest.fixture
def file(tmp_path):
    """Two traces; a line that is being written; one trace that was rotated away."""
    path = tmp_path / "traces.json"
    path.write_text(
        line(span(FIRST, "a" * 16, "GET /demo/hello", 1000, 1100, kind=2, parentSpanId="f" * 16,
                  attributes=[{"key": "http.route", "value": {"stringValue": "/demo/hello"}}],
                  status={"code": 2}),
             span(SECOND, "c" * 16, "GET /", 2000, 2001, kind=2))
        + line(span(FIRST, "b" * 16, "wait", 1010, 1060, kind=1, parentSpanId="a" * 16,
                    events=[{"name": "half", "timeUnixNano": str(1035 * 10**6)}]))
        + '{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "' + FIRST)
    (tmp_path / "traces-2026-11-26T12-00-00.000.json").write_text(
        line(span(OLD, "d" * 16, "GET /demo/work", 10, 20, kind=2)))
    return path


def run(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess:
    """The program, as a person calls it; with no more than Python."""
    return subprocess.run([sys.executable, "-S", PROGRAM, *arguments], input=text, capture_output=True,
                          text=True, check=False, timeout=60)


def test_tree_has_the_child_under_its_parent(file):
    lines = render(find(file, FIRST)).splitlines()
    assert lines[0] == f"trace {FIRST}" and "2 spans, 100.000 ms" in lines[1]
    parent, route, child, event = lines[3:]
    assert parent.startswith("GET /demo/hello ") and "0.000 + 100.000 ms  SERVER  ERROR" in parent
    assert route == "    http.route = /demo/hello"
    assert child.startswith("  wait ") and "10.000 + 50.000 ms  INTERNAL" in child and "ERROR" not in child
    assert event == "      event half at 35.000 ms"
    assert child.index("#") - parent.index("#") == 3 and child.count("#") == 16 and parent.count("#") == 32


def test_rotated_files_are_looked_into(file):
    assert [found["name"] for found in find(file, OLD)] == ["GET /demo/work"]


def test_newest_is_of_the_last_whole_line(file):
    assert newest(file) == FIRST
    assert run("--file", str(file)).stdout.startswith(f"trace {FIRST}")


@pytest.mark.parametrize("words", [SECOND, f"00-{SECOND}-{'c' * 16}-03", f"traceresponse: 00-{SECOND}-{'c' * 16}-03"])
def test_by_id_or_traceresponse(file, words):
    shown = run("--file", str(file), words)
    assert shown.returncode == 0 and shown.stdout.startswith(f"trace {SECOND}")


def test_by_a_response_on_stdin(file):
    response = f"HTTP/1.1 200 OK\r\nDate: now\r\nTraceResponse: 00-{SECOND}-{'c' * 16}-03\r\n\r\n{FIRST}"
    assert run("--file", str(file), "-", text=response).stdout.startswith(f"trace {SECOND}")


@pytest.mark.parametrize("words, text, status, answer", [
    ("8d1c", None, 2, "no trace id"), ("-", "HTTP/1.1 200 OK\r\n\r\n", 2, "curl -i"),
    ("4" * 32, None, 1, f"no span of {'4' * 32}")])
def test_what_cannot_be_shown_is_said(file, words, text, status, answer):
    shown = run("--file", str(file), "--wait", "0.3", words, text=text)
    assert shown.returncode == status and answer in shown.stderr and shown.stdout == ""
