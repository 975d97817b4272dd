"""Load that does not wait: openload.js as a Job in the cluster, and its log as it comes.

    with Load(cluster, clients, url, rows, rate=60, seconds=40) as load:
        load.wait_begun()
        …                      what is to happen under it
        sent = load.finish()   every request that was sent, whole and checked

The rate is kept whatever happens to the answers; should k6 not be able to, for want of VUs or CPU, finish() fails with
that: a load that gives way proves nothing.
"""

import json
import secrets
from pathlib import Path
from typing import Any

from client import K6, image, pod
from cluster import Cluster
from follow import Logs
from requests_log import Row, Sending, read
from wire import eventually

SCRIPT = Path(__file__).parent / "openload.js"
NAME = "openload"
LONGEST = 8  # seconds for an answer, on average over all VUs: beyond that the rate cannot be kept
BEGUN = 20     # requests, and the load is under way


class Load:
    """One Job, from `with` to its end."""

    def __init__(self, cluster: Cluster, namespace: str, url: str, rows: list[Row], rate: int, seconds: int) -> None:
        self.cluster, self.namespace, self.rows = cluster, namespace, rows
        self.rate, self.seconds = rate, seconds
        self.run = secrets.token_hex(8)
        self.agent = f"k6/{K6} testid/{self.run}"
        self.name = f"{NAME}-{self.run[:6]}"
        self.selector = f"app.kubernetes.io/name={NAME},app.kubernetes.io/instance={self.name}"
        self.settings: dict[str, Any] = {
            "RUN": self.run, "TARGET": url, "RATE": rate, "SECONDS": seconds, "VUS": rate * LONGEST + 10,
            "USER_AGENT": self.agent}
        self.log = Logs(cluster, namespace, self.selector, "k6")

    def __enter__(self) -> "Load":
        self.log.__enter__()
        self.cluster.apply(*self.objects())
        return self

    def __exit__(self, *_: object) -> None:
        self.log.__exit__()
        for kind in ("job", "configmap"):
            self.cluster.kubectl("--namespace", self.namespace, "delete", kind, self.name, "--ignore-not-found",
                                 "--wait=false", check=False)

    def objects(self) -> list[dict[str, Any]]:
        """The script, and the Job that runs it once."""
        labels = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/instance": self.name}
        meta = {"name": self.name, "namespace": self.namespace, "labels": labels}
        settings = {**self.settings, "ROWS": json.dumps([row.as_json() for row in self.rows])}
        container = {
            "name": "k6", "image": image("k6", self.cluster.is_node), "imagePullPolicy": "IfNotPresent",
            # What k6 says of itself would be between the lines.
            "args": ["run", "--quiet", "--no-color", "--no-usage-report", "--log-format=raw", "/script/openload.js"],
            "env": [{"name": name, "value": str(value)} for name, value in settings.items()],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
            "volumeMounts": [{"name": "script", "mountPath": "/script"}]}
        made = pod(self.name, container, [{"name": "script", "configMap": {"name": self.name}}])
        template = {"metadata": {"labels": labels}, "spec": made["spec"]}
        return [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"openload.js": SCRIPT.read_text()}},
            {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta,
             "spec": {"backoffLimit": 0, "activeDeadlineSeconds": self.seconds + 120, "template": template}}]

    # ---- how far it is --------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """Of k6's log, so far."""
        return [text for one in list(self.log.containers.values()) for text in one.text]

    def sent(self) -> Sending:
        """What has ended so far."""
        return read(self.run, self.rows, self.lines())

    def is_over(self) -> bool:
        """Whether its last line is here."""
        found = list(self.log.containers.values())
        return bool(found) and all(one.ended for one in found)

    def wait_begun(self, timeout: float = 60) -> None:
        """Until some requests were answered."""
        assert eventually(lambda: len(self.lines()) >= BEGUN or self.is_over(), timeout, 0.1), self._why()
        assert not self.is_over(), self._why()

    def finish(self) -> Sending:
        """What was sent, when it is over and whole."""
        assert eventually(self.is_over, self.seconds + 90, 0.2), self._why()
        assert not self.log.troubles(), self.log.troubles()
        sent = self.sent()
        assert sent.summary, self._why()
        return sent.check()

    def _why(self) -> str:
        """For an assertion: what is known of it."""
        pods = self.cluster.items(self.namespace, "pods", self.selector)
        return f"{[pod['status'] for pod in pods]} {self.lines()[-5:]}"
