"""pods-ready: none, not made, not placed, not started, crashed, not ready, and each of them told apart."""

from typing import Any

import pytest

from examine import Case, check, drop, labels, look, one, warn
from world import NAME, NAMESPACE, OURS, PODS, World, deployment, whole


def waiting(reason: str, message: str = "") -> Any:
    def break_it(world: World) -> None:
        pod = one(world, "pods", PODS[0])
        pod["status"]["conditions"][1]["status"] = "False"
        pod["status"]["containerStatuses"][0].update(
            ready=False, image="ghcr.io/x/glassbox:9.9.9", state={"waiting": {"reason": reason, "message": message}})
    return break_it


def ended(reason: str, code: int) -> Any:
    def break_it(world: World) -> None:
        waiting("CrashLoopBackOff", "back-off")(world)
        status = one(world, "pods", PODS[0])["status"]["containerStatuses"][0]
        status.update(restartCount=4, lastState={"terminated": {"reason": reason, "exitCode": code}})
        world["logs"][PODS[0]] = "started\n--workers: 900 is not 1 to 64\n"
    return break_it


def says(line: str, then: Any, container: str = "glassbox") -> Any:
    """As `then` breaks it, with other last words, or in another container of the pod."""
    def break_it(world: World) -> None:
        then(world)
        world["logs"][PODS[0]] = line
        one(world, "pods", PODS[0])["status"]["containerStatuses"][0]["name"] = container
    return break_it


def by_digest(world: World) -> None:
    waiting("ErrImagePull", "not found")(world)
    one(world, "pods", PODS[0])["status"]["containerStatuses"][0]["image"] = "ghcr.io/x/glassbox@sha256:0123"


def not_alive(world: World) -> None:
    ended("Completed", 0)(world)
    warn(world, "Pod", PODS[0], "Unhealthy", "Liveness probe failed: deadline exceeded")


def unscheduled(message: str) -> Any:
    def break_it(world: World) -> None:
        one(world, "pods", PODS[1])["status"]["conditions"] = [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]
    return break_it


def unready(message: str, reason: str = "Unhealthy", exposition: str = "") -> Any:
    def break_it(world: World) -> None:
        one(world, "pods", PODS[1])["status"]["conditions"][1].update(
            status="False", message="containers with unready status: [glassbox]")
        world["expositions"][PODS[1]] = exposition
        if message:
            warn(world, "Pod", PODS[1], reason, message)
    return break_it


def elsewhere(world: World) -> None:
    one(world, "deployments", NAME)["metadata"]["namespace"] = "market"


def another(world: World) -> None:
    drop(world, "deployments", NAME)
    whose = {**OURS, "app.kubernetes.io/instance": "kiosk"}
    world["objects"]["deployments"].append(deployment("kiosk-glassbox", NAMESPACE, whose, whose, 1, containers=[]))


def forbidden_to_be_made(message: str) -> Any:
    def break_it(world: World) -> None:
        one(world, "deployments", NAME)["status"]["conditions"] = [
            {"type": "ReplicaFailure", "status": "True", "message": message}]
    return break_it


def leaving(world: World) -> None:
    one(world, "pods", PODS[1])["metadata"]["deletionTimestamp"] = "2026-11-26T16:00:00Z"


