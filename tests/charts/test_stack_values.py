"""The values of charts/stack against the charts they are for: no key that the chart does not know, none that
does nothing, and the rendering holds what the values are there for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from rendering import objects, one
from stack_charts import (OURS, OVERLAY, PART, PROFILES, PUBLIC, ROOT, VALUES, files, leaves, load, of_archive, put,
                          render, rendered, without)

SUBCHARTS = {"grafana": "grafana", "kube-state-metrics": "kube-state-metrics",
             "prometheus-node-exporter": "prometheus-node-exporter"}
SELECTORS = ("serviceMonitorSelector", "podMonitorSelector", "ruleSelector", "probeSelector", "scrapeConfigSelector",
             "serviceMonitorNamespaceSelector", "podMonitorNamespaceSelector", "ruleNamespaceSelector",
             "probeNamespaceSelector", "scrapeConfigNamespaceSelector")
# What is the API's or Alertmanager's own, where the chart has an example: kubeconform and amtool know it.
FREE = (("alertmanager", "config"), ("readinessProbe",))


def known(name: str) -> dict:
    """A chart's values, with those of its sub-charts under their names."""
    values = of_archive(name, "values.yaml")
    for key, folder in SUBCHARTS.items():
        below = of_archive(name, f"charts/{folder}/values.yaml")
        if below:
            values[key] = merged(below, values.get(key) or {})
    return values


def merged(below: dict, above: dict) -> dict:
    """As helm lays one over the other."""
    result = dict(below)
    for key, each in above.items():
        both = isinstance(each, dict) and isinstance(below.get(key), dict)
        result[key] = merged(below[key], each) if both else each
    return result


def strange(ours: dict, theirs: object, path: tuple[str, ...] = ()) -> list[str]:
    """Keys that the chart does not have. An empty mapping or nothing at their place takes anything: what
    is in it is the API's, which kubeconform knows."""
    if not isinstance(theirs, dict) or not theirs or path in FREE:
        return []
    found = []
    for key, each in ours.items():
        if key not in theirs:
            found.append(".".join((*path, key)))
        elif isinstance(each, dict):
            found += strange(each, theirs[key], (*path, key))
    return found


def all_files(name: str) -> list[Path]:
    """Every values file of a part."""
    return list(dict.fromkeys(path for profile in PROFILES for path in files(name, profile, overlay=True)))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_key_is_the_chart_s(name: str) -> None:
    """A key that a chart does not know is silently nothing."""
    theirs = known(name)
    assert len(theirs) > 10
    for path in all_files(name):
        assert strange(load(path), theirs) == [], path.name


def test_a_strange_key_is_noticed() -> None:
    """The walk itself: at the top, below, and never below what takes anything."""
    theirs = {"a": {"b": 1}, "free": {}, "none": None}
    assert strange({"x": 1, "a": {"y": 1}, "free": {"z": 1}, "none": {"z": 1}}, theirs) == ["x", "a.y"]


def idle(name: str, path: Path) -> list[str]:
    """Leaves of a file without which every profile renders the same."""
    document = load(path)

    def does_nothing(leaf: tuple[str, ...]) -> bool:
        for profile in PROFILES:
            layers = files(name, profile, overlay=path.parent == OVERLAY)
            if path not in layers:
                continue
            changed = [without(document, leaf) if each == path else each for each in layers]
            if render(name, changed) != rendered(name, profile, path.parent == OVERLAY):
                return False
        return True

    found = [leaf for leaf, _ in leaves(document)]
    with ThreadPoolExecutor(2) as pool:
        return [".".join(leaf) for leaf, nothing in zip(found, pool.map(does_nothing, found)) if nothing]


@pytest.mark.parametrize("path", [path for name in PUBLIC for path in all_files(name)
                                  if path.parent in (VALUES, OVERLAY)], ids=lambda path: path.parent.name + "/" + path.name)
def test_no_key_is_dead(path: Path) -> None:
    """Without any one of them something is rendered otherwise."""
    assert idle(path.name.split(".")[0], path) == []


