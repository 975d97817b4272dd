"""What Argo CD says: Applications, the ApplicationSet, and how they came to be as they are."""

import json
import threading
import time
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from cluster import Cluster
from glassbox_gitops.argo import PART
from programs import NAMESPACE
from wire import eventually

GROUP = "apis/argoproj.io/v1alpha1"
PATH = f"/{GROUP}/namespaces/{NAMESPACE}/applications"
SET = "environments"
REFRESH = "argocd.argoproj.io/application-set-refresh"
COMPARE = "argocd.argoproj.io/refresh"


@dataclass(frozen=True)
class Event:
    """An Application at one moment; moments are in the API server's order."""

    seconds: float
    kind: str  # ADDED, MODIFIED, DELETED
    name: str
    part: str
    wave: int
    revision: str
    sync: str
    health: str


def event(kind: str, item: dict[str, Any], since: float) -> Event:
    """Of a line of a watch."""
    status, metadata = item.get("status", {}), item["metadata"]
    return Event(round(time.monotonic() - since, 1), kind, metadata["name"],
                 metadata.get("labels", {}).get(PART, ""), int(metadata.get("annotations", {}).get("argocd.argoproj.io/sync-wave", "0")), revision(item),
                 status.get("sync", {}).get("status", ""), status.get("health", {}).get("status", ""))


def revision(item: dict[str, Any]) -> str:
    """The commit of this repository that it is to be."""
    sources = item["spec"].get("sources") or [item["spec"]["source"]]
    return str(sources[-1]["targetRevision"])


def done(item: dict[str, Any], wanted: str) -> bool:
    """Whether it is that commit's, and well, and nothing is under way. What was replaced and needed no sync has no operation."""
    status = item.get("status", {})
    return (revision(item) == wanted and status.get("sync", {}).get("status") == "Synced"
            and status.get("health", {}).get("status") == "Healthy"
            and status.get("operationState", {}).get("phase", "Succeeded") == "Succeeded"
            and wanted in (status["sync"].get("revisions") or [status["sync"].get("revision")]))


class Applications:
    """All of them, watched from `with` to its end."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.history: list[Event] = []
        self.since = time.monotonic()
        self.ended = False

    def __enter__(self) -> "Applications":
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended = True

    def _watch(self) -> None:
        """Each time from what there is: a watch may end."""
        while not self.ended:
            try:
                with self.cluster.open(f"{PATH}?watch=1", None) as lines:
                    for line in lines:
                        said = json.loads(line)
                        if said["type"] != "ERROR":
                            self.history.append(event(said["type"], said["object"], self.since))
            except (OSError, HTTPException):
                time.sleep(0.5)

    def all(self) -> dict[str, dict[str, Any]]:
        """By name."""
        return {item["metadata"]["name"]: item for item in self.cluster.items(NAMESPACE, "applications", group=GROUP)}

    def health(self, name: str) -> str:
        """What Argo CD calls it; "" before it has looked."""
        return str(self.all()[name].get("status", {}).get("health", {}).get("status", ""))

    def look(self) -> None:
        """The repository has changed: what its host would tell Argo CD, which else asks every minute. Of a look that failed
        the annotation is still there, and the same again would be no change."""
        for word in (f"{REFRESH}-", f"{REFRESH}=true"):
            self.cluster.kubectl("--namespace", NAMESPACE, "annotate", "applicationset", SET, word)

    def settle(self, wanted: str, names: set[str], seconds: float) -> None:
        """Waits until these and no others are that commit's, and well."""
        def settled() -> bool:
            found = self.all()
            return set(found) == names and all(done(item, wanted) for item in found.values())
        assert eventually(settled, seconds, 0.5), self.told()

    def reach(self, wanted: str, names: set[str], seconds: float) -> None:
        """Waits until these are that commit's, and well, whatever others are."""
        def reached() -> bool:
            found = self.all()
            return all(name in found and done(found[name], wanted) for name in names)
        assert eventually(reached, seconds, 0.5), self.told()

    def compare(self, name: str, seconds: float) -> dict[str, Any]:
        """Has Argo CD compare an Application with its sources now; what it then says of it."""
        self.cluster.kubectl("--namespace", NAMESPACE, "annotate", "application", name, f"{COMPARE}=normal")
        assert eventually(lambda: COMPARE not in self.all()[name]["metadata"].get("annotations", {}), seconds, 0.5), self.told()
        return self.all()[name]["status"]

    def conditions(self) -> dict[str, str]:
        """What the ApplicationSet says of itself: each message, by reason."""
        said = self.cluster.get(f"/{GROUP}/namespaces/{NAMESPACE}/applicationsets/{SET}").get("status", {})
        return {each["reason"]: each["message"] for each in said.get("conditions", [])}

    def told(self) -> str:
        """All that they say, for a message."""
        lines = [f"ApplicationSet: {self.conditions()}"]
        for name, item in self.all().items():
            status = item.get("status", {})
            operation = status.get("operationState", {})
            bad = [f"{each['kind']}/{each['name']}: {each.get('health', {}).get('status', each.get('status'))}"
                   for each in status.get("resources", [])
                   if each.get("status") != "Synced" or each.get("health", {}).get("status", "Healthy") != "Healthy"]
            lines.append(f"{name}: {revision(item)[:12]} {status.get('sync', {}).get('status')} "
                         f"{status.get('health', {}).get('status')}; {operation.get('phase')}: {operation.get('message')}; "
                         f"{status.get('conditions', '')} {', '.join(bad)}")
        return "\n".join(lines)
