"""Requests sent = finished = lines = spans, or the difference is told; and what would make the comparison worthless."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from glassbox_load import exam

SENT = {"/demo/hello": 3, "/demo/work": 1}
ALL = ("metrics", "access log", "spans")


def tally(finished: Any = SENT, lines: Any = SENT, spans: Any = SENT, others: Any = (), unread: Any = (),
          lost: Any = (), twice: int = 0) -> SimpleNamespace:
    """What was counted."""
    gone = {*unread, *dict(lost)}
    return SimpleNamespace(now=SimpleNamespace(finished=Counter(finished)), traced=Counter(spans),
                           unread=list(unread), lost=dict(lost), has=lambda name: name not in gone,
                           written=SimpleNamespace(lines=Counter(lines), others=Counter(dict(others)),
                                                   seen=SimpleNamespace(twice=twice)))


def test_all_agree():
    made = exam.examine(SENT, 1, tally())
    assert made.agrees and made.read == ALL and not list(exam.words(made))
    assert exam.table(made)[1].split() == ["/demo/hello", "3", "3", "3", "3", "3", "0"]


LOST = [
    ("a request that was never counted", dict(finished={**SENT, "/demo/hello": 2}), {"finished": -1}),
    ("a line that was dropped", dict(lines={**SENT, "/demo/hello": 2}), {"lines": -1}),
    ("a span that was dropped", dict(spans={**SENT, "/demo/hello": 2}), {"spans": -1}),
    ("a request that was counted twice", dict(finished={**SENT, "/demo/hello": 4}), {"finished": 1}),
    ("one of nothing", dict(finished={}), {"finished": -3}),
]


@pytest.mark.parametrize("changed, told", [row[1:] for row in LOST], ids=[row[0] for row in LOST])
def test_one_that_is_lost_is_told(changed: dict, told: dict):
    made = exam.examine(SENT, 1, tally(**changed))
    assert not made.agrees and made.rows[0].differences() == told
    assert exam.difference(made.rows[0]) == ", ".join(f"{name} {count:+d}" for name, count in told.items())


def test_others_on_the_same_routes_make_it_worthless():
    made = exam.examine(SENT, 1, tally(others={("curl/8", "/demo/hello"): 1, ("Prometheus", "/metrics"): 9}))
    assert not made.agrees and list(exam.words(made)) == ["others were on /demo/hello: 1 requests of curl/8"]


def test_others_elsewhere_do_not_matter():
    assert exam.examine(SENT, 1, tally(others={("Prometheus", "/metrics"): 9})).agrees


def test_what_came_twice_is_explained():
    made = exam.examine(SENT, 1, tally(lines={**SENT, "/demo/hello": 4}, twice=1))
    assert not made.agrees and "1 requests came twice" in next(iter(exam.words(made)))


def test_what_nobody_said_the_place_of_is_said_and_the_rest_is_compared():
    made = exam.examine(SENT, 1, tally(unread=("metrics", "spans")))
    assert made.agrees and made.read == ("access log",) and "unread" in exam.table(made)[1]
    assert [text.partition(",")[0] for text in exam.words(made)] == ["not examined: metrics", "not examined: spans"]
    assert not exam.examine(SENT, 1, tally(lines={}, unread=("metrics", "spans"))).agrees


def test_what_was_lost_on_the_way_is_no_agreement():
    made = exam.examine(SENT, 1, tally(lost={"metrics": "no metrics at one: refused"}))
    assert not made.agrees and list(exam.words(made)) == ["lost: metrics: no metrics at one: refused"]


def test_nothing_sent_agrees_with_nothing():
    assert not exam.examine({}, 1, tally()).agrees


def test_nothing_read_agrees_with_nothing():
    assert not exam.examine(SENT, 1, tally(unread=ALL)).agrees


def test_spans_are_due_for_what_was_sampled():
    assert [exam.sampled(count, 0) for count in (0, 1000)] == [0, 0]
    assert exam.sampled(1000, 1) == 1000 and abs(exam.sampled(1000, 0.25) - 250) <= 3
    due = exam.sampled(3, 0.5)
    assert 0 < due < 3
    assert exam.examine({"/": 3}, 0.5, tally({"/": 3}, {"/": 3}, {"/": due})).agrees
    assert not exam.examine({"/": 3}, 0.5, tally({"/": 3}, {"/": 3}, {"/": 3})).agrees