OTHER = {str: "other", int: 7, bool: False, list: ["--other"]}
FITTING = {"pullPolicy": "Never", "interval": "7s", "timeout": "7s", "metricResolution": "77s", "goMemLimit": "7MiB",
           "kubeletRequestTimeout": "7s", "heartbeatTimeout": "7s", "accept": "7s", "finish": "7s", "type": "NodePort", "externalTrafficPolicy": "Local",
           "volume": "7Mi", "endpoint": "http://other:4318"}


@pytest.mark.parametrize("name", OURS)
def test_no_key_of_ours_is_dead(name: str) -> None:
    """Each value of our own charts has an effect, and its schema takes no other key."""
    base = load(VALUES / f"{name}.yaml")
    as_is = render(name, [VALUES / f"{name}.yaml"])
    for leaf, value in leaves(base):
        other = FITTING.get(leaf[-1], OTHER[type(value)])
        assert render(name, [put(base, leaf, other)]) != as_is, ".".join(leaf)
    with pytest.raises(ValueError, match="nosuch"):
        render(name, [put(base, ("nosuch",), 1)])
    for path in all_files(name):
        assert strange(load(path), base) == [], path.name
        if path != VALUES / f"{name}.yaml":
            assert idle(name, path) == [], path.name


def prometheus(profile: str, overlay: bool = False) -> dict:
    """The Prometheus that the operator is told to run."""
    return one(rendered("kube-prometheus-stack", profile, overlay), "Prometheus")["spec"]


@pytest.mark.parametrize("overlay", [False, True])
@pytest.mark.parametrize("profile", PROFILES)
def test_prometheus(profile: str, overlay: bool) -> None:
    """It finds everything, keeps exemplars, takes both kinds of histograms, and what k6 writes."""
    spec = prometheus(profile, overlay)
    assert {key: spec[key] for key in SELECTORS} == dict.fromkeys(SELECTORS, {})
    assert "exemplar-storage" in spec["enableFeatures"] and spec["exemplars"]["maxSize"] >= 10000
    assert (spec["scrapeNativeHistograms"], spec["scrapeClassicHistograms"]) == (True, True)
    assert spec["enableRemoteWriteReceiver"] is True


def test_production_keeps_what_the_budget_needs() -> None:
    """An error budget of N days is summed over N days of samples, on a volume that has room for them."""
    spec = prometheus("production")
    period = load(ROOT / "alerts/slo.yaml")["period"]
    assert period.endswith("d") and spec["retention"].endswith("d")
    assert int(spec["retention"][:-1]) > int(period[:-1])
    asked = spec["storage"]["volumeClaimTemplate"]["spec"]["resources"]["requests"]["storage"]
    assert int(spec["retentionSize"].removesuffix("GB")) * 10**9 < int(asked.removesuffix("Gi")) * 2**30
    kept = one(rendered("kube-prometheus-stack", "production"), "Alertmanager")["spec"]["storage"]
    assert kept["volumeClaimTemplate"]["spec"]["accessModes"] == ["ReadWriteOnce"]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_node_makes_no_volumes(profile: str) -> None:
    """With its overlay nothing waits for one, and every image is of its own store."""
    text = rendered("kube-prometheus-stack", profile, True)
    assert "volumeClaimTemplate" not in text
    images = [line.split("image:", 1)[1].strip(' "') for line in text.splitlines() if line.strip().startswith("image:")]
    assert len(images) == 4 and all(image.startswith("localhost/") for image in images), images
    assert not [each for each in objects(text) if each["kind"] == "Job" or "grafana-sc" in str(each)]


