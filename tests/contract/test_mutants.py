"""A letter more in any name of any expression is noticed: no part of one is passed over unread."""

import re
from dataclasses import replace
from typing import Iterator

import contract_walk
from contract import Contract, Expression, problems

WORDS = contract_walk.FUNCTIONS | contract_walk.AGGREGATORS | contract_walk.SETS
WORDS |= frozenset("by without on ignoring group_left group_right offset bool inf nan".split())
NAME = re.compile(r"(?<![\w.])[A-Za-z_:][\w:]*")
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|#.*')


def mutants(expression: Expression) -> Iterator[Expression]:
    """The expression with each of its metrics and labels misspelt, one at a time."""
    quoted = [range(*match.span()) for match in QUOTED.finditer(expression.text)]
    for match in NAME.finditer(expression.text):
        inside = any(match.start() in span for span in quoted)
        if not inside and match.group().lower() not in WORDS:
            end = match.end()
            text = expression.text[:end] + "x" + expression.text[end:]
            yield replace(expression, text=text, needs=())


def test_names_are_found() -> None:
    text = 'sum by (a) (rate(b{c="d"}[5m] offset 1h)) > 0.5 # e'
    found = [mutant.text for mutant in mutants(Expression("here", text))]
    assert found == [
        text.replace("(a)", "(ax)"),
        text.replace("b{", "bx{"),
        text.replace("c=", "cx="),
    ]


def test_a_letter_more_is_noticed(repository: Contract, asked: list[Expression]) -> None:
    queries = {e.text: e for e in asked if e.kind == "query"}.values()
    tried, unnoticed = 0, []
    for mutant in (mutant for expression in queries for mutant in mutants(expression)):
        tried += 1
        if not problems(mutant, repository):
            unnoticed.append(f"{mutant.where}: {mutant.text}")
    assert not unnoticed, "\n" + "\n".join(unnoticed)
    assert tried > len(queries)
