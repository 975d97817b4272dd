"""Manifests for k6-operator: by its own schema, and the archive in them runs."""

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from glassbox_load.places import ROOT
from glassbox_load import settings, testrun
from glassbox_load.k6 import script_of

SCHEMAS = os.environ.get("SCHEMAS_DIR")
KUBECONFORM = os.environ.get("KUBECONFORM_BIN")
SERVICE = "TARGET=http://glassbox.demo.svc"
SUITE = sorted(set(settings.TABLE["workloads"]) - {"hpa"})


def made(k6: str, workload: str, *words: str, parallelism: int = 1, prometheus: str = "") -> list[dict[str, Any]]:
    """As loadtest/run prints them."""
    chosen = settings.read(workload, [SERVICE, *words], {})
    return list(yaml.safe_load_all(testrun.text(testrun.manifests(
        chosen, k6, script_of(workload), "mine", parallelism, prometheus))))


def conforms(document: dict[str, Any]) -> tuple[int, str]:
    """kubeconform's status, and what it says."""
    place = f"{Path(SCHEMAS).resolve()}/crd/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json"
    done = subprocess.run([KUBECONFORM, "-strict", "-schema-location", place], input=yaml.safe_dump(document),
                          text=True, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("workload", SUITE)
def test_the_operator_s_schema_takes_it(k6: str, workload: str):
    if not SCHEMAS or not KUBECONFORM:
        pytest.skip("needs SCHEMAS_DIR and KUBECONFORM_BIN; unproved: that k6-operator takes the TestRun")
    document = made(k6, workload, parallelism=4, prometheus="http://prom:9090")[1]
    assert conforms(document) == (0, "")
    document["spec"]["parallelizm"] = 4
    assert conforms(document)[0] == 1


def test_it_is_told_what_the_command_would_be(k6: str):
    _, run = made(k6, "average", "RATE=7", parallelism=3, prometheus="http://prom:9090")
    told = {row["name"]: row["value"] for row in run["spec"]["runner"]["env"]}
    assert told["RATE"] == "7" and told["TESTID"] == "mine" and told["TARGET"] == "http://glassbox.demo.svc"
    assert told["K6_PROMETHEUS_RW_SERVER_URL"] == "http://prom:9090/api/v1/write" and len(told["RUN"]) == 16
    assert run["spec"]["parallelism"] == 3 and "--out experimental-prometheus-rw" in run["spec"]["arguments"]
    assert "FAULTS" not in told and "ALLOW_HOST" not in told


def test_without_a_prometheus_nothing_is_written_to_one(k6: str):
    _, run = made(k6, "smoke")
    assert "--out" not in run["spec"]["arguments"]
    assert not [row for row in run["spec"]["runner"]["env"] if "PROMETHEUS" in row["name"]]


def test_the_archive_is_the_workload(k6: str, tmp_path: Path):
    config, run = made(k6, "smoke", "RATE=7", "DURATION=33s")
    script = run["spec"]["script"]["configMap"]
    assert script["name"] == config["metadata"]["name"]
    archive = tmp_path / script["file"]
    archive.write_bytes(base64.b64decode(config["binaryData"][script["file"]]))
    done = subprocess.run([k6, "inspect", archive], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    inside = json.loads(done.stdout)
    assert {name: (one["rate"], one["duration"]) for name, one in inside["scenarios"].items()} == {
        "hello": (252, "33s"), "random_error": (84, "33s"), "work": (84, "33s")}
    assert inside["tags"] == {"testid": "mine"} and inside["userAgent"].endswith(" testid/mine")


@pytest.mark.parametrize("words, told", [
    (("smoke", SERVICE, "--parallelism", "0"), "--parallelism 0: 1 or more"),
    (("smoke", SERVICE, "RATE=x"), "RATE=x: not a number"),
    (("smoke",), "--testrun: TARGET=http://SERVICE.NAMESPACE.svc"),
    (("smoke", "TARGET=http://192.0.2.1"), "192.0.2.1 is neither loopback nor private"),
    (("hpa",), "hpa is reckoned from a cluster and runs there"),
])
def test_what_is_wrong_is_told(words: tuple[str, ...], told: str):
    done = subprocess.run([ROOT / "loadtest/run", "--testrun", *words], capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == 2 and told in done.stderr
