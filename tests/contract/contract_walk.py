"""Walks a PromQL expression and says what it asks for that nothing emits.

Each node gives the Shape of its result: selectors take it from the contract, aggregations, functions and
operators make it of their operands', as Prometheus does. On the way down nothing is assumed; on the way up
each label that is named must be one that the operand has.

Only what Prometheus 2.42 and 3 both know is let through, and only what works on classic histograms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Protocol

import promql_parser as promql
from contract_match import VARIABLE, narrowed, problem_of, text_of
from contract_shapes import NAME, SCALAR, UNKNOWN, Label, Shape, meets, nearest, union

NATIVE = frozenset(
    "histogram_avg histogram_count histogram_fraction histogram_quantiles histogram_stddev "
    "histogram_stdvar histogram_sum".split()
)
FUNCTIONS = frozenset(
    "abs absent absent_over_time acos acosh asin asinh atan atanh avg_over_time ceil changes clamp "
    "clamp_max clamp_min cos cosh count_over_time day_of_month day_of_week day_of_year days_in_month deg "
    "delta deriv exp floor histogram_quantile hour idelta increase irate label_join label_replace "
    "last_over_time ln log10 log2 max_over_time min_over_time minute month pi predict_linear "
    "present_over_time quantile_over_time rad rate resets round scalar sgn sin sinh sort sort_desc sqrt "
    "stddev_over_time stdvar_over_time sum_over_time tan tanh time timestamp vector year".split()
)
KEEP_NAME = frozenset("last_over_time sort sort_desc label_replace label_join".split())
OF_COUNTERS = frozenset("rate irate increase resets".split())
OF_GAUGES = frozenset("delta idelta deriv predict_linear".split())
AGGREGATORS = frozenset(
    "sum min max avg group stddev stdvar count count_values bottomk topk quantile".split()
)
SETS = frozenset("and or unless".split())
COMPARISONS = frozenset("== != < > <= >=".split())


class Names(Protocol):
    """What the walk asks of a contract."""

    def find(self, name: str) -> Shape | None:
        """The labels of a series name's series, or None when nothing emits it."""

    def type_of(self, name: str) -> str:
        """counter, gauge, … or "" where nobody says."""

    def is_histogram(self, name: str) -> bool:
        """Whether a series name is one of a histogram's."""

    def names(self) -> list[str]:
        """Every name that something emits."""

    def why_none(self, name: str) -> str:
        """Why a name that nothing emits is not there, where more can be said than that."""


@dataclass(frozen=True)
class Matching:
    """How the sides of an operator find each other."""

    op: str
    told: bool  # by on or ignoring
    on: bool
    labels: tuple[str, ...]

    @classmethod
    def of(cls, node: promql.BinaryExpr) -> Matching:
        """An operator's."""
        matching = node.modifier.matching if node.modifier is not None else None
        if matching is None:
            return cls(str(node.op), False, False, ())
        on = matching.type == promql.LabelModifierType.Include
        return cls(str(node.op), True, on, tuple(matching.labels))

    def matched(self, left: Shape, right: Shape) -> set[str]:
        """The labels that must be the same."""
        if self.on:
            return set(self.labels)
        return (set(left.labels) | set(right.labels)) - {NAME, *self.labels}

    def __str__(self) -> str:
        word = "on" if self.on else "ignoring"
        return f"{self.op} {word} ({', '.join(self.labels)})" if self.told else self.op


