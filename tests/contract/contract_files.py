"""Where expressions are: rule files, promtool's tests, configurations, runbooks, dashboards.

An Expression says where it stands in words that a person finds again, and what kind of text it is:

    query     PromQL
    series    a series as an exporter writes it (promtool's input)
    labels    Grafana's label_values(…) and its like
    alert     the name of an alert, which must be one of ours

`needs` are labels that something beside the expression takes from its result: a legend, an annotation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

import yaml
from contract_grafana import read_dashboard

ROOT = Path(__file__).resolve().parents[2]
TREES = ("dashboards/json", "alerts", "infra", "charts", "loadtest", "docs")
SKIPPED_TREES = ("alerts/source", "docs/reference")  # what rules are generated from; C
TEMPLATE_QUERY = re.compile(r'\bquery\s+(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)')
TEMPLATE_LABEL = re.compile(
    r"\$labels\.([A-Za-z_][A-Za-z0-9_]*)|\.Labels\.([A-Za-z_][A-Za-z0-9_]*)"
)
GUARDED = re.compile(
    r"\{\{-?\s*(?:else\s+)?(?:if|with|or)\b[^}]*\}\}"
)  # what may be missing is asked for first
BLOCK = re.compile(r"^([ \t]*)```promql\b[^\n]*\n(.*?)^[ \t]*```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Expression:
    """A text that asks for series, where it stands, and what else its result must have."""

    where: str
    text: str
    kind: str = "query"
    needs: tuple[tuple[str, str], ...] = ()  # (label, what needs it)


@dataclass(frozen=True)
class Rule:
    """A rule: `record` or `alert` names what it makes."""

    where: str
    expr: str
    record: str | None = None
    alert: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)


def files(root: Path = ROOT) -> list[Path]:
    """Every file that may hold an expression."""
    found = []
    for tree in TREES:
        folder = root / tree
        for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
            inside = path.relative_to(root).as_posix()
            skipped = any(inside.startswith(other + "/") for other in SKIPPED_TREES)
            if path.suffix in READERS and path.is_file() and not skipped:
                found.append(path)
    return found


def is_template(where: str) -> bool:
    """Whether a file is a chart's template: no YAML yet; what it renders to is."""
    return "/templates/" in where


def read_rules(document: object, where: str) -> Iterator[Rule]:
    """The rules of a rule file, or of a PrometheusRule."""
    if not isinstance(document, dict):
        return
    if document.get("kind") == "PrometheusRule":
        document = document.get("spec") or {}
    groups = document.get("groups")
    for group in groups if isinstance(groups, list) else []:
        for told in group.get("rules") or []:
            name = told.get("record") or told.get("alert")
            labels = told.get("labels") or {}
            more = "".join(
                f" {key}={labels[key]}"
                for key in ("sloth_slo", "http_route", "severity")
                if key in labels
            )
            kind = "recording rule" if "record" in told else "alert"
            yield Rule(
                where=f"{where}: {kind} {name}{more}",
                expr=str(told["expr"]),
                record=told.get("record"),
                alert=told.get("alert"),
                labels=labels,
                annotations=told.get("annotations") or {},
            )


def _template_labels(text: str) -> list[str]:
    """The labels that a template of an alert takes."""
    return [match.group(1) or match.group(2) for match in TEMPLATE_LABEL.finditer(text)]


def _of_rule(rule: Rule) -> Iterator[Expression]:
    needs = []
    for key, text in {**rule.labels, **rule.annotations}.items():
        guarded = set(_template_labels("".join(GUARDED.findall(str(text)))))
        for label in _template_labels(str(text)):
            if label not in rule.labels and label not in guarded:
                needs.append((label, f"its `{key}`"))
        for match in TEMPLATE_QUERY.finditer(str(text)):
            quoted = match.group(1)
            query = (
                match.group(2)
                if quoted is None
                else quoted.replace('\\"', '"').replace("\\\\", "\\")
            )
            if "%" not in query and "{{" not in query:  # a printf's: its parts are not known
                yield Expression(f"{rule.where}: query of its `{key}`", query)
    yield Expression(rule.where, rule.expr, needs=tuple(dict.fromkeys(needs)))


