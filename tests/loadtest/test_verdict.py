"""What a run comes to: its exit status, and words that say which objective, which traces, which signal."""

import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from glassbox_load.accesslog import Line
from glassbox_load.exam import Exam, Row
from glassbox_load.k6 import Run
from glassbox_load.metrics import Reading
from glassbox_load.notes import Note
from glassbox_load.truth import Judged, Plan
from glassbox_load.verdict import Verdict, by_route, thresholds

HELLO = "/demo/hello"
ALL = ("metrics", "access log", "spans")
AGREES = Exam((Row(HELLO, 100, 100, 100, 100, 100),), ALL)
DIFFERS = Exam((Row(HELLO, 100, 99, 100, 100, 100),), ALL)
LOST = Exam((Row(HELLO, 100, None, 100, 100, 100),), ALL[1:], lost=(("metrics", "refused"),))


def summary(errors_hold: bool = True) -> dict:
    """As k6 leaves it."""
    return {"metrics": {
        "http_reqs": {"values": {"count": 100}},
        f"asked{{route:{HELLO}}}": {"values": {"count": 100, "rate": 10}, "thresholds": {"count>0": {"ok": True}}},
        f"errors{{route:{HELLO}}}": {"values": {"rate": 0.3, "passes": 30, "fails": 70},
                                     "thresholds": {"rate<=0.001": {"ok": errors_hold}}},
        "errors{route:/demo/work}": {"values": {"rate": 0.3, "passes": 3, "fails": 7},
                                     "thresholds": {"rate<=1": {"ok": True}}},
        f"http_req_duration{{route:{HELLO},status:200}}": {"values": {"p(99)": 20},
                                                           "thresholds": {"p(99)<=100": {"ok": True}}}}}


def noted(slow: list[Note] = [], failed: list[Note] = [], lines: dict[str, Line] = {}) -> SimpleNamespace:
    """What k6 told of single requests."""
    return SimpleNamespace(slow=slow, failed=failed, lines=lines, most=10)


def verdict(tmp_path: Path, **changed) -> Verdict:
    """Of a run in which all was well."""
    made = {"run": Run("a", "0" * 16, tmp_path), "workload": "smoke", "status": 0, "summary": summary(), "exam": AGREES,
            "plan": Plan("", frozenset()), "injected": None, "notes": noted(), **changed}
    return Verdict(**made)


def test_all_is_well(tmp_path: Path):
    made = verdict(tmp_path)
    assert made.exit_status == 0
    assert made.text().rstrip().endswith("every request is in all that was compared: metrics, access log, spans")


STATUSES = [
    ("a threshold was broken", dict(status=99, summary=summary(False)), 99, "MISSED: hello-availability"),
    ("k6 says so though it left nothing", dict(status=99, summary={}), 99, "MISSED: what k6 has in its log"),
    ("a declared route's objective was missed", dict(judged=[Judged("hello-availability", HELLO, False, "2 of 9")]), 99,
     "MISSED: hello-availability"),
    ("the signals differ", dict(exam=DIFFERS), 1, "DIFFERENT: the signals are not what was sent"),
    ("a signal was lost", dict(exam=LOST), 1, "NOTHING CAN BE SAID"),
    ("k6 was ended", dict(status=105), 1, "NOT TO ITS END: k6 ended with 105: "),
    ("k6 left nothing", dict(summary={}), 1, "NOT TO ITS END: k6 ended with 0: "),
    ("a missed objective weighs more than signals that differ",
     dict(status=99, summary=summary(False), exam=DIFFERS), 99, "MISSED"),
]


@pytest.mark.parametrize("changed, status, says", [row[1:] for row in STATUSES], ids=[row[0] for row in STATUSES])
def test_exit_status_and_last_word(tmp_path: Path, changed: dict, status: int, says: str):
    made = verdict(tmp_path, **changed)
    assert made.exit_status == status and made.text().rstrip().splitlines()[-1].startswith(says)


