"""Whether what an environment runs finds room on its nodes, of which nothing makes more: a pod that finds none waits.

All that a cluster's children ask for (requests), with glassbox at its autoscaler's most, against the nodes that Terraform
makes (`desired_size`), and against those that are left when a zone is lost. Added up, not placed: pods are small beside a
node.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

import pytest
from glassbox_doctor.links.custom_metrics_api import quantity
from glassbox_gitops.release import ENVIRONMENTS
from rendering import ROOT, Unavailable, children, manifests, objects

pytestmark = pytest.mark.skipif("GITOPS_BIN" not in os.environ, reason="no GITOPS_BIN (.ci/tools.sh gitops)")
ZONES = 3
MI = 2.0**20


@dataclass(frozen=True)
class Room:
    """CPUs and bytes."""

    cpu: float = 0
    memory: float = 0

    def __add__(self, other: Room) -> Room:
        return Room(self.cpu + other.cpu, self.memory + other.memory)

    def __mul__(self, times: float) -> Room:
        return Room(self.cpu * times, self.memory * times)


# What EKS leaves to pods of 2 CPUs and 8 GiB: 70 mCPU, and of memory 255 MiB, 11 MiB for each of 35 pods, 100 MiB before it
# evicts, and the kernel's own are gone.
NODE = Room(1.93, 7000 * MI)
TYPES = dict.fromkeys(("t3.large", "t3a.large", "m5.large", "m6i.large"), NODE)
# Not rendered here: EKS's add-ons on each node (network, proxy, volume driver, agent), and what is one for a cluster (DNS, the
# volume driver's controllers, Argo CD). And what is rendered but asks for nothing, or cannot be had: each such pod.
ON_EACH_NODE, ONCE, UNKNOWN = Room(0.25, 256 * MI), Room(1, 2048 * MI), Room(0.05, 64 * MI)


def asked(containers: list[dict[str, Any]]) -> Room:
    """What a pod of these asks for."""
    requests = [each.get("resources", {}).get("requests", {}) for each in containers]
    room = Room(*(sum(quantity(str(each.get(what, 0))) for each in requests) for what in ("cpu", "memory")))
    return Room(room.cpu or UNKNOWN.cpu, room.memory or UNKNOWN.memory)


def needed(found: list[dict[str, Any]], nodes: int) -> Room:
    """Of all workloads; an autoscaler's most counts, and a DaemonSet is on each node."""
    most = {each["spec"]["scaleTargetRef"]["name"]: each["spec"]["maxReplicas"] for each in found
            if each["kind"] == "HorizontalPodAutoscaler"}
    total = Room()
    for each in found:
        spec = each.get("spec", {})
        if each["kind"] in ("Prometheus", "Alertmanager"):
            total += asked([spec]) * spec.get("replicas", 1)
        elif each["kind"] in ("Deployment", "StatefulSet"):
            total += asked(spec["template"]["spec"]["containers"]) * most.get(each["metadata"]["name"], spec.get("replicas", 1))
        elif each["kind"] == "DaemonSet":
            total += asked(spec["template"]["spec"]["containers"]) * nodes
    return total


def nodes_of(environment: str) -> tuple[int, Room]:
    """How many of a zone, and the least of the types they may be."""
    text = (ROOT / f"infra/terraform/environments/{environment}/terraform.tfvars").read_text()
    ((types, desired),) = re.findall(r"instance_types\s*=\s*\[(.*?)\].*?desired_size\s*=\s*(\d+)", text, re.DOTALL)
    return int(desired), min((TYPES[each] for each in re.findall('"(.+?)"', types)), key=lambda room: (room.cpu, room.memory))


@pytest.mark.parametrize("lost", [0, 1], ids=["all-zones", "a-zone-lost"])
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_all_pods_find_room(environment: str, lost: int) -> None:
    desired, node = nodes_of(environment)
    nodes = desired * (ZONES - lost)
    total = ON_EACH_NODE * nodes + ONCE
    for child in children(environment):
        try:
            # Definitions hold what the loader does not take, and no pods.
            parts = [each for each in manifests(child).split("\n---\n") if "kind: CustomResourceDefinition" not in each]
            total += needed(objects("\n---\n".join(parts)), nodes)
        except Unavailable:
            total += UNKNOWN * 2
    room = node * nodes
    said = (f"{environment}: {nodes} nodes: {total.cpu:.2f} of {room.cpu:.2f} CPUs, "
            f"{total.memory / MI:.0f} of {room.memory / MI:.0f} MiB are asked for")
    print(said)
    assert total.cpu <= room.cpu and total.memory <= room.memory, said
