"""Each part of a stack that is up does what it is there for."""

import errno
import json
import os
import re
import subprocess
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest
import yaml

from command import ROOT, alive, eventually, get
from glassbox_stack import demo
from glassbox_stack.demo import what_to_open
from stack import NotOurs, Refused, Stack, swap

CONTRACT = json.loads((ROOT / "docs/contract.json").read_text())
OBJECTIVES = json.loads((ROOT / "loadtest/slo.json").read_text())


def committed_rules(profile: str) -> set[str]:
    """Names of the profile's rules, as they are in the tree."""
    return {rule.get("alert") or rule["record"]
            for path in (ROOT / "alerts/prometheus" / profile).glob("*.yaml")
            for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]}


def rules(stack: Stack) -> list[dict]:
    """All that Prometheus has."""
    return [rule for group in get(f"{stack.prometheus}/api/v1/rules")["data"]["groups"]
            for rule in group["rules"]]


def profiles_of(stack: Stack) -> set[str | None]:
    """The label `profile` of the alerts that Prometheus has."""
    return {rule["labels"].get("profile") for rule in rules(stack) if rule["type"] == "alerting"}


def told(value):
    """Routes and inhibitions without what Alertmanager does to them when it says what it has: it adds
    `continue: false`, and sorts matchers."""
    if isinstance(value, dict):
        return {key: sorted(inner) if key.endswith("matchers") else told(inner)
                for key, inner in value.items() if (key, inner) != ("continue", False)}
    return [told(inner) for inner in value] if isinstance(value, list) else value


def alertmanagers_file(stack: Stack) -> dict:
    """What Alertmanager says that it runs with."""
    return yaml.safe_load(get(f"{stack.alertmanager}/api/v2/status")["config"]["original"])


def test_state_file_is_true(stack):
    state = json.loads((stack.folder / "stack.json").read_text())
    assert state["profile"] == "fast" and state["folder"] == str(stack.folder)
    for name in ("service", "operators", "prometheus", "alertmanager", "webhook"):
        assert state[name] == getattr(stack, name)
    assert all(map(alive, state["pids"].values()))
    assert state["pids"] == stack.pids
    traced = {"collector", "traces"} if stack.traces else set()
    assert set(state["pids"]) == {"service", "webhook", "alertmanager", "prometheus", "load"} | traced
    for name in ("token_file", "webhook_token_file"):
        assert (stack.folder / state[name]).stat().st_mode & 0o777 == 0o600


def test_fault_api_takes_the_token_of_the_state_file(stack):
    request = urllib.request.Request(f"{stack.operators}/faults", headers={
        "Authorization": f"Bearer {stack.token_file.read_text().strip()}"})
    with urllib.request.urlopen(request, timeout=10) as response:
        known = json.load(response)
    assert known["file"]["path"] == str(stack.plan_file) and known["file"]["error"] is None
    assert known["faults"] == []


def test_webhook_refuses_whoever_has_no_token(stack):
    for path in ("/alerts", "/heartbeat"):
        request = urllib.request.Request(stack.webhook + path, b"{}", method="POST")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(request, timeout=10)


def test_all_targets_are_up(stack):
    def up() -> dict:
        return {target["labels"]["job"]: target["health"]
                for target in get(f"{stack.prometheus}/api/v1/targets")["data"]["activeTargets"]}
    assert eventually(lambda: set(up().values()) == {"up"}), up()
    assert set(up()) == {"glassbox", "prometheus", "alertmanager"}


def test_all_rules_are_loaded_and_healthy(stack):
    assert {rule["name"] for rule in rules(stack)} == committed_rules("fast")
    assert eventually(lambda: {rule["health"] for rule in rules(stack)} == {"ok"}), \
        [(rule["name"], rule["health"], rule.get("lastError")) for rule in rules(stack)]


def test_exemplars_are_kept(traced):
    query = "query_exemplars?query=http_server_request_duration_seconds_bucket&start=0&end=9999999999"
    assert eventually(lambda: any(
        "trace_id" in exemplar["labels"]
        for series in get(f"{traced.prometheus}/api/v1/{query}")["data"] for exemplar in series["exemplars"]))


def test_links_lead_into_the_stack(stack):
    links = OBJECTIVES["links"]
    text = "".join(path.read_text() for path in (stack.folder / "rules").glob("*.yaml"))
    assert links["runbooks"] not in text and links["dashboards"] not in text
    found = set(re.findall(r"runbook_url: (\S+?)/runbooks/\w+\.md", text))
    assert found == {stack.webhook}