def _of_promtool_tests(document: dict, where: str) -> Iterator[Expression]:
    for number, test in enumerate(document.get("tests") or [], 1):
        place = f"{where}: test {test.get('name') or number}"
        for series in test.get("input_series") or []:
            yield Expression(f"{place}: input", series["series"], "series")
        for case in test.get("promql_expr_test") or []:
            yield Expression(f"{place}: expression", case["expr"])
        for case in test.get("alert_rule_test") or []:
            yield Expression(f"{place}: at {case.get('eval_time')}", case["alertname"], "alert")


def _of_mapping(node: object, where: str) -> Iterator[Expression]:
    """Configurations: `expr` and `promql` anywhere; KEDA's triggers; prometheus-adapter's rules."""
    if isinstance(node, list):
        for item in node:
            yield from _of_mapping(item, where)
    if not isinstance(node, dict):
        return
    name = node.get("name") or (node.get("metadata") or {}).get("name")
    place = f"{where}: {name}" if isinstance(name, str) else where
    for key, value in node.items():
        if key in ("expr", "promql") and isinstance(value, str):
            yield Expression(place, value)
        elif key == "metadata" and node.get("type") == "prometheus" and "query" in value:
            yield Expression(f"{place}: trigger", str(value["query"]))
        elif key == "metricsQuery" and "seriesQuery" in node:
            yield from _of_adapter(node, place)
        else:
            yield from _of_mapping(value, place)


def _of_adapter(rule: dict, where: str) -> Iterator[Expression]:
    """prometheus-adapter's templates, filled as it fills them for one object."""
    series = str(rule["seriesQuery"])
    yield Expression(f"{where}: seriesQuery", series)
    name = re.match(r"[A-Za-z_:][A-Za-z0-9_:]*", series)
    filled = str(rule["metricsQuery"]).replace("<<.Series>>", name.group() if name else "")
    filled = re.sub(r"<<\s*\.LabelMatchers\s*>>", 'namespace="a",pod="b"', filled)
    filled = re.sub(r"<<\s*\.GroupBy\s*>>", "namespace, pod", filled)
    yield Expression(f"{where}: metricsQuery", filled)


def read_yaml(text: str, where: str) -> Iterator[Expression]:
    """The expressions of a YAML file, of whichever kind its documents are."""
    for document in yaml.safe_load_all(text):
        rules = list(read_rules(document, where))
        if rules:
            for rule in rules:
                yield from _of_rule(rule)
        elif isinstance(document, dict) and "tests" in document and "rule_files" in document:
            yield from _of_promtool_tests(document, where)
        else:
            yield from _of_mapping(document, where)


def read_markdown(text: str, where: str) -> Iterator[Expression]:
    """Each query of a ```promql block; an empty line is between two of them."""
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start()) + 2
        for part in re.split(r"(\n[ \t]*\n)", block.group(2)):
            if any(row.strip() and not row.strip().startswith("#") for row in part.splitlines()):
                first = line + len(part) - len(part.lstrip("\n"))
                yield Expression(f"{where}:{first}: query", part.strip())
            line += part.count("\n")


def _grafana(text: str, where: str) -> Iterator[Expression]:
    for place, query, kind, needs in read_dashboard(text, where):
        yield Expression(place, query, kind, needs)


READERS = {".yaml": read_yaml, ".yml": read_yaml, ".md": read_markdown, ".json": _grafana}


def read_file(path: Path, root: Path = ROOT) -> list[Expression]:
    """The expressions of a file."""
    where = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    text = path.read_text()
    if is_template(where):
        return []
    return list(READERS[path.suffix](text, where))
