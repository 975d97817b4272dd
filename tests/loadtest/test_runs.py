"""Whole runs against a local stack: the real service, Prometheus, Collector, and k6. Each is held against all three
signals."""

import json
import os
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from answers import ask_all, missing
from glassbox_load.places import ROOT
from glassbox_stack.stack import Stack
from prometheus import Api
from reading import every_expression
from traces import find
from wire import eventually

ROUTES = {"/demo/hello", "/demo/random-error", "/demo/work"}
AVERAGE = ("average", "RATE=40", "RAMP=3s", "DURATION=10s", "VUS=400")


@dataclass(frozen=True)
class Ran:
    """One, to its end."""

    status: int
    said: str
    folder: Path

    @property
    def verdict(self) -> dict[str, Any]:
        return json.loads((self.folder / "verdict.json").read_text())


def check_held(one: Ran) -> None:
    """Every objective held but perhaps those of latency, which are the machine's business here; all signals agree."""
    judged = [*one.verdict["thresholds"], *one.verdict["judged"]]
    missed = {row["objective"] or row["metric"] for row in judged if not row["holds"]}
    assert not [name for name in missed if not name.endswith("-latency")], one.said
    assert one.verdict["exam"]["agrees"] and one.status == (99 if missed else 0), one.said


def command(stack: Stack, results: Path, name: str, *words: str) -> subprocess.Popen[str]:
    """loadtest/run, as a person starts it."""
    return subprocess.Popen([ROOT / "loadtest/run", words[0], "--stack", stack.folder / "stack.json", f"TESTID={name}",
                             f"RESULTS={results}", *words[1:]], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, cwd=ROOT)


def ran(stack: Stack, results: Path, name: str, *words: str) -> Ran:
    """And what came of it."""
    process = command(stack, results, name, *words)
    said = process.communicate(timeout=300)[0]
    return Ran(process.returncode, said, results / name)


