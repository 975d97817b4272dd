"""A part's installation and its removal.

Installing is `helm upgrade --install`, then a wait; done again it changes nothing. Before anything is touched
it is looked for what would make it fail: a release of that name that is someone else's, one that an earlier
run left half done, the Secret that Alertmanager mounts.
"""

from __future__ import annotations

import json
import re
import secrets
import time

from . import definitions, diagnosis, others, ready
from .parts import PARTS, ROOT, SECRET, Part, Refused, Unavailable, Wish, chart_of, layers
from .tools import Failed, Tools, last_words

MADE_HERE = {"app.kubernetes.io/managed-by": "glassbox-stack"}  # on what is no helm release of ours
TOKEN_KEY = "webhook-token"
ALIVE = ("--deployed", "--failed", "--pending", "--uninstalling")  # what helm 4 lists by default, and 3 when told
# What helm says of an API server that is busy, above all with the schemas of CRDs that have just been made.
BUSY = re.compile(r"failed to download openapi|deadline exceeded|TLS handshake timeout|etcdserver: request timed out|"
                  r"connection refused|currently unable to handle|unexpected EOF|http2: client connection lost")
TRIES = 3
# The namespaces of the service and of the gateway hold their pods to this; they ask for nothing that it forbids.
POD_SECURITY = {"pod-security.kubernetes.io/enforce": "restricted"}
RESTRICTED = ("service", "gateway")


def release(tools: Tools, part: Part, wish: Wish) -> dict | None:
    """helm's line about the part's release; None where there is none."""
    name, namespace = wish.release_of(part), wish.namespace_of(part)
    done = tools.ask("helm", "list", "-n", namespace, *ALIVE, "--filter", f"^{re.escape(name)}$", "-o", "json")
    if done.returncode:
        raise Failed(f"helm list -n {namespace}: {done.stderr.strip()}")
    listed = json.loads(done.stdout or "[]")
    return listed[0] if listed else None


def ours(part: Part, listed: dict) -> bool:
    """Whether a release is of the part's chart, whatever its version."""
    return re.sub(r"-v?\d+\.\d+\.\d+.*$", "", listed["chart"]) == part.chart


def look(tools: Tools, wish: Wish) -> None:
    """Refuses what cannot succeed, before anything is changed."""
    for part in wish.parts:
        fetchable(tools, part)
        found = release(tools, part, wish)
        where = f"{wish.release_of(part)} in {wish.namespace_of(part)}"
        if found and not ours(part, found):
            if part.name == "metrics-server" and serves(tools, part):
                continue
            beside = {"service": "; another --release goes beside it",
                      "monitoring": "; another --monitoring-namespace goes beside it"}.get(part.place, "")
            raise Refused(f"{part.name}: the release {where} is of another chart, {found['chart']}: "
                          f"it is left alone{beside}")
        if not found and not (part.name == "metrics-server" and serves(tools, part)):
            others.refuse(tools, part, wish)
        if found and found["status"].startswith("pending-"):
            undo = "uninstall" if found["revision"] == "1" else "rollback"
            raise Refused(f"{part.name}: the release {where} is {found['status']}: an earlier run was ended in the "
                          f"middle, or another is under way. If none is: helm -n {found['namespace']} {undo} "
                          f"{found['name']}")
    if any(part.name == "kube-prometheus-stack" for part in wish.parts):
        check_secret(tools, wish)


def fetchable(tools: Tools, part: Part) -> None:
    """A chart that is not in a folder is at its public address, in this version."""
    source = chart_of(part)
    if len(source) == 1:
        return
    done = tools.ask("helm", "show", "chart", *source)
    if done.returncode:
        raise Unavailable(f"{part.name} {part.version} cannot be had from {part.repository}: {last_words('helm', done)} "
                          f"(CHARTS_DIR=DIR takes DIR/{part.name}-{part.version}.tgz)")


