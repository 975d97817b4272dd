"""Requests sent = finished = lines = spans, or the difference is told; and what would make the comparison worthless."""

from collections import Counter

import pytest

from glassbox_load import exam
from glassbox_load.accesslog import Line

AGENT = "k6/2.2.0 testid/a"
SENT = {"/demo/hello": 3, "/demo/work": 1}


def line(number: int, route: str = "/demo/hello", agent: str = AGENT) -> Line:
    """One, with the trace of this number."""
    return Line(f"line {number}", f"{number:032x}", route, 200, 0.1, "", "", agent)


LINES = [line(1), line(2), line(3), line(4, "/demo/work")]
SPANS = {one.trace: Counter({one.route: 1}) for one in LINES}


def test_all_agree():
    made = exam.examine(SENT, 1, SENT, LINES, SPANS, AGENT)
    assert made.agrees and not any(row.differences() for row in made.rows) and not list(exam.words(made))
    assert exam.table(made)[1].split() == ["/demo/hello", "3", "3", "3", "3", "3", "0"]


LOST = [
    ("a request that was never counted", dict(finished={**SENT, "/demo/hello": 2}), {"finished": -1}),
    ("a line that was dropped", dict(lines=LINES[1:]), {"lines": -1}),
    ("a span that was dropped", dict(spans=dict(list(SPANS.items())[1:])), {"spans": -1}),
    ("a request that was counted twice", dict(finished={**SENT, "/demo/hello": 4}), {"finished": 1}),
]


@pytest.mark.parametrize("changed, told", [row[1:] for row in LOST], ids=[row[0] for row in LOST])
def test_one_that_is_lost_is_told(changed: dict, told: dict):
    given = {"finished": SENT, "lines": LINES, "spans": SPANS, **changed}
    made = exam.examine(SENT, 1, agent=AGENT, **given)
    assert not made.agrees
    assert [row.differences() for row in made.rows] == [told, {}]
    assert exam.difference(made.rows[0]) == ", ".join(f"{name} {count:+d}" for name, count in told.items())


def test_others_on_the_same_routes_make_it_worthless():
    made = exam.examine(SENT, 1, {**SENT, "/demo/hello": 4}, [*LINES, line(9, agent="curl/8")], SPANS, AGENT)
    assert not made.agrees and list(exam.words(made)) == ["others were on /demo/hello: 1 requests of curl/8"]


def test_others_elsewhere_do_not_matter():
    assert exam.examine(SENT, 1, SENT, [*LINES, line(9, "/metrics", "Prometheus")], SPANS, AGENT).agrees


def test_what_came_twice_is_explained():
    made = exam.examine(SENT, 1, {**SENT, "/demo/hello": 4}, [*LINES, line(1)], SPANS, AGENT)
    assert not made.agrees and made.twice == 1 and "1 requests came twice" in next(iter(exam.words(made)))


def test_what_cannot_be_read_is_said_and_the_rest_is_compared():
    made = exam.examine(SENT, 1, None, LINES, None, AGENT)
    assert made.agrees and made.unread == ("metrics", "spans") and "unread" in exam.table(made)[1]
    assert not exam.examine(SENT, 1, None, LINES[1:], None, AGENT).agrees


def test_nothing_read_agrees_with_nothing():
    assert not exam.examine(SENT, 1, None, None, None, AGENT).agrees


def test_spans_are_due_for_what_was_sampled():
    assert [exam.sampled(count, 0) for count in (0, 1000)] == [0, 0]
    assert exam.sampled(1000, 1) == 1000
    assert abs(exam.sampled(1000, 0.25) - 250) <= 3
    due = exam.sampled(3, 0.5)
    assert 0 < due < 3
    few = dict(list(SPANS.items())[:due])
    assert exam.examine({"/demo/hello": 3}, 0.5, {"/demo/hello": 3}, LINES[:3], few, AGENT).agrees
    assert not exam.examine({"/demo/hello": 3}, 0.5, {"/demo/hello": 3}, LINES[:3], SPANS, AGENT).agrees