class Walk:
    """One expression: `shape()` walks it, `problems` has what was wrong."""

    def __init__(self, names: Names, exact_bounds: bool = False) -> None:
        self.names = names
        self.exact_bounds = exact_bounds
        self.problems: list[str] = []

    def refuse(self, problem: str) -> None:
        """Notes what is wrong, once."""
        if problem not in self.problems:
            self.problems.append(problem)

    def shape(self, node: object) -> Shape:
        """The shape of what a node gives."""
        return self._of[type(node)](self, node)

    # ---- selectors ------------------------------------------------------------------------------

    def _selector(self, node: promql.VectorSelector) -> Shape:
        matchers = list(node.matchers.matchers)
        if node.matchers.or_matchers:
            self.refuse("`or` between matchers is not PromQL")
        shape = self._named(node.name, [m for m in matchers if m.name == NAME])
        labels, gone = dict(shape.labels), dict(shape.gone)
        for matcher in (m for m in matchers if m.name != NAME):
            problem = problem_of(matcher, shape, self.exact_bounds)
            if problem:
                self.refuse(f"`{node.name}`: {problem}" if node.name else problem)
            elif matcher.name in labels:
                left = narrowed(labels[matcher.name], matcher)
                if left is None:
                    del labels[matcher.name]
                    gone[matcher.name] = text_of(matcher)
                else:
                    labels[matcher.name] = left
        return Shape(labels, gone, unknown=shape.unknown)

    def _named(self, name: str | None, matchers: list[promql.Matcher]) -> Shape:
        """The series of a name, or of those that matchers of the name select."""
        if name is None and len(matchers) == 1 and matchers[0].op == promql.MatchOp.Equal:
            name = matchers[0].value
        if name is None:
            return self._by_pattern(matchers)
        if VARIABLE in name:
            return UNKNOWN
        shape = self.names.find(name)
        if shape is None:
            alike = [known for known in self.names.names() if (":" in known) == (":" in name)]
            why = self.names.why_none(name) or f"nothing emits it{nearest(name, alike)}"
            self.refuse(f"no metric `{name}`: {why}")
            return UNKNOWN
        return shape.with_labels({NAME: Label(frozenset([name]))})

    def _by_pattern(self, matchers: list[promql.Matcher]) -> Shape:
        name = Label(frozenset(self.names.names()))
        for matcher in matchers:
            problem = problem_of(matcher, Shape({NAME: name}))
            if problem:
                self.refuse(problem.partition(" (values:")[0])
                return UNKNOWN
            name = narrowed(name, matcher) or Label(frozenset())
        if not matchers or not name.values:
            return UNKNOWN
        found = [(known, self.names.find(known)) for known in sorted(name.values)]
        return union(
            s.with_labels({NAME: Label(frozenset([n]))}) for n, s in found if s is not None
        )

    # ---- aggregations ---------------------------------------------------------------------------

    def _aggregation(self, node: promql.AggregateExpr) -> Shape:
        op = str(node.op)
        shape = self.shape(node.expr)
        labels = list(node.modifier.labels) if node.modifier is not None else []
        by = node.modifier is None or node.modifier.type == promql.AggModifierType.By
        word = "by" if by else "without"
        what = f"{op} {word} ({', '.join(labels)})" if node.modifier is not None else op
        if op not in AGGREGATORS:
            self.refuse(f"`{op}`: Prometheus 2.42 does not know it")
        for label in labels:
            if missing := shape.missing(label):
                self.refuse(f"`{what}`: {missing}")
        if op in ("topk", "bottomk"):
            return shape
        result = shape.only(labels, what) if by else shape.without([*labels, NAME], what)
        if op == "count_values" and isinstance(node.param, promql.StringLiteral):
            result = result.with_labels({node.param.val: Label()})
        return result

    # ---- functions ------------------------------------------------------------------------------

    def _call(self, node: promql.Call) -> Shape:
        name = node.func.name
        shapes = [self.shape(argument) for argument in node.args]
        if name in NATIVE:
            self.refuse(
                f"`{name}` works on native histograms alone, and classic series are queried"
            )
        elif name not in FUNCTIONS:
            self.refuse(f"`{name}` is not in both Prometheus 2.42 and 3")
        self._check_type(name, node.args)
        special = self._special.get(name)
        if special is not None:
            return special(self, node, shapes)
        vectors = [shape for shape in shapes if not shape.scalar]
        shape = vectors[0] if vectors else (SCALAR if name in ("time", "pi") else Shape())
        return shape if name in KEEP_NAME else shape.nameless()

    def _check_type(self, function: str, arguments: list[promql.Expr]) -> None:
        """A rate of a gauge, a delta of a counter: data, but not what it says."""
        for argument in arguments:
            if isinstance(argument, promql.MatrixSelector) and argument.vector_selector.name:
                name = argument.vector_selector.name
                kind = self.names.type_of(name)
                if kind == "gauge" and function in OF_COUNTERS:
                    self.refuse(f"`{function}` of `{name}`, which is a gauge")
                elif kind == "counter" and function in OF_GAUGES:
                    self.refuse(f"`{function}` of `{name}`, which is a counter")

    def _absent(self, node: promql.Call, _shapes: list[Shape]) -> Shape:
        selector = node.args[0]
        while isinstance(selector, (promql.ParenExpr, promql.MatrixSelector)):
            inner = isinstance(selector, promql.ParenExpr)
            selector = selector.expr if inner else selector.vector_selector
        if not isinstance(selector, promql.VectorSelector):
            return Shape()
        if self.names.is_histogram(selector.name or ""):
            self.refuse(f"`{node.func.name}` of a histogram (`{selector.name}`): ask `up` instead")
        return Shape(
            {
                matcher.name: Label(
                    None if VARIABLE in matcher.value else frozenset([matcher.value])
                )
                for matcher in selector.matchers.matchers
                if matcher.op == promql.MatchOp.Equal and matcher.name != NAME and matcher.value
            }
        )

    def _quantile(self, _node: promql.Call, shapes: list[Shape]) -> Shape:
        if missing := shapes[1].missing("le"):
            self.refuse(f"`histogram_quantile` needs `le`: {missing}")
        return shapes[1].without(["le", NAME], "histogram_quantile")

    def _label_replace(self, node: promql.Call, shapes: list[Shape]) -> Shape:
        target, replacement, source = (argument.val for argument in node.args[1:4])
        if source and (missing := shapes[0].missing(source)):
            self.refuse(f"`label_replace`: {missing}")
        constant = "$" not in replacement and VARIABLE not in replacement
        made = Label(frozenset([replacement])) if constant and replacement else Label()
        old = shapes[0].labels.get(target)
        if old is not None and (old.values is None or made.values is None):
            made = Label()
        elif old is not None:
            made = Label((old.values or frozenset()) | (made.values or frozenset()))
        return shapes[0].with_labels({target: made})

    def _label_join(self, node: promql.Call, shapes: list[Shape]) -> Shape:
        for argument in node.args[3:]:
            if missing := shapes[0].missing(argument.val):
                self.refuse(f"`label_join`: {missing}")
        return shapes[0].with_labels({node.args[1].val: Label()})

    # ---- operators ------------------------------------------------------------------------------

    def _binary(self, node: promql.BinaryExpr) -> Shape:
        left, right, how = self.shape(node.lhs), self.shape(node.rhs), Matching.of(node)
        fills = node.modifier.fill_values if node.modifier is not None else None
        if fills is not None and (fills.lhs is not None or fills.rhs is not None):
            self.refuse("`fill`: Prometheus 2.42 does not know it")
        bare = node.modifier is None or not node.modifier.return_bool
        filters = how.op in COMPARISONS and bare
        if left.scalar and right.scalar:
            return SCALAR
        if left.scalar or right.scalar:
            shape = right if left.scalar else left
            return shape if filters else shape.nameless()
        if how.op == "or":
            self._check_labels(how, left, right, lackable=1)
            return union([left, right])
        self._check_matching(how, left, right)
        if how.op in SETS:
            return left
        shape = self._joined(node, how, left, right)
        return shape if filters else shape.nameless()

    def _check_matching(self, how: Matching, left: Shape, right: Shape) -> None:
        """Whether any series of the one side can meet one of the other."""
        self._check_labels(how, left, right, lackable=0 if how.on else 1)
        if left.unknown or right.unknown:
            return
        for label in sorted(how.matched(left, right)):
            if label in left.labels and label in right.labels:
                if not meets(left.labels[label], right.labels[label]):
                    self.refuse(f"`{how}`: the sides never have the same `{label}`")
            elif not how.on:
                has, lacks = (left, right) if label in left.labels else (right, left)
                if not has.labels[label].optional:
                    missing = lacks.missing(label)
                    self.refuse(f"`{how}`: one side has `{label}`, on the other {missing}")

    def _check_labels(self, how: Matching, left: Shape, right: Shape, lackable: int) -> None:
        """Whether the labels that are matched are there; so many of the sides may be without."""
        for label in how.labels:
            lacking = [side for side in (left, right) if not side.has(label)]
            if len(lacking) > lackable:
                self.refuse(f"`{how}`: {lacking[0].missing(label)}")

    def _joined(self, node: promql.BinaryExpr, how: Matching, left: Shape, right: Shape) -> Shape:
        """The labels of a match: of the side with many, or those that were matched."""
        card = node.modifier.card if node.modifier is not None else None
        if card == promql.VectorMatchCardinality.ManyToOne:
            return self._grouped(node, left, right, "group_left")
        if card == promql.VectorMatchCardinality.OneToMany:
            return self._grouped(node, right, left, "group_right")
        return left.only(how.labels, str(how)) if how.on else left.without(how.labels, str(how))

    def _grouped(self, node: promql.BinaryExpr, many: Shape, one: Shape, word: str) -> Shape:
        taken = list(node.modifier.group_labels or [])
        for label in taken:
            if missing := one.missing(label):
                self.refuse(f"`{word} ({', '.join(taken)})`: {missing}")
        return many.with_labels({label: one.get(label) for label in taken})

    # ---- the rest -------------------------------------------------------------------------------

    _special: dict[str, Callable[[Walk, promql.Call, list[Shape]], Shape]] = {
        "absent": _absent,
        "absent_over_time": _absent,
        "histogram_quantile": _quantile,
        "label_replace": _label_replace,
        "label_join": _label_join,
        "scalar": lambda self, node, shapes: SCALAR,
        "vector": lambda self, node, shapes: Shape(),
    }
    _of: dict[type, Callable[[Walk, promql.Expr], Shape]] = {
        promql.VectorSelector: _selector,
        promql.MatrixSelector: lambda self, node: self.shape(node.vector_selector),
        promql.SubqueryExpr: lambda self, node: self.shape(node.expr),
        promql.ParenExpr: lambda self, node: self.shape(node.expr),
        promql.UnaryExpr: lambda self, node: self.shape(node.expr).nameless(),
        promql.AggregateExpr: _aggregation,
        promql.Call: _call,
        promql.BinaryExpr: _binary,
        promql.NumberLiteral: lambda self, node: SCALAR,
        promql.StringLiteral: lambda self, node: SCALAR,
    }
