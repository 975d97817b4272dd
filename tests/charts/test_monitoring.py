"""What Prometheus, its operator and Grafana are given: the project's own rules and dashboards, of this release and
its namespace; and the links from a ServiceMonitor to the pods."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import installations
import promtool
from rendering import CHART, PROFILES, ROOT, is_selected, objects, one, rendered

ALL = "monitoring.rules.skipShipped=false"
ADDED = {"namespace", "pod", "service", "endpoint", "container", "job", "instance"}  # by the operator


def groups(text: str) -> list[dict[str, Any]]:
    """Those of all PrometheusRules."""
    return [group for rule in objects(text, "PrometheusRule") for group in rule["spec"]["groups"]]


@pytest.mark.parametrize("version", promtool.VERSIONS)
@pytest.mark.parametrize("profile", PROFILES)
def test_rules_are_accepted(version: str, profile: str, tmp_path: Path) -> None:
    """By both promtools, with all of their lints: a file an object, as the operator makes them."""
    found = objects(rendered(profile, ALL), "PrometheusRule")
    assert [rule["metadata"]["name"] for rule in found] == ["shop-glassbox-shipped", "shop-glassbox"]
    for number, rule in enumerate(found):
        (tmp_path / f"{number}.yaml").write_text(yaml.safe_dump(rule["spec"]))
    status, said = promtool.run(version, "check", "rules", "--lint=all", "--lint-fatal", *sorted(tmp_path.iterdir()))
    assert status == 0 and said.count("SUCCESS") == 2, said


REPLACED = {"RELEASE_NAMESPACE": "front", "http://localhost:3000": "https://grafana.example.com",
            'horizontalpodautoscaler=~".*glassbox.*"': 'horizontalpodautoscaler="shop-glassbox"'}


def of_the_release(value: Any) -> Any:
    """A group with what is the release's own."""
    if isinstance(value, dict):
        return {key: of_the_release(each) for key, each in value.items()}
    if isinstance(value, list):
        return [of_the_release(each) for each in value]
    for before, after in REPLACED.items() if isinstance(value, str) else ():
        value = value.replace(before, after)
    return value


@pytest.mark.parametrize("profile, windows", [("demo", "fast"), ("production", "real")])
def test_rules_are_the_projects(profile: str, windows: str) -> None:
    """Each rule of the profile, word by word; only the namespace, Grafana and the autoscaler are the release's."""
    found = groups(rendered(profile, ALL, "monitoring.rules.grafanaUrl=https://grafana.example.com"))
    plain = installations.groups(windows)
    assert all(json.dumps(before)[1:-1] in json.dumps(plain) for before in REPLACED)
    wanted = of_the_release(plain)
    assert sorted(found, key=json.dumps) == sorted(wanted, key=json.dumps)


@pytest.mark.parametrize("profile", PROFILES)
def test_rules_ask_for_what_is_emitted(profile: str) -> None:
    """With the namespace that they record themselves."""
    assert installations.unmet(groups(rendered(profile, ALL))) == []


@pytest.mark.parametrize("kind, path", [
    ("HorizontalPodAutoscaler", ("metadata", "name")),
    ("ScaledObject", ("spec", "advanced", "horizontalPodAutoscalerConfig", "name"))])
def test_rules_watch_the_autoscaler_that_there_is(kind: str, path: tuple[str, ...]) -> None:
    """By its name, also under another than the release's."""
    text = rendered("production", ALL, f"autoscaling.type={kind}", "fullnameOverride=door")
    name: Any = one(text, kind)
    for step in path:
        name = name[step]
    asked = [rule["expr"] for group in groups(text) for rule in group["rules"] if "horizontalpodautoscaler" in rule["expr"]]
    assert name == "door" and len(asked) == 2
    assert all(f'horizontalpodautoscaler="{name}"' in expression for expression in asked)


@pytest.mark.parametrize("profile", PROFILES)
def test_dashboards_are_the_projects(profile: str) -> None:
    """A ConfigMap each, small enough, byte by byte."""
    found = {}
    for each in objects(rendered(profile), "ConfigMap"):
        if each["metadata"]["labels"].get("grafana_dashboard") == "1":
            assert each["metadata"]["annotations"]["grafana_folder"] == "Glassbox"
            found |= each["data"]
    files = {f"glassbox-{path.name}": path.read_text() for path in (ROOT / "dashboards/json").glob("*.json")}
    assert found == files and len(files) == 7
    assert max(len(text.encode()) for text in files.values()) < 200_000


@pytest.mark.parametrize("settings", [(), ("nameOverride=door",), ("fullnameOverride=door",), ("commonLabels.release=x",)])
def test_each_pod_is_a_target(settings: tuple[str, ...]) -> None:
    """ServiceMonitor, one Service and its port, all of the Deployment's pods, and none of the tests'."""
    text = rendered("production", *settings)
    monitor, pods = one(text, "ServiceMonitor"), one(text, "Deployment")["spec"]["template"]
    services = [each for each in objects(text, "Service")
                if is_selected(each["metadata"]["labels"], monitor["spec"]["selector"]["matchLabels"])]
    assert len(services) == 1 and services[0]["metadata"]["name"].endswith("-admin")
    [endpoint], [port] = monitor["spec"]["endpoints"], services[0]["spec"]["ports"]
    assert endpoint["port"] == port["name"]
    [container] = pods["spec"]["containers"]
    assert port["targetPort"] in {each["name"] for each in container["ports"]} and container["name"] == "glassbox"
    selector = services[0]["spec"]["selector"]
    assert is_selected(pods["metadata"]["labels"], selector)
    tests = objects(text, "Pod")
    assert len(tests) == 3 and not any(is_selected(each["metadata"]["labels"], selector) for each in tests)
    assert monitor["spec"]["jobLabel"] in services[0]["metadata"]["labels"]
    assert services[0]["metadata"]["labels"][monitor["spec"]["jobLabel"]] == "glassbox"
    assert monitor["metadata"]["labels"]["release"] == "kube-prometheus-stack"


@pytest.mark.parametrize("link, told", [("rules", "charts/glassbox/rules is a link to alerts/kubernetes"),
                                        ("dashboards", "charts/glassbox/dashboards is a link to dashboards/json")])
def test_a_chart_that_lost_a_link_says_so(link: str, told: str, tmp_path: Path) -> None:
    """Copied alone; without what it links to it would install no alert and no dashboard, and look well."""
    helm = shutil.which("helm") or pytest.skip("no helm in PATH (.ci/kubectl.sh)")
    shutil.copytree(CHART, tmp_path / "glassbox")
    shutil.rmtree(tmp_path / "glassbox" / link)
    done = subprocess.run([helm, "template", tmp_path / "glassbox", "--values", CHART / "values-production.yaml"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0 and told in done.stderr


def test_no_label_is_renamed() -> None:
    """A label of ours that a target's has would become exported_…, and no query would find it."""
    told = json.loads((ROOT / "docs/contract.json").read_text())["metrics"]
    assert {(name, label) for name, metric in told.items() for label in metric["labels"]} and not [
        (name, label) for name, metric in told.items() for label in metric["labels"] if label in ADDED]
