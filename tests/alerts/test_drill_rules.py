"""Rules taken apart: windows, thresholds, recording rules followed; the shipped ones whole, in both profiles."""

from pathlib import Path
from typing import Optional

import pytest

from drills import due, effects, facts, rules
from drills.effects import Effect
from drills.rules import Rule, Shape, promql
from drills.table import DRILLS, Drill
from drills.web import Refused

ALERTS = Path(__file__).resolve().parents[2] / "alerts"
COUNT = "http_server_request_duration_seconds_count"


class Given:
    """Reads what a test says."""

    def __init__(self, effect: Effect, values: dict[str, float], age: float = due.NEVER) -> None:
        self.effect, self.values, self.years = effect, values, age

    def value(self, expression: str) -> Optional[float]:
        return next((value for part, value in self.values.items() if part in expression), None)

    def age(self, _: Shape) -> float:
        return self.years

    def above(self, _: Shape, __: float) -> float:
        return 0.0

    def level(self, shape: Shape, threshold: float, base: float) -> tuple[Optional[float], float]:
        return self.effect.level(shape, threshold, base)


def tree(text: str, effect: Effect, values: dict[str, float], recording: tuple[Rule, ...] = ()) -> due.Tree:
    return rules.tree(list(recording), promql.parse(text), {}, Given(effect, values), "alerts")


@pytest.mark.parametrize("text, seconds", [
    ("5m", 300), ("1h30m", 5400), ("30s", 30), ("1d", 86400), ("500ms", 0.5), (300, 300), (None, 0), ("", 0)])
def test_durations(text: object, seconds: float) -> None:
    assert rules.seconds(text) == seconds


def test_a_duration_that_is_none() -> None:
    with pytest.raises(ValueError, match="5 minutes"):
        rules.seconds("5 minutes")


@pytest.mark.parametrize("text, value", [
    ("14.4 * 0.001", 0.0144), ("(6.000000000000001 * 0.001)", 0.006), ("-1", -1), ("1 - 0.999", 0.001),
    ("up * 2", None)])
def test_numbers(text: str, value: Optional[float]) -> None:
    assert rules.number(promql.parse(text)) == (value if value is None else pytest.approx(value))


def test_a_burn_rate_follows_its_recording_rules() -> None:
    """The window is the recording rule's; the round of its group comes on top."""
    recording = tuple(
        Rule(f"slo:sli_error:ratio_rate{window}",
             f'sum(rate({COUNT}{{error_type!=""}}[{window}])) / sum(rate({COUNT}[{window}])) '
             f'and sum(rate({COUNT}[{window}])) > 0.1',
             {"sloth_slo": "hello-availability"}, interval=7, alerting=False, group="sli") for window in ("5m", "1h"))
    text = ('max(slo:sli_error:ratio_rate5m{sloth_slo="hello-availability"} > (14.4 * 0.001)) without (sloth_window) '
            'and '
            'max(slo:sli_error:ratio_rate1h{sloth_slo="hello-availability"} > (14.4 * 0.001)) without (sloth_window)')
    made = tree(text, Effect(errors=0.3), {"rate5m": 0.0, "rate1h": 0.002}, recording)
    short, long = due.leaves(made)
    assert isinstance(made, due.Both)
    assert (short.window, long.window) == (300, 3600)
    assert (short.threshold, short.base, short.level) == (pytest.approx(0.0144), 0.0, pytest.approx(0.3))
    assert long.base == 0.002 and long.level == pytest.approx(effects.with_errors(0.002, 0.3))
    assert (short.hops, short.hop_seconds, short.samples) == (1, 7, 2)
    assert made.onset() == pytest.approx(3600 * (0.0144 - 0.002) / (long.level - 0.002))


def test_a_recording_rule_of_the_same_group_costs_no_round() -> None:
    rule = Rule("a:b", f'rate({COUNT}{{error_type!=""}}[5m])', interval=5, alerting=False, group="alerts")
    leaf, = due.leaves(tree("a:b > 0.5", Effect(errors=1.0), {"a:b": 0}, (rule,)))
    assert (leaf.window, leaf.hops, leaf.hop_seconds) == (300, 1, 0)


def test_a_recording_rule_made_of_two_is_both() -> None:
    """An error's rate is `errors or 0 * requests`: what the second says about its windows must not hide the first."""
    recording = (
        Rule("requests", f"sum(rate({COUNT}[1m]))", alerting=False, interval=5),
        Rule("errors", f'sum(rate({COUNT}{{error_type!=""}}[5m])) or 0 * requests', alerting=False, interval=5))
    leaf, = due.leaves(tree("errors / requests > 0.05", Effect(errors=0.3), {"errors": 0.0}, recording))
    assert leaf.window == 300 and leaf.level == pytest.approx(0.3) and leaf.hops == 2


def test_a_guard_holds_already_and_does_not_matter() -> None:
    text = f'{COUNT}_errors > 1 and sum(rate({COUNT}[5m])) > 0.1'
    made = tree(text, Effect(reads={f"{COUNT}_errors": 2}), {f"{COUNT}_errors": 0, "sum(rate": 24})
    first, guard = due.leaves(made)
    assert guard.holds and made.onset() == 0
    assert first.level == 2


