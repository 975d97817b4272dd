"""What a run comes to: its exit status, and words that say which objective, which traces, which signal."""

import json
from collections import Counter
from pathlib import Path

import pytest

from glassbox_load.accesslog import Line
from glassbox_load.exam import Exam, Row
from glassbox_load.k6 import Run
from glassbox_load.metrics import Reading
from glassbox_load.notes import Note, read
from glassbox_load.truth import Judged, Plan
from glassbox_load.verdict import Verdict, by_route, thresholds

HELLO = "/demo/hello"
AGREES = Exam((Row(HELLO, 100, 100, 100, 100, 100),))
DIFFERS = Exam((Row(HELLO, 100, 99, 100, 100, 100),))


def summary(errors_hold: bool = True) -> dict:
    """As k6 leaves it."""
    return {"metrics": {
        "http_reqs": {"values": {"count": 100}},
        f"http_reqs{{route:{HELLO}}}": {"values": {"count": 100, "rate": 10}, "thresholds": {"count>0": {"ok": True}}},
        f"errors{{route:{HELLO}}}": {"values": {"rate": 0.3, "passes": 30, "fails": 70},
                                     "thresholds": {"rate<=0.001": {"ok": errors_hold}}},
        "errors{route:/demo/work}": {"values": {"rate": 0.3, "passes": 3, "fails": 7}, "thresholds": {"rate<=1": {"ok": True}}},
        f"http_req_duration{{route:{HELLO},status:200}}": {"values": {"p(99)": 20}, "thresholds": {"p(99)<=100": {"ok": True}}}}}


def verdict(tmp_path: Path, **changed) -> Verdict:
    """Of a run in which all was well."""
    made = {"run": Run("a", "0" * 16, tmp_path), "workload": "smoke", "status": 0, "summary": summary(), "exam": AGREES,
            "plan": Plan("", frozenset()), "injected": None, **changed}
    return Verdict(**made)


def test_all_is_well(tmp_path: Path):
    made = verdict(tmp_path)
    assert made.exit_status == 0 and made.text().rstrip().endswith("every request is in every signal")


STATUSES = [
    ("a threshold was broken", dict(status=99, summary=summary(False)), 99),
    ("k6 says so though it left nothing", dict(status=99, summary={}), 99),
    ("a declared route's objective was missed", dict(judged=[Judged("hello-availability", False, "2 of 9")]), 99),
    ("the signals differ", dict(exam=DIFFERS), 1),
    ("k6 was ended", dict(status=105), 1),
    ("k6 left nothing", dict(summary={}), 1),
    ("nothing could be read", dict(exam=Exam((Row(HELLO, 100, None, None, None, 100),), ("metrics", "access log", "spans"))), 1),
    ("a missed objective weighs more than signals that differ", dict(status=99, summary=summary(False), exam=DIFFERS), 99),
]


@pytest.mark.parametrize("changed, status", [row[1:] for row in STATUSES], ids=[row[0] for row in STATUSES])
def test_exit_status(tmp_path: Path, changed: dict, status: int):
    assert verdict(tmp_path, **changed).exit_status == status


def test_a_missed_objective_is_named_with_faults_and_traces(tmp_path: Path):
    struck = Reading(Counter(), Counter({HELLO: 30}), Counter({("error", HELLO): 30, ("error", "/"): 5}), frozenset(), (1.0,))
    note = Note(HELLO, 12.5, 503, "ab" * 16, "", 1.0)
    other = Note("/demo/work", 12.5, 503, "cd" * 16, "", 1.0)
    made = verdict(tmp_path, status=99, summary=summary(False), injected=struck, plan=Plan("outage", frozenset()),
                   notes={"failed": [other, note], "slow": []}, traces_page="http://127.0.0.1:16686")
    said = made.text()
    assert "  MISSED  hello-availability: errors{route:/demo/hello}: rate<=0.001 (fails 70, passes 30, rate 0.3)" in said
    assert "  /demo/hello: faults that nobody declared (FAULTS=outage): error on 30 requests" in said
    assert f"  /demo/hello:     12.5 ms  503  http://127.0.0.1:16686/trace/{'ab' * 16}" in said
    assert "cd" * 16 not in said and said.rstrip().endswith("MISSED: hello-availability")


def test_the_slowest_have_their_line_of_the_log(tmp_path: Path):
    slow = [Note(HELLO, 90 - n, 200, f"{n:032x}", "", 1.0) for n in range(12)]
    lines = {slow[0].trace: Line("the line", slow[0].trace, HELLO, 200, 0.09, "", "", "k6")}
    said = verdict(tmp_path, notes={"slow": slow, "failed": []}, lines=lines, slowest=10).text().split("the slowest\n")[1]
    assert said.startswith(f"      90.0 ms  200  {slow[0].trace}\n      the line\n")
    assert slow[9].trace in said and slow[10].trace not in said


def test_what_only_measures_is_no_threshold():
    assert [one.metric for one in thresholds(summary())] == [
        f"errors{{route:{HELLO}}}", f"http_req_duration{{route:{HELLO},status:200}}", f"http_reqs{{route:{HELLO}}}"]
    assert by_route(summary(), "errors", "passes") == {HELLO: 30, "/demo/work": 3}
    assert by_route(summary(), "http_reqs", "count") == {HELLO: 100}


def test_it_is_written_for_programs_too(tmp_path: Path):
    verdict(tmp_path, exam=DIFFERS).write()
    document = json.loads((tmp_path / "verdict.json").read_text())
    assert document["exit_status"] == 1 and document["exam"]["differences"] == {HELLO: {"finished": -1}}
    assert (tmp_path / "verdict.txt").read_text().count("finished -1") == 1


def test_notes_are_read_each_once_and_other_words_passed_over(tmp_path: Path):
    row = {"route": HELLO, "ms": 5.0, "status": 200, "trace": "a", "error": "", "at": 2.0}
    rows = [{"note": "slow", **row}, {"note": "slow", **row}, {"note": "slow", **row, "ms": 9.0, "trace": "b"},
            {"note": "failed", **row, "trace": "c"}, {"note": "failed", **row, "at": 1.0, "trace": "d"}, {"note": "other"}, 5]
    console = tmp_path / "console.log"
    console.write_text("hello\n" + "".join(json.dumps(one) + "\n" for one in rows))
    found = read(console)
    assert [note.trace for note in found["slow"]] == ["b", "a"]
    assert [note.trace for note in found["failed"]] == ["d", "c"]
    assert read(tmp_path / "none") == {"slow": [], "failed": []}
