"""The committed JSON, as data: dashboards, their panels, and every expression that a browser would send.

An expression is of a panel's target, an annotation or a variable, and is asked the way Grafana asks it:
at a moment, over a range, or for its exemplars. Grafana's variables are replaced as it replaces them:
by what is chosen when a dashboard is opened.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator

import promql_parser as promql

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "dashboards"
FILES = sorted((FOLDER / "json").glob("*.json"))

# What Grafana puts in for a range of a minute or so over scrapes of a second.
BUILT_IN = {"__rate_interval": "15s", "__interval": "5s", "__range": "60s",
            "__url_time_range": "from=now-1h&to=now"}
LABEL_VALUES = re.compile(r"label_values\((?:(.*), *)?(\w+)\)", re.S)
VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)(?::\w+)?\}")
# Names of series that only a cluster or a load test has.
FED = re.compile(r"(kube|container|k6)_")


@dataclass(frozen=True)
class Expression:
    """One thing that is asked. `kind` is instant, range or variable; `filled` is what is sent."""

    board: str
    where: str
    text: str
    filled: str
    kind: str
    legend: str = ""
    exemplars: bool = False
    regex: str = ""  # of a variable: the values that it offers

    @property
    def names(self) -> set[str]:
        """The series that it reads."""
        return {name for name, _ in selectors(self.filled)}

    @property
    def is_fed(self) -> bool:
        """Whether some of it is no series of the service's."""
        return any(FED.match(name) for name in self.names)

    def __str__(self) -> str:
        return f"{self.board}: {self.where}: {self.text}"


@dataclass
class Board:
    """One dashboard."""

    path: Path
    document: dict[str, Any]
    panels: list[dict[str, Any]] = field(default_factory=list)  # rows left out

    @property
    def name(self) -> str:
        """The file's, without its ending."""
        return self.path.stem

    @property
    def variables(self) -> dict[str, dict[str, Any]]:
        """By name, in order."""
        return {one["name"]: one for one in self.document["templating"]["list"]}

    @property
    def annotations(self) -> list[dict[str, Any]]:
        """In order."""
        return self.document["annotations"]["list"]


def read(path: Path) -> Board:
    """One file."""
    document = json.loads(path.read_text(encoding="utf-8"))
    every = [inner for panel in document["panels"] for inner in (panel, *panel.get("panels", ()))]
    return Board(path, document, [panel for panel in every if panel["type"] != "row"])


def every_board() -> list[Board]:
    """All of them."""
    return [read(path) for path in FILES]


# ---- what is asked ------------------------------------------------------------------------------

def chosen(variable: dict[str, Any]) -> str:
    """The regular expression that stands for what is chosen when the dashboard is opened."""
    value = variable["current"]["value"]
    if value == "$__all":
        return variable["allValue"]
    return "|".join(value) if isinstance(value, list) else value


def fill(board: Board, text: str) -> str:
    """An expression with its variables replaced; KeyError for one that the dashboard has not."""
    values = BUILT_IN | {name: chosen(one) for name, one in board.variables.items()}
    return VARIABLE.sub(lambda match: values[match.group(1) or match.group(2)], text)


def expressions(board: Board) -> Iterator[Expression]:
    """Everything that a dashboard asks, in its order."""
    for name, one in board.variables.items():
        if one["type"] == "query":
            match = LABEL_VALUES.fullmatch(one["query"]["query"])
            assert match, f"{board.name}: variable {name}: {one['query']['query']}"
            yield Expression(board.name, f"variable {name}", match.group(1),
                             fill(board, match.group(1)), "variable", legend=match.group(2),
                             regex=(one.get("regex") or "").strip("/"))
    for one in board.annotations:
        yield Expression(board.name, f"annotation {one['name']}", one["expr"],
                         fill(board, one["expr"]), "range", legend=one["titleFormat"])
    for panel in board.panels:
        for target in panel["targets"]:
            yield Expression(board.name, panel["title"], target["expr"],
                             fill(board, target["expr"]),
                             "instant" if target["instant"] else "range",
                             target["legendFormat"], target.get("exemplar", False))


def every_expression() -> list[Expression]:
    """Of all dashboards."""
    return [one for board in every_board() for one in expressions(board)]


# ---- PromQL -------------------------------------------------------------------------------------

def children(node: Any) -> Iterator[Any]:
    """What is directly below a node of a parsed expression."""
    below = [getattr(node, name, None)
             for name in ("lhs", "rhs", "expr", "param", "vector_selector")]
    for child in [*below, *getattr(node, "args", ())]:
        if type(child).__module__ == "promql_parser" and hasattr(child, "prettify"):
            yield child


def nodes(node: Any) -> Iterator[Any]:
    """A node and all below it."""
    yield node
    for child in children(node):
        yield from nodes(child)


def parsed(text: str) -> Any:
    """The tree of an expression whose durations may still be Grafana's."""
    return promql.parse(re.sub(r"\$__\w+", "1m", text))


def selectors(text: str) -> list[tuple[str, dict[str, str]]]:
    """(name, {label: matcher's text}) of each selector."""
    return [(node.name or "", {one.name: one.value for one in node.matchers.matchers})
            for node in nodes(parsed(text)) if isinstance(node, promql.VectorSelector)]
