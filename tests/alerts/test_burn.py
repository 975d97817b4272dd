"""The alerts that there is one of for each route or objective: promtool runs what burning.py works out, and
the SLI itself, where counters are young, or absent, or nobody comes."""

from pathlib import Path
from typing import Any

import pytest
import yaml

import burning
from promtool import RULES, VERSIONS, check_tests, rules, run
from stories import COUNT, objectives

NAMES = sorted({test["name"].partition(": ")[2] for test in burning.all_tests(left_open=False)})


def groups_of(alert: str, profile: str = "real") -> list[dict[str, Any]]:
    """The groups that decide about an alert of burning.py, in the order in which they must run; all other
    rules would only take time."""
    words = dict(word.split("=") for word in alert.split()[1:])
    route = objectives().route(words["http_route"])
    if "BudgetBurn" in alert:
        slo = route.slo("latency" if "Latency" in alert else "availability")
        wanted = [f"sloth-slo-{part}-glassbox-{slo}" for part in ("sli-recordings", "meta-recordings",
                                                                "alerts")]
    else:
        wanted = ["glassbox-recording", "glassbox-symptoms"]
    return groups_named(wanted, profile)


def groups_named(wanted: list[str], profile: str) -> list[dict[str, Any]]:
    """These groups."""
    found = {group["name"]: group for path in (RULES / profile).glob("*.yaml")
             for group in yaml.safe_load(path.read_text())["groups"]}
    return [found[name] for name in wanted]


def written(folder: Path, groups: list[dict[str, Any]], tests: list[dict[str, Any]], step: str) -> Path:
    """A promtool file with these rules and tests."""
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
    file = folder / "test.yaml"
    file.write_text(yaml.safe_dump({
        "rule_files": ["rules.yaml"], "evaluation_interval": step,
        "group_eval_order": [group["name"] for group in groups], "tests": tests}))
    return file


@pytest.mark.timeout(400)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("alert", NAMES)
def test_burn(version: str, alert: str, tmp_path: Path) -> None:
    """Fires at the minute it should, not before; not on the near miss; resolves when it should."""
    made = [test for test in burning.all_tests(left_open=version == "built")
            if test["name"].partition(": ")[2] == alert]
    assert len(made) >= 2
    steps = {test["step"] for test in made}
    assert len(steps) == 1
    plain = [{key: test[key] for key in ("name", "interval", "input_series", "alert_rule_test")}
             for test in made]
    check_tests(version, written(tmp_path, groups_of(alert), plain, f"{steps.pop()}m"))


def sli(route: str, window: str, minute: int, *values: float, profile: str = "") -> dict[str, Any]:
    """What promtool is to find as an SLI: these values, or nothing."""
    slo = f"{objectives().route(route).name}-availability"
    labels = (f'job="glassbox", http_route="{route}", sli="availability", team="demo", '
              f'sloth_service="glassbox", sloth_slo="{slo}", sloth_id="glassbox-{slo}", '
              f'sloth_window="{window}"{profile}')
    name = f"slo:sli_error:ratio_rate{window}"
    return {"expr": f'{name}{{sloth_slo="{slo}"}}', "eval_time": f"{minute}m",
            "exp_samples": [{"labels": f"{name}{{{labels}}}", "value": value} for value in values]}


def counter(route: str, values: str, **labels: str) -> dict[str, str]:
    """A series of requests."""
    told = "".join(f', {name}="{value}"' for name, value in labels.items())
    return {"series": f'{COUNT}{{job="glassbox", instance="a:1", http_route="{route}"{told}}}',
            "values": values}