def test_a_guard_that_does_not_hold_is_in_the_way() -> None:
    text = f'sum(rate({COUNT}{{error_type!=""}}[5m])) / sum(rate({COUNT}[5m])) > 0.05 and sum(rate({COUNT}[5m])) > 0.1'
    made = tree(text, Effect(errors=0.3), {"error_type": 0.0, "sum(rate": 0.05})
    assert made.onset() == due.NEVER


def test_a_quantile_is_a_share() -> None:
    text = "histogram_quantile(0.99, sum by (le) (rate(http_server_request_duration_seconds_bucket[5m]))) > 0.5"
    leaf, = due.leaves(tree(text, Effect(latency=(1.0, 1.0, 1.0)), {"histogram": 0.01}))
    assert leaf.quantile and leaf.threshold == pytest.approx(0.01) and leaf.level == pytest.approx(0.75)
    assert leaf.onset() == pytest.approx(300 * 0.01 / 0.75 + 1.0)  # and the first of them takes a second


def test_a_count_is_of_whole_requests() -> None:
    """0.05 a second, all of them: three in 60 s, and two more for the series and the last one to come."""
    leaf, = due.leaves(tree(f'sum(increase({COUNT}{{error_type!=""}}[2h])) >= 3', Effect(errors=1.0, rate=0.05), {}))
    assert leaf.level == pytest.approx(360) and leaf.onset() == pytest.approx(60 + 40)


@pytest.mark.parametrize("text, reads, onset", [
    ("glassbox_ready == 0", 0.0, 0.0), ("glassbox_ready == 0", 1.0, due.NEVER), ("0 == glassbox_ready", 0.0, 0.0),
    ("glassbox_ready < 1", 0.0, 0.0), ("0.5 > glassbox_ready", 0.0, 0.0)])
def test_states(text: str, reads: float, onset: float) -> None:
    assert tree(text, Effect(reads={"glassbox_ready": reads}), {"glassbox_ready": 1.0}).onset() == onset


def test_a_threshold_that_is_a_series() -> None:
    made = tree("glassbox_connections > glassbox_connections_limit * 0.8", Effect(reads={"glassbox_connections": 92}),
                {"connections_limit": 80.0, "glassbox_connections": 3.0})
    leaf, = due.leaves(made)
    assert leaf.threshold == 80 and made.onset() == 0
    with pytest.raises(Refused, match="which has no value"):
        tree("glassbox_connections > missing", Effect(), {"glassbox_connections": 3.0})


def test_find_goes_by_labels_and_selectors() -> None:
    def rule(route: str, severity: str = "page") -> Rule:
        return Rule("A", f'x{{http_route="{route}"}} > 1', {"severity": severity})
    listed = [rule("/"), rule("/demo/hello"), rule("/demo/hello", "ticket"), Rule("B", "x > 1", {"severity": "page"})]
    assert rules.find(listed, "A", {"severity": "page", "http_route": "/demo/hello"}) == [listed[1]]
    assert rules.find(listed, "A", {"severity": "info"}) == []
    wide = Rule("C", 'x{http_route=~"/demo/.*", job!="other"} > 1', {"severity": "page"})
    assert rules.find([wide], "C", {"severity": "page", "http_route": "/demo/work", "job": "glassbox"}) == [wide]
    assert rules.find([wide], "C", {"severity": "page", "http_route": "/"}) == []


# ---- the shipped rules --------------------------------------------------------------------------

@pytest.mark.parametrize("profile", ["real", "fast"])
@pytest.mark.parametrize("drill", DRILLS, ids=str)
def test_each_drill_reaches_its_shipped_rule(drill: Drill, profile: str) -> None:
    """The table's fault brings the rule to fire, and its end brings it to resolve, when windows are full."""
    all_rules = rules.from_files(ALERTS / "prometheus" / profile)
    given = facts.Facts(**{**vars(facts.of_rules(all_rules, drill)), "rate": 24.0 if drill.route != "/" else 0.05,
                           "base": 0.1 if drill.route == "/demo/random-error" else 0.0})
    reckoned = facts.reckon(all_rules, drill, given)
    onset = reckoned.tree.onset()
    assert 0 <= onset < due.NEVER
    assert reckoned.tree.fall(onset + 120) < due.NEVER


@pytest.mark.parametrize("profile", ["real", "fast"])
@pytest.mark.parametrize("drill", 
                         [drill for drill in DRILLS if "BudgetBurn" in drill.alert and drill.severity == "ticket"],
                         ids=str)
def test_a_tickets_fault_fires_no_page(drill: Drill, profile: str) -> None:
    """The page would inhibit it, and nobody would be told of the ticket."""
    all_rules = rules.from_files(ALERTS / "prometheus" / profile)
    base = 0.1 if drill.route == "/demo/random-error" else 0.0
    given = facts.Facts(**{**vars(facts.of_rules(all_rules, drill)), "base": base})
    _, effect = drill.make(given)
    page = Drill(drill.alert, "page", "", drill.make, drill.route)
    tree_of_page, _ = facts.trees(all_rules, page, facts.Still(effect, given))
    assert tree_of_page.onset() == due.NEVER