def armed(stack: Stack, plan: dict[str, Any] | None) -> None:
    """By the API; None: none any more."""
    request = urllib.request.Request(
        f"{stack.operators}/faults", method="DELETE" if plan is None else "PUT",
        data=None if plan is None else json.dumps(plan).encode(),
        headers={"Authorization": f"Bearer {stack.token_file.read_text().strip()}", "Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=10).close()


FAULT = {"name": "trouble", "seed": 1, "faults": [
    {"route": "/demo/hello", "duration": "10m", "error": {"ratio": 0.2, "status": 503}}]}


@pytest.fixture
def trouble(stack: Stack):
    """One in five of /demo/hello fails."""
    armed(stack, FAULT)
    yield
    armed(stack, None)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def average(stack: Stack, results: Path) -> Ran:
    """With all as it should be."""
    return ran(stack, results, "well", *AVERAGE)


def test_every_objective_holds_and_every_request_is_in_every_signal(average: Ran):
    check_held(average)
    rows = average.verdict["exam"]["rows"]
    assert {row["route"] for row in rows} == ROUTES and sum(row["sent"] for row in rows) > 400
    assert all(row["sent"] == row["finished"] == row["lines"] == row["spans"] for row in rows)
    assert (average.verdict["exam"]["read"] == ["metrics", "access log", "spans"]
            and average.verdict["exam"]["others"] == [])


def test_the_slowest_are_traces_that_can_be_opened_and_lines_that_can_be_found(stack: Stack, average: Ran):
    slowest = average.verdict["slowest"]
    assert len(slowest) == 10 and all(one["trace"] in one["line"] for one in slowest)
    log = (stack.folder / "log/access.log").read_text()
    assert all(one["line"] in log for one in slowest)
    spans = find(stack.folder / "traces.json", slowest[0]["trace"])
    assert [span["traceId"] for span in spans if span["kind"] == 2] == [slowest[0]["trace"]]
    assert f"{stack.traces}/trace/{slowest[0]['trace']}" in average.said


def test_what_k6_leaves(average: Ran):
    summary = json.loads((average.folder / "summary.json").read_text())
    cases = ElementTree.parse(average.folder / "summary.xml").getroot().findall(".//testcase")
    broken = [one for one in average.verdict["thresholds"] if not one["holds"]]
    assert (len(cases) == len(average.verdict["thresholds"]) > 8
            and len([case for case in cases if len(case)]) == len(broken))
    assert (average.folder / "summary.txt").read_text().count("BROKEN") == len(broken)
    page = (average.folder / "report.html").read_text()
    assert "<html" in page and len(page) > 50_000
    assert summary["metrics"]["http_reqs"]["values"]["count"] == sum(
        row["sent"] for row in average.verdict["exam"]["rows"])


def test_k6_s_series_are_in_prometheus_under_the_test_s_id(stack: Stack, average: Ran):
    def value(query: str) -> float:
        url = f"{stack.prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        result = json.load(urllib.request.urlopen(url, timeout=10))["data"]["result"]
        return float(result[0]["value"][1]) if result else 0.0
    sent = sum(row["sent"] for row in average.verdict["exam"]["rows"])
    # The last that was written, before the marks that say that there will be no more.
    assert eventually(lambda: value('sum(max_over_time(k6_http_reqs_total{testid="well"}[10m]))') == sent, 30)
    assert value('max(max_over_time(k6_http_req_duration_p99{testid="well"}[10m]))') > 0


def test_the_load_test_dashboard_shows_it(stack: Stack, results: Path):
    """Every expression of it that is about k6, while a test goes on."""
    process = command(stack, results, "shown", *AVERAGE[:3], "DURATION=40s", "VUS=400")
    try:
        ours = [one for one in every_expression() if one.board == "load-test" and one.is_fed]
        asked = ask_all(Api(stack.prometheus), ours, patience=60)
    finally:
        said = process.communicate(timeout=300)[0]
    assert len(asked) > 15 and process.returncode in (0, 99), said
    assert [str(one) for one, answer in asked.items() if missing(one, answer)] == []


def test_an_objective_that_is_missed_is_named_with_its_faults_and_traces(stack: Stack, results: Path, trouble):
    missed = ran(stack, results, "undeclared", *AVERAGE)
    assert missed.status == 99, missed.said
    (conclusion,) = [line for line in missed.said.splitlines() if line.startswith("MISSED: ")]
    assert {"checks", "hello-availability", "http_req_failed"} <= set(conclusion.removeprefix("MISSED: ").split(", "))
    assert "/demo/hello: faults that nobody declared (FAULTS=trouble): error on " in missed.said
    failed = [one for one in missed.verdict["failed"] if one["route"] == "/demo/hello"]
    assert failed and all(one["status"] == 503 for one in failed)
    assert f"/trace/{failed[0]['trace']}" in missed.said
    names = [event["name"] for span in find(stack.folder / "traces.json", failed[0]["trace"])
             for event in span.get("events", ())]
    assert "fault.injected" in names
    assert missed.verdict["exam"]["agrees"]


def test_the_same_faults_declared_are_no_surprise(stack: Stack, results: Path, trouble):
    held = ran(stack, results, "declared", *AVERAGE, "FAULTS=trouble")
    check_held(held)
    (judged,) = [one for one in held.verdict["judged"] if one["objective"] == "hello-availability"]
    assert judged["holds"] and "by faults, so 0 of their own" in judged["says"]
    assert "http_req_failed{route:/demo/work}" in [one["metric"] for one in held.verdict["thresholds"]]


def test_another_plan_than_the_declared_one_is_refused_before_anything_is_sent(stack: Stack, results: Path, trouble):
    refused = ran(stack, results, "another", *AVERAGE, "FAULTS=outage")
    assert refused.status == 2 and "FAULTS=outage: the plan is called trouble" in refused.said


def test_a_plan_that_is_not_there_is_refused(stack: Stack, results: Path):
    refused = ran(stack, results, "none", *AVERAGE, "FAULTS=*")
    assert refused.status == 2 and "no fault is in force" in refused.said


def test_a_share_of_the_traces(stack: Stack, results: Path):
    held = ran(stack, results, "sampled", *AVERAGE, "SAMPLED=0.3")
    check_held(held)
    assert all(0 < row["spans"] == row["due"] < row["sent"] for row in held.verdict["exam"]["rows"])


def test_traffic_of_others_is_refused_before_anything_is_sent(stack: Stack, results: Path):
    over = []

    def others() -> None:
        while not over:
            urllib.request.urlopen(f"{stack.service}/demo/hello", timeout=10).close()
            time.sleep(0.1)
    with ThreadPoolExecutor() as pool:
        pool.submit(others)
        try:
            refused = ran(stack, results, "crowded", "smoke")
        finally:
            over.append(True)
    assert (refused.status == 2 and "others are calling: " in refused.said
            and "on /demo/hello within 2 s" in refused.said)
    assert not refused.folder.exists()


def test_traffic_of_others_that_comes_later_makes_it_worthless(stack: Stack, results: Path):
    process = command(stack, results, "disturbed", *AVERAGE)
    assert eventually(lambda: (results / "disturbed/console.log").exists()
                      and (results / "disturbed/console.log").stat().st_size > 0, 60)
    urllib.request.urlopen(f"{stack.service}/demo/hello", timeout=10).close()
    said = process.communicate(timeout=300)[0]
    assert process.returncode in (1, 99), said  # 99: a latency was missed, too
    assert "others were on /demo/hello: 1 requests of Python-urllib/" in said


def test_ctrl_c_ends_k6_in_order_and_what_was_sent_is_judged(stack: Stack, results: Path):
    process = command(stack, results, "ended", "average", "RATE=20", "RAMP=1s", "DURATION=5m")
    console = results / "ended/console.log"
    assert eventually(lambda: console.exists() and all(route in console.read_text() for route in ROUTES), 60)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=120)[0]
    assert process.returncode in (1, 99) and ("NOT TO ITS END: k6 ended with 105" in said or "MISSED: " in said), said
    verdict = json.loads((results / "ended/verdict.json").read_text())
    assert verdict["exam"]["agrees"] and sum(row["sent"] for row in verdict["exam"]["rows"]) > 0


def test_a_service_that_begins_anew_under_load_gets_a_verdict(results: Path, tmp_path: Path):
    """What it had counted is gone, and k6's own thresholds hold good: requests failed."""
    with Stack(tmp_path / "stack", rate=400, load=False, collector=False) as up:
        process = command(up, results, "begun-anew", *AVERAGE)
        console = results / "begun-anew/console.log"
        assert eventually(lambda: console.exists() and console.stat().st_size > 0, 60)
        os.kill(up.pids["service"], signal.SIGKILL)
        said = process.communicate(timeout=300)[0]
    assert process.returncode == 99, said
    verdict = json.loads((results / "begun-anew/verdict.json").read_text())
    assert [name for name, _ in verdict["exam"]["lost"]] == ["metrics"] and "lost: metrics: no metrics at" in said
    assert any(one["status"] == 0 and one["error"] for one in verdict["failed"])


def test_resets_that_were_declared_are_counted_once(stack: Stack, results: Path):
    """On a kept connection Go would send them again, and the service would finish more than was sent."""
    armed(stack, {"name": "resets", "seed": 1, "faults": [
        {"route": "/demo/hello", "duration": "10m", "reset": {"ratio": 0.2}}]})
    try:
        held = ran(stack, results, "resets", *AVERAGE, "FAULTS=resets")
    finally:
        armed(stack, None)
    check_held(held)
    assert held.verdict["exam"]["twice"] == 0 and any(one["status"] == 0 for one in held.verdict["failed"])


def test_without_any_signal_nothing_is_sent(stack: Stack, results: Path):
    done = subprocess.run([ROOT / "loadtest/run", "smoke", f"TARGET={stack.service.replace('127.0.0.1', 'localhost')}",
                           "--stack", stack.folder / "stack.json"], text=True, capture_output=True, timeout=120,
                          cwd=ROOT, check=False)
    assert done.returncode == 2 and "nothing is known of http://localhost" in done.stderr, done.stderr


def test_a_folder_that_is_there_is_left_alone(stack: Stack, results: Path):
    (results / "mine").mkdir()
    refused = ran(stack, results, "mine", "smoke")
    assert refused.status == 2 and "is there already: another TESTID, or RESULTS" in refused.said


def test_a_service_that_is_not_there(results: Path):
    done = subprocess.run([ROOT / "loadtest/run", "smoke", "TARGET=http://127.0.0.1:1",
                           "--metrics", "http://127.0.0.1:1/metrics", f"RESULTS={results}"],
                          text=True, capture_output=True, timeout=120, cwd=ROOT, check=False)
    assert done.returncode == 2 and "no metrics at http://127.0.0.1:1/metrics" in done.stderr


@pytest.mark.parametrize("words, told", [
    (("nothing",), "`nothing` is no workload"),
    (("smoke", "RATE=-1"), "RATE=-1: not a number"),
    (("smoke", "TARGET=http://192.0.2.1"), "neither loopback nor private"),
    (("smoke", "--stack", "/nowhere"), "no local stack runs (/nowhere): start one with `make demo"),
    (("smoke", "--stack", str(Path(__file__))), "that is no stack.json"),
])
def test_what_is_not_understood_is_told(words: tuple[str, ...], told: str):
    done = subprocess.run([ROOT / "loadtest/run", *words], text=True, capture_output=True, timeout=120, cwd=ROOT,
                          check=False, env={name: value for name, value in os.environ.items() if name != "TARGET"})
    assert done.returncode == 2 and told in done.stderr, done.stderr
