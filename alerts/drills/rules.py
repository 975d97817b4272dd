"""Rules as Prometheus has them (or as a rule file has them), taken apart into comparisons.

`find` gives the alerting rules that can fire one alert with certain labels; `tree` makes of their expressions what
due.py reckons with. What a comparison reads is asked of a `Reader`, which a test can give by hand. A series that a
recording rule makes is followed to that rule's own expression, as its window and its `le` are there.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Iterator, Optional, Protocol

import promql_parser as promql
import yaml

from . import due
from .web import Refused

COMPARISONS = {">", "<", ">=", "<=", "==", "!="}
FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}


def seconds(text: Any, default: float = 0.0) -> float:
    """Of a duration as Prometheus and Alertmanager write it, or of a number of seconds."""
    if text is None or text == "":
        return default
    if isinstance(text, (int, float)):
        return float(text)
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|[smhdwy])", str(text))
    if not parts or "".join(number + unit for number, unit in parts) != str(text):
        raise ValueError(f"{text!r} is no duration")
    return sum(float(number) * UNITS[unit] for number, unit in parts)


@dataclass(frozen=True)
class Rule:
    """An alerting or a recording rule."""

    name: str
    expression: str
    labels: dict[str, str] = field(default_factory=dict)
    hold: float = 0.0       # `for`
    keep: float = 0.0       # `keep_firing_for`
    interval: float = 60.0  # of its group
    alerting: bool = True
    group: str = ""
    health: str = "ok"
    error: str = ""


def from_api(data: dict[str, Any]) -> list[Rule]:
    """Of the data of /api/v1/rules."""
    return [Rule(rule["name"], rule["query"], rule.get("labels") or {}, float(rule.get("duration") or 0),
                 float(rule.get("keepFiringFor") or 0), float(group["interval"]),
                 rule["type"] == "alerting", group["name"], rule.get("health", "ok"), rule.get("lastError", ""))
            for group in data["groups"] for rule in group["rules"]]


def from_files(folder: Path, interval: float = 5.0) -> list[Rule]:
    """Of rule files; where a group has no interval of its own Prometheus' own is taken."""
    rules = []
    for path in sorted(folder.glob("*.y*ml")):
        for group in (yaml.safe_load(path.read_text()) or {}).get("groups", []):
            pace = seconds(group.get("interval"), interval)
            for rule in group["rules"]:
                rules.append(Rule(rule.get("alert") or rule["record"], str(rule["expr"]),
                                  {name: str(value) for name, value in rule.get("labels", {}).items()},
                                  seconds(rule.get("for")), seconds(rule.get("keep_firing_for")), pace,
                                  "alert" in rule, group["name"]))
    return rules


def agrees(have: dict[str, str], want: dict[str, str], missing: bool = False) -> bool:
    """Whether labels can be those of the wanted alert; a template, and if `missing` a missing one, may become it."""
    return all("{{" in have[name] or have[name] == value if name in have else missing
               for name, value in want.items())


def find(rules: list[Rule], alert: str, labels: dict[str, str]) -> list[Rule]:
    """The rules that can fire it: by their own labels, and by the labels that their series are selected by."""
    return [rule for rule in rules if rule.alerting and rule.name == alert
            and agrees(rule.labels, {k: v for k, v in labels.items() if k == "severity"})
            and agrees(rule.labels, labels, missing=True)
            and all(selects(selector, labels) for selector in selectors(promql.parse(rule.expression)))]


# ---- expressions --------------------------------------------------------------------------------

def children(expr: Any) -> list[Any]:
    if isinstance(expr, promql.BinaryExpr):
        return [expr.lhs, expr.rhs]
    if isinstance(expr, promql.Call):
        return list(expr.args)
    if isinstance(expr, promql.MatrixSelector):
        return [expr.vector_selector]
    inner = getattr(expr, "expr", None)
    return [] if inner is None else [inner]


def nodes(expr: Any) -> Iterator[Any]:
    """The expression and all within it."""
    yield expr
    for child in children(expr):
        yield from nodes(child)


def selectors(expr: Any) -> list[Any]:
    return [node for node in nodes(expr) if isinstance(node, promql.VectorSelector)]


def selects(selector: Any, labels: dict[str, str]) -> bool:
    """Whether a selector can give series with these labels."""
    for matcher in selector.matchers.matchers:
        if matcher.name not in labels:
            continue
        value = labels[matcher.name]
        regex = matcher.op in (promql.MatchOp.Re, promql.MatchOp.NotRe)
        meets = re.fullmatch(matcher.value, value) is not None if regex else value == matcher.value
        if meets == (matcher.op in (promql.MatchOp.NotEqual, promql.MatchOp.NotRe)):
            return False
    return True


