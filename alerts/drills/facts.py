"""What a row of the table has to know before its plan can be made: of the rule, and of the service as it is.

From a Prometheus, or, for --list, from the rule files with a steady load assumed.
"""

from dataclasses import dataclass, replace
from typing import Any, Optional

from . import due, rules, words
from .effects import Effect
from .prometheus import Live, Prometheus
from .rules import Rule, Shape, promql
from .table import Drill, Entry, Facts
from .web import Refused


class Still:
    """Reads for --list what no Prometheus is asked for: nothing is wrong yet, and windows are full."""

    def __init__(self, effect: Effect, facts: Facts) -> None:
        self.effect = effect
        self.facts = facts

    def value(self, expression: str) -> Optional[float]:
        made = rules.own_shape(promql.parse(expression))
        if not any("http_server" in name or name.startswith("slo:") for name in made.metrics):
            return None
        bad = "error_type" in made.matchers or any("error" in name or "duration_seconds:" in name
                                                   for name in made.metrics)
        return self.facts.base if bad else self.facts.rate

    def age(self, _: Shape) -> float:
        return due.NEVER

    def above(self, _: Shape, __: float) -> float:
        return 0.0

    def level(self, shape: Shape, threshold: float, base: float) -> tuple[Optional[float], float]:
        return self.effect.level(shape, threshold, base)


def comparisons(all_rules: list[Rule], rule: Rule, labels: dict[str, str]) -> list[tuple[Shape, str, float]]:
    """The comparisons of a rule with a number: what is read, how, the number."""
    found = []
    for node in rules.nodes(promql.parse(rule.expression)):
        if rules.compares(node):
            threshold = rules.number(node.rhs)
            if threshold is not None:
                found.append((rules.shape(all_rules, node.lhs, labels, rule.group), str(node.op), threshold))
    return found


def thresholds(all_rules: list[Rule], found: list[Rule], labels: dict[str, str]) -> tuple[list[float], Optional[float]]:
    """(what the rules compare with, but for guards of traffic; the bucket in question)."""
    numbers, bound = [], None
    for rule in found:
        for made, operator, threshold in comparisons(all_rules, rule, labels):
            bad = "error_type" in made.matchers or made.le is not None or made.q is not None
            if bad and operator in (">", ">="):
                numbers.append(threshold)
            bound = made.le if bound is None else bound
    return sorted(numbers), bound


def rules_of(all_rules: list[Rule], drill: Drill) -> list[Rule]:
    """The rules that fire its alert, or why there is none."""
    found = rules.find(all_rules, drill.alert, drill.match())
    if not found:
        names = {rule.name for rule in all_rules if rule.alerting}
        raise Refused(f"Prometheus has no rule {drill.alert} for "
                      + ", ".join(f'{name}="{value}"' for name, value in drill.match().items())
                      + ("; of that name it has others" if drill.alert in names else
                         f"; it has {len(names)} alerts in all: load alerts/prometheus/"))
    for rule in found:
        if rule.health == "err":
            raise Refused(f"Prometheus cannot evaluate the rule {drill.alert}: {rule.error}")
    return found


def of_rules(all_rules: list[Rule], drill: Drill) -> Facts:
    """What the rules alone tell."""
    numbers, bound = thresholds(all_rules, rules_of(all_rules, drill), drill.match())
    ceiling = 1.0
    if drill.severity == "ticket" and drill.route:
        page = {**drill.match(), "severity": "page"}
        above, _ = thresholds(all_rules, rules.find(all_rules, drill.alert, page), page)
        ceiling = min(above, default=1.0)
    return Facts(drill.route, thresholds=tuple(numbers), ceiling=ceiling, le=bound or 0.1)


def one(prometheus: Prometheus, expression: str, default: float) -> float:
    values = [value for _, value in prometheus.query(expression)]
    return values[0] if values else default


def live(prometheus: Prometheus, all_rules: list[Rule], drill: Drill, where: str, scrape: float,
         known: Optional[dict[Optional[str], Facts]] = None) -> Facts:
    """Of a service that is scraped; `where` are matchers of its series. Its load is the most that there was for some
    scrapes within five minutes: a flood before this one, or a young series, makes the mean of minutes too small.
    What is `known` of a route is not measured twice: drills of one wave go by the same figures."""
    facts = of_rules(all_rules, drill)
    if known is not None and drill.route in known:
        return replace(known[drill.route], thresholds=facts.thresholds, ceiling=facts.ceiling, le=facts.le)
    rate = base = 0.0
    if drill.route:
        count = f'http_server_request_duration_seconds_count{{{where},http_route="{drill.route}"'
        window, short = words.short(max(60.0, 4 * scrape)), words.short(max(30.0, 4 * scrape))
        rate = one(prometheus, f"sum(rate({count}}}[{window}]))", 0.0)
        base = one(prometheus, f'sum(rate({count},error_type!=""}}[{window}])) / sum(rate({count}}}[{window}]))', 0.0)
        base = 0.0 if base != base else base
        if rate == 0 or (drill.floor is not None and rate <= drill.floor):
            raise Refused(f"{drill.route} gets {rate:.2g} requests a second: no traffic to strike. "
                          "Start load first (the local stack's is in infra/local/load.py)")
        rate = max(rate, one(prometheus, f"max_over_time(sum(rate({count}}}[{short}]))[5m:{short}])", 0.0))
    public = f'glassbox_connections{{{where},listener="public"}}'
    made = Facts(drill.route, rate, base, facts.thresholds, facts.ceiling, facts.le,
                 one(prometheus, f"sum(glassbox_workers{{{where}}})", 2.0),
                 one(prometheus, f"sum(glassbox_connections_limit{{{where}}})", 100.0),
                 one(prometheus, f"sum({public})", 0.0))
    if known is not None:
        known[drill.route] = made
    return made


@dataclass
class Reckoned:
    """A drill with its plan, and its rules as trees of comparisons."""

    drill: Drill
    rules: list[Rule]
    entries: list[Entry]
    effect: Effect
    tree: due.Tree
    hold: float
    keep: float
    evaluation: float


def trees(all_rules: list[Rule], drill: Drill, reader: Any) -> tuple[due.Tree, list[Rule]]:
    found = rules_of(all_rules, drill)
    parts = tuple(rules.tree(all_rules, promql.parse(rule.expression), drill.match(), reader, rule.group)
                  for rule in found)
    return (parts[0] if len(parts) == 1 else due.Either(parts)), found


def reckon(all_rules: list[Rule], drill: Drill, facts: Facts, prometheus: Optional[Prometheus] = None,
           scrape: float = 5.0) -> Reckoned:
    """Makes the plan, and reads what the rule reads."""
    entries, effect = drill.make(facts)
    reader = Live(prometheus, drill.match(), effect, scrape) if prometheus else Still(effect, facts)
    tree, found = trees(all_rules, drill, reader)
    return Reckoned(drill, found, entries, effect, tree, max(rule.hold for rule in found),
                    max(rule.keep for rule in found), max(rule.interval for rule in found))
