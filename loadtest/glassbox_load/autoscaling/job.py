"""k6 in the cluster: a Job with the scripts, and its log, which has the time of the first request and the summary."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from .. import k6, testrun
from ..refused import Refused
from ..settings import Settings
from .api import Api
from .loads import Demonstration

STDOUT = "-"  # in place of RESULTS
SUMMARY = "summary "
USER = 12345
GRACE = 120   # seconds for the image to be there, and for what k6 does after its scenarios


@dataclass(frozen=True)
class Log:
    """What k6 has said so far."""

    begun: float | None                 # seconds since the epoch, when the first request was under way
    summary: dict[str, Any] | None      # when it is over


def read(text: str) -> Log:
    """A note is of a request that has ended: it began before, by its duration."""
    begun, summary = None, None
    for line in text.splitlines():
        if line.startswith(SUMMARY):
            summary = json.loads(line[len(SUMMARY):])
        elif begun is None and line.startswith('{"note"'):
            row = json.loads(line)
            begun = (row["at"] - row["ms"]) / 1000
    return Log(begun, summary)


class Job:
    """From `with` to its end."""

    def __init__(self, api: Api, chosen: Settings, program: str, testid: str, demonstration: Demonstration) -> None:
        self.api, self.chosen, self.testid, self.demonstration = api, chosen, testid, demonstration
        self.program, self.namespace = program, chosen["NAMESPACE"]
        self.name = f"loadtest-{testid}"[:63].rstrip("-._").lower()

    def __enter__(self) -> "Job":
        self.api.kubectl("apply", "--server-side", "--field-manager=glassbox-loadtest", "-f", "-",
                         document={"apiVersion": "v1", "kind": "List", "items": self.objects()})
        return self

    def __exit__(self, *_: object) -> None:
        self.api.kubectl("--namespace", self.namespace, "delete", f"job/{self.name}", f"configmap/{self.name}",
                         "--ignore-not-found", "--wait=false")

    def environment(self) -> dict[str, str]:
        """What the script is told."""
        version = k6.version(self.program)
        told = {**self.chosen.text, "TARGET": f"http://{self.chosen['RELEASE']}.{self.namespace}.svc", "RESULTS": STDOUT,
                "TESTID": self.testid, "K6_VERSION": version, "RUN": k6.run_id(),
                "LOADS": json.dumps([one.as_json() for one in self.demonstration.loads]),
                **k6.remote_write(f"http://{self.chosen['PROMETHEUS_SERVICE']}.{self.chosen['MONITORING']}.svc:9090")}
        return {name: value for name, value in told.items() if value}

    def objects(self) -> list[dict[str, Any]]:
        """The scripts, and what runs them once."""
        labels = {"app.kubernetes.io/name": "glassbox-loadtest", "app.kubernetes.io/instance": self.name,
                  "app.kubernetes.io/part-of": "glassbox"}
        meta = {"name": self.name, "namespace": self.namespace, "labels": labels}
        container = {
            "name": "k6", "image": self.chosen["K6_IMAGE"], "imagePullPolicy": "IfNotPresent",
            "args": ["run", "--quiet", "--no-color", "--no-usage-report", "--log-format=raw", f"--out={k6.REMOTE_WRITE}",
                     f"/scripts/{testrun.ARCHIVE}"],
            "env": [{"name": name, "value": value} for name, value in self.environment().items()],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
            "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": "scripts", "mountPath": "/scripts"}]}
        pod = {"restartPolicy": "Never", "automountServiceAccountToken": False, "enableServiceLinks": False,
               "securityContext": {"runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER,
                                   "seccompProfile": {"type": "RuntimeDefault"}},
               "containers": [container], "volumes": [{"name": "scripts", "configMap": {"name": self.name}}]}
        packed = base64.b64encode(testrun.archive(self.program, k6.script_of("hpa"))).decode()
        return [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "binaryData": {testrun.ARCHIVE: packed}},
            {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta,
             "spec": {"backoffLimit": 0, "activeDeadlineSeconds": round(self.demonstration.seconds) + GRACE,
                      "template": {"metadata": {"labels": labels}, "spec": pod}}}]

    def log(self) -> Log:
        """So far; nothing while its pod is made."""
        pods = self.api.get(f"/api/v1/namespaces/{self.namespace}/pods?labelSelector=app.kubernetes.io/instance%3D{self.name}")
        for pod in pods["items"]:
            if pod["status"]["phase"] in ("Running", "Succeeded", "Failed"):
                text = self.api.call(f"/api/v1/namespaces/{self.namespace}/pods/{pod['metadata']['name']}/log").decode()
                found = read(text)
                if pod["status"]["phase"] == "Failed" and found.summary is None:
                    raise Refused(f"k6 has failed in the cluster: {text.strip()[-400:]}")
                return found
        return Log(None, None)
