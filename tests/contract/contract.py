"""The metric contract: every series, label and value that a query asks for is one that something emits.

    contract = load()                        # the binary, exporters, our own recording rules
    for expression in expressions(files()):
        for problem in problems(expression, contract): …

A recording rule emits what its expression gives, with its own labels; one whose expression asks for what
nothing emits records nothing, and whoever asks for it is told why. So a metric that is renamed is followed
to each panel, rule and runbook that would go blind.

As a program: `python contract.py [PATH…]` prints what is wrong in these files (all, without), exit 1.
"""

from __future__ import annotations

import functools
import re
import sys
from pathlib import Path
from typing import Iterable

import promql_parser as promql
import yaml
from contract_files import ROOT, Expression, Rule, files, is_template, read_file, read_rules
from contract_grafana import Variables
from contract_names import Metric, read_contract, read_exporters, series_of
from contract_shapes import NAME, UNKNOWN, Label, Shape, nearest, union
from contract_walk import Walk

RULE_TREES = ("alerts", "infra", "charts")
LABELS_CALL = re.compile(
    r"\s*(label_values|query_result|metrics|label_names)\s*\((.*)\)\s*", re.DOTALL
)
LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Contract:
    """What is emitted, by series name; see contract_walk.Names for what is asked of it."""

    def __init__(
        self, own: dict[str, Metric], exporters: dict[str, list[Metric]], rules: Iterable[Rule] = ()
    ) -> None:
        self.own = own
        self.exporters = exporters
        self.rules = list(rules)
        self._records: dict[str, list[Rule]] = {}
        for rule in self.rules:
            if rule.record:
                self._records.setdefault(rule.record, []).append(rule)
        self._recorded: dict[str, Shape | None] = {}  # also ALERTS
        self._blind: dict[str, str] = {}
        self._types: dict[str, str] = {}
        self._histograms: set[str] = set()
        self._series: dict[str, list[Shape]] = {}
        for name, metric in [
            *own.items(),
            *((n, m) for n, all_ in exporters.items() for m in all_),
        ]:
            for series, shape in series_of(name, metric).items():
                self._series.setdefault(series, []).append(shape)
                parts = metric.type in ("histogram", "summary") and series != name
                self._types[series] = "counter" if parts else metric.type
                if metric.type == "histogram":
                    self._histograms.add(series)

    def without(self, name: str) -> Contract:
        """This contract as it were if the binary did not emit a metric."""
        if name not in self.own:
            raise KeyError(f"the binary has no metric {name}{nearest(name, self.own)}")
        own = {other: metric for other, metric in self.own.items() if other != name}
        return Contract(own, self.exporters, self.rules)

    def names(self) -> list[str]:
        """Every series name."""
        return [*self._series, *self._records, "ALERTS", "ALERTS_FOR_STATE"]

    def alerts(self) -> list[str]:
        """The names of our alerts."""
        return sorted({rule.alert for rule in self.rules if rule.alert})

    def find(self, name: str) -> Shape | None:
        """The shape of a name's series."""
        if name in self._series:
            return union(self._series[name])
        if name in ("ALERTS", "ALERTS_FOR_STATE"):
            return self._alerts_shape(name)
        return self._recorded_shape(name) if name in self._records else None

    def type_of(self, name: str) -> str:
        """The type of a name's series, "" where nobody says."""
        return self._types.get(name, "")

    def is_histogram(self, name: str) -> bool:
        """Whether a series name is one of a histogram's."""
        return name in self._histograms

    def why_none(self, name: str) -> str:
        """More than that nothing emits it, where there is more to say."""
        if self._blind.get(name):
            return f"it is recorded from nothing: {self._blind[name]}"
        for metrics in (self.own, self.exporters):
            if name in metrics:
                return f"classic series are queried: `{name}_bucket`, `{name}_sum`, `{name}_count`"
        return ""

    def _made(self, rule: Rule) -> tuple[Shape, str]:
        """The shape of what a rule makes; and which metric it is made of that nothing emits, or ""."""
        walk, shape = self._walk(rule.expr)
        lost = next((problem for problem in walk.problems if problem.startswith("no metric ")), "")
        fixed = {
            key: Label() if "{{" in str(value) else Label(frozenset([str(value)]))
            for key, value in rule.labels.items()
        }
        if lost:
            return Shape(fixed), f"{rule.where}: {lost}"
        return shape.nameless().with_labels(fixed), ""

    def _recorded_shape(self, name: str) -> Shape | None:
        """What the rules of a name record; None where none of them records anything."""
        if name not in self._recorded:
            self._recorded[name] = UNKNOWN  # of a rule that asks for itself
            made = [self._made(rule) for rule in self._records[name]]
            shapes = [shape for shape, lost in made if not lost]
            self._blind[name] = made[0][1]
            self._recorded[name] = union(shapes) if shapes else None
        return self._recorded[name]

    def _alerts_shape(self, name: str) -> Shape:
        """ALERTS: the labels of all our alerts."""
        if name not in self._recorded:
            self._recorded[name] = UNKNOWN  # of an alert that asks for alerts
            shapes = [self._made(rule)[0] for rule in self.rules if rule.alert]
            own = {"alertname": Label(frozenset(self.alerts()) if shapes else None)}
            if name == "ALERTS":
                own["alertstate"] = Label(frozenset(["pending", "firing"]))
            self._recorded[name] = (
                union(shapes).with_labels(own) if shapes else Shape(own, unknown=True)
            )
        return self._recorded[name]

    def _walk(self, text: str, exact_bounds: bool = False) -> tuple[Walk, Shape]:
        walk = Walk(self, exact_bounds)
        try:
            return walk, walk.shape(promql.parse(text))
        except ValueError as error:
            walk.refuse(f"no PromQL: {error}")
            return walk, UNKNOWN

    def look(self, expression: Expression) -> list[str]:
        """What is wrong with an expression."""
        if expression.kind == "alert":
            known = self.alerts()
            if not known or expression.text in known:
                return []
            return [f"there is no alert `{expression.text}`{nearest(expression.text, known)}"]
        if expression.kind == "labels":
            return self._look_labels(expression.text)
        walk, shape = self._walk(_put_in(expression.text), expression.kind == "series")
        for label, what in expression.needs:
            if missing := shape.missing(label):
                walk.refuse(f"{what} needs `{label}`: {missing}")
        return walk.problems

    def _look_labels(self, text: str) -> list[str]:
        """label_values(metric, label) and what else Grafana's variables know."""
        call = LABELS_CALL.fullmatch(text)
        if call is None:
            return [f"not understood: `{text}`"]
        function, inside = call.groups()
        if function == "query_result":
            return self._walk(_put_in(inside))[0].problems
        if function == "metrics":
            found = any(re.search(inside.strip(), name) for name in self.names())
            return [] if found else [f"`{text}`: no metric matches"]
        selector, comma, label = inside.rpartition(",")
        if function == "label_names" or not comma:
            return []
        walk, shape = self._walk(_put_in(selector))
        label = label.strip()
        if LABEL.fullmatch(label) is None:
            walk.refuse(f"`{label}` is no name of a label")
        elif label != NAME and (missing := shape.missing(label)):
            walk.refuse(f"`{text.strip()}`: {missing}")
        return walk.problems