def equalities(selector: Any) -> dict[str, str]:
    return {matcher.name: matcher.value for matcher in selector.matchers.matchers
            if matcher.op == promql.MatchOp.Equal}


def number(expr: Any) -> Optional[float]:
    """What arithmetic on numbers comes to; None where a series is in it."""
    if isinstance(expr, promql.NumberLiteral):
        return float(expr.val)
    if isinstance(expr, promql.ParenExpr):
        return number(expr.expr)
    if isinstance(expr, promql.UnaryExpr):
        inner = number(expr.expr)
        return None if inner is None else -inner
    if isinstance(expr, promql.BinaryExpr) and str(expr.op) in "+-*/":
        left, right = number(expr.lhs), number(expr.rhs)
        if left is None or right is None:
            return None
        return {"+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right,
                "/": lambda: left / right}[str(expr.op)]()
    return None


def span(value: Any) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


def value_of(expr: Any) -> Any:
    """What gives the values: the left of `and` and `unless`, within parentheses."""
    if isinstance(expr, promql.ParenExpr):
        return value_of(expr.expr)
    if isinstance(expr, promql.BinaryExpr) and str(expr.op) in ("and", "unless"):
        return value_of(expr.lhs)
    return expr


@dataclass(frozen=True)
class Shape:
    """What a comparison's left side is made of, recording rules followed."""

    expression: Any            # of raw series
    window: float              # the longest, 0 without one
    hops: int                  # recording rules followed
    hop_seconds: float
    metrics: frozenset[str]
    matchers: frozenset[str]   # label names that its selectors ask for
    le: Optional[float]        # the bucket that divides fast from slow
    q: Optional[float]         # of histogram_quantile
    counts: bool               # it reads how many there were, not how many a second


def recorded(rules: list[Rule], selector: Any, labels: dict[str, str]) -> Optional[Rule]:
    """The recording rule that makes this selector's series with these labels."""
    wanted = equalities(selector)
    for rule in rules:
        if (not rule.alerting and rule.name == selector.name and agrees(rule.labels, wanted, missing=True)
                and agrees(rule.labels, labels, missing=True)):
            return rule
    return None


def shape(rules: list[Rule], expr: Any, labels: dict[str, str], group: str = "", depth: int = 4) -> Shape:
    """Looks at windows and functions, and follows the recording rules. Those of the asking rule's own group are
    evaluated before it in the same round; others cost a round of theirs."""
    expr = value_of(expr)
    inner = []
    for selector in selectors(expr):
        rule = recorded(rules, selector, labels) if depth else None
        if rule is not None:
            below = shape(rules, promql.parse(rule.expression), labels, rule.group, depth - 1)
            round_ = rule.interval if rule.group != group else 0.0
            inner.append(replace(below, hops=below.hops + 1, hop_seconds=below.hop_seconds + round_))
    return joined(own_shape(expr), inner)


def own_shape(expr: Any) -> Shape:
    """Of an expression without what recording rules add to it."""
    deep = list(nodes(expr))
    calls = [node for node in deep if isinstance(node, promql.Call)]
    functions = {call.func.name for call in calls}
    divides = any(isinstance(node, promql.BinaryExpr) and str(node.op) == "/" for node in deep)
    matchers = [matcher for selector in selectors(expr) for matcher in selector.matchers.matchers]
    bounds = [float(m.value) for m in matchers
              if m.name == "le" and m.op == promql.MatchOp.Equal and m.value not in ("", "+Inf")]
    quantile = next((number(call.args[0]) for call in calls if call.func.name == "histogram_quantile"), None)
    return Shape(expr, windows(expr), 0, 0.0,
                 frozenset(selector.name for selector in selectors(expr) if selector.name),
                 frozenset(matcher.name for matcher in matchers), bounds[0] if bounds else None, quantile,
                 bool(functions & {"increase", "changes", "resets"}) and not divides)


def joined(own: Shape, inner: list[Shape]) -> Shape:
    """An expression's own shape with those of the recording rules in it."""
    for other in inner:
        own = Shape(other.expression if other.q is not None else own.expression, max(own.window, other.window),
                    max(own.hops, other.hops), max(own.hop_seconds, other.hop_seconds),
                    own.metrics | other.metrics, own.matchers | other.matchers,
                    other.le if own.le is None else own.le, other.q if own.q is None else own.q,
                    own.counts or other.counts)
    return own