SLI_TESTS = [
    # Since the process began, nothing has failed: no series has an error_type. Then one appears.
    ("0 without errors, from the first minute on", "/demo/hello",
     [counter("/demo/hello", "0+60x20", http_response_status_code="200"),
      counter("/demo/hello", "_x10 0+6x10", http_response_status_code="503", error_type="503")],
     [("5m", 1, 0), ("5m", 9, 0), ("5m", 15, 0.0909)]),
    # Series of a status that was documented exist at 0: they are an SLI of 0, too.
    ("0 with an error series at 0", "/demo/random-error",
     [counter("/demo/random-error", "0+60x20", http_response_status_code="200"),
      counter("/demo/random-error", "0x20", http_response_status_code="500", error_type="500")],
     [("5m", 1, 0), ("5m", 10, 0)]),
    ("absent without requests", "/demo/hello",
     [counter("/demo/hello", "0x20", http_response_status_code="200")],
     [("5m", 1, None), ("5m", 10, None)]),
    ("absent below the floor", "/demo/hello",
     [counter("/demo/hello", "0+5x20", http_response_status_code="200"),
      counter("/demo/hello", "0+0.5x20", error_type="500")],
     [("5m", 10, None), ("1h", 10, None)]),
    # A minute after the start the windows of hours are nearly empty, and say nothing until they have seen
    # what the floor is in all of them: 360 requests in an hour.
    ("absent in long windows while a process is young", "/demo/hello",
     [counter("/demo/hello", "0+60x20", http_response_status_code="200")],
     [("5m", 2, 0), ("1h", 5, None), ("1h", 7, 0), ("6h", 19, None)]),
    ("of all instances, by their share of the requests", "/demo/hello",
     [counter("/demo/hello", "0+60x20", http_response_status_code="200"),
      {"series": f'{COUNT}{{job="glassbox", instance="b:1", http_route="/demo/hello", error_type="500"}}',
       "values": "0+20x20"}],
     [("5m", 10, 0.25)]),
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("what, route, series, looks", SLI_TESTS, ids=[case[0] for case in SLI_TESTS])
def test_sli(version: str, what: str, route: str, series: list, looks: list, tmp_path: Path) -> None:
    """Zero is not absent, and noise is not a number."""
    slo = f"{objectives().route(route).name}-availability"
    groups = groups_named([f"sloth-slo-sli-recordings-glassbox-{slo}"], "real")
    # 6 of 66: as many digits as promtool 2.42 compares.
    exact = {0.0909: 6 / 66}
    tests = [{"name": what, "interval": "1m", "input_series": series, "promql_expr_test": [
        sli(route, window, minute, *([] if value is None else [exact.get(value, value)]))
        for window, minute, value in looks]}]
    check_tests(version, written(tmp_path, groups, tests, "1m"))


@pytest.mark.parametrize("version", VERSIONS)
def test_month_is_the_mean_of_its_five_minutes(version: str, tmp_path: Path) -> None:
    """sloth's optimisation: no rate over 30 days. Hours below the floor neither burn budget nor fill it."""
    groups = groups_named([f"sloth-slo-{part}-recordings-glassbox-hello-availability"
                           for part in ("sli", "meta")], "real")
    series = [counter("/demo/hello", "0+600x60 36000+1x60 36660+600x60", http_response_status_code="200"),
              counter("/demo/hello", "0x120 0x60", error_type="500", http_response_status_code="500")]
    labels = ('sloth_id="glassbox-hello-availability", sloth_service="glassbox", '
              'sloth_slo="hello-availability", job="glassbox", http_route="/demo/hello", '
              'sli="availability", team="demo", sloth_window="30d"')
    tests = [{"name": "month", "interval": "1m", "input_series": series, "promql_expr_test": [
        {"expr": "slo:period_error_budget_remaining:ratio", "eval_time": "170m",
         "exp_samples": [{"labels": f"slo:period_error_budget_remaining:ratio{{{labels}}}", "value": 1}]},
        {"expr": "slo:current_burn_rate:ratio", "eval_time": "100m", "exp_samples": []}]}]
    check_tests(version, written(tmp_path, groups, tests, "1m"))


def test_windows_and_factors_are_the_workbooks() -> None:
    """Of both profiles: the factors, and in `real` the windows; of each objective, in the rules as they
    are."""
    for profile in ("real", "fast"):
        for rule in (rule for rule in rules(profile) if rule.get("alert", "").endswith("BudgetBurn")):
            pairs = burning.PAIRS[rule["labels"]["severity"]]
            for part, (factor, short, long) in zip(rule["expr"].split("\nor\n"), pairs, strict=True):
                found = [float(text.partition(" ")[0]) for text in part.split("> (")[1:]]
                assert found == pytest.approx([factor, factor])
                windows = [text.partition("{")[0] for text in part.split("ratio_rate")[1:]]
                if profile == "real":
                    assert windows == [spelled(short), spelled(long)]


def spelled(minutes: int) -> str:
    """5m, 1h, 3d."""
    for unit, size in (("d", 1440), ("h", 60), ("m", 1)):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    raise AssertionError


FAST = [
    # All of them fail from second 60 on: a minute's window holds 1.44 % after one scrape of twelve.
    ("sloth", "GlassboxErrorBudgetBurn", "60s", "65s"),
    # Waits a tenth of two minutes.
    ("symptoms", "GlassboxErrorRatioHigh", "75s", "80s"),
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("which, alert, quiet, firing", FAST)
def test_fast(version: str, which: str, alert: str, quiet: str, firing: str, tmp_path: Path) -> None:
    """The profile for demonstration says within seconds what the real one says within minutes."""
    slo = "glassbox-hello-availability"
    names = ["glassbox-recording", "glassbox-symptoms"] if which == "symptoms" else \
        [f"sloth-slo-{part}-{slo}" for part in ("sli-recordings", "meta-recordings", "alerts")]
    series = [counter("/demo/hello", "1000+50x12 1600x24", http_response_status_code="200"),
              counter("/demo/hello", "1000x12 1050+50x23", http_response_status_code="500", error_type="500")]
    expressions = [{"expr": f'count(ALERTS{{alertname="{alert}", severity="page", alertstate="firing", '
                            'profile="fast", http_route="/demo/hello"})',
                    "eval_time": time, "exp_samples": [{"value": 1}] if found else []}
                   for time, found in ((quiet, False), (firing, True))]
    file = written(tmp_path, groups_named(names, "fast"), [
        {"name": alert, "interval": "5s", "input_series": series, "promql_expr_test": expressions}], "5s")
    check_tests(version, file)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("before, after", [("14.4", "16.1"), ("14.4", "12.7"), ("(1 *", "(1.2 *"), ("(3 *", "(2 *")])
def test_the_burn_tests_can_fail(before: str, after: str, tmp_path: Path) -> None:
    """A factor that was changed is noticed. (A ticket's quick pair only by a route that has been seen for
    three days: before that its slow pair is quicker. The workbook spends a tenth in both.)"""
    route = "/demo/hello" if before == "(3 *" else "/"
    alert = f"GlassboxErrorBudgetBurn severity={'page' if before == '14.4' else 'ticket'} " \
            f"http_route={route}"
    groups = groups_of(alert)
    changed = yaml.safe_load(yaml.safe_dump(groups).replace(before, after))
    assert changed != groups
    made = [test for test in burning.all_tests(left_open=False)
            if test["name"].partition(": ")[2] == alert]
    plain = [{key: test[key] for key in ("name", "interval", "input_series", "alert_rule_test")}
             for test in made]
    status, said = run("debian", "test", "rules", written(tmp_path, changed, plain, f"{made[0]['step']}m"))
    assert status != 0 and "FAILED" in said
