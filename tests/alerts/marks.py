"""What a test of an alert says of itself, and whether it keeps its word.

The name of a test in a promtool file is a mark: `KINDS: ALERT [label=value …]`, with kinds of

    fires       at some minute it fires, with labels and annotations; at the evaluation before it does not
    near miss   never, though something is going on: every minute that is looked at is quiet
    resolves    after it fired it does not any more, at the evaluation after it last did (or, where
                Prometheus 2 and 3 differ about the edge of a window, the one after that)

So a count of marks is a count of such tests.
"""

from typing import Any

from promtool import minutes

KINDS = {"fires", "near miss", "resolves"}


def parse(name: str) -> tuple[set[str], str]:
    """The kinds and the key of the alert."""
    kinds, _, alert = name.partition(": ")
    found = set(kinds.split(", "))
    assert found <= KINDS and alert, f"{name!r}: no mark"
    return found, alert


def looks(test: dict[str, Any], severity: str | None = None) -> list[tuple[float, list]]:
    """(minute, alerts expected) in order; of one severity only, if it says so."""
    _, alert = parse(test["name"])
    result = []
    for look in test["alert_rule_test"]:
        assert look["alertname"] == alert.split()[0], f"{test['name']}: looks at {look['alertname']}"
        expected = [item for item in look["exp_alerts"]
                    if severity in (None, item["exp_labels"]["severity"])]
        result.append((minutes(look["eval_time"]), expected))
    assert result == sorted(result, key=lambda item: item[0]), f"{test['name']}: not in order"
    return result


def faults(test: dict[str, Any], step: float = 1) -> list[str]:
    """Where the test does not do what its mark says; `step` is the minutes between evaluations."""
    kinds, alert = parse(test["name"])
    severity = next((word.partition("=")[2] for word in alert.split() if word.startswith("severity=")),
                    None)
    seen = looks(test, severity)
    found = []
    firing = [minute for minute, expected in seen if expected]
    quiet = [minute for minute, expected in seen if not expected]
    if "near miss" in kinds and (firing or not quiet or len(kinds) > 1):
        found.append("a near miss fires, or is not looked at")
    if "fires" in kinds:
        if not firing or (firing[0] > 0 and firing[0] - step not in quiet):
            found.append("fires: not looked at the evaluation before")
        for _, expected in seen:
            for item in expected:
                found += incomplete(item)
    if "resolves" in kinds:
        after = [minute for minute in quiet if firing and minute > firing[-1]]
        if not after or after[0] - firing[-1] > 2 * step:
            found.append("resolves: not looked at right after")
    return [f"{test['name']}: {fault}" for fault in found]


def incomplete(expected: dict[str, Any]) -> list[str]:
    """What is not asserted of an alert that fires."""
    wanted = {"summary", "description", "runbook_url", "dashboard_url"}
    found = [f"asserts no {name}" for name in sorted(wanted - expected["exp_annotations"].keys())]
    return found + [f"asserts no {name}" for name in ("severity", "team", "service")
                    if name not in expected["exp_labels"]]
