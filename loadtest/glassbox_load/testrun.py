"""A workload as manifests for k6-operator: a ConfigMap with the scripts, and a TestRun.

The scripts come as k6's archive, in which all modules are, so that one key of a ConfigMap holds them. What a TestRun has
no place for is the cross-examination: it judges by k6's thresholds alone.
"""

import base64
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from . import k6
from .settings import Settings

ARCHIVE = "archive.tar"
LARGEST = 1 << 20  # bytes of a ConfigMap
# Of this machine, or for the wrapper: no business of a pod's.
NOT_THERE = ("RESULTS", "ALLOW_HOST", "FAULTS", "TESTID")


def archive(program: str, script: Path) -> bytes:
    """All modules of a workload, as k6 packs them."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / ARCHIVE
        subprocess.run([program, "archive", "--archive-out", str(file), str(script)], check=True, capture_output=True, timeout=60)
        made = file.read_bytes()
    assert len(made) < LARGEST, f"{len(made)} bytes are too many for a ConfigMap"
    return made


def manifests(chosen: Settings, program: str, script: Path, testid: str, parallelism: int, prometheus: str) -> list[dict[str, Any]]:
    """To be applied in the namespace of the test."""
    version = k6.version(program)
    name = f"loadtest-{chosen.workload}"
    labels = {"app.kubernetes.io/name": "glassbox-loadtest", "app.kubernetes.io/component": chosen.workload,
              "app.kubernetes.io/part-of": "glassbox"}
    told = {**{name: value for name, value in chosen.text.items() if name not in NOT_THERE and value},
            "TESTID": testid, "RUN": k6.run_id(), "K6_VERSION": version, "RESULTS": "/tmp"}
    words = "--no-usage-report"
    if prometheus:
        told |= k6.remote_write(prometheus)
        words += f" --out {k6.REMOTE_WRITE}"
    runner = {
        "image": f"docker.io/grafana/k6:{version}",
        "env": [{"name": name, "value": value} for name, value in sorted(told.items())],
        "resources": {"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": {"runAsNonRoot": True, "runAsUser": 12345, "runAsGroup": 12345,
                            "seccompProfile": {"type": "RuntimeDefault"}},
        "containerSecurityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels},
         "binaryData": {ARCHIVE: base64.b64encode(archive(program, script)).decode()}},
        {"apiVersion": "k6.io/v1alpha1", "kind": "TestRun", "metadata": {"name": name, "labels": labels},
         "spec": {"parallelism": parallelism, "script": {"configMap": {"name": name, "file": ARCHIVE}},
                  "arguments": words, "cleanup": "post", "runner": runner}}]


def text(documents: list[dict[str, Any]]) -> str:
    """YAML, for kubectl apply."""
    return yaml.safe_dump_all(documents, sort_keys=False, width=120)
