"""pods-ready: there are as many pods as were asked for, and each takes requests."""

from typing import Iterator, Optional

from ..cluster import Object, condition, labels_of, name_of, namespace_of
from ..exposition import Scrape
from ..facts import COMPONENT, INSTANCE, NAME, Facts
from ..finding import Finding, broken, some, values
from ..kubectl import Failed, Forbidden

ID = "pods-ready"
PROMISE = "that the service takes requests"
FOLLOWS: tuple[str, ...] = ()

IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable")


def not_installed(facts: Facts) -> Optional[Finding]:
    if facts.deployment is not None:
        return None
    try:
        everywhere = facts.cluster.find("deployments", "", {INSTANCE: facts.release}) or []
    except Forbidden:
        everywhere = []
    found = [one for one in everywhere if labels_of(one).get(NAME) == "glassbox"
             or labels_of(one).get(COMPONENT) == "server"]
    if found:
        where = namespace_of(found[0])
        return broken(f"release {facts.release} is in namespace {where}, not in {facts.namespace}",
                      f"doctor --release {facts.release} --namespace {where}")
    try:
        here = facts.cluster.find("deployments", facts.namespace, {COMPONENT: "server"}) or []
    except Forbidden:
        here = []
    others = sorted({labels_of(one).get(INSTANCE, "") for one in here} - {"", facts.release})
    if others:
        return broken(f"no Deployment of release {facts.release} in namespace {facts.namespace}, but of {some(others)}",
                      f"doctor --release {others[0]} --namespace {facts.namespace}")
    return broken(f"no Deployment with {INSTANCE}={facts.release} in namespace {facts.namespace}",
                  f"helm install {facts.release} charts/glassbox --namespace {facts.namespace} --create-namespace")


def wanted(facts: Facts) -> int:
    return facts.deployment["spec"].get("replicas", 1) if facts.deployment else 0


def scaled_to_zero(facts: Facts) -> Optional[Finding]:
    if wanted(facts) > 0:
        return None
    return broken(f"Deployment {facts.fullname} is scaled to 0: an autoscaler rests too, as long as it stands there",
                  f"kubectl -n {facts.namespace} scale deployment/{facts.fullname} --replicas=2")


def not_created(facts: Facts) -> Optional[Finding]:
    """Quotas, admission, Pod Security: the ReplicaSet says why it may not."""
    failed = condition(facts.deployment or {}, "ReplicaFailure")
    if failed.get("status") != "True":
        return None
    message = failed.get("message", "")
    fix = "the message names what to change"
    if "exceeded quota" in message:
        fix = values("resources.requests", "less, or raise the ResourceQuota that the message names")
    elif "PodSecurity" in message:
        # As the chart has them they pass the strictest level: another level of the namespace is no cure.
        fix = values("podSecurityContext, securityContext", "the chart's own; or, if the message names another "
                     "container than glassbox, what puts that one in")
    return broken(f"pods may not be created: {message}", fix)


def unscheduled(facts: Facts) -> Optional[Finding]:
    for pod in facts.pods:
        scheduled = condition(pod, "PodScheduled")
        if scheduled.get("status") != "False":
            continue
        message = scheduled.get("message", "")
        key, value = next((line for words, line in ROOM.items() if words in message), ROOM["Insufficient"])
        return broken(f"{name_of(pod)} has no node: {message}", values(key, value))
    return None


FIT = "what a node has room for"
ROOM = {"Too many pods": ("autoscaling.maxReplicas", "less, or add a node: each takes only so many pods"),
        "Insufficient": ("resources.requests", FIT), "taint": ("tolerations", FIT),
        "affinity": ("nodeSelector, affinity", FIT), "selector": ("nodeSelector, affinity", FIT),
        "spread": ("topologySpreadConstraints", FIT)}


def states(pod: Object) -> list[Object]:
    status = pod.get("status") or {}
    return (status.get("initContainerStatuses") or []) + (status.get("containerStatuses") or [])


def waiting(facts: Facts) -> Iterator[tuple[Object, Object, Object]]:
    """The containers that wait: the pod, the container's status, and for what."""
    for pod in facts.pods:
        for one in states(pod):
            if what := (one.get("state") or {}).get("waiting"):
                yield pod, one, what


def stranger(facts: Facts, status: Object) -> str:
    """What to do about a container that is not the chart's: a mesh or an agent has put it in. "" for ours."""
    if status["name"] == facts.container["name"]:
        return ""
    return (f"container {status['name']} is none of the chart's: mend or switch off what puts it into pods of "
            f"{facts.namespace}")


def image_line(facts: Facts, status: Object) -> str:
    """By tag or by digest, as the container has it."""
    repository, at, digest = status["image"].partition("@")
    kind, version = "digest", digest
    if not at:
        kind = "tag"
        repository, _, version = repository.rpartition(":")
    return stranger(facts, status) or values(
        "image", f"{{repository: {repository}, {kind}: {version}}}: one that the node can pull")


def image_missing(facts: Facts) -> Optional[Finding]:
    for pod, one, what in waiting(facts):
        if what.get("reason") in IMAGE:
            return broken(f"{name_of(pod)}: {what['reason']}: {what.get('message') or one['image']}",
                          image_line(facts, one),
                          values("imagePullSecrets", "[{name: …}]") + ", if the registry asks who you are")
    return None


def not_configured(facts: Facts) -> Optional[Finding]:
    """A Secret or ConfigMap that it names is not there, or a security context forbids the image's user."""
    for pod, _, what in waiting(facts):
        if what.get("reason") in ("CreateContainerConfigError", "CreateContainerError", "RunContainerError"):
            return broken(f"{name_of(pod)}: {what['reason']}: {what.get('message', '')}",
                          "make what the message names in namespace " + facts.namespace + ", or take its name out "
                          "of the values (otlp.headersSecret, faults.token.existingSecret)")
    return None