CASES = [
    Case("not installed", lambda world: drop(world, "deployments", NAME),
         "no Deployment with app.kubernetes.io/instance=shop in namespace store",
         "helm install shop charts/glassbox --namespace store --create-namespace"),
    Case("in another namespace", elsewhere, "release shop is in namespace market, not in store",
         "doctor --release shop --namespace market"),
    Case("under another release", another, "no Deployment of release shop in namespace store, but of kiosk",
         "doctor --release kiosk --namespace store"),
    Case("scaled to 0", lambda world: one(world, "deployments", NAME)["spec"].update(replicas=0),
         "shop-glassbox is scaled to 0", "kubectl -n store scale deployment/shop-glassbox --replicas=2"),
    Case("quota", forbidden_to_be_made('pods "x" is forbidden: exceeded quota: small, requested: cpu=100m'),
         "exceeded quota: small", "values of glassbox: resources.requests: less, or raise the ResourceQuota that the "
         "message names"),
    Case("Pod Security", forbidden_to_be_made('violates PodSecurity "restricted:latest": unrestricted capabilities '
                                              '(container "agent" must set …)'), 'violates PodSecurity "restricted',
         "values of glassbox: podSecurityContext, securityContext: the chart's own; or, if the message names another "
         "container than glassbox, what puts that one in"),
    Case("full nodes", unscheduled("0/2 nodes are available: 2 Too many pods."), "2 Too many pods",
         "values of glassbox: autoscaling.maxReplicas: less, or add a node: each takes only so many pods"),
    Case("no room", unscheduled("0/3 nodes are available: 3 Insufficient memory."), "3 Insufficient memory",
         "values of glassbox: resources.requests: what a node has room for"),
    Case("taint", unscheduled("0/3 nodes are available: 3 node(s) had untolerated taint {gpu: true}."),
         "untolerated taint",
         "values of glassbox: tolerations: what a node has room for"),
    Case("no such image", waiting("ImagePullBackOff", 'Back-off pulling image "ghcr.io/x/glassbox:9.9.9"'),
         "ImagePullBackOff: Back-off pulling image", "values of glassbox: image: {repository: ghcr.io/x/glassbox, tag: "
         "9.9.9}: one that the node can pull"),
    Case("no such digest", by_digest, "ErrImagePull: not found", "values of glassbox: image: {repository: "
         "ghcr.io/x/glassbox, digest: sha256:0123}: one that the node can pull"),
    Case("image of a mesh", says("", waiting("ErrImagePull"), "istio-proxy"), "ErrImagePull", "container istio-proxy is "
         "none of the chart's: mend or switch off what puts it into pods of store"),
    Case("memory of a mesh", says("", ended("OOMKilled", 137), "istio-proxy"), "was killed for its memory", "container "
         "istio-proxy is none of the chart's: mend or switch off what puts it into pods of store"),
    Case("a mesh ends", says("no control plane", ended("Completed", 0), "istio-proxy"), "container istio-proxy ended "
         "with exit code 0, 4 times: no control plane", "container istio-proxy is none of the chart's: mend or switch "
         "off what puts it into pods of store"),
    Case("another processor", says("exec /usr/bin/glassbox: exec format error", ended("Error", 255)),
         "exec format error", "values of glassbox: nodeSelector: {kubernetes.io/arch: …}: what the image was built for, "
         "or an image for this one"),
    Case("secret missing", waiting("CreateContainerConfigError", 'secret "token" not found'),
         'secret "token" not found',
         "make what the message names in namespace store, or take its name out of the values (otlp.headersSecret, "
         "faults.token.existingSecret)"),
    Case("wrong option", ended("Error", 2), "exit code 2, 4 times: --workers: 900 is not 1 to 64",
         "values of glassbox: extraArgs, extraEnv: what its last line names"),
    Case("crash", ended("Error", 139), "exit code 139", f"kubectl -n store logs {PODS[0]} --previous"),
    Case("liveness", not_alive, "was ended in order and started again, 4 times: Liveness probe failed: deadline",
         "values of glassbox: probes.liveness.timeoutSeconds, failureThreshold: more, if the node is merely busy"),
    Case("out of memory", ended("OOMKilled", 137), "was killed for its memory, 4 times",
         "values of glassbox: resources.limits.memory: more"),
    Case("fault", unready("Readiness probe failed: HTTP probe failed with statuscode: 503",
                          exposition='glassbox_fault_in_force{fault="not_ready"} 1\n'), "fault not_ready is in force",
         "values of glassbox: faults.plan: {}, or wait for its end (alerts/drill lifts its own)"),
    Case("draining", unready("Readiness probe failed: HTTP probe failed with statuscode: 503",
                             exposition='glassbox_fault_in_force{fault="not_ready"} 0\n'), "it starts, or drains",
         "wait: doctor --wait 60"),
    Case("probe refused", unready("Readiness probe failed: Get http://10.0.0.1:8081/readyz: connection refused"),
         "connection refused", "values of glassbox: extraArgs: no --admin-listen: the probes ask port admin"),
    Case("mount", unready('configmap "shop-glassbox-faults" not found', "FailedMount"),
         'FailedMount: configmap "shop-glassbox-faults" not found', "the message names what to make"),
    Case("starts", unready(""), "containers with unready status: [glassbox] (1 of 2 are)", "wait: doctor --wait 60"),
    Case("rolls", leaving, "1 of 2 pods are there: a rollout or a scaling is under way", "wait: doctor --wait 60"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_pods_ready(case: Case) -> None:
    check("pods-ready", case)


def test_a_pod_more_may_start_while_they_are_rolled() -> None:
    world = whole()
    unready("")(world)
    one(world, "deployments", NAME)["spec"]["replicas"] = 1
    assert look(world)["pods-ready"].found.startswith("1 of 1 pods")


def test_a_crash_that_is_over_is_none() -> None:
    """A container that was restarted once, and is ready since, breaks nothing."""
    world = whole()
    one(world, "pods", PODS[0])["status"]["containerStatuses"][0].update(
        restartCount=1, lastState={"terminated": {"reason": "Error", "exitCode": 1}})
    assert look(world)["pods-ready"].state == "ok"
    assert labels(one(world, "pods", PODS[0])) == OURS
