"""Whether IAM would allow a request: the part of its rules that our policies use, and an error for any other.

An explicit Deny wins; else an Allow of the identity's policies is needed, and one of the boundary's where there is one.
A condition whose key the request has not is false, except in `Null`, `…IfExists` and negations, as IAM has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One call: what is done, to what, and what IAM knows besides."""

    action: str
    resource: str = "*"
    context: dict[str, str] = field(default_factory=dict)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def like(pattern: str, text: str, *, fold: bool = False) -> bool:
    """IAM's wildcards: `*` for any text, `?` for one character."""
    expression = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    return re.fullmatch(expression, text, re.DOTALL | (re.IGNORECASE if fold else 0)) is not None


TESTS = {
    "StringEquals": lambda wanted, got: wanted == got,
    "StringLike": like,
    "ArnLike": like,
    "ArnEquals": like,
    "Bool": lambda wanted, got: wanted.lower() == got.lower(),
}


def condition_holds(operator: str, key: str, wanted: list[str], context: dict[str, str]) -> bool:
    """One line of a Condition."""
    lower = {name.lower(): value for name, value in context.items()}
    got = lower.get(key.lower())
    if operator == "Null":
        return (got is None) == (wanted[0].lower() == "true")
    base = operator.removesuffix("IfExists")
    negated = base.startswith("StringNot")
    base = base.replace("StringNot", "String")
    if base not in TESTS:
        raise ValueError(f"the evaluator does not know {operator}: teach it before it is used")
    if got is None:
        return negated or operator.endswith("IfExists")
    return any(TESTS[base](each, got) for each in wanted) != negated


def applies(statement: Document, request: Request) -> bool:
    """Whether a statement speaks of the request."""
    unknown = set(statement) - {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}
    if unknown:
        raise ValueError(f"the evaluator does not know {sorted(unknown)}")
    if not any(like(each, request.action, fold=True) for each in listed(statement["Action"])):
        return False
    if "Resource" in statement and not any(like(each, request.resource) for each in listed(statement["Resource"])):
        return False
    return all(condition_holds(operator, key, [str(each) for each in listed(wanted)], request.context)
               for operator, lines in statement.get("Condition", {}).items() for key, wanted in lines.items())


def decide(documents: Iterable[Document], request: Request) -> str:
    """`deny`, `allow` or `nothing`."""
    effects = {statement["Effect"] for document in documents for statement in listed(document["Statement"])
               if applies(statement, request)}
    return "deny" if "Deny" in effects else "allow" if "Allow" in effects else "nothing"


def allowed(documents: list[Document], request: Request, boundary: Document | None = None) -> bool:
    """Whether an identity with these policies may."""
    decisions = [decide(documents, request)] + ([decide([boundary], request)] if boundary else [])
    return all(each == "allow" for each in decisions)
