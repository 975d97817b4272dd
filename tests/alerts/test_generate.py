"""What is generated is current; a stale file is named; without sloth the rest is judged all the same."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import burn
import generate
import installations
import profiles
import sources
from objectives import load
from promtool import ALERTS, ROOT

SLOTH = os.environ.get("SLOTH_BIN")


def copied(tmp_path: Path) -> Path:
    """alerts/ and what it reads, to be changed."""
    shutil.copytree(ALERTS, tmp_path / "alerts", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs/contract.json", tmp_path / "docs")
    (tmp_path / "loadtest").mkdir()
    shutil.copy(ROOT / "loadtest/slo.json", tmp_path / "loadtest")
    return tmp_path / "alerts"


def generated(folder: Path, *arguments: str) -> tuple[int, str]:
    """The command's exit status, and what it says."""
    done = subprocess.run([sys.executable, folder / "generate.py", *arguments], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100)
    return done.returncode, done.stdout


@pytest.fixture(name="sloth")
def sloth_binary() -> str:
    """The path of sloth; skips the test without."""
    if not SLOTH:
        pytest.skip("needs SLOTH_BIN: see .ci/alerts.sh")
    return SLOTH


def test_all_is_current(sloth: str) -> None:
    """As the real sloth makes it today, byte by byte."""
    files = generate.Generator(load(), sloth).all()
    assert len(files) == 11
    assert generate.stale(ROOT, files) == []


def test_all_is_current_as_far_as_can_be_told_without_sloth() -> None:
    """By the digest of what it was given."""
    files = generate.Generator(load(), None).all()
    assert generate.stale(ROOT, files) == []


@pytest.mark.parametrize("name", sorted(generate.Generator(load(), None).all()))
def test_stale_file_is_named(name: str, tmp_path: Path) -> None:
    """Whichever it is, and nothing is written."""
    folder = copied(tmp_path)
    file = tmp_path / name
    file.write_text(file.read_text() + "\n# by hand\n")
    before = file.read_text()
    status, said = generated(folder, "--check")
    if name.endswith("slo.rules.yaml"):
        assert status == 0  # sloth's own rules cannot be told without it; see below
        return
    assert status == 1 and f"{name} is not current: make generate" in said
    assert file.read_text() == before


def test_rules_changed_by_hand_are_named_with_sloth(sloth: str, tmp_path: Path) -> None:
    """Also those that only sloth can tell."""
    folder = copied(tmp_path)
    file = folder / "prometheus/real/slo.rules.yaml"
    file.write_text(file.read_text().replace("14.4", "14.5"))
    status, said = generated(folder, "--check", "--sloth", sloth)
    assert status == 1 and "alerts/prometheus/real/slo.rules.yaml is not current" in said


def test_objective_that_changed_makes_all_of_its_files_stale(tmp_path: Path) -> None:
    """Also without sloth; and the change is in what load tests read."""
    folder = copied(tmp_path)
    file = folder / "slo.yaml"
    file.write_text(file.read_text().replace("availability: 85", "availability: 84"))
    status, said = generated(folder, "--check")
    assert status == 1
    for name in ("alerts/prometheus/real/slo.rules.yaml", "alerts/prometheus/fast/slo.rules.yaml",
                 "alerts/kubernetes/real/prometheusrule.yaml", "alerts/kubernetes/fast/prometheusrule.yaml",
                 "loadtest/slo.json"):
        assert f"{name} is not current" in said


def test_windows_that_changed_make_their_profile_stale(tmp_path: Path) -> None:
    """And no other."""
    folder = copied(tmp_path)
    file = folder / "windows/fast.yaml"
    file.write_text(file.read_text().replace("longWindow: 8m", "longWindow: 9m"))
    _, said = generated(folder, "--check")
    assert "prometheus/fast/slo.rules.yaml is not current" in said
    assert "/real/" not in said


def test_generate_writes_what_check_asks_for(sloth: str, tmp_path: Path) -> None:
    """One change of slo.yaml, one command, and all is current again."""
    folder = copied(tmp_path)
    file = folder / "slo.yaml"
    file.write_text(file.read_text().replace("threshold: 0.25", "threshold: 0.075")
                    .replace("floor: 0.1", "floor: 0.2"))
    assert generated(folder, "--sloth", sloth)[0] == 0
    assert generated(folder, "--check", "--sloth", sloth)[0] == 0
    rules = (folder / "prometheus/real/slo.rules.yaml").read_text()
    assert 'le="0.075"' in rules and 'le="0.25"' not in rules and "> 0.2" in rules
    assert json.loads((tmp_path / "loadtest/slo.json").read_text())["floor"] == 0.2