def test_a_missed_objective_is_named_with_faults_and_traces(tmp_path: Path):
    struck = Reading(Counter(), Counter({HELLO: 30}), Counter({("error", HELLO): 30, ("error", "/"): 5}),
                     frozenset(), (1.0,))
    note = Note(HELLO, 12.5, 503, "ab" * 16, "", 1.0)
    other = Note("/demo/work", 12.5, 503, "cd" * 16, "", 1.0)
    its_line = Line("its line", note.trace, HELLO, 503, 0.1, "error", "503", "k6")
    made = verdict(tmp_path, status=99, summary=summary(False), injected=struck, plan=Plan("outage", frozenset()),
                   notes=noted(failed=[other, note], lines={note.trace: its_line}),
                   traces_page="http://127.0.0.1:16686")
    said = made.text()
    assert ("  MISSED  hello-availability: errors{route:/demo/hello}: rate<=0.001 "
            "(fails 70, passes 30, rate 0.3)") in said
    assert "  /demo/hello: faults that nobody declared (FAULTS=outage): error on 30 requests" in said
    assert f"  failed: /demo/hello: 12.5 ms  503  http://127.0.0.1:16686/trace/{'ab' * 16}\n      its line\n" in said
    assert "cd" * 16 not in said and said.rstrip().endswith("MISSED: hello-availability")


def test_the_slowest_have_their_line_of_the_log(tmp_path: Path):
    slow = [Note(HELLO, 90 - n, 200, f"{n:032x}", "", 1.0) for n in range(3)]
    lines = {slow[0].trace: Line("the line", slow[0].trace, HELLO, 200, 0.09, "", "", "k6")}
    said = verdict(tmp_path, notes=noted(slow, lines=lines)).text().split("the slowest\n")[1]
    assert said.startswith(f"  90.0 ms  200  {slow[0].trace}\n      the line\n  89.0 ms  200  {slow[1].trace}\n")


def test_a_missed_declared_objective_shows_requests_too(tmp_path: Path):
    note = Note(HELLO, 12.5, 500, "ab" * 16, "", 1.0)
    made = verdict(tmp_path, judged=[Judged("hello-availability", HELLO, False, "2 of 9")], notes=noted(failed=[note]))
    assert f"failed: {HELLO}: 12.5 ms  500  {note.trace}" in made.text()


def test_a_threshold_of_the_whole_run_shows_requests_of_any_route(tmp_path: Path):
    broken = {"metrics": {"http_req_failed": {"values": {"rate": 0.1}, "thresholds": {"rate<=0.001": {"ok": False}}}}}
    note = Note("/demo/work", 1.0, 0, "cd" * 16, "reset", 1.0)
    designed = Note("/demo/random-error", 2.0, 500, "ef" * 16, "", 0.5, expected=True)
    said = verdict(tmp_path, status=99, summary=broken, notes=noted(failed=[designed, note])).text()
    assert f"failed: /demo/work: 1.0 ms  reset  {note.trace}" in said and designed.trace not in said


def test_what_a_declared_fault_struck_is_no_culprit(tmp_path: Path):
    struck, own = (Note(HELLO, 5.0, 503, letter * 32, "", 1.0) for letter in "ab")
    lines = {struck.trace: Line("struck", struck.trace, HELLO, 503, 0.1, "error", "503", "k6")}
    said = verdict(tmp_path, judged=[Judged("hello-availability", HELLO, False, "2 of 9")],
                   notes=noted(failed=[struck, own], lines=lines)).text()
    assert f"failed: {HELLO}: 5.0 ms  503  {own.trace}" in said and struck.trace not in said


def test_what_could_not_be_sent_has_no_culprit(tmp_path: Path):
    dropped = {"metrics": {"dropped_iterations": {"values": {"count": 5}, "thresholds": {"count==0": {"ok": False}}}}}
    note = Note("/demo/work", 1.0, 0, "cd" * 16, "reset", 1.0)
    assert note.trace not in verdict(tmp_path, status=99, summary=dropped, notes=noted(failed=[note])).text()


def test_what_only_measures_is_no_threshold():
    assert [one.metric for one in thresholds(summary())] == [
        f"asked{{route:{HELLO}}}", f"errors{{route:{HELLO}}}", f"http_req_duration{{route:{HELLO},status:200}}"]
    assert by_route(summary(), "errors", "passes") == {HELLO: 30, "/demo/work": 3}
    assert by_route(summary(), "asked", "count") == {HELLO: 100}


def test_it_is_written_for_programs_too(tmp_path: Path):
    verdict(tmp_path, exam=DIFFERS).write()
    document = json.loads((tmp_path / "verdict.json").read_text())
    assert document["exit_status"] == 1 and document["exam"]["differences"] == {HELLO: {"finished": -1}}
    assert (tmp_path / "verdict.txt").read_text().count("finished -1") == 1
