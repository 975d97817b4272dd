"""What a drill refuses, before anything is armed, and what it says then; and what it says when nothing came."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import pytest

from drill_world import RULE, Clock, World, field, places
from drills import cli, places as drills_places, table
from drills.arming import Api, File
from drills.guard import Guard, alone
from drills.timeline import Timeline
from drills.wave import Wave
from drills.web import Refused

NOT_READY = table.by_name("NotReady")


def drill(world: World, change: Callable[[Any], None] = lambda _: None, by: str = "api") -> tuple[Timeline, list[str]]:
    """A drill in this world, after a change to its field; the lines that it said."""
    with Guard(lambda _: None) as keeper:
        made = field(world, keeper, by=by)
        change(made)
        timeline, = Wave(made, [NOT_READY]).run()
        return timeline, made.said


def refused(world: World, why: str, change: Callable[[Any], None] = lambda _: None) -> None:
    with pytest.raises(Refused, match=why):
        drill(world, change)
    assert not world.service.is_struck() and world.notifications == []


# ---- by name ------------------------------------------------------------------------------------

@pytest.mark.parametrize("typed", ["GlassboxErrorBudgetBurn", "ErrorBudgetBurn", "errorbudgetburn",
                                   "glassboxerrorbudgetburn"])
def test_names(typed: str) -> None:
    assert table.by_name(typed).severity == "page"


@pytest.mark.parametrize("arguments, why", [
    (("ErorBudgetBurn",), "did you mean GlassboxErrorBudgetBurn"),
    (("Xylophone",), "no alert `Xylophone`\n  with a drill: GlassboxErrorBudgetBurn, "),
    (("TargetDown",), "no fault can cause GlassboxTargetDown: a fault leaves the process answering"),
    (("NotReady", "page"), "GlassboxNotReady is no page: there is ticket"),
    (("NotReady", None, "/"), "not of a route"),
    (("ErrorBudgetBurn", "page", "/metrics"), "`/metrics` is no route that users call: /, /demo/hello"),
])
def test_refused_by_name(arguments: tuple[Any, ...], why: str) -> None:
    with pytest.raises(Refused, match=why.replace("`/", "`/")):
        table.by_name(*arguments)


def test_another_route() -> None:
    chosen = table.by_name("ErrorBudgetBurn", "ticket", "/demo/work")
    assert chosen.match() == {"severity": "ticket", "http_route": "/demo/work"}


# ---- by what is found ---------------------------------------------------------------------------

def test_no_rule(world: World) -> None:
    world.rules[0]["name"] = "GlassboxOther"
    refused(world, "Prometheus has no rule GlassboxNotReady for severity=\"ticket\"; it has 1 alerts in all")


def test_a_rule_that_fails(world: World) -> None:
    world.rules[0].update(health="err", lastError="out of memory")
    refused(world, "cannot evaluate the rule GlassboxNotReady: out of memory")


def test_fast_against_real_rules(world: World) -> None:
    refused(world, "rules with real windows: --fast needs", lambda made: setattr(made, "profile", "fast"))


def test_real_against_fast_rules(world: World) -> None:
    world.rules[0]["labels"] = {**RULE["labels"], "profile": "fast"}
    refused(world, "has the rules of the fast profile: drill with --fast")


def test_no_target(world: World) -> None:
    refused(world, 'no target with job="other"', lambda made: setattr(made.places, "job", "other"))


def test_a_target_that_is_down(world: World) -> None:
    world.is_up = False
    refused(world, "cannot scrape here")


def test_which_target(world: World) -> None:
    def two(made: Any) -> None:
        made.places.operators = [world.service.url, world.service.url]
    refused(world, "which of here are drilled\\? --instance", two)
    drill(world, lambda made: setattr(made.places, "instances", ["here"]))


def test_it_fires_already(world: World) -> None:
    world.began, world.stubborn = 1_700_000_000.0, True
    refused(world, "GlassboxNotReady ticket is firing already, since 2023-11-14T")


def test_it_is_left_in_alertmanager(world: World) -> None:
    """Of a drill that was interrupted, whose rules were swapped: Prometheus sends no resolve then."""
    world.left = True
    refused(world, "is left in Alertmanager from before, until 2026-11-26T12:04:00Z: it would not be told anew")


def test_a_silence(world: World) -> None:
    world.silences = [{"id": "0815", "status": {"state": "active"}, "endsAt": "2026-11-26T12:00:00.000Z",
                       "createdBy": "somebody", "comment": "at night", "matchers": [
                           {"name": "alertname", "value": "Glassbox.*", "isRegex": True, "isEqual": True}]}]
    refused(world, "silenced until 2026-11-26T12:00:00Z by somebody \\(at night\\).*amtool silence expire 0815")
    world.silences[0]["status"]["state"] = "expired"
    drill(world)


def test_a_fault_is_in_force(world: World) -> None:
    """It is told whose it is; --force takes its place."""
    world.blind = True  # or its alert would be there already
    world.service.put({"name": "theirs", "faults": [{"duration": "1h", "memory": {"bytes": "1MiB"}}]})
    try:
        with pytest.raises(Refused, match="in force already: .* has plan `theirs` \\(by the API, until .*\\): memory"):
            drill(world)
        assert world.service.faults()["plan"]["name"] == "theirs"
        world.blind = False
        world.began = None

        def force(made: Any) -> None:
            made.force = True
        with pytest.raises(Refused, match="already"):  # ours is the fault that this world knows: it is firing
            world.began = 0.0
            drill(world, force)
        assert world.service.faults()["plan"]["name"] == "theirs"
    finally:
        world.service.calm()


def test_a_file_that_has_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"name": "theirs", "begin": "2026-01-01T00:00:00Z", "faults": [
        {"end": "2499-01-01T00:00:00Z", "not_ready": True}]}))
    assert "plan `theirs`, until 2499-01-01" in (File(path).occupied() or "")
    path.write_text(json.dumps({"begin": "2026-01-01T00:00:00Z", "faults": [{"duration": "5m", "not_ready": True}]}))
    assert File(path).occupied() is None
    path.write_text("no plan")
    assert "holds what is no plan" in (File(path).occupied() or "")
    with pytest.raises(Refused, match="no such folder"):
        File(tmp_path / "nowhere" / "plan.json").occupied()


def test_no_traffic(world: World) -> None:
    """The rule is there; its route gets nothing."""
    world.rules = [{**RULE, "name": "GlassboxErrorRatioHigh",
                    "labels": {"severity": "page", "http_route": "/demo/hello"},
                    "query": 'sum(rate(x{error_type!=""}[5m])) / sum(rate(x[5m])) > 0.05'}]
    with pytest.raises(Refused, match="/demo/hello gets 0 requests a second: no traffic to strike"), \
            Guard(lambda _: None) as keeper:
        Wave(field(world, keeper), [table.by_name("ErrorRatioHigh")]).run()


def test_a_fault_that_cannot_fire_it(world: World) -> None:
    world.rules[0]["query"] = "glassbox_ready == 0 and absent_of_it > 1"
    refused(world, "would not come of this fault, as the rule stands:\n.*\n.*no doing of this fault")


@pytest.mark.parametrize("part, who", [("prometheus", "Prometheus"), ("alertmanager", "Alertmanager"),
                                       ("webhook", "the webhook")])
def test_nobody_there(world: World, part: str, who: str) -> None:
    def gone(made: Any) -> None:
        setattr(made.places, part, "http://127.0.0.1:9")
        made.__post_init__()
    refused(world, f"{who} cannot be reached at http://127.0.0.1:9/", gone)


def test_the_service_is_not_there(world: World) -> None:
    where = places(world)
    where.operators = ["http://127.0.0.1:9"]
    with pytest.raises(Refused, match="the fault API cannot be reached at http://127.0.0.1:9/faults"):
        Api(where).occupied()


def test_a_wrong_token(world: World, tmp_path: Path) -> None:
    where = places(world)
    where.token_file = tmp_path / "token"
    with pytest.raises(Refused, match="--token-file .*token: No such file"):
        Api(where).occupied()
    where.token_file.write_text("this-is-not-the-token")
    with pytest.raises(Refused, match="does not take the token in .*token"):
        Api(where).occupied()
    where.token_file = None
    with pytest.raises(Refused, match="wants a token: --token-file FILE"):
        Api(where).occupied()


# ---- what did not come --------------------------------------------------------------------------

def test_never_seen(world: World) -> None:
    world.blind = True
    timeline, _ = drill(world)
    assert timeline.problems()[0] == "the fault was not seen in Prometheus on every target: on 0 of 1"
    assert timeline.at("restored") is not None


def test_never_told(world: World) -> None:
    world.silent = True
    timeline, said = drill(world)
    problem, = timeline.problems()
    assert problem.startswith("notified: did not come (Alertmanager has it, for ticket, since ")
    assert timeline.at("firing") is not None and timeline.at("gone") is not None
    assert any("LATE: not notified by" in line for line in said)


def test_never_pending(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the rule reads beside what it needs, and what else may be the reason."""
    world.silent = True
    monkeypatch.setattr(world, "alerts", lambda: [])
    with Guard(lambda _: None) as keeper:
        timeline, = Wave(field(world, keeper), [replace(NOT_READY, caveat="a busy machine")]).run()
    assert timeline.problems() == ["pending: did not come (glassbox_ready == 0 reads 0, needs 0; a busy machine)"]
    assert timeline.at("restored") is not None


