"""Metrics and spans of the service, as far as they are read."""

import json
from collections import Counter
from pathlib import Path

import pytest

from glassbox_load import metrics, spans
from glassbox_load.refused import Refused

TEXT = """\
# TYPE glassbox_build_info gauge
glassbox_build_info{version="0.1.0"} 1
# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{http_route="/demo/hello",le="+Inf"} 9
http_server_request_duration_seconds_sum{http_route="/demo/hello"} 1.5
http_server_request_duration_seconds_count{http_route="/demo/hello",error_type=""} 7
http_server_request_duration_seconds_count{http_route="/demo/hello",error_type="500"} 2
# TYPE glassbox_fault_errors_total counter
glassbox_fault_errors_total{http_route="/demo/hello"} 2
# TYPE glassbox_faults_injected_total counter
glassbox_faults_injected_total{fault="error",http_route="/demo/hello"} 3
# TYPE glassbox_fault_in_force gauge
glassbox_fault_in_force{fault="error",http_route="/demo/hello"} 1
glassbox_fault_in_force{fault="latency",http_route="/demo/hello"} 0
# TYPE process_start_time_seconds gauge
process_start_time_seconds 100
"""


@pytest.fixture
def service(monkeypatch) -> dict[str, str]:
    """Expositions by URL."""
    texts = {"one": TEXT, "two": TEXT.replace("} 7", "} 70").replace("seconds 100", "seconds 101")}
    monkeypatch.setattr(metrics, "get", lambda what, url, headers: texts[url])
    return texts


def test_all_processes_are_summed(service):
    seen = metrics.read(["one", "two"])
    assert seen.finished == Counter({"/demo/hello": 81}) and seen.by_faults["/demo/hello"] == 4
    assert seen.injected["error", "/demo/hello"] == 6 and seen.in_force == {("error", "/demo/hello")}


def test_what_came_between(service):
    before = metrics.read(["one"])
    service["one"] = TEXT.replace("} 7", "} 17").replace("} 3", "} 5")
    came = metrics.read(["one"]).since(before)
    assert came.finished == Counter({"/demo/hello": 10}) and came.injected == Counter({("error", "/demo/hello"): 2})
    assert came.by_faults == Counter()


def test_a_process_that_began_anew_cannot_be_compared(service):
    before = metrics.read(["one"])
    service["one"] = TEXT.replace("seconds 100", "seconds 200")
    with pytest.raises(Refused, match="began anew"):
        metrics.read(["one"]).since(before)


def test_nobody_there():
    with pytest.raises(Refused, match="no metrics at http://127.0.0.1:1/metrics: .*refused"):
        metrics.read(["http://127.0.0.1:1/metrics"])


def span(trace: str, route: str, kind: int = 2) -> dict:
    """As the Collector writes it."""
    return {"traceId": trace, "kind": kind, "attributes": [{"key": "http.route", "value": {"stringValue": route}}]}


def export(*found: dict) -> str:
    """A line of its file."""
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(found)}]}]}) + "\n"


RUN = "0123456789abcdef"


def test_server_spans_of_the_run_alone_also_of_rotated_files(tmp_path: Path):
    file = tmp_path / "traces.json"
    file.write_text(export(span(RUN + "0" * 16, "/before")))
    traces = spans.Traces(file, RUN)
    with file.open("a") as more:
        more.write(export(span(RUN + "1" * 16, "/demo/hello"), span(RUN + "1" * 16, "/demo/hello", kind=1),
                          span("f" * 32, "/")))
        more.write(export(span(RUN + "2" * 16, "/demo/work"))[:-20])  # being written
    assert list(traces.spans()) == [(RUN + "1" * 16, "/demo/hello")]
    file.write_text(file.read_text() + export(span(RUN + "2" * 16, "/demo/work"))[-20:])
    assert list(traces.spans()) == [(RUN + "2" * 16, "/demo/work")]
    file.rename(tmp_path / "traces-2026-11-26T20-00-00.000.json")
    file.write_text(export(span(RUN + "3" * 16, "/")))
    assert list(traces.spans()) == [(RUN + "3" * 16, "/")]


def test_a_file_that_comes_later(tmp_path: Path):
    traces = spans.Traces(tmp_path / "traces.json", RUN)
    assert list(traces.spans()) == []
    (tmp_path / "traces.json").write_text(export(span(RUN + "1" * 16, "/demo/hello")))
    assert list(traces.spans()) == [(RUN + "1" * 16, "/demo/hello")]


@pytest.mark.parametrize("text", ["<html>", "a b c d\n", "# TYPE x counter\nx 1\n"])
def test_what_is_no_exposition_of_the_service(monkeypatch, text: str):
    monkeypatch.setattr(metrics, "get", lambda what, url, headers: text)
    with pytest.raises(Refused, match="one is no /metrics of the service"):
        metrics.read(["one"])
