"""slo.yaml is read strictly: all that is wrong is said at once, by name, with what is allowed."""

from pathlib import Path

import pytest

from objectives import SLO_FILE, ObjectivesError, load


def test_objectives_as_they_are() -> None:
    """What others import."""
    objectives = load()
    assert (objectives.service, objectives.team, objectives.job) == ("glassbox", "demo", "glassbox")
    assert [route.path for route in objectives.routes] == ["/", "/demo/hello", "/demo/random-error",
                                                         "/demo/work"]
    hello = objectives.route("/demo/hello")
    assert (hello.budget("availability"), hello.budget("latency")) == (0.001, 0.01)
    assert hello.slo("latency") == "hello-latency"
    told = objectives.as_json()["routes"]["/demo/random-error"]
    assert told["budget"] == {"availability": 0.15, "latency": 0.01}
    assert told["latency"] == {"objective": 99, "threshold": 0.1}


def refused(tmp_path: Path, *changes: tuple[str, str]) -> list[str]:
    """What is said of the file with these changes."""
    text = SLO_FILE.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    file = tmp_path / "slo.yaml"
    file.write_text(text)
    with pytest.raises(ObjectivesError) as caught:
        load(file)
    return str(caught.value).splitlines()


BOUNDS = "0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 2.5, 7.5"
WRONG = [
    ("floor: 0.1", "floor: 0.1\nflor: 1", "slo.flor: unknown; known are service, team, selector"),
    ("period: 30d\n", "", "slo.period: missing"),
    ("period: 30d", "period: 28d", "slo.period: '28d': must be 30d"),
    ("availability: 85", "availability: 100", "availability: 100: must be a number above 0 and below 100"),
    ("availability: 85", "availability: high", "availability: 'high': must be a number above 0"),
    ("availability: 85", "availability: true", "availability: True: must be a number above 0"),
    ("threshold: 0.25", "threshold: 0.3", "routes./demo/work.latency.threshold: 0.3: must be the bound of"),
    ("threshold: 0.25", "threshold: 1", "and no whole number: 2.5e-05, "),
    ("threshold: 0.25", "threshold: 0.3", BOUNDS),
    ("  /demo/work:", "  /metrics:", "routes./metrics: users call no such route; they call /, /demo/hello, "),
    ("  /demo/work:", "  /metrics:", "routes./demo/work: missing: users call it"),
    ("name: work", "name: hello", "two routes are called hello"),
    ("name: work", "name: Work!", "name: 'Work!': must be small letters"),
    ("name: work", "named: work", "routes./demo/work.named: unknown; known are name, availability"),
    ("error_ratio: 0.3", "error_ratio: 0.15", "0.15: must be above what the objective allows, 0.15"),
    ("p99: 0.75", "p99: 0.25", "symptom.p99: 0.25: must be above the threshold, 0.25"),
    ('selector: job="glassbox"', 'selector: app="x"', 'must be label matchers with job='),
    ("dashboards: http://localhost:3000", "dashboards: localhost:3000/", "must be an http or https URL"),
    ("events: 3", "events: 0", "low_traffic.events: 0: must be a whole number above 0"),
    ("window: 2h", "window: 2 hours", "low_traffic.window: '2 hours': must be a duration"),
    ("team: demo", "team: d", "slo.team: 'd': must be small letters, digits, hyphens; two at least"),
    ("latency: {objective: 99, threshold: 0.25}", "latency: 99", "latency: must be a mapping of objective"),
]


@pytest.mark.parametrize("before, after, told", WRONG, ids=[f"{row[1][:30]}-{index}"
                                                           for index, row in enumerate(WRONG)])
def test_what_is_wrong_is_told(before: str, after: str, told: str, tmp_path: Path) -> None:
    """By name, with what is allowed."""
    assert any(told in line for line in refused(tmp_path, (before, after)))


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """Nobody likes to be told one by one."""
    told = refused(tmp_path, ("floor: 0.1", "floor: -1"), ("availability: 85", "availability: 185"),
                   ("threshold: 0.25", "threshold: 5"))
    assert len(told) == 3 and all(line.startswith("slo.yaml: ") for line in told)


def test_key_that_stands_twice_is_told(tmp_path: Path) -> None:
    """YAML would take the last one in silence."""
    told = refused(tmp_path, ("team: demo", "team: demo\nteam: other"))
    assert told[0].endswith("team stands twice")


@pytest.mark.parametrize("text", ["", "- a\n", "a: [\n"])
def test_file_that_is_no_mapping_is_told(text: str, tmp_path: Path) -> None:
    """Empty, a list, no YAML."""
    file = tmp_path / "slo.yaml"
    file.write_text(text)
    with pytest.raises(ObjectivesError):
        load(file)
