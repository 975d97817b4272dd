"""The third way to give a plan to processes: the ConfigMap that a cluster mounts as their plan's file.

All by kubectl, with the context, cluster and rights that it has. One key is patched, and only while the ConfigMap is
still the one that was read (its resourceVersion goes with the patch), so that two who write at once do not undo each
other. The kubelet looks at a pod's volumes when it looks at the pod, each minute or so, or when the pod changes: so the
pods that mount the ConfigMap get an annotation, and have the plan within seconds. Who may not annotate pods waits
longer; the drill's clock starts when all have it. What was patched belongs to who patched it, and Helm 4 would
refuse to change it: so the key is given back to its owners afterwards.
"""

import json
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import Any, Optional

from .arming import as_text, no_faults, unfinished
from .web import Refused

PATIENCE = 30
MANAGER = "glassbox-drill"            # of the key, while its plan is there
ANNOTATION = "glassbox/plan-written"  # on pods: when, for the kubelet to look


def why(text: str) -> str:
    """The last line of what kubectl said, which is the reason."""
    lines = [line for line in text.strip().splitlines() if line]
    return lines[-1] if lines else "it said nothing"


@dataclass
class ConfigMap:
    """One key of one ConfigMap."""

    config_map: str
    namespace: Optional[str] = None
    key: str = "plan.json"
    context: Optional[str] = None
    kubectl: str = "kubectl"
    before: Optional[str] = None
    written: Optional[str] = None
    name: str = "by the ConfigMap"
    delay: float = 120.0  # the kubelet's period and the cache's time to live, and a little
    begins: bool = False
    reaches_all: bool = True

    def command(self, *words: str) -> list[str]:
        """kubectl's arguments; where no namespace is given its own default is taken."""
        place = (["--namespace", self.namespace] if self.namespace else [])
        return [self.kubectl, *(["--context", self.context] if self.context else []), *place, *words]

    def run(self, *words: str, document: Any = None) -> str:
        if shutil.which(self.kubectl) is None:
            raise Refused(f"{self.kubectl} is not there: the way by the ConfigMap needs it")
        command = self.command(*words, f"--request-timeout={PATIENCE}s")
        try:
            # In a group of its own: Ctrl-C is for the drill, which restores, not for what it restores with.
            done = subprocess.run(command, input=None if document is None else json.dumps(document),
                                  capture_output=True, text=True, timeout=PATIENCE + 10, start_new_session=True)
        except subprocess.TimeoutExpired:
            raise Refused(f"kubectl did not answer within {PATIENCE + 10} s: {' '.join(command)}") from None
        if done.returncode != 0:
            raise Refused(f"`{' '.join(command)}` failed: {why(done.stderr)}")
        return done.stdout

    def get(self, *more: str) -> dict[str, Any]:
        return json.loads(self.run("get", "configmap", self.config_map, "--output", "json", *more))

    def occupied(self) -> Optional[str]:
        text = (self.get().get("data") or {}).get(self.key)
        if text is None:
            return None
        try:
            return unfinished(json.loads(text), f"ConfigMap {self.config_map}, key {self.key},")
        except ValueError:
            return f"ConfigMap {self.config_map}, key {self.key}, holds what is no plan: make it well first"

    def patch(self, text: str, version: str) -> None:
        document = {"metadata": {"resourceVersion": version}, "data": {self.key: text}}
        self.run("patch", "configmap", self.config_map, "--type", "merge", "--field-manager", MANAGER,
                 "--patch-file", "/dev/stdin", "--output", "name", document=document)
        self.nudge()

    def disown(self) -> None:
        """Takes our name off the key. Who may not, or is too late, leaves it there: that keeps nothing from working but
        an upgrade that brings another plan, which says so."""
        try:
            found = self.get("--show-managed-fields")["metadata"]
            others = [entry for entry in found.get("managedFields", ()) if entry.get("manager") != MANAGER]
            if others and len(others) < len(found["managedFields"]):
                self.run("patch", "configmap", self.config_map, "--type", "merge", "--patch-file", "/dev/stdin",
                         "--output", "name", document={"metadata": {
                             "resourceVersion": found["resourceVersion"], "managedFields": others}})
        except Refused:
            pass

    def mounts(self, pod: dict[str, Any]) -> bool:
        """Whether a pod has the ConfigMap as a volume, by itself or among others."""
        return any(source.get("configMap", {}).get("name") == self.config_map
                   for volume in pod["spec"].get("volumes", ())
                   for source in (volume, *volume.get("projected", {}).get("sources", ())))

    def nudge(self) -> None:
        """Has the kubelet look at the pods now. Where that is refused it looks by itself, a little later."""
        try:
            pods = json.loads(self.run("get", "pods", "--output", "json"))["items"]
            names = [pod["metadata"]["name"] for pod in pods if self.mounts(pod)]
            if names:
                self.run("annotate", "pods", *names, "--overwrite", f"{ANNOTATION}={time.time():.3f}",
                         "--output", "name")
        except Refused:
            pass

    def arm(self, plan: Any) -> None:
        found = self.get()
        self.before = (found.get("data") or {}).get(self.key)
        self.written = as_text(plan)
        self.patch(self.written, found["metadata"]["resourceVersion"])

    def restore(self) -> None:
        if self.written is None:
            return
        for attempt in range(1, 6):
            try:
                found = self.get()
                if (found.get("data") or {}).get(self.key) == self.written:
                    self.patch(self.before if self.before is not None else no_faults(),
                               found["metadata"]["resourceVersion"])
                self.written = None
                self.disown()
                return
            except Refused:
                if attempt == 5:
                    raise
                time.sleep(1)
