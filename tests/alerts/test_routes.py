"""Who is told: each alert that Prometheus has, by amtool of both versions, for the shipped file and
for those of the local stack; and what the files must have in common."""

import json
import subprocess
from pathlib import Path

import pytest

from alertmanager import (FOLDER, SECRETS, VERSIONS, Alertmanager, alert, eventually, loopback, shipped,
                          tool)
from promtool import rules
import variants

FILES = ("alertmanager.yaml", "alertmanager.local.yaml", "alertmanager.local.fast.yaml")
RECEIVERS = {"page": "page", "ticket": "ticket", "info": "info", "none": "heartbeat"}
PLACE = {"service": "glassbox", "team": "demo", "job": "glassbox"}
TIMINGS = {"group_wait", "group_interval", "repeat_interval"}


# The labels of each alerting rule, those that it has whatever the series.
ALERTS = [json.loads(text) for text in sorted({
    json.dumps(rule["labels"] | {"alertname": rule["alert"]}, sort_keys=True)
    for rule in rules("real") + rules("fast") if "alert" in rule})]


def routed(version: str, path: Path, labels: dict[str, str], receivers: str) -> bool:
    """Whether amtool finds just these receivers, in this order."""
    done = subprocess.run(
        [tool(version, 1), "config", "routes", "test", f"--config.file={path}",
         f"--verify.receivers={receivers}", *[f"{key}={value}" for key, value in labels.items()]],
        capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode in (0, 1) and "error" not in done.stderr.lower().replace(
        "expected receivers", ""), done.stderr + done.stdout
    return done.returncode == 0


def test_there_are_rules() -> None:
    """What the next test goes through is not nothing."""
    names = {labels["alertname"] for labels in ALERTS}
    assert len(names) >= 25 and {"GlassboxErrorBudgetBurn", "GlassboxDeadMansSwitch"} <= names


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("file", FILES)
def test_each_alert_is_routed_by_its_severity(version: str, file: str) -> None:
    """To one receiver: that of its severity; the dead man's switch to the heartbeat."""
    wrong = [labels for labels in ALERTS
             if not routed(version, FOLDER / file, labels, RECEIVERS[labels["severity"]])]
    assert wrong == []
    assert not routed(version, FOLDER / file, ALERTS[0], "nobody")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("labels, receiver", [
    ({"alertname": "Foreign"}, "ticket"),
    ({"alertname": "Foreign", "severity": "critical"}, "ticket"),
    ({"alertname": "Foreign", "severity": "page"}, "page"),
    ({"alertname": "GlassboxTargetDown", "severity": "page", "team": "unheard-of"}, "page"),
    ({"alertname": "GlassboxDeadMansSwitch", "severity": "page", "team": "demo"}, "heartbeat"),
    ({"alertname": "GlassboxDeadMansSwitch"}, "heartbeat"),
    ({"alertname": "Watchdog", "severity": "none"}, "heartbeat"),
    ({}, "ticket")])
def test_what_nobody_claims(version: str, labels: dict, receiver: str) -> None:
    """Nothing is routed to nowhere."""
    assert routed(version, FOLDER / FILES[0], labels, receiver)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_team_is_a_row(version: str, tmp_path: Path) -> None:
    """As README.md says: another team's row takes its alerts and no others."""
    document = shipped()
    pages = next(each for each in document["route"]["routes"] if each["receiver"] == "page")
    pages["routes"].append({"matchers": ['team="shop"'], "receiver": "shop-page"})
    document["receivers"].append({"name": "shop-page"})
    path = tmp_path / "alertmanager.yml"
    path.write_text(json.dumps(document))
    down = {"alertname": "GlassboxTargetDown", "severity": "page"}
    assert routed(version, path, down | {"team": "shop"}, "shop-page")
    assert routed(version, path, down | {"team": "demo"}, "page")
    assert routed(version, path, down | {"team": "shop", "severity": "ticket"}, "ticket")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("file", FILES)
def test_amtool_accepts(version: str, file: str) -> None:
    """Files and the templates they name."""
    done = subprocess.run([tool(version, 1), "check-config", FOLDER / file],
                          capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 templates" in done.stdout and "4 receivers" in done.stdout


def test_the_local_files_are_current() -> None:
    """As variants.py writes them."""
    for path, text in variants.variants().items():
        assert path.read_text() == text, f"{path.name}: python alerts/alertmanager/variants.py"


def without_timings(route: dict) -> dict:
    """A route and those below it, but for how soon and how often."""
    result = {key: value for key, value in route.items() if key not in TIMINGS}
    if "routes" in route:
        result["routes"] = [without_timings(each) for each in route["routes"]]
    return result


def test_the_local_files_differ_in_receivers_and_timings_alone() -> None:
    """So what is drilled there is what is shipped."""
    source, local, fast = [shipped(file) for file in FILES]
    for key in ("route", "inhibit_rules", "templates"):
        assert local[key] == source[key], key
    assert {k: v for k, v in fast.items() if k != "route"} == {
        k: v for k, v in local.items() if k != "route"}
    assert without_timings(fast["route"]) == without_timings(source["route"])
    assert (fast["route"]["group_wait"], fast["route"]["group_interval"]) == ("1s", "5s")
    names = [[each["name"] for each in document["receivers"]] for document in (source, local)]
    assert names[0] == names[1] == ["page", "ticket", "info", "heartbeat"]


def test_the_demo_s_values_are_the_fast_file_s() -> None:
    """Its routes and timings, its receivers at the webhook's pod, and what the cluster's values have besides."""
    fast = shipped("alertmanager.local.fast.yaml")
    cluster, demo = (shipped(file)["alertmanager"] for file in ("values.kubernetes.yaml", "values.demo.yaml"))
    assert demo["config"]["route"] == fast["route"]
    for key in ("inhibit_rules", "templates"):
        assert demo["config"][key] == cluster["config"][key], key
    assert {k: v for k, v in demo.items() if k != "config"} == {k: v for k, v in cluster.items() if k != "config"}
    hooks = [each["webhook_configs"][0] for each in demo["config"]["receivers"]]
    assert [each["url"] for each in hooks] == [
        each["webhook_configs"][0]["url"].replace("http://127.0.0.1:9099/", "http://webhook:9099/")
        for each in fast["receivers"]]
    assert {each["http_config"]["authorization"]["credentials_file"] for each in hooks} == {
        f"{SECRETS}/webhook-token"}


@pytest.mark.parametrize("version", VERSIONS)
def test_values_for_a_cluster(version: str, tmp_path: Path) -> None:
    """As the chart and the operator lay them out: the shipped file, its templates, its secrets' place."""
    values = shipped("values.kubernetes.yaml")["alertmanager"]
    config = values["config"]
    assert {k: v for k, v in config.items() if k not in ("templates", "inhibit_rules")} == {
        k: v for k, v in shipped().items() if k not in ("templates", "inhibit_rules")}
    ours = shipped()["inhibit_rules"]
    assert config["inhibit_rules"][:len(ours)] == ours and len(config["inhibit_rules"]) > len(ours)
    assert SECRETS == "/etc/alertmanager/secrets/" + values["alertmanagerSpec"]["secrets"][0]
    assert config["templates"] == ["/etc/alertmanager/config/*.tmpl"]
    for name, text in values["templateFiles"].items():
        assert text == (FOLDER / "templates" / name).read_text()
        (tmp_path / name).write_text(text)
    path = tmp_path / "alertmanager.yml"
    path.write_text(json.dumps(config | {"templates": [f"{tmp_path}/*.tmpl"]}))
    done = subprocess.run([tool(version, 1), "check-config", path], capture_output=True, text=True,
                          timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert routed(version, path, {"alertname": "Watchdog", "severity": "none"}, "heartbeat")


def leaves(value: object, name: str = "") -> list[tuple[str, object]]:
    """(key, value) of all that is no object or array."""
    if isinstance(value, dict):
        return [leaf for key, each in value.items() for leaf in leaves(each, key)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in leaves(each, name)]
    return [(name, value)]


def test_secrets_are_files() -> None:
    """None is in the configuration; all are in one folder."""
    pairs = leaves(shipped())
    files = {value for key, value in pairs if key.endswith("_file")}
    assert files == {f"{SECRETS}/{name}" for name in
                     ("smtp-password", "slack-url", "pagerduty-routing-key", "webhook-token")}
    inline = {"api_url", "slack_api_url", "routing_key", "service_key", "smtp_auth_password",
              "auth_password", "credentials", "bearer_token", "password"}
    assert not inline & {key for key, _ in pairs}


@pytest.mark.parametrize("version", VERSIONS)
def test_grouping(version: str, tmp_path: Path) -> None:
    """One message for one kind of trouble in one place and severity; the switch by itself."""
    def one(name: str, severity: str, **labels: str) -> dict[str, str]:
        return PLACE | {"alertname": name, "severity": severity} | labels

    high, burn, switch = "GlassboxErrorRatioHigh", "GlassboxErrorBudgetBurn", "GlassboxDeadMansSwitch"
    alerts = [one(high, "page", http_route="/"), one(high, "page", http_route="/demo/hello"),
              one(high, "page", http_route="/", namespace="another"),
              one(high, "page", http_route="/", job="another"),
              one(burn, "page", http_route="/"), one(burn, "ticket", http_route="/demo/work"),
              one(switch, "none"), one(switch, "none", prometheus="second")]
    with Alertmanager(tmp_path, loopback(tmp_path), version) as running:
        running.post(*[alert(labels) for labels in alerts])

        def whole() -> list[dict]:
            groups = running.get("alerts/groups")
            return groups if sum(len(each["alerts"]) for each in groups) == len(alerts) else []

        groups = eventually(whole, "all alerts are in groups")
    told = sorted((group["receiver"]["name"], group["labels"].get("alertname", ""),
                   sorted(each["labels"].get("http_route", "") for each in group["alerts"]))
                  for group in groups)
    assert told == [
        ("heartbeat", switch, [""]), ("heartbeat", switch, [""]),
        ("page", burn, ["/"]), ("page", high, ["/"]), ("page", high, ["/"]),
        ("page", high, ["/", "/demo/hello"]), ("ticket", burn, ["/demo/work"])]
