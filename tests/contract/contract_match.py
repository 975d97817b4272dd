"""Whether a selector's matchers can select anything, and what is left of its labels when they did.

Where a label's values are known, `=` and `!=` must name one of them, and each alternative of a regular
expression must match one: `/|/demo/helo` is refused for its second half. A value that holds Grafana's
variable is any value. `le` is compared as text, and Prometheus 3 writes 1 as 1.0: it never selects a
whole number.
"""

from __future__ import annotations

import re
from typing import Iterator

import promql_parser as promql
from contract_shapes import Label, Shape, nearest

VARIABLE = (
    "\ue000"  # stands for a variable's value, which nobody knows before the board is looked at
)
WHOLE = re.compile(r"[+-]?\d+(\.0+)?([eE][+]?\d+)?")


def alternatives(pattern: str) -> list[str]:
    """The parts of a regular expression between the `|` that are not in a group; a group around it all
    is opened first."""
    while (inner := _unwrapped(pattern)) is not None:
        pattern = inner
    cuts = [place for place, mark, depth in _marks(pattern) if mark == "|" and depth == 0]
    return [pattern[start + 1 : end] for start, end in zip([-1, *cuts], [*cuts, len(pattern)])]


def _marks(pattern: str) -> Iterator[tuple[int, str, int]]:
    """Each `(`, `)` and `|` that stands for itself in no class and behind no backslash: where, which, and
    how many groups are open after it."""
    depth, i = 0, 0
    while i < len(pattern):
        if pattern[i] == "\\":
            i += 1
        elif pattern[i] == "[":
            i = _class_end(pattern, i)
        elif pattern[i] in "()|":
            depth += {"(": 1, ")": -1, "|": 0}[pattern[i]]
            yield i, pattern[i], depth
        i += 1


def _class_end(pattern: str, start: int) -> int:
    """Where the `]` of a character class is; one that comes first belongs to the class."""
    i = start + 1
    if pattern[i : i + 1] == "^":
        i += 1
    if pattern[i : i + 1] == "]":
        i += 1
    while i < len(pattern) and pattern[i] != "]":
        i += 2 if pattern[i] == "\\" else 1
    return i


def _unwrapped(pattern: str) -> str | None:
    """What is inside a group that is the whole expression, or None."""
    opened = re.match(r"\((\?:)?", pattern)
    if opened is None or not pattern.endswith(")"):
        return None
    closed = next(
        (place for place, mark, depth in _marks(pattern) if mark == ")" and depth == 0), None
    )
    return pattern[opened.end() : -1] if closed == len(pattern) - 1 else None


def _matches(pattern: str, value: str) -> bool:
    return re.fullmatch(pattern, value, re.DOTALL) is not None


def _is_regex(op: promql.MatchOp) -> bool:
    return op in (promql.MatchOp.Re, promql.MatchOp.NotRe)


def _is_positive(op: promql.MatchOp) -> bool:
    return op in (promql.MatchOp.Equal, promql.MatchOp.Re)


def text_of(matcher: promql.Matcher) -> str:
    """A matcher as it is written."""
    signs = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
    sign = signs[str(matcher.op).rpartition(".")[2]]
    value = matcher.value.replace(VARIABLE, "$…").replace("\\", "\\\\").replace('"', '\\"')
    return f'{matcher.name}{sign}"{value}"'


def _values_asked(matcher: promql.Matcher) -> list[str]:
    return alternatives(matcher.value) if _is_regex(matcher.op) else [matcher.value]


def _bad_bound(matcher: promql.Matcher) -> str:
    """Why a matcher of `le` does not hold everywhere."""
    for value in _values_asked(matcher):
        plain = value.replace("\\", "") if _is_regex(matcher.op) else value
        if WHOLE.fullmatch(plain):
            return (
                f"`{text_of(matcher)}`: a whole number, which not every Prometheus writes the same way; "
                "ask for a bound with a fraction"
            )
    return ""


def _unknown_value(matcher: promql.Matcher, label: Label) -> str:
    """Why a matcher asks for a value that does not exist."""
    if label.values is None:
        return ""
    for value in _values_asked(matcher):
        if value == "" or VARIABLE in value:
            continue
        if _is_regex(matcher.op):
            found = any(_matches(value, known) for known in label.values)
        else:
            found = value in label.values
        if not found:
            has = ", ".join(f"`{known}`" for known in sorted(label.values)) or "none"
            near = nearest(value, label.values)
            return f"`{text_of(matcher)}`: no series has the value `{value}`{near} (values: {has})"
    return ""


def problem_of(matcher: promql.Matcher, shape: Shape, exact_bounds: bool = False) -> str:
    """Why a matcher selects nothing, or changes nothing, or ""; `exact_bounds`: the text is what an
    exporter writes, so `le` is as it writes it."""
    if not shape.has(matcher.name):
        return f"`{text_of(matcher)}`: {shape.missing(matcher.name)}"
    if _is_regex(matcher.op) and VARIABLE not in matcher.value:
        try:
            re.compile(matcher.value)
        except re.error as error:
            return f"`{text_of(matcher)}`: cannot be read here, write it plainer: {error}"
    if matcher.name == "le" and not exact_bounds and (bad := _bad_bound(matcher)):
        return bad
    return _unknown_value(matcher, shape.get(matcher.name))


def narrowed(label: Label, matcher: promql.Matcher) -> Label | None:
    """What a matcher leaves of a label; None: only series without it are left."""
    if VARIABLE in matcher.value:
        return label
    positive, regex = _is_positive(matcher.op), _is_regex(matcher.op)

    def taken(value: str) -> bool:
        return (_matches(matcher.value, value) if regex else value == matcher.value) == positive

    optional = label.optional and taken("")
    if label.values is not None:
        left = frozenset(value for value in label.values if taken(value))
    elif positive and not regex:
        left = frozenset([matcher.value] if matcher.value else [])
    else:
        return Label(None, optional)
    return Label(left, optional) if left else None