def test_objectives_that_are_wrong_are_told(tmp_path: Path) -> None:
    """And nothing is written."""
    folder = copied(tmp_path)
    file = folder / "slo.yaml"
    file.write_text(file.read_text().replace("threshold: 0.25", "threshold: 0.3"))
    status, said = generated(folder)
    assert status == 1 and "routes./demo/work.latency.threshold: 0.3" in said


ROWS = [
    ({"alert": "A", "severity": "page", "expr": "up", "summary": "s"}, "A: lacks description"),
    ({"alert": "A", "severity": "page", "expr": "up", "summary": "s", "description": "d", "fore": "1m"},
     "A: unknown fore; known are"),
    ({"alert": "A", "severity": "loud", "expr": "up", "summary": "s", "description": "d"},
     "severity 'loud': one of page, ticket"),
]


@pytest.mark.parametrize("row, told", ROWS, ids=["lacks", "unknown", "severity"])
def test_row_that_is_wrong_is_told(row: dict, told: str) -> None:
    """By name."""
    with pytest.raises(sources.SourceError, match=told):
        sources.check_row("x.yaml", row, sources.REQUIRED, sources.KEYS)


def test_placeholder_that_is_none_is_told() -> None:
    """With those that there are."""
    row = sources.Row({"alert": "A", "expr": "up{<<selektor>>}"}, load(), profiles.Profile("real"))
    with pytest.raises(sources.SourceError, match="A: <<selektor>>: there is no such thing; there is sel"):
        row.expression()


@pytest.mark.parametrize("text, fast", [
    ("rate(a[5m]) / rate(b[2h])", "rate(a[30s]) / rate(b[2m])"),
    ("a offset 5m > 5", "a offset 30s > 5"),
    ("a:rate5m > 1", "a:rate5m > 1"),
])
def test_fast_windows(text: str, fast: str) -> None:
    """Ranges and offsets are shortened; names are not touched."""
    assert profiles.Profile("fast").expression(text) == fast
    assert profiles.Profile("real").expression(text) == text


def test_fast_windows_that_nobody_thought_of_are_told() -> None:
    """No window stays as long as it was."""
    with pytest.raises(ValueError, match="no window of the profile fast for 7m"):
        profiles.Profile("fast").expression("rate(a[7m])")


@pytest.mark.parametrize("real, fast", [("1m", "10s"), ("2m", "12s"), ("15m", "90s"), ("30s", "10s")])
def test_fast_waits_a_tenth(real: str, fast: str) -> None:
    """But ten seconds at least."""
    assert profiles.Profile("fast").pending(real) == fast


def test_specification_has_an_objective_for_each_route_and_sli() -> None:
    """What sloth is given, in the words of slo.yaml."""
    given = burn.specification(load(), profiles.Profile("real"))
    names = [slo["name"] for slo in given["slos"]]
    assert names == [f"{name}-{sli}" for name in ("root", "hello", "random-error", "work")
                     for sli in ("availability", "latency")]
    assert [slo["objective"] for slo in given["slos"][4:6]] == [85, 99]
    assert all("{{.window}}" in slo["sli"]["raw"]["error_ratio_query"] for slo in given["slos"])


def test_what_others_ship_is_left_out_by_default() -> None:
    """Just the rows that say so."""
    shipped = {row["alert"] for path in (ALERTS / "source").glob("*.yaml")
               for row in yaml.safe_load(path.read_text()).get("alerts", []) if "shipped_by" in row}
    assert shipped == {"GlassboxTargetDown", "GlassboxRestarting", "GlassboxCpuThrottled",
                       "GlassboxHpaAtMaximum", "GlassboxDeadMansSwitch"}
    for profile in profiles.PROFILES:
        for name, there in zip(installations.NAMES, (False, True), strict=True):
            found = {rule["alert"] for group in installations.resource(profile, name)["spec"]["groups"]
                     for rule in group["rules"] if "alert" in rule}
            assert (found & shipped == shipped) == there and (found <= shipped) == there
