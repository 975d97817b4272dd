"""k6 in the cluster: a Job with the scripts, and its log, which has the time of the first request and the summary."""

import base64
import json
import re
import sys
from dataclasses import dataclass
from typing import Any

from .. import k6, testrun
from ..refused import Refused
from ..settings import Settings
from .api import Api
from .loads import Demonstration

STDOUT = "-"  # in place of RESULTS
SUMMARY = "summary "
LAST = 50     # lines of its log, once the first is known
KEPT = 600    # seconds that it stays where nobody could delete it
GRACE = 120   # seconds for the image to be there, and for what k6 does after its scenarios


class Failed(Refused):
    """There is nothing to wait for."""


@dataclass(frozen=True)
class Log:
    """What k6 has said so far."""

    begun: float | None                 # seconds since the epoch, when the first request was under way
    summary: dict[str, Any] | None      # when it is over


def read(text: str) -> Log:
    """A note is of a request that has ended: it began before, by its duration. A line that is being written is none
    yet."""
    begun, summary = None, None
    for line in text.splitlines():
        try:
            if line.startswith(SUMMARY):
                summary = json.loads(line[len(SUMMARY):])
            elif begun is None and line.startswith('{"note"'):
                row = json.loads(line)
                begun = (row["at"] - row["ms"]) / 1000
        except (ValueError, KeyError, TypeError):
            continue
    return Log(begun, summary)


class Job:
    """From `with` to its end."""

    def __init__(self, api: Api, chosen: Settings, program: str, testid: str, demonstration: Demonstration) -> None:
        self.api, self.chosen, self.testid, self.demonstration = api, chosen, testid, demonstration
        self.program, self.namespace = program, chosen["NAMESPACE"]
        # Of the test and of this run: another of the same name elsewhere is not ours to delete.
        self.run = k6.run_id()
        self.name = "-".join(["loadtest", *re.findall("[a-z0-9]+", testid.lower())])[:50].rstrip("-") + f"-{self.run[:6]}"

    def __enter__(self) -> "Job":
        try:
            self.api.kubectl("apply", "--server-side", "--field-manager=glassbox-loadtest", "-f", "-",
                             document={"apiVersion": "v1", "kind": "List", "items": self.objects()})
        except BaseException:
            self.delete()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.delete()

    def delete(self) -> None:
        """What there is of it; where that fails it ends by itself, and what came of the test stands."""
        try:
            self.api.kubectl("--namespace", self.namespace, "delete", f"job/{self.name}", f"configmap/{self.name}",
                             "--ignore-not-found", "--wait=false")
        except Refused as refusal:
            print(f"run: {refusal}", file=sys.stderr)

    def told(self) -> dict[str, str]:
        """What the script is told."""
        prometheus = f"http://{self.chosen['PROMETHEUS_SERVICE']}.{self.chosen['MONITORING']}.svc:9090"
        return {**testrun.told_of(self.chosen, self.program, self.testid, STDOUT, prometheus),
                "RUN": self.run, "TARGET": f"http://{self.chosen['RELEASE']}.{self.namespace}.svc",
                "LOADS": json.dumps([one.as_json() for one in self.demonstration.loads])}

    def objects(self) -> list[dict[str, Any]]:
        """The scripts, and what runs them once."""
        labels = {"app.kubernetes.io/name": "glassbox-loadtest", "app.kubernetes.io/instance": self.name,
                  "app.kubernetes.io/part-of": "glassbox"}
        told = self.told()
        meta = {"name": self.name, "namespace": self.namespace, "labels": labels}
        container = {
            "name": "k6", "image": self.chosen["K6_IMAGE"] or testrun.image(self.program),
            "imagePullPolicy": "IfNotPresent",
            "args": ["run", "--quiet", "--no-color", "--no-usage-report", "--log-format=raw",
                     f"--out={k6.REMOTE_WRITE}", f"/scripts/{testrun.ARCHIVE}"],
            "env": testrun.environment(told),
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
            "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": "scripts", "mountPath": "/scripts"}]}
        pod = {"restartPolicy": "Never", "automountServiceAccountToken": False, "enableServiceLinks": False,
               "securityContext": {"runAsNonRoot": True, "runAsUser": testrun.USER, "runAsGroup": testrun.USER,
                                   "seccompProfile": {"type": "RuntimeDefault"}},
               "containers": [container], "volumes": [{"name": "scripts", "configMap": {"name": self.name}}]}
        packed = base64.b64encode(testrun.archive(self.program, k6.script_of("hpa"), told)).decode()
        return [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "binaryData": {testrun.ARCHIVE: packed}},
            {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta,
             "spec": {"backoffLimit": 0, "activeDeadlineSeconds": round(self.demonstration.seconds) + GRACE,
                      "ttlSecondsAfterFinished": KEPT,
                      "template": {"metadata": {"labels": labels}, "spec": pod}}}]

    def log(self, before: Log) -> Log:
        """So far: what was known before is not forgotten when the log is long, or its pod gone. Nothing while that is
        made."""
        pods = self.api.get(f"/api/v1/namespaces/{self.namespace}/pods?"
                            f"labelSelector=app.kubernetes.io/instance%3D{self.name}")
        lines = "" if before.begun is None else f"?tailLines={LAST}"
        for pod in pods["items"]:
            if pod["status"]["phase"] in ("Running", "Succeeded", "Failed"):
                path = f"/api/v1/namespaces/{self.namespace}/pods/{pod['metadata']['name']}/log{lines}"
                text = self.api.call(path).decode(errors="replace")
                found = read(text)
                if pod["status"]["phase"] == "Failed" and found.summary is None:
                    raise Failed(f"k6 has failed in the cluster: {text.strip()[-400:]}")
                return Log(before.begun or found.begun, found.summary)
        return before