def last_words(facts: Facts, pod: Object, container: str) -> str:
    """The last line that an ended container wrote."""
    try:
        said = facts.cluster.kubectl.logs(facts.namespace, name_of(pod), container, "--previous", "--tail=3")
    except (Failed, Forbidden):
        return ""
    return said.strip().splitlines()[-1] if said.strip() else ""


def ended_by_the_kubelet(facts: Facts, pod: Object, status: Object) -> Finding:
    """In order, so by a SIGTERM: the liveness probe failed, and the event says how, for as long as events are kept."""
    why = next((event["message"] for event in facts.cluster.events(facts.namespace, "Pod", name_of(pod))
                if event["message"].startswith("Liveness")), "its liveness probe, most likely")
    return broken(f"{name_of(pod)} was ended in order and started again, {status.get('restartCount', 1)} times: {why}",
                  values("probes.liveness.timeoutSeconds, failureThreshold", "more, if the node is merely busy"),
                  f"kubectl -n {facts.namespace} logs {name_of(pod)} --previous")


def crashed(facts: Facts, pod: Object, status: Object, ended: Object) -> Finding:
    """By itself; its last line says why, mostly."""
    said = last_words(facts, pod, status["name"])
    if stranger(facts, status):
        fix = stranger(facts, status)
    elif "exec format error" in said:
        fix = values("nodeSelector", "{kubernetes.io/arch: …}: what the image was built for, or an image for this one")
    elif ended.get("exitCode") == 2:
        fix = values("extraArgs, extraEnv", "what its last line names")
    else:
        fix = f"kubectl -n {facts.namespace} logs {name_of(pod)} --previous"
    return broken(f"{name_of(pod)}: container {status['name']} ended with exit code {ended.get('exitCode')}, "
                  f"{status.get('restartCount', 1)} times{': ' + said if said else ''}", fix)


def crashing(facts: Facts) -> Optional[Finding]:
    for pod in facts.pods:
        for one in states(pod):
            ended = (one.get("lastState") or {}).get("terminated") or (one.get("state") or {}).get("terminated")
            what = (one.get("state") or {}).get("waiting") or {}
            if not ended or (what.get("reason") != "CrashLoopBackOff" and one.get("ready")):
                continue
            if ended.get("reason") == "OOMKilled":
                return broken(f"{name_of(pod)} was killed for its memory, {one.get('restartCount', 1)} times",
                              stranger(facts, one) or values("resources.limits.memory", "more"))
            if ended.get("exitCode") == 0 and not stranger(facts, one):
                return ended_by_the_kubelet(facts, pod, one)
            return crashed(facts, pod, one, ended)
    return None


def admin_port(facts: Facts) -> str:
    return next((str(port["containerPort"]) for port in facts.container.get("ports") or []
                 if port.get("name") == "admin"), "8081")


def faults_of(facts: Facts, pod: Object) -> list[str]:
    """The faults that keep a pod from becoming ready, by what it says of itself."""
    try:
        says = Scrape(facts.cluster, pod, admin_port(facts)).by("glassbox_fault_in_force", "fault")
    except (Failed, Forbidden):
        return []
    return [name for name in ("not_ready", "slow_start") if name in says]


def not_ready(facts: Facts) -> Optional[Finding]:
    unready = [pod for pod in facts.pods if pod not in facts.ready_pods]
    if not unready:
        return None
    pod = unready[0]
    events = [event for event in facts.cluster.events(facts.namespace, "Pod", name_of(pod))
              if event.get("reason") in ("Unhealthy", "FailedMount", "FailedCreatePodSandBox")]
    if not events and len(facts.ready_pods) >= wanted(facts):
        return None  # one more than were asked for, while they are rolled
    if not events:
        return broken(f"{name_of(pod)} is not ready: {condition(pod, 'Ready').get('message') or 'it starts'}"
                      f" ({len(facts.ready_pods)} of {wanted(facts)} are)", "wait: doctor --wait 60")
    event = events[0]
    if event["reason"] != "Unhealthy":
        return broken(f"{name_of(pod)}: {event['reason']}: {event['message']}", "the message names what to make")
    if "503" in event["message"]:
        faults = faults_of(facts, pod)
        if faults:
            return broken(f"{name_of(pod)} is not ready: fault {faults[0]} is in force",
                          values("faults.plan", "{}") + ", or wait for its end (alerts/drill lifts its own)")
        return broken(f"{name_of(pod)} is not ready: it starts, or drains: {event['message']}",
                      "wait: doctor --wait 60")
    return broken(f"{name_of(pod)} is not ready: {event['message']}",
                  values("extraArgs", "no --admin-listen: the probes ask port admin"),
                  f"kubectl -n {facts.namespace} logs {name_of(pod)} --tail=20")


def too_few(facts: Facts) -> Optional[Finding]:
    if len(facts.ready_pods) >= wanted(facts):
        return None
    return broken(f"{len(facts.ready_pods)} of {wanted(facts)} pods are there: a rollout or a scaling is under way",
                  "wait: doctor --wait 60")


CAUSES = (not_installed, scaled_to_zero, not_created, unscheduled, image_missing, not_configured, crashing, not_ready,
          too_few)
BROUGHT: tuple[()] = ()


def green(facts: Facts) -> str:
    return f"{len(facts.ready_pods)} of {wanted(facts)} pods of Deployment {facts.fullname} are ready"
