"""The rules for a cluster: they are all the rules, each of its own namespace; what they say of one installation
is what the plain rules say, whatever another beside it does."""

import copy
import re
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml

import installations
from drills import facts, rules as drill_rules
from drills.table import DRILLS
from namespaces import CHOSEN, NAMESPACE, OURS, selecting
from promtool import RULES, TESTS, VERSIONS, check_tests, rules, run

PROFILES = ("real", "fast")


def selectors(node: Any) -> list[promql.VectorSelector]:
    """Every selector of an expression, as a parser sees them."""
    if isinstance(node, promql.VectorSelector):
        return [node]
    inner = [getattr(node, name) for name in ("expr", "lhs", "rhs", "vector_selector", "param")
             if getattr(node, name, None) is not None] + list(getattr(node, "args", []))
    return [found for child in inner for found in selectors(child)]


def namespaces(expression: str) -> list[list[str]]:
    """Of each selector of an expression, the namespaces that it asks for."""
    return [[matcher.value for matcher in selector.matchers.matchers
             if matcher.name == "namespace" and matcher.op == promql.MatchOp.Equal]
            for selector in selectors(promql.parse(expression))]


@pytest.mark.parametrize("expression, meant", [
    ('up{job="a"}', f'up{{namespace="{NAMESPACE}", job="a"}}'),
    ("sum(up{})", f'sum(up{{namespace="{NAMESPACE}"}})'),
    ('up{a=~"x{2}", b=\'{\'} / up{ }', f'up{{namespace="{NAMESPACE}", a=~"x{{2}}", b=\'{{\'}} / '
                                       f'up{{namespace="{NAMESPACE}"}}'),
    (r'up{a="\"{"}', rf'up{{namespace="{NAMESPACE}", a="\"{{"}}'),
    ("vector(1)", "vector(1)"),
], ids=["one", "empty", "in a string", "escaped", "none"])
def test_selecting(expression: str, meant: str) -> None:
    """Braces in strings are no selectors."""
    assert selecting(expression) == meant
    assert namespaces(meant) == [[NAMESPACE]] * len(selectors(promql.parse(expression)))


@pytest.mark.parametrize("profile", PROFILES)
def test_every_selector_has_the_namespace(profile: str) -> None:
    """Each of them, once, also of what we recorded ourselves; of the plain rules none has."""
    asked = {rule.get("alert") or rule["record"]: namespaces(rule["expr"]) for rule in installations.rules(profile)}
    assert {name: found for name, found in asked.items() if any(one != [NAMESPACE] for one in found)} == {}
    of_all = [one for rule in installations.rules(profile) for one in namespaces(rule["expr"])]
    plain = [one for rule in rules(profile) for one in namespaces(rule["expr"])]
    assert len(of_all) == len(plain) > 400 and all(one == [] for one in plain)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_rule_says_its_namespace(profile: str) -> None:
    """What it records, and what it fires."""
    found = installations.rules(profile)
    assert [rule for rule in found if rule.get("labels", {}).get("namespace") != NAMESPACE] == []
    assert len(found) > 100


@pytest.mark.parametrize("profile", PROFILES)
def test_they_are_all_the_rules(profile: str) -> None:
    """The two together are the profile: no rule is in both, none is in neither, none says anything else."""
    both = []
    for rule in installations.rules(profile):
        rule["labels"].pop("namespace")
        rule["expr"] = re.sub(rf'namespace="{NAMESPACE}"(, )?', "", rule["expr"])
        if "annotations" in rule:
            link = rule["annotations"]["dashboard_url"]
            assert link.count(OURS) == 1
            rule["annotations"]["dashboard_url"] = link.replace(OURS, CHOSEN)
        both.append(yaml.safe_dump({key: value for key, value in rule.items() if value != {}}))
    assert sorted(both) == sorted(yaml.safe_dump(rule) for rule in rules(profile))


def test_only_those_for_demonstrations_have_a_pace() -> None:
    """Whatever the cluster's Prometheus does with others' rules, windows of seconds are looked at each few."""
    assert {group.get("interval") for group in installations.groups("real")} == {None}
    assert {group.get("interval") for group in installations.groups("fast")} == {"5s"}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("profile", PROFILES)
def test_they_are_rules(version: str, profile: str, tmp_path: Path) -> None:
    """What is under `spec` is what a Prometheus reads."""
    for name in installations.NAMES:
        told = installations.resource(profile, name)
        assert (told["apiVersion"], told["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    files = [tmp_path / name for name in installations.rule_files(tmp_path, "shop", profile)]
    status, said = run(version, "check", "rules", "--lint=all", "--lint-fatal", *files)
    assert status == 0 and said.count("SUCCESS") == 2, said


@pytest.mark.parametrize("profile", PROFILES)
def test_labels_match_between_sides(profile: str) -> None:
    """A selector's namespace is one that its series have, recorded ones, too; and that can fail."""
    told = installations.groups(profile)
    assert installations.unmet(told) == []
    changed = copy.deepcopy(told)
    rule = next(rule for group in changed for rule in group["rules"]
                if rule.get("record") == "job_route:http_server_requests:rate5m")
    rule["labels"]["namespace"] = "elsewhere"
    assert any("no series has the value" in problem for problem in installations.unmet(changed))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name.partition(".")[0])
def test_hand_written(version: str, path: Path, tmp_path: Path) -> None:
    """alerts/tests/*.test.yaml, when the same happens to another installation at the same time."""
    file = yaml.safe_load(path.read_text())
    file |= {"rule_files": installations.rule_files(tmp_path, "shop", only="glassbox-"),
             "tests": [installations.in_two(test, "shop", beside="elsewhere") for test in file["tests"]]}
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(file))
    check_tests(version, tmp_path / "test.yaml")


