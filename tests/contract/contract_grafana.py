"""A dashboard's expressions: every target of every panel, annotations, variables, and what they take labels for.

Grafana puts variables in before Prometheus sees a query. Within quotes a variable of a fixed list becomes
that list, so that its values are looked at too; any other becomes a mark that stands for any value. Without
quotes it is a duration, a number or a name: its current value, or one that fits.
"""

from __future__ import annotations

import json
import re
from typing import Iterator

from contract_match import VARIABLE

BUILT_IN = {
    "__rate_interval": "5m",
    "__interval": "1m",
    "__interval_ms": "60000",
    "__range": "1h",
    "__range_s": "3600",
    "__range_ms": "3600000",
    "__from": "0",
    "__to": "3600000",
    "__dashboard": "board",
}
USE = re.compile(r"\$\{(\w+)(?:\.\w+)?(?::[^}]*)?\}|\[\[(\w+)(?::[^\]]*)?\]\]|\$(\w+)")
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`')
LEGEND = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
DURATION = re.compile(r"\d+(ms|[smhdwy])(\d+(ms|[smhdwy]))*")

Found = tuple[str, str, str, tuple[tuple[str, str], ...]]


class Variables:
    """The variables of a dashboard, and how a query looks when they are put in."""

    def __init__(self, told: list[dict]) -> None:
        self.options: dict[str, list[str]] = {}
        for variable in told:
            if variable.get("type") in ("custom", "constant", "interval", "textbox"):
                self.options[variable["name"]] = _options(variable)

    def _inside(self, name: str) -> str:
        if name in BUILT_IN:
            return BUILT_IN[name]
        options = self.options.get(name)
        return "|".join(options) if options else VARIABLE

    def _outside(self, name: str, before: str) -> str:
        if name in BUILT_IN:
            return BUILT_IN[name]
        options = self.options.get(name) or []
        if re.search(r"(\[|offset\s+-?|:)\s*$", before):
            return next((option for option in options if DURATION.fullmatch(option)), "5m")
        return options[0] if options else "1"

    def put_in(self, query: str) -> str:
        """The query as Prometheus might see it."""
        out, at = [], 0
        for quoted in QUOTED.finditer(query):
            out.append(self._replace(query[at : quoted.start()], False))
            out.append(self._replace(quoted.group(), True))
            at = quoted.end()
        out.append(self._replace(query[at:], False))
        return "".join(out)

    def _replace(self, text: str, inside: bool) -> str:
        def value(use: re.Match) -> str:
            name = next(group for group in use.groups() if group)
            if inside and name.isdigit():
                return use.group()  # a group of label_replace's expression
            return self._inside(name) if inside else self._outside(name, text[: use.start()])

        return USE.sub(value, text)


def _options(variable: dict) -> list[str]:
    """The values of a variable of a fixed list."""
    options = [
        str(option["value"])
        for option in variable.get("options") or []
        if option.get("value") not in (None, "", "$__all")
    ]
    if not options and isinstance(variable.get("query"), str):
        options = [
            part.partition(" : ")[2] or part for part in re.split(r"\s*,\s*", variable["query"])
        ]
    return [option.strip() for option in options if option.strip() and "$" not in option]


def _is_prometheus(source: object, default: bool = True) -> bool:
    """Whether a datasource is Prometheus: said so, or a variable, or not said."""
    if isinstance(source, dict):
        return source.get("type") in (None, "prometheus") and source.get("uid") not in (
            "grafana",
            "-- Grafana --",
            "-- Dashboard --",
            "-- Mixed --",
        )
    return default


def _panels(panels: list[dict]) -> Iterator[dict]:
    for panel in panels:
        yield panel
        yield from _panels(panel.get("panels") or [])


def _needs(text: object, what: str) -> tuple[tuple[str, str], ...]:
    labels = LEGEND.findall(text) if isinstance(text, str) else []
    return tuple((label, what) for label in labels if not label.startswith("__"))


def _of_panels(board: dict, variables: Variables, where: str) -> Iterator[Found]:
    for panel in _panels(board.get("panels") or []):
        name = panel.get("title") or f"#{panel.get('id')}"
        for target in panel.get("targets") or []:
            source = target.get("datasource") or panel.get("datasource")
            if isinstance(target.get("expr"), str) and _is_prometheus(source):
                place = f'{where}: panel "{name}" ({target.get("refId", "?")})'
                needs = _needs(target.get("legendFormat"), "its legend")
                yield place, variables.put_in(target["expr"]), "query", needs


def _of_annotations(board: dict, variables: Variables, where: str) -> Iterator[Found]:
    for told in (board.get("annotations") or {}).get("list") or []:
        query = told.get("expr") or (told.get("target") or {}).get("expr")
        if query and _is_prometheus(told.get("datasource")):
            needs = _needs(told.get("titleFormat"), "its title") + _needs(
                told.get("textFormat"), "its text"
            )
            keys = [key.strip() for key in (told.get("tagKeys") or "").split(",") if key.strip()]
            needs += tuple((key, "its tags") for key in keys)
            yield f'{where}: annotation "{told.get("name")}"', variables.put_in(
                query
            ), "query", needs


def _of_variables(board: dict, variables: Variables, where: str) -> Iterator[Found]:
    for told in (board.get("templating") or {}).get("list") or []:
        if told.get("type") == "adhoc" or not _is_prometheus(told.get("datasource")):
            continue
        queries = {told.get("definition")} if told.get("type") == "query" else set()
        query = told.get("query")
        if told.get("type") == "query":
            queries.add(query.get("query") if isinstance(query, dict) else query)
        for text in sorted(filter(None, queries)):
            yield f"{where}: variable {told['name']}", variables.put_in(text), "labels", ()


def read_dashboard(text: str, where: str) -> Iterator[Found]:
    """Where, query, kind and needed labels of all that a dashboard asks; nothing of other JSON."""
    board = json.loads(text)
    if not isinstance(board, dict) or not ("panels" in board and "schemaVersion" in board):
        return
    variables = Variables((board.get("templating") or {}).get("list") or [])
    yield from _of_panels(board, variables, where)
    yield from _of_annotations(board, variables, where)
    yield from _of_variables(board, variables, where)
