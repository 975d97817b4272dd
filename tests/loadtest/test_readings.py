"""Metrics and spans of the service, as far as they are read."""

import json
from collections import Counter
from pathlib import Path

import pytest

from glassbox_load import metrics, spans
from glassbox_load.refused import Refused

TEXT = """\
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


def test_server_spans_of_the_run_alone_also_of_rotated_files(tmp_path: Path):
    run = "0123456789abcdef"
    mine, other = run + "0" * 16, "f" * 32
    file = tmp_path / "traces.json"
    file.write_text(export(span(mine, "/demo/hello"), span(mine, "/demo/hello", kind=1), span(other, "/"))
                    + export(span(mine[:-1] + "1", "/demo/work"))[:-20])  # being written
    (tmp_path / "traces-2026-11-26T20-00-00.000.json").write_text(export(span(mine[:-1] + "2", "/demo/work")))
    assert spans.by_trace(file, run) == {mine: Counter({"/demo/hello": 1}), mine[:-1] + "2": Counter({"/demo/work": 1})}
    assert spans.by_trace(tmp_path / "none.json", run) == {}