def windows(expr: Any) -> float:
    return max([span(node.range) for node in nodes(expr)
                if isinstance(node, (promql.MatrixSelector, promql.SubqueryExpr))], default=0.0)


class Reader(Protocol):
    """What a series reads, and what the fault makes of it."""

    def value(self, expression: str) -> Optional[float]:
        """Of the series with the drill's labels; None where there is none."""

    def age(self, shape: Shape) -> float:
        """Seconds of data that its window has."""

    def above(self, shape: Shape, threshold: float) -> float:
        """The share of a histogram's observations over its window that are above."""

    def level(self, shape: Shape, threshold: float, base: float) -> tuple[Optional[float], float]:
        """(what it reads of the fault alone, seconds until that is so); None: the fault does not touch it."""


def compares(expr: Any) -> bool:
    return isinstance(expr, promql.BinaryExpr) and str(expr.op) in COMPARISONS


def holds(left: Optional[float], operator: str, right: float) -> bool:
    if left is None:
        return False
    return {">": left > right, "<": left < right, ">=": left >= right, "<=": left <= right,
            "==": left == right, "!=": left != right}[operator]


def tree(rules: list[Rule], expr: Any, labels: dict[str, str], reader: Reader, group: str = "") -> due.Tree:
    """An expression as comparisons joined by and/or."""
    if isinstance(expr, promql.ParenExpr):
        return tree(rules, expr.expr, labels, reader, group)
    if isinstance(expr, promql.AggregateExpr) and any(compares(node) for node in nodes(expr.expr)):
        return tree(rules, expr.expr, labels, reader, group)
    if isinstance(expr, promql.BinaryExpr):
        operator = str(expr.op)
        if operator in ("and", "or"):
            parts = (tree(rules, expr.lhs, labels, reader, group), tree(rules, expr.rhs, labels, reader, group))
            return due.Both(parts) if operator == "and" else due.Either(parts)
        if operator == "unless":
            return tree(rules, expr.lhs, labels, reader, group)
        if operator in COMPARISONS:
            return leaf(rules, expr, labels, reader, group)
    made = shape(rules, expr, labels, group)
    level, ramp = reader.level(made, 0.0, 0.0)
    return due.Leaf(str(expr), 0.0, 0.0, 0.0, level, holds=reader.value(str(expr)) is not None,
                    hops=made.hops, hop_seconds=made.hop_seconds, ramp=ramp)


def leaf(rules: list[Rule], expr: Any, labels: dict[str, str], reader: Reader, group: str) -> due.Leaf:
    """One comparison, with what it reads now."""
    left, right, operator = expr.lhs, expr.rhs, str(expr.op)
    if number(left) is not None and number(right) is None:
        left, right, operator = right, left, FLIPPED[operator]
    threshold = number(right)
    if threshold is None:
        threshold = reader.value(str(right))
    if threshold is None:
        raise Refused(f"the rule compares with `{right}`, which has no value for these labels")
    made = shape(rules, left, labels, group)
    base = reader.value(str(left))
    true = holds(base, operator, threshold)
    plain = re.sub(r"\{[^}]*\}", "", str(left))
    name = f"{plain if len(plain) < 80 else next(iter(sorted(made.metrics)), plain[:80])} {operator} {threshold:g}"
    age = reader.age(made) if made.window and not made.counts else due.NEVER
    common = {"source": str(left), "needs": threshold, "counts": made.counts, "hops": made.hops,
              "hop_seconds": made.hop_seconds, "age": age}
    if made.q is not None:
        level, ramp = reader.level(made, threshold, base or 0.0)
        return due.Leaf(name, made.window, 1 - made.q, reader.above(made, threshold), level, holds=true,
                        samples=2, ramp=ramp, quantile=True, **common)
    level, ramp = reader.level(made, threshold, base or 0.0)
    # A comparison that holds already and that the fault makes no less true is a guard: traffic above a floor.
    guard = true and (level is None or holds(level, operator, threshold))
    if operator in ("==", "!="):
        # It holds or it does not: there is no way from one to the other.
        met = None if level is None else 1.0 if holds(level, operator, threshold) else -1.0
        return due.Leaf(name, made.window, 0.0, 0.0, met, holds=guard, ramp=ramp, **common)
    return due.Leaf(name, made.window, threshold, base or 0.0, level, holds=guard, below=operator in ("<", "<="),
                    samples=2 if made.window else 1, ramp=ramp, **common)
