"""Every expression of every panel, annotation and variable returns data, on a real Prometheus that has
scraped the real service under real load with faults in force; of either version, with either profile of
rules. What needs a cluster or a load test is fed (see exporter.py)."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from answers import Answer, ask, ask_all, counts, missing, row
from conftest import DEBIAN, THREE
from prometheus import Prometheus, free_port
from reading import Expression, every_expression


FOLDER = Path(__file__).resolve().parent

# What a service with which nothing is wrong leaves empty, and why that is what a person should see.
EMPTY_WHEN_QUIET = {
    "annotation Drills": "no drill, no mark",
    "The plan ends": "there is none: it says so",
    "Ground truth: faults in force": "a row for each fault in force: none, and it says so",
    "Refused before a route": "no label set of it has occurred",
    "annotation Alerts": "no alert, no mark",
    "Observed: alerts": "no alert: it says so",
    "Alerts now": "a row an alert: none"}


@pytest.mark.parametrize("name", [DEBIAN, THREE])
def test_every_expression_returns_data(name: str, observers: dict[str, Prometheus],
                                       runs: dict[str, dict]):
    if name == THREE and "PROMETHEUS_BIN" not in os.environ:
        pytest.skip("needs PROMETHEUS_BIN")
    asked = every_expression()
    runs[name] = ask_all(observers[name], asked)
    empty = [str(one) for one, answer in runs[name].items() if missing(one, answer)]
    assert empty == [], "\n".join(empty)
    assert len(runs[name]) == len(set(asked)) and counts(runs[name])["without data"] == 0


def test_a_quiet_service_leaves_no_panel_empty(quiet: dict[Expression, Answer]):
    """Where all is well a panel says so, by a 0: nobody can tell an empty one from a broken one."""
    empty = {one.where for one, answer in quiet.items() if missing(one, answer)}
    assert empty <= set(EMPTY_WHEN_QUIET)
    assert "annotation Drills" in empty, "not so quiet"


def test_autoscalers_of_others_are_not_ours(observers: dict[str, Prometheus]):
    """A cluster has more of them; the fed one's are all bad, and another's target is not ours."""
    wanted = {"had": 3, "wanted": 5, "least": 3, "most": 10, "room": 5, "active": 1}
    asked = [one for one in every_expression() if one.board == "autoscaling" and one.kind == "instant"]
    said = {one.legend: observers[DEBIAN].value(one.filled) for one in asked if one.legend in wanted}
    assert said == wanted
    pressure = next(one.filled for one in asked if one.legend == "{{metric_name}}")
    assert observers[DEBIAN].value(f"max({pressure})") == 81 / 50
    names = next(one for one in every_expression() if one.where == "variable hpa")
    assert ask(observers[DEBIAN], names).example == "glassbox"


def test_a_query_of_what_nothing_emits_is_missed(observers: dict[str, Prometheus]):
    """The check can fail: on a name that is not there, and on traces that are not."""
    nothing = Expression("x", "x", "glassbox_no_such", "glassbox_no_such", "instant")
    undefined = Expression("x", "x", "0 * up / 0", "0 * up / 0", "range")
    traceless = Expression("x", "x", "up", "up", "range", exemplars=True)
    for expression in (nothing, undefined, traceless):
        answer = ask_all(observers[DEBIAN], [expression], patience=0.1)[expression]
        assert missing(expression, answer), expression
    there = Expression("x", "x", "up", "up", "instant")
    assert not missing(there, ask_all(observers[DEBIAN], [there], patience=10)[there])


def test_anybodys_prometheus_can_be_asked(observers: dict[str, Prometheus]):
    """ask.py says how much of a dashboard has data; one that is not there cannot be asked."""
    def ask_it(url: str, *more: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, str(FOLDER / "ask.py"), url, *more],
                              capture_output=True, text=True, timeout=60)

    done = ask_it(observers[DEBIAN].url, "saturation")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.fullmatch(r"saturation: (\d+) of \1 answered\n", done.stdout), done.stdout
    assert ask_it(f"http://127.0.0.1:{free_port()}").returncode == 2


def test_the_rounded_table_says_no_more_than_was_answered():
    """A row has the expression as it stands, and the answer."""
    text = 'sum(a{b=~"c|d"})'
    line = row(Expression("x", "Load", text, text, "instant", "load"), Answer(1, "load 1.23"))
    assert line == '| Load | `sum(a{b=~"c\\|d"})` | 1 series: load 1.23 |\n'

