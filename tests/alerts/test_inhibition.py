"""What need not be said, by what a running Alertmanager answers: `status.inhibitedBy`.

A row is a case: the alert that is the cause, and which of those that fire beside it are inhibited by
it. The answers of both versions are left in build/check/inhibition.json.
"""

import fcntl
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from alertmanager import ROOT, VERSIONS, Alertmanager, alert, eventually, loopback, shipped

PLACE = {"service": "glassbox", "team": "demo", "namespace": "shop"}
REPORT = ROOT / "build/check/inhibition.json"


def one(alertname: str, severity: str, **labels: str) -> dict[str, str]:
    """Labels of an alert of ours."""
    return PLACE | {"alertname": alertname, "severity": severity} | labels


def objective(severity: str, slo: str = "hello-availability", **labels: str) -> dict[str, str]:
    """Labels of a burn alert: no instance."""
    name = "GlassboxLatencyBudgetBurn" if "latency" in slo else "GlassboxErrorBudgetBurn"
    return one(name, severity, job="glassbox", sloth_service="glassbox", sloth_slo=slo) | labels


A = {"job": "glassbox", "instance": "10.0.0.1:8080"}
B = {"job": "glassbox", "instance": "10.0.0.2:8080"}


@dataclass
class Case:
    """`silenced` follow from `cause`, `loud` do not."""

    cause: dict[str, str]
    silenced: list[dict[str, str]]
    loud: list[dict[str, str]]


CASES = {
    "down inhibits the rest of its instance": Case(
        one("GlassboxTargetDown", "page", **A),
        [one("GlassboxEventLoopLag", "ticket", **A), one("GlassboxSignalsDoNotAddUp", "page", **A),
         one("GlassboxFaultInForce", "info", **A)],
        [one("GlassboxEventLoopLag", "ticket", **B), one("GlassboxSignalsDoNotAddUp", "page", **B),
         one("GlassboxEventLoopLag", "ticket", **A | {"job": "another"}),
         one("GlassboxEventLoopLag", "ticket", **A | {"namespace": "another"}),
         one("GlassboxErrorRatioHigh", "page", job="glassbox", http_route="/"),
         objective("page"), objective("ticket", "root-latency"),
         one("NodeDiskFull", "page", **A) | {"service": "node"}]),
    "down of an instance without a name inhibits nothing": Case(
        one("GlassboxTargetDown", "page", job="glassbox"),
        [],
        [one("GlassboxErrorRatioHigh", "page", job="glassbox", http_route="/"),
         one("GlassboxEventLoopLag", "ticket", **A)]),
    "page inhibits ticket of the same objective": Case(
        objective("page"),
        [objective("ticket")],
        [objective("ticket", "hello-latency"), objective("ticket", "root-availability"),
         objective("ticket", namespace="another"), objective("page", "work-latency"),
         objective("ticket", sloth_service="another"),
         one("GlassboxLatencyHigh", "ticket", job="glassbox", http_route="/demo/hello")]),
    "a page without an objective inhibits no ticket without one": Case(
        one("GlassboxConnectionsRefused", "page", **A),
        [],
        [one("GlassboxConnectionsNearLimit", "ticket", **A), objective("ticket"),
         one("GlassboxHpaAtMaximum", "ticket")]),
    "absent inhibits its job": Case(
        one("GlassboxAbsent", "page", job="glassbox"),
        [one("GlassboxEventLoopLag", "ticket", **B),
         one("GlassboxErrorRatioHigh", "page", job="glassbox", http_route="/"),
         objective("page"), objective("ticket", "root-latency")],
        [one("GlassboxEventLoopLag", "ticket", **A | {"job": "another"}),
         one("GlassboxHpaAtMaximum", "ticket"),
         one("GlassboxEventLoopLag", "ticket", **A | {"namespace": "another"}),
         one("GlassboxDeadMansSwitch", "none"),
         one("KubePodCrashLooping", "page", job="glassbox") | {"service": "another"}]),
    "of absent and down, it is down that is told": Case(
        one("GlassboxTargetDown", "page", **A),
        [one("GlassboxAbsent", "page", job="glassbox")],
        [one("GlassboxAbsent", "page", job="another"),
         one("GlassboxAbsent", "page", job="glassbox", namespace="another")]),
    "nothing inhibits the dead man's switch": Case(
        one("GlassboxTargetDown", "page", **A),
        [],
        [one("GlassboxDeadMansSwitch", "none", **A)]),
}


