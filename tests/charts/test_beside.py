"""The chart beside kube-prometheus-stack, as charts/stack/install puts them: they fit, and the operator finds ours.

Without $CHARTS_DIR the charts of others are fetched; where they cannot be had, this is skipped.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import beside
from rendering import PROFILES, objects

MONITORS = {"ServiceMonitor": "serviceMonitorSelector", "PodMonitor": "podMonitorSelector",
            "PrometheusRule": "ruleSelector"}


@functools.cache
def rendered(profile: str) -> dict[str, list[dict[str, Any]]]:
    """The objects of each part, by its name."""
    asked = beside.wish(profile)
    try:
        return {part.name: objects(beside.render(part, asked)) for part in asked.parts}
    except beside.Unavailable as error:
        pytest.skip(f"{error}: whether the chart fits in beside it stays unproved")


@functools.cache
def by_default() -> list[dict[str, Any]]:
    """The objects of a kube-prometheus-stack that somebody has installed, knowing nothing of us."""
    part, = (part for part in beside.PARTS if part.name == "kube-prometheus-stack")
    rendered("demo")  # which skips where it cannot be had
    done = subprocess.run(["helm", "template", part.name, *beside.chart_of(part), "--namespace", "monitoring"],
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return objects(done.stdout)


def is_selected(labels: dict[str, str], selector: dict[str, Any]) -> bool:
    """As Kubernetes has it: an empty selector takes all, none takes nothing."""
    assert selector is None or set(selector) <= {"matchLabels"}, selector
    return selector is not None and selector.get("matchLabels", {}).items() <= labels.items()


def unseen(things: list[dict[str, Any]], operators: list[dict[str, Any]]) -> list[str]:
    """Which of ours the operator's Prometheus would not take, and which its Alertmanager."""
    prometheus, = (found["spec"] for found in operators if found["kind"] == "Prometheus")
    alertmanager, = (found["spec"] for found in operators if found["kind"] == "Alertmanager")
    lost = []
    for found in things:
        kind, labels = found["kind"], found["metadata"].get("labels", {})
        if kind in MONITORS:
            selector = MONITORS[kind]
            everywhere = prometheus[selector.replace("Selector", "NamespaceSelector")]
            taken = is_selected(labels, prometheus[selector]) and everywhere == {}
        elif kind == "AlertmanagerConfig":
            taken = is_selected(labels, alertmanager["alertmanagerConfigSelector"])
        else:
            continue
        if not taken:
            lost.append(f"{kind}/{found['metadata']['name']}")
    return lost


@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_is_made_twice(profile: str) -> None:
    """Not even across parts: the second release would be refused, or take it from the first."""
    asked = beside.wish(profile)
    places = {part.name: asked.namespace_of(part) for part in asked.parts}
    made = Counter((found["apiVersion"], found["kind"], found["metadata"].get("namespace", places[name]),
                    found["metadata"]["name"]) for name, things in rendered(profile).items() for found in things)
    assert len(made) > 100
    assert [each for each, count in made.items() if count > 1] == []


@pytest.mark.parametrize("profile", PROFILES)
def test_the_operator_takes_what_is_ours(profile: str) -> None:
    parts = rendered(profile)
    ours = [*parts["glassbox"], *parts["opentelemetry-collector"], *parts["gateway"]]
    kinds = Counter(found["kind"] for found in ours)
    assert kinds["PodMonitor"] == 1
    assert kinds["ServiceMonitor"] >= 1 and kinds["PrometheusRule"] >= 1
    assert unseen(ours, parts["kube-prometheus-stack"]) == []


@pytest.mark.parametrize("profile", PROFILES)
def test_an_operator_that_knows_nothing_of_us_does_too(profile: str) -> None:
    """Its chart's own values select by the label `release`."""
    assert unseen(rendered(profile)["glassbox"], by_default()) == []


def test_what_lacks_the_label_is_noticed() -> None:
    ours, = (found for found in rendered("demo")["glassbox"] if found["kind"] == "ServiceMonitor")
    stranger = {"kind": "ServiceMonitor", "metadata": {"name": "stranger", "labels": {"release": "another"}}}
    assert unseen([stranger], by_default()) == ["ServiceMonitor/stranger"]
    assert unseen([ours], by_default()) == []


@pytest.mark.parametrize("scaler", ["HorizontalPodAutoscaler", "ScaledObject"])
@pytest.mark.parametrize("profile", PROFILES)
def test_monitoring_may_be_elsewhere(profile: str, scaler: str, tmp_path: Path) -> None:
    """Whatever its namespace is called: nothing of ours looks for it under the name that it has by default; not for spans,
    nor KEDA, nor helm's tests, nor policies, which production has."""
    more = tmp_path / "more.yaml"
    more.write_text(f"autoscaling: {{type: {scaler}}}")
    asked = dataclasses.replace(beside.wish(profile), monitoring="watch", values=(more,))
    part, = (part for part in asked.parts if part.name == "glassbox")
    text = beside.render(part, asked)
    assert [line for line in text.splitlines() if re.search(r"\.monitoring\.svc|metadata\.name: monitoring", line)] == []
    assert ".watch.svc" in text and ("kubernetes.io/metadata.name: watch" in text) == (profile == "production")


@pytest.mark.parametrize("profile", PROFILES)
def test_the_sidecar_takes_the_dashboards(profile: str) -> None:
    """By the label and its value, and puts them into the folder that the annotation names."""
    parts = rendered(profile)
    variables = {variable["name"]: variable.get("value") for found in parts["kube-prometheus-stack"]
                 if found["kind"] == "Deployment" and found["metadata"]["name"].endswith("-grafana")
                 for container in found["spec"]["template"]["spec"]["containers"]
                 if container["name"] == "grafana-sc-dashboard" for variable in container["env"]}
    boards = [found["metadata"] for found in parts["glassbox"]
              if found["kind"] == "ConfigMap" and variables["LABEL"] in found["metadata"]["labels"]]
    assert boards
    assert {board["labels"][variables["LABEL"]] for board in boards} == {variables["LABEL_VALUE"]}
    assert all(variables["FOLDER_ANNOTATION"] in board["annotations"] for board in boards)
    assert variables["NAMESPACE"] == "ALL"
