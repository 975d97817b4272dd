"""The way by the ConfigMap: which commands kubectl is given, and what is said when it fails.

No cluster is here: kubectl is a program of the test that keeps a ConfigMap in a file, or fails as the real one does.
What a cluster makes of the commands this cannot show.
"""

import json
import stat
import re
from pathlib import Path

import pytest

from drills.configmap import ConfigMap
from drills.web import Refused

# Notes its arguments and stdin; get prints the file, patch merges into it if the version is the one that it has. Of its
# three pods two mount the ConfigMap; where there is a file `forbidden` nobody may see them.
KUBECTL = r"""#!/usr/bin/env python3
import json, pathlib, sys
here = pathlib.Path(__file__).parent
with open(here / "calls", "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\n")
state = json.loads((here / "state").read_text())
volumes = {"a": [{"configMap": {"name": "plan"}}], "b": [{"projected": {"sources": [{"configMap": {"name": "plan"}}]}}],
           "c": [{"configMap": {"name": "other"}}, {"emptyDir": {}}]}
if "pods" in sys.argv:
    if (here / "forbidden").exists():
        sys.exit("Error from server (Forbidden): pods is forbidden")
    print(json.dumps({"items": [{"metadata": {"name": name}, "spec": {"volumes": volumes[name]}} for name in "abc"]}))
elif "get" in sys.argv:
    print(json.dumps(state))
else:
    patch = json.load(sys.stdin)
    if patch["metadata"]["resourceVersion"] != state["metadata"]["resourceVersion"]:
        sys.exit('Error from server (Conflict): Operation cannot be fulfilled on configmaps "plan"')
    owners = state["metadata"].setdefault("managedFields", [{"manager": "helm"}])
    if "data" in patch:
        state.setdefault("data", {}).update(patch["data"])
        owners += [] if {"manager": "glassbox-drill"} in owners else [{"manager": "glassbox-drill"}]
    state["metadata"].update(patch["metadata"])
    state["metadata"]["resourceVersion"] += "1"
    (here / "state").write_text(json.dumps(state))
"""

EMPTY = '{"begin": "2026-01-01T00:00:00Z", "faults": []}'


def program(folder: Path, text: str) -> str:
    path = folder / "kubectl"
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.fixture
def way(tmp_path: Path) -> ConfigMap:
    (tmp_path / "state").write_text(json.dumps(
        {"metadata": {"resourceVersion": "7"}, "data": {"plan.json": EMPTY, "other": "kept"}}))
    return ConfigMap("plan", "demo", context="here", kubectl=program(tmp_path, KUBECTL))


def data(way: ConfigMap) -> dict[str, str]:
    return json.loads((Path(way.kubectl).parent / "state").read_text())["data"]


def calls(way: ConfigMap) -> list[list[str]]:
    return [json.loads(line) for line in (Path(way.kubectl).parent / "calls").read_text().splitlines()]


def test_commands(way: ConfigMap) -> None:
    before = data(way)
    assert way.occupied() is None
    way.arm({"name": "drill-x", "faults": []})
    assert json.loads(data(way)["plan.json"])["name"] == "drill-x" and data(way)["other"] == "kept"
    way.restore()
    assert data(way) == before
    way.restore()  # twice does no harm
    where = ["--context", "here", "--namespace", "demo"]
    get = [*where, "get", "configmap", "plan", "--output", "json", "--request-timeout=30s"]
    patch = [*where, "patch", "configmap", "plan", "--type", "merge", "--field-manager", "glassbox-drill",
             "--patch-file", "/dev/stdin", "--output", "name", "--request-timeout=30s"]
    pods = [*where, "get", "pods", "--output", "json", "--request-timeout=30s"]
    annotate = [*where, "annotate", "pods", "a", "b", "--overwrite", "glassbox/plan-written=", "--output", "name",
                "--request-timeout=30s"]
    made = [[re.sub(r"(plan-written=)\d+\.\d{3}$", r"\1", word) for word in call] for call in calls(way)]
    owners = [*get[:-1], "--show-managed-fields", get[-1]]
    disown = [word for word in patch if word not in ("--field-manager", "glassbox-drill")]
    assert made == [get, get, patch, pods, annotate, get, patch, pods, annotate, owners, disown]


def test_the_key_is_given_back(way: ConfigMap) -> None:
    """Or Helm would take it for ours, and refuse to change it."""
    def owners() -> list[str]:
        state = json.loads((Path(way.kubectl).parent / "state").read_text())
        return [entry["manager"] for entry in state["metadata"]["managedFields"]]

    way.arm({"name": "drill-x"})
    assert owners() == ["helm", "glassbox-drill"]
    way.restore()
    assert owners() == ["helm"]


def test_who_may_not_see_pods_waits_for_the_kubelet(way: ConfigMap) -> None:
    (Path(way.kubectl).parent / "forbidden").touch()
    before = data(way)
    way.arm({"name": "drill-x"})
    assert json.loads(data(way)["plan.json"])["name"] == "drill-x"
    way.restore()
    assert data(way) == before and not any("annotate" in call for call in calls(way))


def test_a_key_that_was_not_there(way: ConfigMap) -> None:
    """Afterwards it has an empty plan: a key that goes missing would change nothing in the service."""
    way.key = "new.json"
    way.arm({"name": "drill-x"})
    way.restore()
    assert json.loads(data(way)["new.json"])["faults"] == []


def test_what_somebody_wrote_since_stays(way: ConfigMap) -> None:
    way.arm({"name": "drill-x"})
    state = Path(way.kubectl).parent / "state"
    theirs = json.loads(state.read_text())
    theirs["data"]["plan.json"] = "theirs"
    state.write_text(json.dumps(theirs))
    way.restore()
    assert data(way)["plan.json"] == "theirs"


def test_two_who_write_at_once(way: ConfigMap) -> None:
    with pytest.raises(Refused, match="Conflict"):
        way.patch("{}", "6")
    assert data(way)["plan.json"] != "{}"


def test_somebodys_fault_is_in_force(way: ConfigMap) -> None:
    way.patch(json.dumps({"name": "theirs", "begin": "2026-01-01T00:00:00Z", "faults": [
        {"end": "2499-01-01T00:00:00Z", "not_ready": True}]}), "7")
    assert way.occupied() == "ConfigMap plan, key plan.json, has plan `theirs`, until 2499-01-01T00:00:00.000Z"
    way.patch("no plan", "71")
    assert "holds what is no plan" in (way.occupied() or "")


@pytest.mark.parametrize("said, why", [
    ('Error from server (Forbidden): configmaps "plan" is forbidden: User "x" cannot get it', "is forbidden: User"),
    ('Error from server (NotFound): configmaps "plan" not found', "not found"),
    ("The connection to the server localhost:8080 was refused - did you specify the right host?", "was refused")])
def test_kubectl_fails(tmp_path: Path, said: str, why: str) -> None:
    way = ConfigMap("plan", kubectl=program(tmp_path, f"#!/bin/sh\necho noise >&2\necho '{said}' >&2\nexit 1\n"))
    with pytest.raises(Refused, match=f"`.*kubectl get configmap plan .*` failed: .*{why}"):
        way.occupied()


def test_no_kubectl(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="kubectl is not there"):
        ConfigMap("plan", kubectl=str(tmp_path / "kubectl")).occupied()
