"""Helm's release of the service, changed and put back: what is given goes over the values that it was installed with."""

import json

from cluster import Cluster
from glassbox import Glassbox

CHART = "charts/glassbox"


class Release:
    """The one that a Glassbox is."""

    def __init__(self, cluster: Cluster, service: Glassbox) -> None:
        self.cluster, self.service = cluster, service

    def _helm(self, *words: str) -> str:
        return self.cluster.helm("--namespace", self.service.namespace, *words)

    def revision(self) -> str:
        """The one in force."""
        return str(json.loads(self._helm("status", self.service.release, "--output", "json"))["version"])

    def upgrade(self, **values: object) -> None:
        """`autoscaling__minReplicas=3` is autoscaling.minReplicas. It does not wait for the pods."""
        told = [word for name, value in values.items()
                for word in ("--set-json", f"{name.replace('__', '.')}={json.dumps(value)}")]
        self._helm("upgrade", self.service.release, CHART, "--reuse-values", *told)

    def rollback(self, revision: str) -> None:
        """To what it was. It does not wait for the pods."""
        self._helm("rollback", self.service.release, revision)
