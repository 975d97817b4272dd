"""charts/stack/install in a cluster that has an operator, an adapter or a metrics-server of its own: refused before
anything is changed; removal takes nothing of theirs."""

from __future__ import annotations

import json

import pytest
from fake_world import World, ready, serving


def an_operator(*arguments: str, image: str = "quay.io/prometheus-operator/prometheus-operator:v0.93.1") -> dict:
    """Of the release `prom`, in `observability`."""
    made = ready("Deployment", "prom-operator", "observability")
    made["metadata"]["labels"] = {"app.kubernetes.io/instance": "prom"}
    made["spec"]["template"] = {"spec": {"containers": [{"image": image, "args": list(arguments)}]}}
    return {"items": [made]}


def test_a_second_operator_is_refused(world: World, charts: str) -> None:
    """With where the first is, and how to go beside it."""
    world.say("kubectl get deployments -A", an_operator("--kubelet-service=kube-system/prom-kubelet"))
    done = world.install(CHARTS_DIR=charts)
    assert done.returncode == 2 and world.changes() == [], done.stderr
    assert "Deployment observability/prom-operator (release prom) is a Prometheus Operator" in done.stderr
    assert "--monitoring-namespace observability" in done.stderr
    assert world.install("--only", "opentelemetry-collector", CHARTS_DIR=charts).returncode == 0


@pytest.mark.parametrize("others", [
    an_operator("--namespaces=theirs"), an_operator(image="quay.io/prometheus-operator/prometheus-config-reloader:v1")])
def test_who_minds_his_own_namespaces_is_no_obstacle(world: World, charts: str, others: dict) -> None:
    """Nor is another program."""
    world.say("kubectl get deployments -A", others)
    assert world.install("--only", "kube-prometheus-stack", CHARTS_DIR=charts).returncode == 0


def test_our_own_operator_is_upgraded(world: World, charts: str) -> None:
    """It is no second one."""
    world.say("kubectl get deployments -A", an_operator())
    world.say(r"helm list .*kube\\-prometheus", [{"name": "kube-prometheus-stack", "namespace": "monitoring", "revision": "1",
                                                  "status": "deployed", "chart": "kube-prometheus-stack-88.5.3"}])
    assert world.install("--only", "kube-prometheus-stack", CHARTS_DIR=charts).returncode == 0


@pytest.mark.parametrize(("part", "api"), [("prometheus-adapter", "v1beta1.custom.metrics.k8s.io"),
                                           ("metrics-server", "v1beta1.metrics.k8s.io")])
def test_an_api_of_others_is_refused(world: World, charts: str, part: str, api: str) -> None:
    """helm would fail at it, with half of the parts installed; with our mark it is what an earlier run has left."""
    theirs = serving(api, answers=False)
    theirs["spec"] = {"service": {"name": "agent", "namespace": "vendor"}}
    world.say(f"kubectl get apiservice {api}", theirs)
    done = world.install(CHARTS_DIR=charts)
    assert done.returncode == 2 and world.changes() == [], done.stderr
    assert f"{part}: APIService {api} leads to Service vendor/agent already" in done.stderr
    ours = serving(api)
    ours["spec"] = theirs["spec"]
    ours["metadata"]["annotations"] = {"meta.helm.sh/release-name": part}
    world.say(f"kubectl get apiservice {api}", ours)
    assert world.install("--only", part, CHARTS_DIR=charts).returncode == 0


def test_removal_leaves_what_another_operator_has_made(world: World) -> None:
    """Its kubelet's Service, of the same name, and its Prometheus in the same namespace: neither deleted nor waited for."""
    world.say("kubectl get deployments -A", an_operator("--kubelet-service=kube-system/kube-prometheus-stack-kubelet"))
    theirs = ready("StatefulSet", "prometheus-prom-kube-prometheus-stack-prometheus")
    world.say("kubectl get statefulsets,pods", {"items": [theirs]})
    done = world.install("--uninstall", "--only", "kube-prometheus-stack", "--timeout", "1")
    assert done.returncode == 0, done.stderr
    assert world.lines("kube-prometheus-stack-kubelet") == []
    world.say("kubectl get statefulsets,pods", {"items": [ready("StatefulSet", "alertmanager-kube-prometheus-stack-x")]})
    done = world.install("--uninstall", "--only", "kube-prometheus-stack", "--timeout", "1")
    assert done.returncode == 1 and "still there after 1 s: StatefulSet" in done.stderr


def test_commands_are_for_the_cluster_that_was_meant(world: World, charts: str) -> None:
    """Copied as they stand, a Secret would be made, or a release taken back, in the current context's."""
    done = world.install("--profile", "production", "--context", "there", CHARTS_DIR=charts)
    assert done.returncode == 2
    assert "kubectl --context there create namespace monitoring" in done.stderr
    assert "kubectl --context there -n monitoring create secret generic glassbox " in done.stderr
    world.say(r"helm list .*webhook", [{"name": "webhook", "namespace": "monitoring", "revision": "4",
                                        "status": "pending-upgrade", "chart": "glassbox-webhook-1.0.0"}])
    done = world.install("--only", "webhook", "--context", "there", CHARTS_DIR=charts)
    assert "helm --kube-context there -n monitoring rollback webhook" in done.stderr
    done = world.install("--only", "glassbox", "--context", "there", CHARTS_DIR=charts)
    assert "charts/stack/doctor --namespace glassbox --release glassbox --monitoring-namespace monitoring --context there" in (
        done.stdout)
    world.say("kubectl get namespace glassbox", {"kind": "Namespace"})
    done = world.install("--only", "glassbox", "--uninstall", "--context", "there")
    assert "kubectl --context there delete namespace glassbox" in done.stdout


def test_one_namespace_for_all(world: World, charts: str) -> None:
    """It is not held to `restricted`: node-exporter could not start there."""
    done = world.install("--namespace", "all", "--monitoring-namespace", "all", CHARTS_DIR=charts)
    assert done.returncode == 0, done.stderr
    made = [json.loads(stdin) for line, stdin in world.asked() if line.startswith("kubectl create")]
    assert [(each["metadata"]["name"], each["metadata"]["labels"]) for each in made if each["kind"] == "Namespace"] == [
        ("all", {})]