def check_secret(tools: Tools, wish: Wish) -> None:
    """Alertmanager's pod does not start without the Secret that it mounts."""
    found = tools.get("secret", SECRET, "-n", wish.monitoring)
    keys = set((found or {}).get("data") or {})
    if wish.profile == "demo":
        if found and TOKEN_KEY not in keys:
            raise Refused(f"the Secret {wish.monitoring}/{SECRET} has no {TOKEN_KEY}, which the webhook needs: "
                          f"kubectl -n {wish.monitoring} delete secret {SECRET}, and a new one is made")
        return
    routes = (ROOT / "alerts/alertmanager/values.kubernetes.yaml").read_text()
    named = sorted(set(re.findall(rf"/secrets/{SECRET}/([a-z0-9-]+)", routes)))
    if found is None:
        given = " ".join(f"--from-file={key}" for key in named)
        there = "" if tools.get("namespace", wish.monitoring) else f"kubectl create namespace {wish.monitoring}\n"
        raise Refused(f"there is no Secret {wish.monitoring}/{SECRET}, without which Alertmanager does not start. With "
                      f"a file each (alerts/alertmanager/README.md says what is in them):\n{there}"
                      f"kubectl -n {wish.monitoring} create secret generic {SECRET} {given}")
    if lacking := [key for key in named if key not in keys]:
        print(f"   note: the Secret {wish.monitoring}/{SECRET} has no {', '.join(lacking)}: messages that need "
              "them are not sent, and alertmanager_notifications_failed_total counts them")
    own = wish.overlay / "kube-prometheus-stack.yaml" if wish.overlay else None
    if "example.com" in routes and not (own and own.is_file() and "receivers:" in own.read_text()):
        print("   note: Alertmanager's receivers are still those of example.com: charts/stack/README.md says where yours go")


def serves(tools: Tools, part: Part) -> bool:
    """Whether the part's API answers."""
    group, version = part.api.split(".", 1)[1], part.api.split(".", 1)[0]
    return tools.ask("kubectl", "get", "--raw", f"/apis/{group}/{version}").returncode == 0


def ground(tools: Tools, wish: Wish) -> None:
    """Makes those that are not there, and the demonstration's Secret; what is there keeps its labels."""
    wanted: dict[str, dict[str, str]] = {}
    for part in wish.parts:  # in a namespace for both, the monitoring's decides: node-exporter is not `restricted`
        wanted.setdefault(wish.namespace_of(part), POD_SECURITY if part.place in RESTRICTED else {})
        if part.name == "gateway":  # what it may do in the service's is in there
            wanted.setdefault(wish.namespace, POD_SECURITY)
    for name, labels in wanted.items():
        if not tools.dry and tools.get("namespace", name):
            continue
        made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        if name != "kube-system":
            tools.change("kubectl", "create", "-f", "-", stdin=json.dumps(made))
    if wish.profile == "demo" and {"webhook", "kube-prometheus-stack"} & {part.name for part in wish.parts}:
        token(tools, wish)


def token(tools: Tools, wish: Wish) -> None:
    """The demonstration's Secret: what Alertmanager shows to the webhook. It is made once."""
    if not tools.dry and tools.get("secret", SECRET, "-n", wish.monitoring):
        return
    made = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET, "namespace": wish.monitoring,
                                                               "labels": MADE_HERE}}
    filled = json.dumps(made | {"stringData": {TOKEN_KEY: secrets.token_urlsafe(24)}})
    shown = json.dumps(made | {"stringData": {TOKEN_KEY: "A-RANDOM-ONE"}})
    tools.change("kubectl", "create", "-f", "-", stdin=filled, shown=shown)


def install(tools: Tools, part: Part, wish: Wish, seconds: int) -> str:
    """Installs or upgrades a part and waits for it; a word about how it went."""
    namespace, name = wish.namespace_of(part), wish.release_of(part)
    if part.name == "metrics-server" and not tools.dry:
        found = release(tools, part, wish)
        if serves(tools, part) and not (found and ours(part, found)):
            return "there already, and not by us: left alone"
    values, stdin = layers(part, wish)
    if part.definitions:
        definitions.install(tools, part)
    if part.name == "metrics-server" and tools.dry:
        print("# only where metrics.k8s.io is absent:")
    try:
        upgrade(tools, ["upgrade", "--install", name, *chart_of(part), "-n", namespace, *values], stdin, seconds)
    except Failed as error:
        if re.search(r'no matches for kind "(ServiceMonitor|PrometheusRule|AlertmanagerConfig)"', str(error)):
            raise Failed(f"{error}\n  do: this kind is kube-prometheus-stack's: --only kube-prometheus-stack first, or "
                         "in the part's values serviceMonitor.enabled=false (glassbox: monitoring.enabled=false)") from None
        raise
    if tools.dry:
        return ""
    begin = time.monotonic()
    if lacking := ready.wait(tools, part, namespace, name, seconds, diagnosis.hopeless):
        raise Failed(f"{part.name} is not ready after {time.monotonic() - begin:.0f} s:\n"
                     f"{diagnosis.explain(tools, lacking)}")
    return "ready"