def _put_in(text: str) -> str:
    """The text with Grafana's variables put in, where a reader has not done it: in runbooks."""
    return Variables([]).put_in(text) if "$" in text or "[[" in text else text


def read_all_rules(root: Path = ROOT) -> list[Rule]:
    """Every rule of the repository: of rule files and PrometheusRules."""
    found = []
    for path in files(root):
        where = path.relative_to(root).as_posix()
        if path.suffix in (".yaml", ".yml") and where.split("/")[0] in RULE_TREES and not is_template(where):
            for document in yaml.safe_load_all(path.read_text()):
                found.extend(read_rules(document, where))
    return found


@functools.cache
def load(root: Path = ROOT) -> Contract:
    """The contract of the repository as it is."""
    own = read_contract(root / "docs" / "contract.json")
    return Contract(own, read_exporters(), read_all_rules(root))


def expressions(paths: Iterable[Path], root: Path = ROOT) -> list[Expression]:
    """All that these files ask for."""
    return [expression for path in paths for expression in read_file(Path(path), root)]


def problems(expression: Expression, contract: Contract | None = None) -> list[str]:
    """What is wrong with an expression, in words that name the metric or label and the nearest one."""
    return (contract or load()).look(expression)


def main(arguments: list[str]) -> int:
    """Prints what is wrong; 1 if anything is."""
    paths = [Path(argument).resolve() for argument in arguments] or files()
    asked = expressions(paths)
    wrong = [f"{e.where}: {problem}" for e in asked for problem in problems(e)]
    for line in wrong:
        print(line)
    print(f"{len(asked)} expressions in {len(paths)} files, {len(wrong)} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
