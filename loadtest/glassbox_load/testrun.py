"""A workload as manifests for k6-operator: a ConfigMap with the scripts, and a TestRun.

The scripts come as k6's archive, in which all modules are, so that one key of a ConfigMap holds them. What a TestRun
has no place for is the cross-examination: it judges by k6's thresholds alone.
"""

import base64
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from . import k6
from .refused import Refused
from .settings import Settings

ARCHIVE = "archive.tar"
LARGEST = 700_000  # bytes, as base64 makes a third more of them and a ConfigMap may have 1 MiB
USER = 12345
# Of this machine, or for the wrapper: no business of a pod's.
NOT_THERE = ("RESULTS", "ALLOW_HOST", "FAULTS", "TESTID")


def archive(program: str, script: Path, told: Mapping[str, str]) -> bytes:
    """All modules of a workload, as k6 packs them, with its options: they are made of the settings here and now, not of
    a pod's environment. What a script reads while it runs is of the pod's."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / ARCHIVE
        words = [word for name, value in told.items() for word in ("--env", f"{name}={value}")]
        k6.ran(program, "archive", *words, "--archive-out", str(file), str(script), env=k6.clean())
        made = file.read_bytes()
    if len(made) > LARGEST:
        raise Refused(f"{script.name} and its modules are {len(made)} bytes: too many for a ConfigMap")
    return made


def told_of(chosen: Settings, program: str, testid: str, results: str, prometheus: str) -> dict[str, str]:
    """What the scripts are told in a pod."""
    told = {**{name: value for name, value in chosen.text.items() if name not in NOT_THERE},
            "TESTID": testid, "RUN": k6.run_id(), "K6_VERSION": k6.version(program), "RESULTS": results,
            **(k6.remote_write(prometheus) if prometheus else {})}
    return {name: value for name, value in told.items() if value}


def environment(told: Mapping[str, str]) -> list[dict[str, str]]:
    """Of a container."""
    return [{"name": name, "value": value} for name, value in sorted(told.items())]


def image(program: str) -> str:
    """k6's own, of the version that packs the scripts."""
    return f"docker.io/grafana/k6:{k6.version(program)}"


def manifests(chosen: Settings, program: str, script: Path, testid: str, parallelism: int,
              prometheus: str) -> list[dict[str, Any]]:
    """To be applied in the namespace of the test."""
    name = f"loadtest-{chosen.workload}"
    labels = {"app.kubernetes.io/name": "glassbox-loadtest", "app.kubernetes.io/component": chosen.workload,
              "app.kubernetes.io/part-of": "glassbox"}
    told = told_of(chosen, program, testid, "/tmp", prometheus)
    runner = {
        "image": image(program), "env": environment(told),
        "resources": {"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": {"runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER,
                            "seccompProfile": {"type": "RuntimeDefault"}},
        "containerSecurityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels},
         "binaryData": {ARCHIVE: base64.b64encode(archive(program, script, told)).decode()}},
        {"apiVersion": "k6.io/v1alpha1", "kind": "TestRun", "metadata": {"name": name, "labels": labels},
         "spec": {"parallelism": parallelism, "script": {"configMap": {"name": name, "file": ARCHIVE}},
                  "arguments": f"--no-usage-report --out {k6.REMOTE_WRITE}" if prometheus else "--no-usage-report",
                  "cleanup": "post", "runner": runner}}]


def text(documents: list[dict[str, Any]]) -> str:
    """YAML, for kubectl apply."""
    return yaml.safe_dump_all(documents, sort_keys=False, width=120)