def key(labels: dict[str, str]) -> str:
    """Labels as something that can be compared and looked up."""
    return json.dumps(labels, sort_keys=True)


def remember(version: str, name: str, answer: list[dict]) -> None:
    """Leaves what the API said, for people to see; other tests may do so at the same time."""
    names = {each["fingerprint"]: each["labels"] for each in answer}
    kept = [{"labels": each["labels"], "fingerprint": each["fingerprint"],
             "status": {key: each["status"][key] for key in ("state", "inhibitedBy")},
             "inhibited by": [names[by]["alertname"] for by in each["status"]["inhibitedBy"]]}
            for each in sorted(answer, key=lambda each: key(each["labels"]))]
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    with open(REPORT, "a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        report = json.loads(file.read() or "{}")
        report.setdefault(version, {})[name] = kept
        file.seek(0)
        file.truncate()
        file.write(json.dumps(report, indent=2) + "\n")


@pytest.fixture(scope="module", params=VERSIONS)
def running(request, tmp_path_factory):
    """An Alertmanager of each version, with the shipped rules of inhibition."""
    folder = tmp_path_factory.mktemp(f"inhibition-{request.param}")
    with Alertmanager(folder, loopback(folder), request.param) as process:
        yield process


@pytest.mark.parametrize("name", CASES)
def test_inhibited_by(running: Alertmanager, name: str) -> None:
    """The cause is named by each alert that follows from it, and by no other."""
    case, number = CASES[name], list(CASES).index(name)

    def placed(labels: dict[str, str]) -> dict[str, str]:
        """In namespaces of this case: cases share the process, and must not touch each other."""
        return labels | {"namespace": f"{labels['namespace']}-{number}"}

    wanted = {key(placed(labels)): labels for labels in [case.cause, *case.silenced, *case.loud]}
    # Alerts are taken up one after the other, some time after the POST: when the last, which is the
    # cause of something else, has its effect, then all before it have had theirs.
    mark = {"namespace": f"mark-{number}"}
    last = one("GlassboxEventLoopLag", "ticket", **A) | mark
    running.post(*[alert(placed(labels)) for labels in wanted.values()],
                 alert(last), alert(one("GlassboxTargetDown", "page", **A) | mark))

    def answered() -> list[dict]:
        found = {key(each["labels"]): each for each in running.get("alerts")}
        done = found.get(key(last), {"status": {}})["status"].get("inhibitedBy")
        return [each for name, each in found.items() if name in wanted] if done else []

    answer = eventually(answered, "the last one is inhibited")
    assert len(answer) == len(wanted)
    number_of = running.get("status")["versionInfo"]["version"]  # the built one has no such stamp
    remember(f"{running.version} {number_of}".strip(), name, answer)
    by = {key(each["labels"]): each for each in answer}
    cause = by[key(placed(case.cause))]
    for labels in [case.cause, *case.loud]:
        status = by[key(placed(labels))]["status"]
        assert (status["state"], status["inhibitedBy"]) == ("active", []), labels
    for labels in case.silenced:
        status = by[key(placed(labels))]["status"]
        assert (status["state"], status["inhibitedBy"]) == ("suppressed", [cause["fingerprint"]])


@pytest.mark.parametrize("version", VERSIONS)
def test_in_a_cluster_a_drill_is_told(version: str, tmp_path: Path) -> None:
    """kube-prometheus-stack's InfoInhibitor fires beside an `info` without a `warning`, and silences it."""
    values = shipped("values.kubernetes.yaml")["alertmanager"]["config"]
    document = loopback(tmp_path) | {"inhibit_rules": values["inhibit_rules"]}
    drill = one("GlassboxFaultInForce", "info", **A)
    theirs = {"alertname": "CPUThrottlingHigh", "severity": "info", "namespace": "shop"}
    cause = {"alertname": "InfoInhibitor", "severity": "none", "namespace": "shop"}
    with Alertmanager(tmp_path, document, version) as process:
        process.post(*[alert(labels) for labels in (drill, theirs, cause)])

        def answered() -> dict[str, str]:
            states = {each["labels"]["alertname"]: each["status"]["state"] for each in process.get("alerts")}
            return states if states.get(theirs["alertname"]) == "suppressed" else {}

        assert eventually(answered, "theirs is inhibited")[drill["alertname"]] == "active"
