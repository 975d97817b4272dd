"""Nobody, one that is down, one that is not ready, several: what a dashboard says is told apart.

A figure that is there whatever happens is worse than none: who looks at it believes it.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import pytest

import contract
import exporter
import faults
import load
from prometheus import Prometheus, free_port
from reading import FED, ROOT, every_expression
from scene import rules
from service import Service

PROCESSES = {"down": 1, "not ready": 1, "of": 3}
RULED = {"Alerts firing", "Pages, tickets"}


def targets(*addresses: tuple) -> dict[str, dict]:
    """A job of these."""
    return {"glassbox": {"static_configs": [
        {"targets": [f"{host}:{port}" for host, port in addresses]}]}}


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Prometheus]]:
    """One that is well, one that is not ready, one that is down; seen by one without rules and by one
    with them."""
    folder = tmp_path_factory.mktemp("three")
    plan = folder / "plan.json"
    faults.write(plan, faults.plan({"not_ready": True}))
    with Service() as well, \
            Service("--faults", plan, "--fault-token-file", faults.token_file(folder)) as other:
        jobs = targets(well.public, other.public, ("127.0.0.1", free_port()))
        for name in ("bare", "ruled"):
            (folder / name).mkdir()
        with Prometheus(folder / "bare", well.public, "exemplar-storage", jobs=jobs) as bare, \
                Prometheus(folder / "ruled", well.public, "exemplar-storage", jobs=jobs,
                           rules=rules("real")) as ruled:
            for service in (well, other):
                load.warm_up(service.public, count=200)
            for one in (bare, ruled):
                assert one.wait("sum(up)", 2) and one.wait("count(glassbox_ready == 0)", 1)
            assert ruled.wait("count(slo:objective:ratio)", 1)
            assert bare.wait("count(rate(glassbox_requests_finished_total[15s]))", 2)
            yield {"bare": bare, "ruled": ruled}


def test_a_prometheus_that_scraped_nothing_answers_nothing(tmp_path: Path):
    """So what is answered elsewhere came from what was scraped, and is no constant."""
    with Prometheus(tmp_path, ("127.0.0.1", 1), "exemplar-storage", jobs=targets()) as nothing:
        assert nothing.wait("vector(1)", 1)
        answered = [str(one) for one in every_expression()
                    if nothing.api("query", query=one.filled)["result"]]
        asked = subprocess.run([sys.executable, str(ROOT / "tests/dashboards/ask.py"), nothing.url],
                               capture_output=True, text=True, timeout=120)
    assert answered == []
    assert asked.returncode == 1 and " 0 of " in asked.stdout, asked.stdout + asked.stderr


def test_who_is_down_or_not_ready_is_counted(three: dict[str, Prometheus]):
    asked = [one for one in every_expression() if one.where == "Processes" and one.legend in PROCESSES]
    assert {one.board for one in asked} == {"service", "incident"}
    for one in asked:
        assert three["bare"].value(one.filled) == PROCESSES[one.legend], str(one)


def test_no_alert_is_none_only_where_rules_are_judged(three: dict[str, Prometheus]):
    asked = [one for one in every_expression() if one.where in RULED]
    assert len(asked) == 4
    for one in asked:
        assert three["bare"].value(one.filled) is None, str(one)
        assert three["ruled"].value(one.filled) == 0, str(one)


def test_several_instances_break_no_query(three: dict[str, Prometheus]):
    """Labels that are one to one with one process are still so with more."""
    broken = [str(one) for one in every_expression()
              if three["ruled"].api("query", query=one.filled) is None]
    assert broken == []


def test_a_figure_is_a_number_or_is_not_there(three: dict[str, Prometheus]):
    """A route that nobody calls has no share of errors: 0 / 0 would be shown as NaN."""
    undefined = {str(one) for one in every_expression() if one.kind == "instant"
                 for series in three["ruled"].api("query", query=one.filled)["result"]
                 if series["value"][1] in ("NaN", "+Inf", "-Inf")}
    assert undefined == set()


def test_what_is_fed_is_documented_and_none_of_the_services():
    """Else a panel would show what the test made up: the names are an exporter's, with its labels."""
    ours = set(json.loads((ROOT / "docs/contract.json").read_text())["metrics"])
    fed = {name for path in sorted(exporter.FOLDER.glob("*.prom"))
           for name in re.findall(r"^# TYPE (\S+)", path.read_text(), re.M)}
    assert fed and not fed & ours
    assert {name for name in fed if not FED.match(name)} == set()
    wrong = [text for path in sorted(exporter.FOLDER.glob("*.prom"))
             for line in path.read_text().splitlines() if line and line[0] != "#"
             for text in contract.problems(contract.Expression(path.name, line.rpartition(" ")[0]))]
    assert wrong == []
