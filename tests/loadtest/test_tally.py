"""What is kept of a test while it goes on: counters, what came twice, and the lines of requests that k6 noted."""

import json
from collections import Counter
from pathlib import Path

import pytest

from glassbox_load import tally as module
from glassbox_load.accesslog import Line
from glassbox_load.metrics import Reading
from glassbox_load.notes import Notes
from glassbox_load.places import Places
from glassbox_load.refused import Refused
from glassbox_load.tally import Seen, Tally, Written

AGENT, RUN, HELLO = "k6/2.2.0 testid/a", "0123456789abcdef", "/demo/hello"
HEAD = "#Fields: time-taken cs-uri-stem sc-status cs(User-Agent) x-trace-id x-error x-fault\n"


def trace(number: int, scenario: int = 0) -> str:
    return f"{RUN}{scenario:04x}{number:012x}"


def line(number: int, seconds: float = 0.05, fault: str = "", error: str = "", agent: str = AGENT) -> Line:
    return Line(f"line {number}", trace(number), HELLO, 200, seconds, fault, error, agent)


def test_what_came_twice_of_many_scenarios():
    seen = Seen()
    for number in (0, 5, 100_000, 3):
        for scenario in (0, 1):
            seen.add(trace(number, scenario))
    assert seen.twice == 0
    seen.add(trace(5, 1))
    seen.add(trace(100_000, 0))
    assert seen.twice == 2


def test_lines_are_told_apart_by_whose_they_are_and_what_struck_them():
    written = Written()
    for one in (line(0), line(1, 0.2), line(2, 0.2, fault="latency"), line(3, error="500"),
                line(4, fault="error", error="503"), line(5, agent="curl")):
        written.add(one, AGENT, RUN, {HELLO: 0.1})
    assert written.lines == {HELLO: 5} and written.others == {("curl", HELLO): 1}
    assert (written.own_errors[HELLO], written.unstruck[HELLO], written.slow[HELLO]) == (1, 2, 1)


def test_another_test_of_the_same_name_is_somebody_else():
    written = Written()
    written.add(Line("", "f" * 32, HELLO, 200, 0.1, "", "", AGENT), AGENT, RUN, {})
    assert written.others == {(AGENT, HELLO): 1}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    made = tmp_path / "access.log"
    made.write_text(HEAD)
    return made


def added(log: Path, *numbers: int, agent: str = f'"{AGENT}"') -> None:
    with log.open("a") as more:
        more.writelines(f"0.05\t{HELLO}\t200\t{agent}\t{trace(number)}\t-\t-\n" for number in numbers)


def test_what_nobody_said_the_place_of_and_what_was_lost(log: Path):
    counted = Tally(Places("http://x", access_log=log), RUN, AGENT, {})
    assert counted.unread == ["metrics", "spans"] and counted.has("access log")
    log.write_text(HEAD + "no line at all\n" * 20)
    counted.read()
    assert not counted.has("access log") and "has a line that is none" in counted.lost["access log"]


def test_a_service_that_does_not_answer_now_may_answer_later(monkeypatch):
    answers: list[Reading | None] = [Reading(Counter(), Counter(), Counter(), frozenset(), (1.0,))]

    def read(_: list[str]) -> Reading:
        if answers[-1] is None:
            raise Refused("no metrics at one: refused")
        return answers[-1]
    monkeypatch.setattr(module.metrics, "read", read)
    counted = Tally(Places("http://x", metrics=["one"]), RUN, AGENT, {})
    answers.append(None)
    counted.read_metrics()
    assert counted.lost == {"metrics": "no metrics at one: refused"}
    answers.append(Reading(Counter({HELLO: 3}), Counter(), Counter(), frozenset(), (1.0,)))
    counted.read_metrics()
    assert counted.lost == {} and counted.now.finished == {HELLO: 3}
    answers.append(Reading(Counter({HELLO: 1}), Counter(), Counter(), frozenset(), (2.0,)))
    counted.read_metrics()
    assert "began anew" in counted.lost["metrics"]


def note(kind: str, number: int, ms: float, at: float = 0.0) -> str:
    return json.dumps({"note": kind, "route": HELLO, "ms": ms, "status": 200, "trace": trace(number),
                       "error": "", "at": at}) + "\n"


def test_notes_find_their_lines_whichever_comes_first(log: Path, tmp_path: Path):
    console = tmp_path / "console.log"
    counted, noted = Tally(Places("http://x", access_log=log), RUN, AGENT, {}), Notes(console, 2)
    added(log, 1, 2, 3)
    counted.read()
    noted.read(counted.recent)
    console.write_text("hello\n5\n" + note("slow", 1, 10) + note("slow", 2, 30) + note("slow", 4, 20)
                       + note("failed", 3, 1) + '{"note": "x"}\n')
    noted.read(counted.recent)
    assert [one.ms for one in noted.slow] == [30, 20] and [one.trace for one in noted.failed] == [trace(3)]
    assert set(noted.lines) == {trace(2), trace(3)}
    added(log, 4)
    counted.read()
    noted.read(counted.recent)
    noted.read(counted.recent)
    assert set(noted.lines) == {trace(2), trace(3), trace(4)} and trace(4) in noted.lines[trace(4)].text
    assert counted.written.lines == {HELLO: 4}


def test_what_fails_by_design_leaves_room_for_other_routes(tmp_path: Path):
    console = tmp_path / "console.log"
    noted = Notes(console, 2)
    other = json.loads(note("failed", 99, 1, at=9.0)) | {"route": "/demo/work"}
    console.write_text("".join(note("failed", number, 1, at=1.0) for number in range(60)) + json.dumps(other) + "\n"
                       + "".join(note("slow", number, 100) for number in range(9))
                       + json.dumps(json.loads(note("slow", 98, 5)) | {"route": "/demo/work"}) + "\n")
    noted.read([])
    assert [one.route for one in noted.failed].count("/demo/work") == 1 and len(noted.failed) == 51
    assert [(one.route, one.ms) for one in noted.slow] == [(HELLO, 100), (HELLO, 100), ("/demo/work", 5)]
