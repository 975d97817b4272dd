"""What a Prometheus answers to a dashboard's expressions, and the tables made of it."""

import json
import math
import re
import time
from dataclasses import dataclass
from pathlib import Path

from prometheus import Api
from reading import FOLDER, ROOT, Expression, every_board

STEP, SPAN = 2, 60  # seconds between points of a range, and how far back it goes
REPORT = ROOT / "build/check/dashboards.json"
HEAD = """# {title}

{description}

Written by the test that asks every expression of a Prometheus that scrapes the real service under load,
with faults in force (`make dashboards ANSWERS=1`); not by hand. Values are of that run, rounded, one series
of each. *fed*: the series is a cluster's or a load test's, from `tests/dashboards/fed`. No screenshot: there
was no Grafana to take one of.

| panel | query | what it answered |
|---|---|---|
"""


@dataclass(frozen=True)
class Answer:
    """Series with a number, and an example. `moved`: one of them is not 0, so that the query shows more
    than that its series are there."""

    series: int
    example: str = ""
    traces: int = 0
    moved: bool = True


def rounded(value: float) -> str:
    """For people: three figures."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def said(expression: Expression, labels: dict[str, str], value: float) -> str:
    """A series as its legend would call it, and its value."""
    legend = expression.legend
    for name, text in labels.items():
        legend = legend.replace("{{" + name + "}}", text)
    if not expression.legend or "{{" in legend or legend == "__auto":
        legend = ", ".join(f"{name}={text}" for name, text in sorted(labels.items())
                           if name in ("http_route", "sloth_slo", "instance", "alertname", "le"))
    return f"{legend.strip()} {rounded(value)}".strip()


def ask(prometheus: Api, expression: Expression, span: float = SPAN) -> Answer:
    """Asks it the way Grafana does; ranges go back `span` seconds."""
    if expression.kind == "instant":
        data = prometheus.api("query", query=expression.filled)
        series = [(one["metric"], [one["value"]]) for one in (data or {"result": []})["result"]]
    else:
        now = time.time()
        data = prometheus.api("query_range", query=expression.filled, start=now - span, end=now,
                              step=STEP)
        series = [(one["metric"], one["values"]) for one in (data or {"result": []})["result"]]
    if expression.kind == "variable":
        values = {value for metric, _ in series if (value := metric.get(expression.legend, ""))
                  and re.search(expression.regex, value)}
        return Answer(len(values), ", ".join(sorted(values)[:4]))
    full = [(metric, points[-1]) for metric, samples in series
            if (points := [value for _, text in samples if not math.isnan(value := float(text))])]
    if not full:
        return Answer(0)
    best = max(full, key=lambda one: (one[1] != 0, -abs(math.log10(abs(one[1]) or 1))))
    traces = len(prometheus.exemplars(expression.filled)) if expression.exemplars else 0
    return Answer(len(full), said(expression, *best), traces, moved=best[1] != 0)


def missing(expression: Expression, answer: Answer) -> bool:
    """Whether a person would look at an empty panel."""
    return not answer.series or expression.exemplars and not answer.traces


def ask_all(prometheus: Api, expressions: list[Expression],
            patience: float = 90, span: float = SPAN) -> dict[Expression, Answer]:
    """The answers to all; one that is empty is asked again until time is up: rates need two scrapes,
    rules a moment."""
    answers: dict[Expression, Answer] = {}
    until = time.monotonic() + patience
    left = expressions
    while left and time.monotonic() < until:
        for expression in left:
            answers[expression] = ask(prometheus, expression, span)
        left = [one for one in left if missing(one, answers[one])]
        time.sleep(1 if left else 0)
    return answers


# ---- what is made of them -----------------------------------------------------------------------

def counts(answers: dict[Expression, Answer]) -> dict[str, int]:
    """The figures of a run."""
    panels = sum(len(board.panels) for board in every_board())
    answered = {one: answer for one, answer in answers.items() if not missing(one, answer)}
    return {"dashboards": len(every_board()), "panels": panels, "expressions": len(answers),
            "of panels": sum(not one.where.startswith(("variable ", "annotation ")) for one in answers),
            "answered by the real service": sum(not one.is_fed for one in answered),
            "fed": sum(one.is_fed for one in answered),
            "nothing but 0": sum(not answer.moved for answer in answered.values()),
            "with exemplars": sum(one.exemplars for one in answered),
            "without data": len(answers) - len(answered)}


def report(runs: dict[str, dict[Expression, Answer]]) -> None:
    """Leaves the figures, and what was empty, in build/check."""
    document = {name: {**counts(answers), "empty": [str(one) for one, answer in answers.items()
                                                    if missing(one, answer)]}
                for name, answers in runs.items()}
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def cell(text: str) -> str:
    """For a table of Markdown."""
    return " ".join(text.replace("|", "\\|").split())


def row(expression: Expression, answer: Answer) -> str:
    """A line of a dashboard's table."""
    kind = {"instant": "", "range": ", over time", "variable": ""}[expression.kind]
    noun = "series" if expression.kind != "variable" else "value" if answer.series == 1 else "values"
    what = f"{answer.series} {noun}{kind}"
    what += f": {answer.example}" if answer.example else ""
    what += f"; {answer.traces} traces to open" if expression.exemplars else ""
    what += " (fed)" if expression.is_fed else ""
    return f"| {cell(expression.where)} | `{cell(expression.text)}` | {cell(what)} |\n"


def write_tables(answers: dict[Expression, Answer], folder: Path = FOLDER) -> None:
    """Writes dashboards/<name>.md."""
    for board in every_board():
        text = HEAD.format(**{key: board.document[key] for key in ("title", "description")})
        text += "".join(row(one, answer) for one, answer in answers.items()
                        if one.board == board.name)
        (folder / f"{board.name}.md").write_text(text, encoding="utf-8")