@pytest.mark.parametrize("status, why", [
    ({"inhibitedBy": ["f"], "silencedBy": []}, "inhibited by GlassboxNotReady ticket"),
    ({"inhibitedBy": [], "silencedBy": ["0815"]}, "silenced by 0815")])
def test_kept_from_being_told(world: World, status: dict[str, list[str]], why: str) -> None:
    """It is said at once, not waited for until it is late."""
    world.silent, world.status = True, status
    timeline, _ = drill(world)
    assert timeline.problems() == [f"it fires, but Alertmanager tells nobody: {why}"]
    assert timeline.at("restored") < timeline.deadline("notified")


def test_it_never_ends(world: World) -> None:
    world.stubborn = True
    world.began = None
    timeline, _ = drill(world)
    assert any(problem.startswith("alert gone in Prometheus: ") for problem in timeline.problems())


# ---- the command --------------------------------------------------------------------------------

def command(world: World, *more: str) -> list[str]:
    where = places(world)
    return ["NotReady", "--service", where.operators[0], "--prometheus", where.prometheus, "--alertmanager",
            where.alertmanager, "--webhook", where.webhook, "--token-file", str(where.token_file), *more]


def test_the_command_refuses_with_status_2(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.clock = Clock(lambda: None)
    world.rules = []
    assert cli.main(command(world)) == 2
    assert "drill: Prometheus has no rule GlassboxNotReady" in capsys.readouterr().err


@pytest.mark.parametrize("more, why", [
    (("--by", "file"), "by the plan's file: --plan-file FILE"),
    (("--by", "configmap"), "by the ConfigMap: --config-map NAME")])
def test_a_way_that_lacks_its_place(world: World, more: tuple[str, ...], why: str,
                                    capsys: pytest.CaptureFixture[str]) -> None:
    world.clock = Clock(lambda: None)
    assert cli.main(command(world, *more)) == 2
    assert why in capsys.readouterr().err


def test_no_stack(tmp_path: Path) -> None:
    arguments = cli.parser().parse_args(["NotReady", "--stack", str(tmp_path / "stack.json")])
    with pytest.raises(Refused, match="no local stack at .*: start one with `make demo`"):
        drills_places.find(arguments)
    arguments.prometheus = "http://x"
    with pytest.raises(Refused, match="give also --alertmanager, --webhook"):
        drills_places.find(arguments)


def test_a_stack_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text(json.dumps({"pid": 2 ** 22 + 1}))
    arguments = cli.parser().parse_args(["NotReady", "--stack", str(tmp_path / "stack.json")])
    with pytest.raises(Refused, match="is gone"):
        drills_places.find(arguments)


@pytest.mark.parametrize("text", ["no JSON", "[]", "{}", '{"pid": "x"}'])
def test_what_is_no_stack(tmp_path: Path, text: str) -> None:
    (tmp_path / "stack.json").write_text(text)
    with pytest.raises(Refused, match="that is no stack.json of a local stack"):
        drills_places.find(cli.parser().parse_args(["NotReady", "--stack", str(tmp_path / "stack.json")]))


def test_a_report_that_cannot_be_written_is_told_first(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(command(world, "--json", "/nowhere/report.json")) == 2
    assert "--json /nowhere/report.json: no such folder" in capsys.readouterr().err


def test_a_second_drill(tmp_path: Path) -> None:
    """It would take what the first one made of the file, or of the profile, for what was there before."""
    held = alone(tmp_path, tmp_path)
    with pytest.raises(Refused, match="another drill is going on in "):
        alone(tmp_path)
    assert len(held) == 1 and list(tmp_path.iterdir()) == []
    os.close(held[0])
    os.close(alone(tmp_path)[0])


def test_a_plan_over_the_files_is_seen(world: World) -> None:
    """What the API has armed would keep the file's plan from coming in force."""
    world.service.put({"name": "theirs", "faults": [{"duration": "1h", "memory": {"bytes": "1MiB"}}]})
    try:
        assert "plan `theirs` (by the API" in (File(world.service.plan_file, Api(places(world))).occupied() or "")
        assert File(world.service.plan_file).occupied() is None
    finally:
        world.service.calm()


def test_a_rule_that_holds_without_a_fault(world: World) -> None:
    """Its end would be waited for without end."""
    world.rules[0]["query"] = "glassbox_ready == 0 or glassbox_ready < 5"
    refused(world, "its rule holds without a fault")


def test_a_fault_that_goes_away(world: World) -> None:
    """A service that is restarted has lost it: that is said, and not waited for until the alert is late."""
    world.rules[0]["duration"] = 3600
    with Guard(lambda _: None) as keeper:
        def lost() -> None:
            world.service.put({"name": "theirs", "faults": [{"duration": "1ms", "memory": {"bytes": "1KiB"}}]})
        timeline, = Wave(field(world, keeper, {3: lost}), [NOT_READY]).run()
    assert timeline.problems()[0].startswith("the fault went away before its time")
    assert timeline.at("restored") - timeline.at("seen") < 60