def upgrade(tools: Tools, arguments: list[str], stdin: str, seconds: int) -> None:
    """helm, and again where the API server was too busy to answer: what was done is not done twice."""
    for left in reversed(range(TRIES)):
        try:
            tools.change("helm", *arguments, "--timeout", f"{seconds}s", stdin=stdin, seconds=seconds + 60)
            return
        except Failed as error:
            if not left or not BUSY.search(str(error)):
                raise
            print(f"   again, for the API server was busy: {str(error).splitlines()[-1][:200]}", flush=True)
            time.sleep(ready.TICK)


def remove(tools: Tools, part: Part, wish: Wish, seconds: int) -> str:
    """Removes a part, with what its programs have made; a word about how it went."""
    namespace, name = wish.namespace_of(part), wish.release_of(part)
    word = "removed"
    found = None if tools.dry else release(tools, part, wish)
    if found and not ours(part, found):
        return f"left alone: it is of another chart, {found['chart']}"
    if found or tools.dry:
        tools.change("helm", "uninstall", name, "-n", namespace, "--wait", "--timeout", f"{seconds}s",
                     seconds=seconds + 60)
    else:
        word = "was not there"
    if part.name == "kube-prometheus-stack":
        leftovers(tools, namespace, name, seconds)
    return word


def leftovers(tools: Tools, namespace: str, name: str, seconds: int) -> None:
    """What the operator and the chart's jobs have made, of which helm knows nothing."""
    kubelet = f"kube-system/{name}-kubelet"
    if tools.dry or not any(kubelet in word for each in others.operators(tools) for word in others.words_of(each)):
        tools.change("kubectl", "-n", "kube-system", "delete", "service,endpoints", f"{name}-kubelet", "--ignore-not-found")
    tools.change("kubectl", "-n", namespace, "delete", "secret", f"{name}-admission", "--ignore-not-found")
    mark = ",".join(f"{key}={value}" for key, value in MADE_HERE.items())
    tools.change("kubectl", "-n", namespace, "delete", "secret", "-l", mark, "--ignore-not-found")
    if tools.dry:
        return
    end = time.monotonic() + seconds
    while left := [each for each in tools.items("statefulsets,pods", "-n", namespace, "-l",
                                                "app.kubernetes.io/managed-by=prometheus-operator")
                   if re.match(rf"(prometheus|alertmanager)-{re.escape(name)}-", each["metadata"]["name"])]:
        if time.monotonic() > end:
            raise Failed(f"still there after {seconds} s: {', '.join(ready.named(each) for each in left)}")
        time.sleep(ready.TICK)


def remains(tools: Tools, wish: Wish) -> str:
    """What a removal leaves, and how it is removed: all of it may hold what somebody still wants."""
    lines = []
    names = [each["metadata"]["name"] for each in tools.items("crds") if each["spec"]["group"].endswith(
        "monitoring.coreos.com")]
    if names:
        lines.append(f"{len(names)} CRDs of the operator, with whatever monitors and rules others have:\n"
                     f"      kubectl delete crd {' '.join(names)}")
    if any(part.definitions for part in wish.parts) and (names := list(definitions.there(tools))):
        lines.append(f"{len(names)} CRDs of the Gateway API, with everybody's routes, unless your cloud brings them:\n"
                     f"      kubectl delete crd {' '.join(names)}")
    for name in dict.fromkeys(wish.namespace_of(part) for part in PARTS if part.place != "kube-system"):
        claims = [each["metadata"]["name"] for each in tools.items("persistentvolumeclaims", "-n", name)]
        if claims:
            lines.append(f"volumes with data in {name}:\n      kubectl -n {name} delete pvc {' '.join(claims)}")
        if tools.get("namespace", name):
            lines.append(f"the namespace {name}:\n      kubectl delete namespace {name}")
    return "\n".join(f"   {line}" for line in lines)