def test_alertmanager_has_the_routes_and_prometheus_has_it(stack):
    ours = yaml.safe_load((ROOT / "alerts/alertmanager/alertmanager.local.fast.yaml").read_text())
    theirs = alertmanagers_file(stack)
    for key in ("route", "inhibit_rules"):
        assert told(theirs[key]) == told(ours[key])
    urls = {hook["url"] for receiver in theirs["receivers"] for hook in receiver["webhook_configs"]}
    assert urls == {f"{stack.webhook}/alerts", f"{stack.webhook}/heartbeat"}
    active = get(f"{stack.prometheus}/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
    assert [entry["url"] for entry in active] == [f"{stack.alertmanager}/api/v2/alerts"]


def test_dead_mans_switch_arrives(stack):
    assert eventually(lambda: get(f"{stack.webhook}/heartbeat")["alive"], 120)


def test_trace_of_a_response_is_found(traced, fetch):
    _, headers = fetch(f"{traced.service}/demo/hello?delay=20")
    trace_id = headers["traceresponse"].split("-")[1]
    text, _ = fetch(f"{traced.traces}/trace/{trace_id}")
    assert trace_id in text and "GET /demo/hello" in text and "SERVER" in text and "2 spans" in text
    assert trace_id in (traced.folder / "traces.json").read_text()


def test_load_calls_all_that_users_call_and_goes_on(stack):
    def report() -> dict:
        return json.loads((stack.folder / "load.json").read_text())
    assert eventually(lambda: set(report()["routes"]) == set(CONTRACT["user_routes"])), report()
    assert all(routes["200"] > 0 for routes in report()["routes"].values())
    before = report()["sent"]
    assert eventually(lambda: report()["sent"] > before + 40)
    assert set(report()["totals"]) <= {"200", "500"}  # 500: one in ten of /demo/random-error


def test_service_is_small_enough_to_be_filled(stack):
    limit = get(f"{stack.prometheus}/api/v1/query?query=glassbox_connections_limit")["data"]["result"]
    assert [sample["value"][1] for sample in limit] == ["100"]


def test_profile_is_swapped_and_back(stack):
    assert profiles_of(stack) == {"fast"} and stack.profile == "fast"
    fast = alertmanagers_file(stack)
    assert swap(stack.folder, "real") == "fast"
    try:
        assert profiles_of(stack) == {None} and stack.profile == "real"
        assert {rule["name"] for rule in rules(stack)} == committed_rules("real")
        assert alertmanagers_file(stack)["route"]["group_wait"] != fast["route"]["group_wait"]
    finally:
        assert swap(stack.folder, "fast") == "real"
    assert profiles_of(stack) == {"fast"} and alertmanagers_file(stack) == fast


def test_swap_that_is_refused_leaves_all_as_it_was(stack, monkeypatch):
    from glassbox_stack import files
    real = files.write_profile

    def broken(folder, profile, addresses, urls):
        real(folder, profile, addresses, urls)
        if profile == "real":
            (folder / "rules/slo.rules.yaml").write_text("groups: [{name: a, rules: [{expr: 'sum('}]}]")
    monkeypatch.setattr(files, "write_profile", broken)
    with pytest.raises(Refused, match="prometheus refuses"):
        swap(stack.folder, "real")
    assert stack.profile == "fast" and profiles_of(stack) == {"fast"}


def test_swap_into_a_full_disk_is_refused_in_words(stack, monkeypatch):
    from glassbox_stack import files
    real = files.write_profile

    def full(folder, profile, addresses, urls):
        if profile == "real":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(folder, profile, addresses, urls)
    monkeypatch.setattr(files, "write_profile", full)
    with pytest.raises(Refused, match="cannot be written: No space left on device"):
        swap(stack.folder, "real")
    assert stack.profile == "fast" and profiles_of(stack) == {"fast"}


def test_what_it_says_to_open_can_be_opened(traced, fetch):
    said = what_to_open(traced)
    opened = said[said.index("Open"):said.index("Try")]
    urls = re.findall(r"(?:^| )'?(http://[^\s']+)", opened, re.M)
    assert {url.split("/")[2] for url in urls} >= {urlsplit(url).netloc for url in (
        traced.service, traced.operators, traced.prometheus, traced.traces)}
    for url in urls:
        fetch(url.replace("/trace/ID,", "/"))
    amtool = re.search(r"amtool .*", opened)[0]
    assert subprocess.run(amtool.split(), capture_output=True, check=False).returncode == 0


def test_the_trace_it_says_to_look_at_is_shown(traced):
    line = next(line for line in what_to_open(traced).splitlines() if "| python3" in line)
    shown = subprocess.run(line, shell=True, capture_output=True, text=True, cwd=ROOT, check=False)
    assert shown.returncode == 0 and "glassbox.delay_ms = 50" in shown.stdout, shown.stderr


def test_the_fault_it_says_to_try_is_taken(stack):
    said = what_to_open(stack)
    command = re.search(r"curl -X PUT .*?\}\]\}'", said, re.S)[0]
    try:
        answer = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT, check=False).stdout
        assert json.loads(answer)["faults"][0]["state"] == "in_force"
    finally:
        subprocess.run(command.partition("--json")[0].replace("PUT", "DELETE").rstrip("\\ \n"), shell=True,
                       cwd=ROOT, capture_output=True, check=True)


def test_the_windows_it_says_to_swap_are_swapped(stack):
    """Pasted as they stand; and `real` last but one, so that each does something."""
    lines = re.findall(r"(\w+) windows +(python3 .*)", what_to_open(stack))
    assert [name for name, _ in lines] == ["fast", "real"]
    try:
        for name, line in reversed(lines):
            run = subprocess.run(line, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)
            assert (run.returncode, run.stderr, stack.profile) == (0, "", name), line
    finally:
        if stack.profile != "fast":
            swap(stack.folder, "fast")


def test_the_drill_it_says_to_try_finds_the_stack(stack):
    line = re.search(r"alerts/drill \w+ --stack (\S+)", what_to_open(stack))
    assert (ROOT / line[1]).resolve() == stack.folder / "stack.json"


def test_access_log_is_rotated(stack, monkeypatch):
    monkeypatch.setattr(demo, "MOST_ACCESS_LOG", 1000)
    log = stack.folder / "log/access.log"
    assert eventually(lambda: log.stat().st_size > 1000)
    with demo.Watch(stack, lambda *_: None) as watch:
        watch.look()
        assert eventually(lambda: log.exists() and log.stat().st_size > 0), "not opened again"
    assert log.with_suffix(".old").stat().st_size > 1000


def test_swap_needs_a_stack(tmp_path):
    with pytest.raises(NotOurs, match="no stack runs in"):
        swap(tmp_path, "fast")
