"""What bootstrap/install puts into a cluster: Argo CD, what it must know, and the ApplicationSet that does the rest."""

from __future__ import annotations

import json
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from glassbox_install.parts import Part, Wish, chart_of
from glassbox_install.steps import check_secret
from glassbox_install.tools import Failed, Tools

from .release import ENVIRONMENTS

BOOTSTRAP = Path(__file__).resolve().parents[1] / "bootstrap"
NAMESPACE, MONITORING = "argocd", "monitoring"
PARTS = ("platform", "service")  # the ApplicationSet's, each an Application; the last is the first to go
PART = "glassbox.io/part"  # their label, and that of all they make
# The one place for its version.
ARGO = Part("argo-cd", "argocd", version="9.3.1", repository="https://argoproj.github.io/argo-helm")
MANAGER = ("apply", "--server-side", "--field-manager=glassbox-bootstrap", "--force-conflicts", "-f")
MADE_HERE = {"app.kubernetes.io/managed-by": "glassbox-bootstrap"}
TICK = 5


@dataclass(frozen=True)
class Bootstrap:
    """What was asked for."""

    environment: str
    repository: str
    branch: str
    provider: str
    facts: dict[str, str]
    seconds: int


def values(environment: str) -> list[Path]:
    """Argo CD's values, later ones win."""
    own = BOOTSTRAP / f"values/argo-cd.{environment}.yaml"
    return [BOOTSTRAP / "values/argo-cd.yaml", *([own] if own.exists() else [])]


def release(environment: str) -> list[str]:
    """helm's arguments."""
    files = [word for path in values(environment) for word in ("-f", str(path))]
    return ["upgrade", "--install", "argocd", *chart_of(ARGO), "-n", NAMESPACE, *files]


def cluster_secret(asked: Bootstrap) -> dict:
    """How Argo CD knows the cluster that it runs in, and the ApplicationSet its environment."""
    facts = asked.facts | {"repository": asked.repository, "branch": asked.branch, "provider": asked.provider}
    return {"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": "environment", "namespace": NAMESPACE, "annotations": dict(sorted(facts.items())),
                         "labels": {"argocd.argoproj.io/secret-type": "cluster",
                                    "glassbox.io/environment": asked.environment}},
            "stringData": {"name": asked.facts["cluster_name"], "server": "https://kubernetes.default.svc",
                           "config": json.dumps({"tlsClientConfig": {"insecure": False}})}}


def project(asked: Bootstrap) -> str:
    """project.yaml, with this repository."""
    return (BOOTSTRAP / "project.yaml").read_text().replace("- REPOSITORY\n", f"- {json.dumps(asked.repository)}\n")


def make_once(tools: Tools, name: str, data: dict[str, str]) -> None:
    """A Secret for the monitoring, unless it is there: what somebody has put into it stays."""
    if not tools.dry and tools.get("secret", name, "-n", MONITORING):
        return
    made = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": MONITORING, "labels": MADE_HERE}}
    shown = {key: "A-RANDOM-ONE" if key == "admin-password" else value for key, value in data.items()}
    tools.change("kubectl", "create", "-f", "-", stdin=json.dumps(made | {"stringData": data}),
                 shown=json.dumps(made | {"stringData": shown}))


def ground(tools: Tools, asked: Bootstrap) -> None:
    """Namespaces, and the Secrets that are in no repository."""
    production = asked.environment == ENVIRONMENTS[-1]
    if production and not tools.dry:
        check_secret(tools, Wish("production", "glassbox", "glassbox", MONITORING, None, (), ()))
    for name in (NAMESPACE, MONITORING):
        made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        if tools.dry or not tools.get("namespace", name):
            tools.change("kubectl", "create", "-f", "-", stdin=json.dumps(made))
    make_once(tools, "grafana-admin", {"admin-user": "admin", "admin-password": secrets.token_urlsafe(24)})
    if not production:  # Alertmanager mounts it; as long as it is empty, nobody is paged from here
        make_once(tools, "glassbox", {})


def put_up(tools: Tools, asked: Bootstrap) -> None:
    """All of it, in order; done again it changes what has changed."""
    ground(tools, asked)
    tools.change("helm", *release(asked.environment), "--wait", "--timeout", f"{asked.seconds}s",
                 seconds=asked.seconds + 60)
    tools.change("kubectl", *MANAGER, "-", stdin=project(asked))
    tools.change("kubectl", *MANAGER, "-", stdin=json.dumps(cluster_secret(asked)))
    tools.change("kubectl", *MANAGER, str(BOOTSTRAP / "applicationset.yaml"))


def take_down(tools: Tools, seconds: int) -> None:
    """The service, and when nothing is left of it the platform: the controllers that delete the Ingress's load balancer and
    record are the platform's. Then Argo CD, which had to do that. What is gone already is no error: done again after
    an interruption it goes on."""
    if tools.dry or tools.get("crd", "applicationsets.argoproj.io"):
        # Its Applications would go with it, both at once; without it, nobody makes them anew.
        delete(tools, "applicationset", "environments", "--cascade=orphan", seconds)
        for part in reversed(PARTS):
            delete(tools, "application", part, "--wait=false", seconds)
            gone(tools, f"{PART}={part}", seconds)
        gone(tools, "", seconds)
    tools.change("helm", "uninstall", "argocd", "-n", NAMESPACE, "--ignore-not-found", "--wait", "--timeout",
                 f"{seconds}s", seconds=seconds + 60)
    tools.change("kubectl", "delete", "namespace", NAMESPACE, MONITORING, "--ignore-not-found", f"--timeout={seconds}s",
                 seconds=seconds + 60)


def delete(tools: Tools, kind: str, name: str, how: str, seconds: int) -> None:
    """One of Argo CD's objects, if it is there."""
    tools.change("kubectl", "-n", NAMESPACE, "delete", kind, name, how, "--ignore-not-found", seconds=seconds)


def gone(tools: Tools, selector: str, seconds: int) -> None:
    """Waits until none of these Applications is left, and says which are if it takes too long. No answer is not none."""
    end = time.monotonic() + seconds
    while not tools.dry:
        listed = tools.get("applications.argoproj.io", "-n", NAMESPACE, "-l", selector)
        if listed is None:
            left = [tools.silent() or "Applications, which cannot be listed"]
        elif not (left := [each["metadata"]["name"] for each in listed["items"]]):
            return
        else:
            interrupt(tools, listed["items"])
        if time.monotonic() > end:
            raise Failed(f"still there after {seconds} s: {', '.join(left)}. What holds one: kubectl -n {NAMESPACE} "
                         "describe application NAME; nothing must be destroyed under it before it is gone, or its load "
                         "balancer stays. Done again, this goes on from here")
        time.sleep(TICK)


def interrupt(tools: Tools, applications: list[dict]) -> None:
    """Argo CD deletes nothing while something is under way, and a sync that waits for what is ill has no end."""
    for each in applications:
        if "deletionTimestamp" in each["metadata"] and "operation" in each:
            with suppress(Failed):  # it may have gone meanwhile; who has not is met again
                tools.change("kubectl", "-n", NAMESPACE, "patch", "application", each["metadata"]["name"], "--type=merge",
                             '--patch={"operation":null}')
