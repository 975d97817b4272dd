"""The rules as promtool sees them: accepted, tested each in three ways, by both versions; and that the
tests can fail."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

import burning
import marks
from promtool import ALERTS, RULES, TESTS, VERSIONS, check_tests, key, rules, run

FILES = {profile: sorted((RULES / profile).glob("*.yaml")) for profile in ("real", "fast")}
NEVER_RESOLVES = {"GlassboxDeadMansSwitch"}  # always fires: it has no near miss either


def hand_written() -> list[dict]:
    """Every test of alerts/tests."""
    return [test for path in TESTS for test in yaml.safe_load(path.read_text())["tests"]]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("profile", FILES)
def test_rules_are_accepted(version: str, profile: str) -> None:
    """Also by all of its lints."""
    status, said = run(version, "check", "rules", "--lint=all", "--lint-fatal", *FILES[profile])
    assert status == 0, said
    assert said.count("SUCCESS") == len(FILES[profile]) == 3


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name.partition(".")[0])
def test_hand_written(version: str, path: Path) -> None:
    """alerts/tests/*.test.yaml."""
    check_tests(version, path)


def test_marks_keep_their_word() -> None:
    """A test of a kind is one."""
    faults = [fault for test in hand_written() for fault in marks.faults(test)]
    faults += [fault for test in burning.all_tests(left_open=False)
               for fault in marks.faults(test, test["step"])]
    assert faults == []


def test_every_alert_fires_misses_and_resolves(capsys: pytest.CaptureFixture[str]) -> None:
    """Each rule of the profile real has tests of all three kinds; no test is of a rule that is not."""
    tests: dict[str, set[str]] = {}
    for test in hand_written() + burning.all_tests(left_open=False):
        kinds, alert = marks.parse(test["name"])
        tests.setdefault(alert, set()).update(kinds)
    wanted = {key(rule): {"fires"} if rule["alert"] in NEVER_RESOLVES else marks.KINDS
              for rule in rules() if "alert" in rule}
    lacking = {alert: sorted(kinds - tests.get(alert, set())) for alert, kinds in wanted.items()
               if kinds - tests.get(alert, set())}
    assert lacking == {}
    assert tests.keys() - wanted.keys() == set()
    names = {alert.split()[0] for alert in wanted}
    with capsys.disabled():
        print(f"\n{len(names)} alerts, {len(wanted)} rules: all {len(wanted)} with tests that they fire, "
              f"{sum(kinds == marks.KINDS for kinds in tests.values())} with a near miss and a resolve "
              f"({', '.join(NEVER_RESOLVES)} never does)")


def test_no_two_alerts_have_one_key() -> None:
    """Else a mark could stand for two."""
    keys = [key(rule) for rule in rules() if "alert" in rule]
    assert len(keys) == len(set(keys))


def test_labels_and_annotations() -> None:
    """What every alert has; a route's and an objective's say which."""
    for rule in (rule for rule in rules() + rules("fast") if "alert" in rule):
        labels, texts = rule["labels"], rule["annotations"]
        assert labels["severity"] in {"page", "ticket", "info", "none"}, rule["alert"]
        assert (labels["team"], labels["service"]) == ("demo", "glassbox"), rule["alert"]
        assert texts["runbook_url"].endswith(f"/alerts/runbooks/{rule['alert']}.md")
        assert "/d/glassbox-" in texts["dashboard_url"]
        assert "$value" in texts["description"] and texts["summary"], rule["alert"]
        assert not re.search(r"<<|>>", yaml.safe_dump(rule)), rule["alert"]


def test_fast_says_so_and_real_does_not() -> None:
    """Every rule, so that nobody takes a demonstration for news."""
    assert {rule["labels"]["profile"] for rule in rules("fast")} == {"fast"}
    assert all("profile" not in rule.get("labels", {}) for rule in rules())


def test_no_integer_bounds() -> None:
    """Prometheus 3 writes le="1" as le="1.0": such a selector would find nothing."""
    assert re.search(r'\ble="0\.1"', (RULES / "real/slo.rules.yaml").read_text())
    for path in FILES["real"] + FILES["fast"]:
        assert not re.search(r'\ble="\d+"', path.read_text()), path


# A series of ours, of a cluster, of sloth, with what is in its braces; and the label that says whose it is.
SERIES = re.compile(r"\b(up|(?:glassbox_|http_server_|otel_sdk_|process_|job_route:|instance:|container_|kube_pod_|"
                    r"kube_horizontalpodautoscaler_|slo:)[\w:]+)\b(?!:)(\{[^}]*\})?")
WHOSE = {"container": "container=", "kube_pod": "container=", "slo": "sloth_slo=",
         "kube_horizontalpodautoscaler": "horizontalpodautoscaler=~"}


def test_every_selector_says_whose() -> None:
    """Another's series are never taken for ours, which a test that has only ours would not show."""
    looked_at = 0
    for rule in rules() + rules("fast"):
        for name, braces in SERIES.findall(rule["expr"]):
            wanted = next((label for start, label in WHOSE.items() if name.startswith(start)), 'job="glassbox"')
            assert wanted in braces, f"{rule.get('alert') or rule['record']}: {name}{braces}"
            looked_at += 1
    assert looked_at > 500


# Each change makes a rule that is wrong; the file of tests that must notice.
MUTATIONS = [
    ("up{job=\"glassbox\"} == 0\n        for: 1m", "up{job=\"glassbox\"} == 0\n        for: 2m", "availability"),
    ("up{job=\"glassbox\"} == 0\n        for: 1m", "up{job=\"glassbox\"} == 0\n        for: 0s", "availability"),
    ("max by (job) (up{job=\"glassbox\"}) == 0", "max by (job) (up{job=\"glassbox\"}) < 0", "availability"),
    ("max by (job) (up{job=\"glassbox\"})", "min by (job) (up{job=\"glassbox\"})", "availability"),
    ("[15m]) > 2", "[15m]) > 1", "availability"),
    ("[15m]) > 2", "[15m]) > 3", "availability"),
    ("[5m]) > 0.9", "[5m]) > 0.8", "saturation"),
    ("[5m]) > 0.9", "[5m]) > 0.96", "saturation"),
    ("reason=\"limit\"}[2m]) > 0", "reason=\"limit\"}[5m]) > 0", "saturation"),
    ("listener=\"public\", reason=\"limit\"", "listener=\"public\"", "saturation"),
    ("> 0.25", "> 0.3", "cluster"),
    ("status=\"false\"", "status=\"true\"", "cluster"),
    (", resource=\"memory\"", "", "cluster"),
    ("max by (job) (glassbox_ready", "min by (job) (glassbox_ready", "availability"),
    ("0.01 * rate", "0.000001 * rate", "equation"),
    ("> on (job, instance)\n          0.01", ">= on (job, instance)\n          0.01", "equation"),
    ("error_type!=\"\"} offset 5m", "error_type!=\"\"} offset 1m", "losses"),
    ("> 0.5", ">= 0.5", "queues"),
    ("is {{ $value | humanizePercentage }} full", "is {{ $value }} full", "queues"),
    ("severity: info", "severity: ticket", "drills"),
]


@pytest.mark.parametrize("before, after, name", MUTATIONS, ids=lambda value: re.sub(r"\s+", " ", value)[:24])
def test_the_tests_can_fail(before: str, after: str, name: str, tmp_path: Path) -> None:
    """A rule that was changed is noticed; with the rules as they are the file passes, see above."""
    shutil.copytree(RULES, tmp_path / "prometheus")
    shutil.copytree(ALERTS / "tests", tmp_path / "tests")
    file = tmp_path / "prometheus/real/alerts.rules.yaml"
    text = file.read_text()
    assert before in text
    tests = tmp_path / f"tests/{name}.test.yaml"
    file.write_text(text.replace(before, after))
    status, said = run("debian", "test", "rules", tests)
    assert status != 0 and "FAILED" in said
