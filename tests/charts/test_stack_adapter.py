"""prometheus-adapter's rule: what users call and nothing else, over a window that bears a late scrape."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from rendering import one
from stack_charts import PROFILES, ROOT, VALUES, files, load, rendered

sys.path.insert(0, str(ROOT / "tests/contract"))

import contract  # noqa: E402  the path comes first

CHART = ROOT / "charts/glassbox"


def seconds(text: str) -> int:
    """`2m`, `20s` -> 120, 20."""
    number, unit = re.fullmatch(r"(\d+)([sm])", text).groups()
    return int(number) * {"s": 1, "m": 60}[unit]


def rule(profile: str) -> dict:
    """The last file that has rules wins: helm replaces lists."""
    said = [load(path).get("rules", {}).get("custom") for path in files("prometheus-adapter", profile)]
    (only,) = [each for each in said if each][-1]
    return only


def window(profile: str) -> int:
    """Of the rate."""
    (found,) = re.findall(r"\[(\w+)\]", rule(profile)["metricsQuery"])
    return seconds(found)


def monitor(profile: str) -> str:
    """How often the service is scraped in a profile."""
    values = load(CHART / "values.yaml")["monitoring"]["serviceMonitor"]
    of_profile = load(CHART / f"values-{profile}.yaml")["monitoring"].get("serviceMonitor") or {}
    return (values | of_profile)["interval"]


@pytest.mark.parametrize("profile", PROFILES)
def test_it_counts_the_routes_of_the_objectives(profile: str) -> None:
    """Exactly those of alerts/slo.yaml, each as it is, not as a pattern."""
    (routes,) = re.findall(r'http_route=~"([^"]*)"', rule(profile)["metricsQuery"])
    assert routes.split("|") == list(load(ROOT / "alerts/slo.yaml")["routes"])
    assert all(re.escape(route) == route for route in routes.replace("-", "").split("|"))


@pytest.mark.parametrize("profile", PROFILES)
def test_a_window_bears_a_late_scrape(profile: str) -> None:
    """Four scrapes of the profile at least; a series outlives one that is missing."""
    assert window(profile) >= 4 * seconds(monitor(profile))
    merged = {}
    for path in files("prometheus-adapter", profile):
        merged |= load(path)
    (age,) = [each for each in merged["extraArguments"] if each.startswith("--metrics-max-age=")]
    assert seconds(age.split("=")[1]) >= 4 * max(seconds(monitor(profile)), seconds(merged["metricsRelistInterval"]))


def test_the_profiles_differ_in_the_window_alone() -> None:
    """Two copies of a rule must stay one."""
    demo, production = rule("demo"), rule("production")
    assert window("demo") != window("production")
    assert demo["metricsQuery"].replace("[20s]", "[2m]") == production["metricsQuery"]
    assert demo | {"metricsQuery": ""} == production | {"metricsQuery": ""}


@pytest.mark.parametrize("path", sorted(VALUES.glob("prometheus-adapter*.yaml")), ids=lambda path: path.name)
def test_it_asks_for_what_is_emitted(path: Path) -> None:
    """By the contract: the series, its labels, and each route as a value."""
    asked = contract.expressions([path])
    assert len(asked) == (2 if "rules" in load(path) else 0)
    assert [problem for each in asked for problem in contract.problems(each)] == []


@pytest.mark.parametrize("profile", PROFILES)
def test_the_adapter_gets_the_rule(profile: str) -> None:
    """Alone, mapped to namespace and pod, and called as the HPA asks for it."""
    text = rendered("prometheus-adapter", profile)
    config = yaml.safe_load(one(text, "ConfigMap", "prometheus-adapter")["data"]["config.yaml"])
    assert config == {"rules": [rule(profile)]}
    assert config["rules"][0]["resources"] == {"overrides": {"namespace": {"resource": "namespace"},
                                                             "pod": {"resource": "pod"}}}
    wanted = load(CHART / "values.yaml")["autoscaling"]["requests"]["metric"]
    assert config["rules"][0]["name"] == {"as": wanted}
    arguments = one(text, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]
    assert "--prometheus-url=http://kube-prometheus-stack-prometheus.monitoring.svc:9090" in arguments


def filled(profile: str) -> str:
    """The query as the adapter asks it for the pods of a namespace."""
    query = rule(profile)["metricsQuery"]
    for place, text in (("Series", "http_server_request_duration_seconds_count"),
                        ("LabelMatchers", 'namespace="glassbox",pod=~"a|b"'), ("GroupBy", "pod")):
        query = query.replace(f"<<.{place}>>", text)
    return query


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool: what the rule counts stays unproved")
@pytest.mark.parametrize("profile", PROFILES)
def test_probes_and_scrapes_do_not_scale(profile: str, tmp_path: Path) -> None:
    """Two pods: one that users call on two routes with two statuses, one that only the kubelet and Prometheus
    do. The first has the sum of its series, the second none at all; other namespaces are not there."""
    step = seconds(monitor(profile))
    name = "http_server_request_duration_seconds_count"

    def series(pod: str, route: str, rate: int, status: str = "200", namespace: str = "glassbox") -> dict:
        labels = (f'namespace="{namespace}",pod="{pod}",http_route="{route}",http_response_status_code="{status}"')
        return {"series": f"{name}{{{labels}}}", "values": f"0+{rate * step}x100"}

    test = {"evaluation_interval": f"{step}s", "tests": [{
        "interval": f"{step}s",
        "input_series": [series("a", "/demo/hello", 7), series("a", "/demo/hello", 2, "500"), series("a", "/", 1),
                         series("a", "/readyz", 50), series("b", "/livez", 50), series("b", "/metrics", 50),
                         series("b", "/demo/hello", 9, namespace="other")],
        "promql_expr_test": [{"expr": filled(profile), "eval_time": f"{60 * step}s",
                              "exp_samples": [{"labels": '{pod="a"}', "value": 10}]}]}]}
    path = tmp_path / "test.yaml"
    path.write_text(json.dumps(test))
    done = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