@pytest.mark.parametrize("profile", PROFILES)
def test_drills_reckon_the_same(profile: str, tmp_path: Path) -> None:
    """A drill goes by the rules that a Prometheus has: of a cluster it knows as much, recorded series followed."""
    installations.rule_files(tmp_path, "shop", profile)
    ours, plain = drill_rules.from_files(tmp_path), drill_rules.from_files(RULES / profile)
    told = [facts.of_rules(ours, drill) for drill in DRILLS]
    assert told == [facts.of_rules(plain, drill) for drill in DRILLS] and any(one.thresholds for one in told)


COUNT = "http_server_request_duration_seconds_count"
HELLO = 'job="glassbox", instance="10.0.0.1:8081", http_route="/demo/hello"'
SLO = ('job="glassbox", http_route="/demo/hello", sli="availability", team="demo", sloth_service="glassbox", '
       'sloth_slo="hello-availability", sloth_id="glassbox-hello-availability", sloth_window="5m"')


def three(folder: Path) -> Path:
    """A test of three installations: in `bad` half of the requests fail, in `good` none, `gone` has no pod."""
    written = [installations.rule_files(folder, namespace) for namespace in ("bad", "good", "gone")]
    series = [{"series": f'up{{namespace="{one}", job="glassbox", instance="10.0.0.1:8081"}}', "values": "1x30"}
              for one in ("bad", "good")]
    series += [{"series": f'{COUNT}{{namespace="{one}", {HELLO}{error}}}', "values": f"0+{each}x30"}
               for one, error, each in (("bad", "", 300), ("bad", ', error_type="500"', 300), ("good", "", 600))]
    routes = 'job="glassbox", http_route="/demo/hello"'
    ratio, sli = "job_route:http_server_errors:ratio_rate5m", "slo:sli_error:ratio_rate5m"

    def firing(alert: str, **counts: int) -> dict[str, Any]:
        return {"expr": f'count by (namespace) (ALERTS{{alertname="{alert}", alertstate="firing"}})',
                "eval_time": "20m",
                "exp_samples": [{"labels": f'{{namespace="{one}"}}', "value": count} for one, count in counts.items()]}
    looks = [
        {"expr": ratio, "eval_time": "20m", "exp_samples": [
            {"labels": f'{ratio}{{namespace="{one}", {routes}}}', "value": value}
            for one, value in (("bad", 0.5), ("good", 0))]},
        {"expr": f'{sli}{{sloth_slo="hello-availability"}}', "eval_time": "20m", "exp_samples": [
            {"labels": f'{sli}{{namespace="{one}", {SLO}}}', "value": value}
            for one, value in (("bad", 0.5), ("good", 0))]},
        firing("GlassboxErrorRatioHigh", bad=1), firing("GlassboxErrorBudgetBurn", bad=2),
        firing("GlassboxAbsent", gone=1), firing("GlassboxDeadMansSwitch", bad=1, good=1, gone=1)]
    order = [group["name"] for group in installations.groups("real")]
    file = folder / "test.yaml"
    file.write_text(yaml.safe_dump({
        "rule_files": [name for names in written for name in names], "evaluation_interval": "1m",
        "group_eval_order": list(dict.fromkeys(order)),
        "tests": [{"name": "three", "interval": "1m", "input_series": series, "promql_expr_test": looks}]}))
    return file


@pytest.mark.parametrize("version", VERSIONS)
def test_installations_do_not_mix(version: str, tmp_path: Path) -> None:
    """One fails, one is gone: each is told of itself alone."""
    check_tests(version, three(tmp_path))


MIXES = [
    ("selectors", r'namespace="\w+"', 'namespace=~".*"', "vector contains metrics with the same labelset"),
    ("records", r"(?m)^ +namespace: (bad|good|gone)\n", "", "duplicate sample for timestamp"),
]


@pytest.mark.parametrize("what, before, after, told", MIXES, ids=[mix[0] for mix in MIXES])
def test_installations_that_mix_are_noticed(what: str, before: str, after: str, told: str, tmp_path: Path) -> None:
    """Rules that do not ask for the namespace, or do not say it. A Prometheus would not evaluate them, or
    take what the first of them records alone."""
    file = three(tmp_path)
    for path in tmp_path.glob("*prometheusrule*.yaml"):
        path.write_text(re.sub(before, after, path.read_text()))
    status, said = run("debian", "test", "rules", file)
    assert status != 0 and told in said, what
