"""Who would go blind if the binary no longer emitted a metric.

    python tests/contract/blind.py --without METRIC [--without METRIC]… [PATH…]

Each panel, annotation, variable, rule, runbook's query and test's input that would find nothing then, also
through a recording rule, and how many of each. Of what is wrong already nothing is said here: that is what
the tests are for. Exit 2 when there is no such metric.
"""

from __future__ import annotations

import argparse
import collections
import re
import sys
from pathlib import Path
from typing import Iterable

from contract import Contract, Expression, expressions, files, load

KINDS = {
    "panel": r': panel "',
    "annotation": r': annotation "',
    "variable": r": variable ",
    "test": r": test ",
    "alert": r": alert ",
    "recording rule": r": recording rule ",
    "query": r"\.md:\d+: query",
}


def kind_of(where: str) -> str:
    """What stands at a place: a panel, an alert, …; its place says so."""
    return next((kind for kind, pattern in KINDS.items() if re.search(pattern, where)), "other")


def _without_advice(problem: str) -> str:
    """What is wrong: the nearest name may be another one now."""
    return problem.partition("; nearest: ")[0]


def blinded(
    asked: Iterable[Expression], before: Contract, metrics: Iterable[str]
) -> dict[str, list[str]]:
    """Where something goes blind without these metrics, and why: what was not wrong with them."""
    after = before
    for metric in metrics:
        after = after.without(metric)
    found: dict[str, list[str]] = {}
    for expression in asked:
        known = {_without_advice(problem) for problem in before.look(expression)}
        for problem in after.look(expression):
            reasons = found.setdefault(expression.where, [])
            if _without_advice(problem) not in known and problem not in reasons:
                reasons.append(problem)
    return {where: reasons for where, reasons in found.items() if reasons}


def main(arguments: list[str]) -> int:
    """Prints them; 2 when there is no such metric."""
    parser = argparse.ArgumentParser(
        description="Who would go blind without a metric of the binary."
    )
    parser.add_argument("--without", metavar="METRIC", action="append", required=True)
    parser.add_argument("paths", metavar="PATH", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    asked = expressions([path.resolve() for path in options.paths] or files())
    try:
        found = blinded(asked, load(), options.without)
    except KeyError as error:
        print(error.args[0], file=sys.stderr)
        return 2
    for where, reasons in found.items():
        for reason in reasons:
            print(f"{where}: {reason}")
    counts = collections.Counter(kind_of(where) for where in found)
    told = ", ".join(f"{kind}: {count}" for kind, count in counts.most_common())
    print(
        f"without {' and '.join(options.without)}: {len(found)} would go blind; {told or 'nobody'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
