"""What a cluster makes of the rules: the PrometheusRules of one namespace as files for promtool, and promtool's
tests of the plain rules as tests of those, with a second installation beside."""

import re
from pathlib import Path
from typing import Any

import contract as contracts
import yaml
from contract_files import read_yaml

from namespaces import NAMESPACE
from promtool import ALERTS

KUBERNETES = ALERTS / "kubernetes"
NAMES = ("prometheusrule.yaml", "prometheusrule-shipped.yaml")
SERIES = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{(.*)\})?$")


def resource(profile: str, name: str) -> dict[str, Any]:
    """A PrometheusRule."""
    return yaml.safe_load((KUBERNETES / profile / name).read_text())


def groups(profile: str) -> list[dict[str, Any]]:
    """The groups of both PrometheusRules of a profile."""
    return [group for name in NAMES for group in resource(profile, name)["spec"]["groups"]]


def rules(profile: str) -> list[dict[str, Any]]:
    """Their rules."""
    return [rule for group in groups(profile) for rule in group["rules"]]


def rule_files(folder: Path, namespace: str, profile: str = "real", only: str = "") -> list[str]:
    """What its Prometheus reads of an installation in this namespace; `only` the groups whose names begin so,
    where all others would only take time."""
    written = []
    for name in NAMES:
        wanted = [group for group in resource(profile, name)["spec"]["groups"] if group["name"].startswith(only)]
        file = folder / f"{namespace}-{name}"
        file.write_text(yaml.safe_dump({"groups": wanted}).replace(NAMESPACE, namespace))
        written.append(file.name)
    return written


def moved(series: dict[str, str], namespace: str) -> dict[str, str]:
    """A series of promtool's input, of this namespace."""
    name, labels = SERIES.match(series["series"]).groups()
    others = re.sub(r'(^|, *)namespace="[^"]*"', "", labels or "").lstrip(", ")
    return {**series, "series": f'{name}{{namespace="{namespace}"{", " if others else ""}{others}}}'}


def of_namespace(alert: dict[str, Any], namespace: str) -> dict[str, Any]:
    """What is expected of the plain rules, of this namespace's: the label, and the link that chooses it."""
    texts = dict(alert["exp_annotations"])
    link = texts["dashboard_url"].partition("&var-namespace=")[0]
    texts["dashboard_url"] = f"{link}&var-namespace={namespace}"
    return {**alert, "exp_labels": {**alert["exp_labels"], "namespace": namespace}, "exp_annotations": texts}


def in_two(test: dict[str, Any], namespace: str, beside: str) -> dict[str, Any]:
    """A test of the plain rules: the same happens to an installation in this namespace, and to another beside
    it, whose series differ in nothing else; what is expected is expected of the first."""
    told = [{**look, "exp_alerts": [of_namespace(alert, namespace) for alert in look["exp_alerts"]]}
        for look in test["alert_rule_test"]]
    return {**test, "alert_rule_test": told, "input_series": [
        moved(series, where) for where in (namespace, beside) for series in test["input_series"]]}


def unmet(told: list[dict[str, Any]]) -> list[str]:
    """What these groups ask for that neither a service nor they themselves give: nobody else's records."""
    text = yaml.safe_dump({"groups": told})
    known = contracts.load()
    alone = contracts.Contract(known.own, known.exporters, contracts.read_rules(yaml.safe_load(text), "rules"))
    return [problem for expression in read_yaml(text, "rules") for problem in contracts.problems(expression, alone)]
