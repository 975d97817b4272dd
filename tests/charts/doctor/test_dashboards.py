"""dashboards-loaded: the ConfigMaps, the sidecar that takes them, and Grafana's own list."""

import json
from pathlib import Path
from typing import Any

import pytest

from examine import Case, check, drop, labels, look, one
from glassbox_doctor.links.dashboards_loaded import DASHBOARDS
from test_scraped import values
from world import World, whole

ROOT = Path(__file__).resolve().parents[3]
AGAIN = "helm upgrade shop charts/glassbox -n store --reset-then-reuse-values"


def configs(world: World) -> list[dict[str, Any]]:
    return [one for one in world["objects"]["configmaps"] if "dashboard" in one["metadata"]["name"]]


def none(**monitoring: Any) -> Any:
    def break_it(world: World) -> None:
        for config in configs(world):
            world["objects"]["configmaps"].remove(config)
        values(world, **monitoring)
    return break_it


def each(change: Any) -> Any:
    def break_it(world: World) -> None:
        for config in configs(world):
            change(config)
    return break_it


def no_json(world: World) -> None:
    config = one(world, "configmaps", "shop-glassbox-dashboard-slo")
    config["data"] = {"glassbox-slo.json": '{"uid": '}


def sidecar(**of: str) -> Any:
    def break_it(world: World) -> None:
        container = one(world, "deployments", "kps-grafana")["spec"]["template"]["spec"]["containers"][0]
        container["env"] = [one for one in container["env"] if one["name"] not in of] + [
            {"name": name, "value": value} for name, value in of.items() if value]
    return break_it


def no_sidecar(world: World) -> None:
    one(world, "deployments", "kps-grafana")["spec"]["template"]["spec"]["containers"].pop(0)


def no_grafana(world: World) -> None:
    drop(world, "deployments", "kps-grafana")


def no_label(world: World) -> None:
    no_grafana(world)
    del labels(configs(world)[0])["grafana_dashboard"]


def folders(reads: str) -> Any:
    def break_it(world: World) -> None:
        each(lambda config: config["metadata"].update(annotations={"grafana_folder": "Glassbox"}))(world)
        sidecar(FOLDER_ANNOTATION=reads)(world)
    return break_it


def waits(world: World) -> None:
    one(world, "deployments", "kps-grafana")["status"] = {}
    one(world, "pods", "grafana-0")["status"] = {"conditions": [
        {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Insufficient memory."}]}


def lists(*uids: str) -> Any:
    return lambda world: world["files"].update({"grafana-0/grafana": json.dumps([{"uid": uid} for uid in uids])})


STACK = "values of kube-prometheus-stack: grafana."
CASES = [
    Case("switched off", none(dashboards={"enabled": False}), "monitoring.dashboards.enabled is off: that Grafana "
         "shows the dashboards stays unproved", "values of glassbox: monitoring.dashboards.enabled: true", "skipped"),
    Case("monitoring off", none(enabled=False), "there are no ConfigMaps with dashboards",
         "values of glassbox: monitoring.enabled: true"),
    Case("deleted", none(), "they were deleted", AGAIN),
    Case("one deleted", lambda world: drop(world, "configmaps", "shop-glassbox-dashboard-slo"),
         "1 of 7 dashboards have no ConfigMap: glassbox-slo", AGAIN),
    Case("no JSON", no_json, "not JSON: shop-glassbox-dashboard-slo", AGAIN),
    Case("no Grafana", no_grafana, "7 ConfigMaps are there and in order, and no Grafana in namespace watch: that "
         "Grafana shows the dashboards stays unproved", STACK + "enabled: true", "skipped"),
    Case("no Grafana, no label", no_label, "shop-glassbox-dashboard-autoscaling lack the label grafana_dashboard",
         "kubectl -n store label configmap shop-glassbox-dashboard-autoscaling grafana_dashboard=1"),
    Case("no sidecar", no_sidecar, "has no sidecar for dashboards", STACK + "sidecar.dashboards.enabled: true"),
    Case("other label", sidecar(LABEL="dashboards"), "the sidecar looks for dashboards=1; ConfigMap "
         "shop-glassbox-dashboard-autoscaling and 6 more have {'grafana_dashboard': '1'}",
         "values of glassbox: monitoring.dashboards.label: dashboards"),
    Case("other value", sidecar(LABEL_VALUE="yes"), "looks for grafana_dashboard=yes",
         'values of glassbox: monitoring.dashboards.labelValue: "yes"'),
    Case("own namespace alone", sidecar(NAMESPACE=""), "the sidecar looks into namespace watch alone",
         STACK + "sidecar.dashboards.searchNamespace: ALL"),
    Case("no folders", folders(""), "the sidecar reads none",
         STACK + "sidecar.dashboards.folderAnnotation: grafana_folder"),
    Case("Grafana down", waits, "Deployment kps-grafana is not available: 0/1 nodes are available: 1 Insufficient",
         "values of grafana: resources.requests: what a node has room for"),
    Case("not listed", lists(*DASHBOARDS[:-1]), "Grafana does not list 1 of 7: glassbox-telemetry",
         "wait: doctor --wait 90"),
    Case("no answer", lambda world: world["files"].update({"grafana-0/grafana": '{"message": "Invalid username"}'}),
         'Grafana cannot be asked: {"message": "Invalid username"}: that Grafana shows the dashboards stays unproved',
         "", "skipped"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_dashboards_loaded(case: Case) -> None:
    check("dashboards-loaded", case)


def test_the_uids_are_those_of_the_dashboards() -> None:
    found = sorted(json.loads(path.read_text(encoding="utf-8"))["uid"]
                   for path in (ROOT / "dashboards/json").glob("*.json"))
    assert tuple(found) == DASHBOARDS


def test_a_grafana_that_is_elsewhere_is_found() -> None:
    """Its own team's, in its own namespace."""
    world = whole()
    for kind, name in (("deployments", "kps-grafana"), ("pods", "grafana-0")):
        one(world, kind, name)["metadata"]["namespace"] = "grafana"
    assert look(world)["dashboards-loaded"].state == "ok"


def test_folders_as_they_should_be() -> None:
    world = whole()
    folders("grafana_folder")(world)
    assert look(world)["dashboards-loaded"].state == "ok"
