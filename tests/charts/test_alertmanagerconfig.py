"""The AlertmanagerConfig tells whom alerts/alertmanager tells, as soon and as often, and inhibits the same."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import alertmanager
import promtool
from rendering import one, rendered

TIMINGS = ("group_wait", "group_interval", "repeat_interval")
HOOK = "monitoring.alertmanagerConfig.receivers"
HOOKS = ("monitoring.alertmanagerConfig.enabled=true",
         *(f"{HOOK}.{name}.webhookUrl=http://hook.monitoring.svc/alerts" for name in ("page", "ticket", "info")))
FILES = {"production": "alertmanager.yaml", "demo": "alertmanager.local.fast.yaml"}


def snake(name: str) -> str:
    """groupWait as Alertmanager has it."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def matcher(told: dict[str, str]) -> str:
    """In Alertmanager's own words."""
    return f'{told["name"]}{told["matchType"]}"{told["value"]}"'


def route(told: dict[str, Any]) -> dict[str, Any]:
    """A route as the operator makes it, but for the namespace that it adds to the first."""
    made = {snake(key): value for key, value in told.items() if key not in ("matchers", "routes")}
    if "matchers" in told:
        made["matchers"] = [matcher(each) for each in told["matchers"]]
    if "routes" in told:
        made["routes"] = [route(each) for each in told["routes"]]
    return made


def spec(profile: str) -> dict[str, Any]:
    """What is rendered."""
    return one(rendered(profile, *HOOKS), "AlertmanagerConfig")["spec"]


def configuration(profile: str) -> dict[str, Any]:
    """For an Alertmanager: receivers by name alone."""
    told = spec(profile)
    return {"route": route(told["route"]), "receivers": [{"name": each["name"]} for each in told["receivers"]]}


def timed(routes: dict[str, Any], inherited: dict[str, str] | None = None) -> dict[str, tuple]:
    """Of each receiver, the timings and the grouping that hold for it; the last route of its name has them."""
    own = {**(inherited or {}), **{key: routes[key] for key in (*TIMINGS, "group_by") if key in routes}}
    found = {routes["receiver"]: tuple(str(own[key]) for key in (*TIMINGS, "group_by"))}
    for below in routes.get("routes", []):
        found |= timed(below, own)
    return found


@pytest.mark.parametrize("profile", FILES)
def test_as_soon_and_as_often(profile: str) -> None:
    """With the timings of the file of the same hurry."""
    shipped, ours = timed(alertmanager.shipped(FILES[profile])["route"]), timed(configuration(profile)["route"])
    assert {name: ours[name] for name in ("page", "ticket", "info")} == \
        {name: shipped[name] for name in ("page", "ticket", "info")}


@pytest.mark.parametrize("profile", FILES)
def test_the_same_is_inhibited(profile: str) -> None:
    """Rule by rule."""
    ours = [{"source_matchers": [matcher(each) for each in rule["sourceMatch"]],
             "target_matchers": [matcher(each) for each in rule["targetMatch"]], "equal": rule["equal"]}
            for rule in spec(profile)["inhibitRules"]]
    assert ours == alertmanager.shipped()["inhibit_rules"]


@pytest.mark.parametrize("version", alertmanager.VERSIONS)
@pytest.mark.parametrize("profile", FILES)
def test_each_alert_is_routed_by_its_severity(version: str, profile: str, tmp_path: Path) -> None:
    """What the rules of the profile have; what has no severity of ours to ticket; the dead man's switch to nobody."""
    path = tmp_path / "alertmanager.yaml"
    path.write_text(json.dumps(configuration(profile)))
    labels = {json.dumps({"alertname": rule["alert"], "severity": rule["labels"]["severity"]})
              for rule in promtool.rules("fast" if profile == "demo" else "real") if "alert" in rule}
    wanted = {text: {"none": "nobody"}.get(json.loads(text)["severity"], json.loads(text)["severity"])
              for text in labels} | {'{"alertname": "Foreign"}': "ticket"}
    assert len(wanted) > 25
    for text, receiver in sorted(wanted.items()):
        done = subprocess.run(
            [alertmanager.tool(version, 1), "config", "routes", "test", f"--config.file={path}",
             f"--verify.receivers={receiver}", *(f"{key}={value}" for key, value in json.loads(text).items())],
            capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, f"{text}: {done.stdout}{done.stderr}"


def said(text: str, tmp_path: Path) -> str:
    """What a template makes of a group of one alert, whose texts somebody has meddled with."""
    alert = {"status": "firing", "labels": {"alertname": "GlassboxErrorRatioHigh"}, "annotations": {
        "summary": "<!channel> 31 % & more fail", "description": "<https://evil.example|look>",
        "runbook_url": "https://example.com/r.md", "dashboard_url": "https://grafana.example.com/d/a?b=1"}}
    data = tmp_path / "data.json"
    data.write_text(json.dumps({"status": "firing", "alerts": [alert],
                                "commonLabels": {"alertname": "GlassboxErrorRatioHigh", "severity": "page"}}))
    done = subprocess.run(
        ["amtool", "template", "render", f"--template.glob={alertmanager.FOLDER}/templates/*.tmpl",
         f"--template.data={data}", f"--template.text={text}"],
        capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_messages(tmp_path: Path) -> None:
    """What, where to look first, and nothing that Slack would take for markup."""
    page = next(each for each in one(rendered("production"), "AlertmanagerConfig")["spec"]["receivers"]
                if each["name"] == "page")
    slack, pagerduty = page["slackConfigs"][0], page["pagerdutyConfigs"][0]
    title = "PAGE 1 firing: GlassboxErrorRatioHigh:  !channel  31 %   more fail"
    assert said(slack["title"], tmp_path) == said(pagerduty["description"], tmp_path) == title
    assert said(slack["text"], tmp_path) == (
        " https://evil.example|look \nFirst: https://example.com/r.md\n"
        "Dashboard: https://grafana.example.com/d/a?b=1").strip()
    assert said(slack["titleLink"], tmp_path) == "https://example.com/r.md"
    assert (said(slack["color"], tmp_path), said(pagerduty["severity"], tmp_path)) == ("danger", "critical")
    assert [said(link["href"], tmp_path) for link in pagerduty["pagerDutyLinkConfigs"]] == [
        "https://example.com/r.md", "https://grafana.example.com/d/a?b=1"]
