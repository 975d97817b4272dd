"""Why a part is not ready, from what the cluster says of it, and what to do.

To teach it another kind of trouble: a row in ADVICE.
"""

from __future__ import annotations

import re

from .ready import Lacking, named
from .tools import Tools

# What the cluster says, and what helps. {0} is the pod, {1} its namespace.
ADVICE = (
    (r"ErrImageNeverPull|ErrImagePull|ImagePullBackOff|InvalidImageName",
     "the node cannot get this image: see its name above; values of the part: image.repository, image.tag, "
     "pull secrets"),
    (r'secret "([^"]+)" not found', "make the Secret that is named, then run this again"),
    (r"CreateContainerConfigError", "kubectl -n {1} describe pod {0}: a Secret, ConfigMap or user that it names"),
    (r"unbound immediate PersistentVolumeClaims|no persistent volumes available|storageclass",
     "no StorageClass gives it a volume: set a default one, or storageSpec and storage to null in the overlay's "
     "kube-prometheus-stack.yaml"),
    (r"Insufficient (cpu|memory|ephemeral-storage)|Too many pods",
     "no node has room for it: add one, or lower the part's resources.requests in the overlay"),
    (r"violates PodSecurity", "the namespace's pod-security.kubernetes.io/enforce label forbids it"),
    (r"exceeded quota", "the namespace's ResourceQuota is used up: kubectl -n {1} describe resourcequota"),
    (r"OOMKilled", "its memory limit is too low: resources.limits.memory of the part, in the overlay"),
    (r"CrashLoopBackOff|RunContainerError|StartError", "kubectl -n {1} logs {0} --all-containers --previous"),
    (r"x509: |certificate signed by unknown", "the kubelets' certificates are not of the cluster's authority: "
     "kubeletArgs [--kubelet-insecure-tls] in the overlay's metrics-server.yaml, or serverTLSBootstrap for them"),
    (r"Readiness probe failed|Startup probe failed", "kubectl -n {1} logs {0} --all-containers"),
)

# Why a container waits, where waiting does not help: somebody has to do something.
HOPELESS = {"ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"}


def _pods(tools: Tools, thing: dict) -> list[dict]:
    """The pods of a workload."""
    labels = (thing["spec"].get("selector") or {}).get("matchLabels") if thing["kind"] in (
        "Deployment", "StatefulSet", "DaemonSet") else None
    if not labels:
        return []
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    return tools.items("pods", "-n", thing["metadata"]["namespace"], "-l", selector)


def _of_conditions(thing: dict) -> list[str]:
    conditions = thing.get("status", {}).get("conditions") or []
    return [f"{each['type']} is {each['status']}: {each.get('reason', '')}: {each.get('message', '')}".strip(": ")
            for each in conditions
            if (each["status"] == "True") == (each["type"] == "ReplicaFailure")  # the one that is bad news when true
            and each["type"] not in ("Ready", "ContainersReady")]


def _containers(pod: dict) -> list[dict]:
    """What the kubelet says of each of its containers."""
    status = pod.get("status", {})
    return (status.get("initContainerStatuses") or []) + (status.get("containerStatuses") or [])


def _of_containers(pod: dict) -> list[str]:
    lines = []
    for each in _containers(pod):
        waiting, last = each.get("state", {}).get("waiting"), each.get("lastState", {}).get("terminated")
        if waiting:
            lines.append(f"{each['name']} ({each['image']}) waits: {waiting.get('reason', '')}: "
                         f"{waiting.get('message', '')}".rstrip(": "))
        elif not each.get("ready") and "running" in each.get("state", {}):
            lines.append(f"{each['name']} runs and is not ready")
        if last:
            lines.append(f"{each['name']} ended before, {each.get('restartCount', 0)} times: "
                         f"{last.get('reason', '')}, exit code {last.get('exitCode')}")
    return lines


def _of_events(events: list[dict], name: str) -> list[str]:
    """The last three different warnings about an object or what was made of it."""
    own = [each for each in events if (each["involvedObject"].get("name", "") + "-").startswith(name + "-")]
    own.sort(key=lambda each: each.get("lastTimestamp") or each.get("eventTime") or "")
    lines = dict.fromkeys(f"{each.get('reason', '')}: {each.get('message', '')}" for each in own)
    return list(lines)[-3:]


def _advice(text: str, pod: str, namespace: str) -> list[str]:
    return [advice.format(pod, namespace) for pattern, advice in ADVICE if re.search(pattern, text, re.IGNORECASE)]


def hopeless(tools: Tools, lacking: Lacking) -> bool:
    """Whether a container of what is missing is in such a state."""
    statuses = [each for thing, _ in lacking if thing for pod in _pods(tools, thing) for each in _containers(pod)]
    return any(each.get("state", {}).get("waiting", {}).get("reason") in HOPELESS for each in statuses)


def explain(tools: Tools, lacking: Lacking) -> str:
    """A paragraph for each thing that is not ready."""
    lines, helps = [], []
    for thing, lacks in lacking:
        if thing is None:
            lines.append(f"  {lacks}")
            continue
        namespace = thing["metadata"].get("namespace", "")
        about = _of_conditions(thing)
        events = tools.items("events", "-n", namespace, "--field-selector", "type=Warning") if namespace else []
        about += [f"event: {each}" for each in _of_events(events, thing["metadata"]["name"])]
        pod_name = ""
        for pod in _pods(tools, thing):
            said = _of_conditions(pod) + _of_containers(pod)
            if said:
                pod_name = pod["metadata"]["name"]
                about += [f"pod {pod_name}: {each}" for each in said]
        lines += [f"  {named(thing)}: {lacks}", *(f"      {each[:300]}" for each in dict.fromkeys(about))]
        helps += _advice("\n".join([lacks, *about]), pod_name or thing["metadata"]["name"], namespace)
    helps = list(dict.fromkeys(helps)) or ["the line above says what it waits for; --timeout gives it longer"]
    return "\n".join([*lines, *(f"  do: {each}" for each in helps)])