@pytest.mark.parametrize("profile", PROFILES)
def test_alertmanager_has_our_routes(profile: str) -> None:
    """As alerts/alertmanager has them for this profile, with the Secret that they read."""
    import base64
    text = rendered("kube-prometheus-stack", profile)
    secret = one(text, "Secret", "alertmanager-kube-prometheus-stack-alertmanager")["data"]
    said = load(ROOT / "alerts/alertmanager" / files("kube-prometheus-stack", profile)[-1].name)["alertmanager"]
    config = yaml.safe_load(base64.b64decode(secret["alertmanager.yaml"]))
    assert {key: config[key] for key in ("route", "receivers", "inhibit_rules")} == {
        key: said["config"][key] for key in ("route", "receivers", "inhibit_rules")}
    assert one(text, "Alertmanager")["spec"]["secrets"] == ["glassbox"]
    assert one(text, "Alertmanager")["spec"]["alertmanagerConfigSelector"] == {}


def test_a_demonstration_does_not_page_for_what_it_cannot_see() -> None:
    """No monitor and no alert of the four parts that kind and managed clusters hide; the node shows them."""
    def there(overlay: bool) -> tuple[set[str], set[str]]:
        found = objects(rendered("kube-prometheus-stack", "demo", overlay))
        monitors = {each["metadata"]["name"].removeprefix("kube-prometheus-stack-") for each in found
                    if each["kind"] == "ServiceMonitor"}
        alerts = {rule["alert"] for each in found if each["kind"] == "PrometheusRule"
                  for group in each["spec"]["groups"] for rule in group["rules"] if "alert" in rule}
        return monitors & {"kube-controller-manager", "kube-scheduler", "kube-proxy", "kube-etcd"}, alerts & {
            "KubeControllerManagerDown", "KubeSchedulerDown", "KubeProxyDown", "etcdMembersDown"}

    assert there(False) == (set(), set())
    assert [len(each) for each in there(True)] == [4, 4]


def grafana(more: list[Path | dict]) -> tuple[dict, dict, str]:
    """The sidecar's environment, the data sources by uid, and all of the rendering."""
    text = render("kube-prometheus-stack", [*files("kube-prometheus-stack", "demo"), *more])
    pod = one(text, "Deployment", "kube-prometheus-stack-grafana")["spec"]["template"]["spec"]
    sidecar = next(each for each in pod["containers"] if each["name"] == "grafana-sc-dashboard")
    sources = yaml.safe_load(one(text, "ConfigMap", "kube-prometheus-stack-grafana-datasource")["data"]["datasource.yaml"])
    return ({each["name"]: each.get("value") for each in sidecar["env"]},
            {each["uid"]: each for each in sources["datasources"]}, text)


def test_grafana_finds_our_dashboards() -> None:
    """The sidecar looks in every namespace for the label and folder annotation that charts/glassbox gives, and
    Grafana makes folders of what it leaves."""
    environment, sources, text = grafana([])
    ours = load(ROOT / "charts/glassbox/values.yaml")["monitoring"]["dashboards"]
    assert (environment["LABEL"], environment["LABEL_VALUE"]) == (ours["label"], ours["labelValue"])
    assert (environment["FOLDER_ANNOTATION"], environment["NAMESPACE"]) == (ours["folderAnnotation"], "ALL")
    provider = yaml.safe_load(one(text, "ConfigMap", "kube-prometheus-stack-grafana-config-dashboards")["data"]["provider.yaml"])
    assert provider["providers"][0]["options"]["foldersFromFilesStructure"] is True
    assert sources["prometheus"]["isDefault"] is True and "tempo" not in sources
    assert "exemplarTraceIdDestinations" not in sources["prometheus"]["jsonData"]


def test_grafana_links_an_exemplar_to_its_trace() -> None:
    """Where there is a Tempo: to the data source by its uid, by the label that the service's exemplars have."""
    from glassbox_install.parts import Wish, derived
    wish = Wish("demo", "glassbox", "glassbox", "monitoring", None, (), (), "http://tempo.traces.svc:4318")
    _, sources, _ = grafana([derived(PART["kube-prometheus-stack"], wish)])
    link = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"][0]
    assert (link["datasourceUid"], link["name"]) == ("tempo", "trace_id")
    assert (sources["tempo"]["type"], sources["tempo"]["url"]) == ("tempo", "http://tempo.traces.svc:3200")
