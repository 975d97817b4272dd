"""charts/stack/install against a cluster of canned answers: what it refuses and in which words, the order of
its steps, and what it says of a part that does not become ready."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from fake_world import World, ready, serving
from stack_charts import PARTS, ROOT

NAMES = [part.name for part in PARTS]
UNASKED = [part.name for part in PARTS if not part.option]  # what comes by itself
REFUSED = [
    (["--only", "grafana"], "--only grafana: no such part; there are metrics-server, webhook, kube-prometheus-stack"),
    (["--profile", "production", "--only", "webhook"], "--only webhook: it is of the profile demo"),
    (["--namespace", "Glass_Box"], "--namespace: not a name that Kubernetes takes: 'Glass_Box'"),
    (["--release", "-x"], "--release: not a name that Kubernetes takes"),
    (["--monitoring-namespace", "a" * 54], "--monitoring-namespace: not a name"),
    (["--overlay", "/nowhere"], "--overlay: no such folder: /nowhere"),
    (["--values", "/nowhere.yaml"], "--values: no such file: /nowhere.yaml"),
    (["--tempo", "tempo:4318"], "--tempo: not an address: tempo:4318"),
    (["--tempo-query", "http://tempo:3200"], "--tempo, where they are sent, is missing"),
    (["--timeout", "0"], "--timeout: at least a second"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED, ids=lambda each: " ".join(each) if isinstance(each, list) else "")
def test_refuses_what_cannot_be_meant(world: World, charts: str, arguments: list[str], words: str) -> None:
    """By name, and before anybody is asked."""
    arguments = [each if each != "-x" else "x-" for each in arguments]
    done = world.install(*arguments, CHARTS_DIR=charts)
    assert done.returncode == 2 and words in done.stderr, done.stderr
    assert world.asked() == []


def test_refuses_an_overlay_for_nobody(world: World, charts: str, tmp_path: Path) -> None:
    """A name that is spelt wrongly would be left out silently."""
    (tmp_path / "prometheus-adaptor.yaml").touch()
    done = world.install("--overlay", str(tmp_path), CHARTS_DIR=charts)
    assert done.returncode == 2 and "prometheus-adaptor.yaml belongs to no part" in done.stderr


def test_refuses_a_chart_that_is_not_there(world: World, charts: str) -> None:
    """With what is there, and how it is had."""
    (Path(charts) / "kube-prometheus-stack-88.5.3.tgz").rename(Path(charts) / "kube-prometheus-stack-70.0.0.tgz")
    done = world.install(CHARTS_DIR=charts)
    assert done.returncode == 2
    assert "no kube-prometheus-stack-88.5.3.tgz in CHARTS_DIR" in done.stderr
    assert "there is kube-prometheus-stack-70.0.0.tgz, prometheus-adapter-5.3.0.tgz" in done.stderr
    assert re.search(r"helm pull kube-prometheus-stack --repo https://\S+ --version 88\.5\.3 -d", done.stderr)
    assert world.asked() == []
    assert "CHARTS_DIR: no such folder: /nowhere" in world.install(CHARTS_DIR="/nowhere").stderr


@pytest.mark.parametrize("lacks", ["helm", "kubectl"])
def test_refuses_without_its_programs(world: World, lacks: str) -> None:
    """Says where it is had."""
    done = world.install("--only", "webhook", programs=tuple({"helm", "kubectl"} - {lacks}))
    assert done.returncode == 2 and f"{lacks} is not in PATH: https://" in done.stderr


OLD = [("helm version", "v3.13.9", "helm is v3.13.9: 3.14 or later"),
       ("helm version", "", "helm is of no version"),
       ("kubectl version", {"clientVersion": {"gitVersion": "v1.29.0"}}, "kubectl is v1.29.0: 1.30 or later"),
       ("kubectl version", {"clientVersion": {"gitVersion": "v1.35.2"}, "serverVersion": {"gitVersion": "v1.28.1+k3s1"}},
        "the cluster is v1.28.1+k3s1: 1.30 or later")]


@pytest.mark.parametrize(("what", "answer", "words"), OLD, ids=[words for _, _, words in OLD])
def test_refuses_what_is_too_old(world: World, what: str, answer: object, words: str) -> None:
    """Its programs and the cluster."""
    world.say(what, answer)
    done = world.install("--only", "webhook")
    assert done.returncode == 2 and words in done.stderr, done.stderr
    assert world.changes() == []


def test_refuses_a_cluster_that_does_not_answer(world: World) -> None:
    """kubectl tells its own version then, and says why on stderr; here it says nothing but that."""
    world.fail("kubectl version", "dial tcp 127.0.0.1:6443: connect: connection refused")
    world.say("kubectl version", {"clientVersion": {"gitVersion": "v1.35.2"}})
    done = world.install("--only", "webhook", "--context", "there")
    assert done.returncode == 2 and "the cluster of context there does not answer" in done.stderr
    world.answers.pop(0)
    done = world.install("--only", "webhook")
    assert done.returncode == 2 and "kubectl is of no version" in done.stderr
    assert "--context there" in world.lines("kubectl version")[0]


def test_production_wants_its_secret(world: World, charts: str) -> None:
    """Alertmanager would wait for it for ever; the command that makes it has every key that the routes read."""
    done = world.install("--profile", "production", CHARTS_DIR=charts)
    assert done.returncode == 2 and "there is no Secret monitoring/glassbox" in done.stderr
    assert "kubectl create namespace monitoring\n" in done.stderr
    command = done.stderr.strip().splitlines()[-1]
    assert command.startswith("kubectl -n monitoring create secret generic glassbox ")
    keys = re.findall(r"--from-file=(\S+)", command)
    read = set(re.findall(r"/etc/alertmanager/secrets/glassbox/(\S+)",
                          (ROOT / "alerts/alertmanager/alertmanager.yaml").read_text()))
    assert set(keys) == read and len(keys) == len(read) > 1
    world.say("kubectl get namespace monitoring", {"kind": "Namespace"})
    assert "create namespace" not in world.install("--profile", "production", CHARTS_DIR=charts).stderr
    assert world.changes() == []


def test_production_says_which_key_is_missing(world: World, charts: str) -> None:
    """One receiver without its secret stops nothing else."""
    world.say("kubectl get secret glassbox", {"data": {"slack-url": "eA=="}})
    done = world.install("--profile", "production", "--only", "kube-prometheus-stack", CHARTS_DIR=charts)
    assert done.returncode == 0, done.stderr
    assert "monitoring/glassbox has no pagerduty-routing-key, smtp-password, webhook-token" in done.stdout


def listed(name: str, chart: str, status: str = "deployed", revision: str = "1") -> list[dict]:
    """helm's answer about a release."""
    return [{"name": name, "namespace": "monitoring", "revision": revision, "status": status, "chart": chart}]


def test_leaves_the_releases_of_others_alone(world: World, charts: str) -> None:
    """The same name, another chart: refused before the first change; removal skips it."""
    world.say(r"helm list .*\^webhook\$", listed("webhook", "somebodys-webhook-2.0.0"))
    done = world.install(CHARTS_DIR=charts)
    assert done.returncode == 2 and "is of another chart, somebodys-webhook-2.0.0" in done.stderr
    assert world.changes() == []
    done = world.install("--uninstall", "--only", "webhook")
    assert done.returncode == 0 and "left alone: it is of another chart" in done.stdout
    assert world.changes() == []


@pytest.mark.parametrize(("revision", "undo"), [("1", "uninstall"), ("4", "rollback")])
def test_says_how_to_go_on_after_a_run_that_was_killed(world: World, charts: str, revision: str, undo: str) -> None:
    """helm would say that another operation is in progress, for ever."""
    world.say(r"helm list .*prometheus\\-adapter",
              listed("prometheus-adapter", "prometheus-adapter-5.3.0", "pending-upgrade", revision))
    done = world.install(CHARTS_DIR=charts)
    assert done.returncode == 2 and f"helm -n monitoring {undo} prometheus-adapter" in done.stderr


def test_order_and_values(world: World, charts: str) -> None:
    """Parts in the table's order; what follows from the command line between the profile and the overlay."""
    done = world.install("--overlay", str(ROOT / "infra/cluster/values"), "--release", "shop", "--namespace", "shops",
                         "--monitoring-namespace", "watch", "--context", "there", CHARTS_DIR=charts)
    assert done.returncode == 0, done.stdout + done.stderr
    upgrades = [(line, stdin) for line, stdin in world.asked() if line.startswith("helm upgrade --install")]
    assert [line.split()[3] for line, _ in upgrades] == [*UNASKED[:-1], "shop"]
    assert [line.split(" -n ")[1].split()[0] for line, _ in upgrades] == [
        "kube-system", "watch", "watch", "watch", "watch", "shops"]
    last, stdin = upgrades[-1]
    assert [Path(each).name for each in re.findall(r"--values (\S+)", last)] == ["values-demo.yaml", "-", "glassbox.yaml"]
    assert json.loads(stdin)["otlp"]["endpoint"] == "http://opentelemetry-collector.watch.svc:4318"
    assert all("--kube-context there" in line for line, _ in upgrades)
    made = [json.loads(stdin) for line, stdin in world.asked() if line.startswith("kubectl create")]
    assert [(each["kind"], each["metadata"]["name"]) for each in made] == [
        ("Namespace", "watch"), ("Namespace", "shops"), ("Secret", "glassbox")]
    assert made[1]["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}
    assert "charts/stack/doctor --namespace shops --release shop --monitoring-namespace watch" in done.stdout


def test_what_is_there_is_not_made_again(world: World, charts: str) -> None:
    """Namespaces keep their labels, the token stays what Alertmanager and the webhook know."""
    world.say("kubectl get namespace", {"kind": "Namespace"})
    world.say("kubectl get secret glassbox", {"data": {"webhook-token": "eA=="}})
    done = world.install(CHARTS_DIR=charts)
    assert done.returncode == 0, done.stderr
    assert world.lines("kubectl create") == []


def test_two_tokens_differ(world: World, tmp_path: Path, charts: str) -> None:
    """It is a secret, if a demonstration's."""
    def token(where: World) -> str:
        assert where.install("--only", "webhook", CHARTS_DIR=charts).returncode == 0
        (made,) = [json.loads(stdin) for line, stdin in where.asked() if '"Secret"' in stdin]
        return made["stringData"]["webhook-token"]

    other = tmp_path / "other"
    other.mkdir()
    first, second = token(world), token(World(other).well())
    assert first != second and len(first) >= 24


def test_the_metrics_server_of_others_is_enough(world: World, charts: str) -> None:
    """An API that answers is not replaced, whoever serves it."""
    world.say("kubectl get --raw /apis/metrics.k8s.io/v1beta1", "{}")
    world.say(r"helm list -n kube-system", listed("metrics-server", "metrics-server-3.12.2"))
    done = world.install("--only", "metrics-server", CHARTS_DIR=charts)
    assert done.returncode == 0 and "left alone" in done.stdout, done.stderr
    assert world.lines("helm upgrade") == []


def test_our_own_metrics_server_is_upgraded(world: World, charts: str) -> None:
    """It serves the API: that is no reason to leave it at an old version."""
    world.say("kubectl get --raw /apis/metrics.k8s.io/v1beta1", "{}")
    world.say(r"helm list -n kube-system", listed("metrics-server", "glassbox-metrics-server-1.0.0"))
    assert world.install("--only", "metrics-server", CHARTS_DIR=charts).returncode == 0
    assert len(world.lines("helm upgrade")) == 1


def test_a_dry_run_asks_nobody(world: World, charts: str) -> None:
    """Its output is the commands, for a shell; the token is not in it."""
    done = world.install("--dry-run", programs=(), CHARTS_DIR=charts)
    assert done.returncode == 0 and world.asked() == [], done.stderr
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    assert [re.search(r"upgrade --install (\S+)", line)[1] for line in lines if "upgrade" in line] == UNASKED
    assert all(line.startswith(("helm ", "kubectl ", "echo ")) for line in lines)
    assert "A-RANDOM-ONE" in done.stdout
    done = world.install("--dry-run", "--uninstall", programs=())
    assert re.findall(r"helm uninstall (\S+)", done.stdout) == NAMES[::-1] and world.asked() == []


def test_without_a_folder_charts_are_fetched(world: World) -> None:
    """By version, from the address in the table."""
    done = world.install("--dry-run", "--only", "prometheus-adapter", programs=())
    assert re.search(r"--install prometheus-adapter prometheus-adapter --repo https://\S+ --version 5\.3\.0 ", done.stdout)


def test_a_chart_that_cannot_be_fetched(world: World) -> None:
    """Told from a fault by its exit status; nothing has been touched."""
    world.fail("helm show chart prometheus-adapter", "Error: looks like \"https://…\" is not a valid chart repository")
    done = world.install("--only", "prometheus-adapter")
    assert done.returncode == 75, done.stderr
    assert "prometheus-adapter 5.3.0 cannot be had from https://" in done.stderr.splitlines()[-1]
    assert "is not a valid chart repository" in done.stderr and world.changes() == []


def test_a_busy_api_server_is_asked_again(world: World) -> None:
    """Three times in all; what is no matter of being busy is told at once."""
    world.fail("helm upgrade", "Error: failed to download openapi: context deadline exceeded")
    done = world.install("--only", "webhook")
    assert done.returncode == 1 and done.stdout.count("again, for the API server was busy") == 2
    assert len(world.lines("helm upgrade")) == 3
    world.fail("helm upgrade", "Error: values don't meet the specifications of the schema")
    done = world.install("--only", "webhook")
    assert done.returncode == 1 and len(world.lines("helm upgrade")) == 4


def test_nobody_is_told_twice(world: World, charts: str) -> None:
    """The whole Alertmanager has our routes: the service brings none of its own, unless told to."""
    world.say("kubectl get secret glassbox", {"data": {}})
    assert world.install("--profile", "production", "--only", "glassbox", CHARTS_DIR=charts).returncode == 0
    (line, stdin), = [each for each in world.asked() if each[0].startswith("helm upgrade")]
    assert json.loads(stdin)["monitoring"] == {"alertmanagerConfig": {"enabled": False}}
    assert line.index("values-production.yaml") < line.index("--values -")


def test_uninstall_in_reverse(world: World) -> None:
    """What the operator and the chart's jobs have made goes, too; CRDs, data and namespaces are named."""
    for part in PARTS:
        name = part.name.replace("-", r"\\-")
        world.say(rf"helm list .*\^{name}\$", listed(part.name, f"{part.chart}-1.0.0"))
    world.say("kubectl get crds", {"items": [{"metadata": {"name": f"{kind}.monitoring.coreos.com"},
                                              "spec": {"group": "monitoring.coreos.com"}} for kind in "ab"]})
    world.say("kubectl get persistentvolumeclaims -n monitoring", {"items": [{"metadata": {"name": "prometheus-db"}}]})
    world.say("kubectl get namespace monitoring", {"kind": "Namespace"})
    done = world.install("--uninstall")
    assert done.returncode == 0, done.stderr
    changes = world.changes()
    assert re.findall(r"helm uninstall (\S+)", "\n".join(changes)) == NAMES[::-1]
    assert [line for line in changes if "delete" in line] == [
        "kubectl -n kube-system delete service,endpoints kube-prometheus-stack-kubelet --ignore-not-found",
        "kubectl -n monitoring delete secret kube-prometheus-stack-admission --ignore-not-found",
        "kubectl -n monitoring delete secret -l app.kubernetes.io/managed-by=glassbox-stack --ignore-not-found"]
    for command in ("kubectl delete crd a.monitoring.coreos.com b.monitoring.coreos.com",
                    "kubectl -n monitoring delete pvc prometheus-db", "kubectl delete namespace monitoring"):
        assert command in done.stdout
    assert "kubectl delete namespace glassbox" not in done.stdout  # it is not there


def sick(world: World, deployment: dict, pod: dict, events: list[dict]) -> None:
    """A Deployment that does not come up, its pod, and what was said of them."""
    world.say("kubectl get deployments", {"items": [deployment]})
    world.say("kubectl get pods", {"items": [pod]})
    world.say("kubectl get events", {"items": events})


def a_pod(**status: object) -> dict:
    """One of the Deployment `webhook`."""
    return {"kind": "Pod", "metadata": {"name": "webhook-abc-xyz", "namespace": "monitoring"}, "status": status}


def waiting(reason: str, message: str, **more: object) -> dict:
    """A container that does not run."""
    return {"name": "webhook", "image": "localhost/webhook:1", "ready": False,
            "state": {"waiting": {"reason": reason, "message": message}}, **more}


TROUBLE = [
    ("image", a_pod(containerStatuses=[waiting("ImagePullBackOff", "Back-off pulling image")]), "",
     ["webhook (localhost/webhook:1) waits: ImagePullBackOff", "do: the node cannot get this image"]),
    ("secret", a_pod(), 'MountVolume.SetUp failed for volume "token" : secret "glassbox" not found',
     ['secret "glassbox" not found', "do: make the Secret that is named"]),
    ("crash", a_pod(containerStatuses=[waiting("CrashLoopBackOff", "back-off 10s", restartCount=3, lastState={
        "terminated": {"reason": "Error", "exitCode": 1}})]), "",
     ["ended before, 3 times: Error, exit code 1", "do: kubectl -n monitoring logs webhook-abc-xyz --all-containers --previous"]),
    ("room", a_pod(conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                                "message": "0/1 nodes are available: 1 Insufficient memory."}]), "",
     ["PodScheduled is False: Unschedulable: 0/1 nodes", "do: no node has room for it"]),
    ("volume", a_pod(conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                                  "message": "pod has unbound immediate PersistentVolumeClaims."}]), "",
     ["do: no StorageClass gives it a volume"]),
    ("admission", a_pod(), 'pods "webhook-abc" is forbidden: violates PodSecurity "restricted:latest"',
     ["violates PodSecurity", "do: the namespace's pod-security.kubernetes.io/enforce label forbids it"]),
]


@pytest.mark.parametrize(("pod", "event", "words"), [each[1:] for each in TROUBLE], ids=[each[0] for each in TROUBLE])
def test_says_why_it_is_not_ready(world: World, pod: dict, event: str, words: list[str]) -> None:
    """Object, what it lacks, what the cluster says of it, and what to do; the wait is bounded."""
    deployment = ready("Deployment", "webhook", available=0)
    about = {"involvedObject": {"name": "webhook-abc"}, "reason": "Failed", "message": event, "lastTimestamp": "2026"}
    other = {"involvedObject": {"name": "webhooks-else"}, "reason": "Failed", "message": "of another", "lastTimestamp": "2027"}
    sick(world, deployment, pod, [other, *([about] if event else [])])
    done = world.install("--only", "webhook", "--timeout", "1")
    assert done.returncode == 1
    for each in ["webhook is not ready after ", "Deployment monitoring/webhook: 0 of 1 available", *words]:
        assert each in done.stderr, done.stderr
    assert "of another" not in done.stderr


def test_waits_for_the_autoscaler_s_least(world: World) -> None:
    """A Deployment without replicas of its own begins with one, which is soon ready."""
    scaler = {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "glassbox", "namespace": "glassbox"},
              "spec": {"minReplicas": 2}, "status": {"currentReplicas": 1}}
    world.say("kubectl get deployments", {"items": [ready("Deployment", "glassbox", "glassbox"), scaler]})
    done = world.install("--only", "glassbox", "--timeout", "1")
    assert done.returncode == 1
    assert "HorizontalPodAutoscaler glassbox/glassbox: 1 replicas of at least 2" in done.stderr


def test_does_not_wait_for_what_waiting_does_not_heal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container without an image ends the wait long before its limit; one that only takes its time does not."""
    from glassbox_install import diagnosis, ready as readiness, tools as programs
    monkeypatch.setattr(readiness, "TICK", 0.01)
    monkeypatch.setattr(readiness, "TELL_SECONDS", 0.0)
    monkeypatch.setattr(readiness, "HOPELESS_SECONDS", 0.2)
    monkeypatch.setenv("PATH", str(world.folder / "bin"))

    def waited(pod: dict, limit: int) -> bool:
        sick(world, ready("Deployment", "webhook", available=0), pod, [])
        world.prepare()
        part = next(part for part in PARTS if part.name == "webhook")
        begin = time.monotonic()
        assert readiness.wait(programs.Tools("", False), part, "monitoring", "webhook", limit, diagnosis.hopeless)
        return time.monotonic() - begin >= limit

    assert not waited(a_pod(containerStatuses=[waiting("ImagePullBackOff", "Back-off")]), 60)
    assert waited(a_pod(containerStatuses=[waiting("ContainerCreating", "")]), 1)


def test_says_which_api_does_not_answer(world: World, charts: str) -> None:
    """Pods may be ready and the API server may not reach them."""
    world.say("kubectl get apiservice v1beta1.custom", serving("v1beta1.custom.metrics.k8s.io", False))
    done = world.install("--only", "prometheus-adapter", "--timeout", "1", CHARTS_DIR=charts)
    assert done.returncode == 1
    assert "APIService v1beta1.custom.metrics.k8s.io: not available: no response from 10.0.0.1" in done.stderr


def test_a_part_without_workloads_is_not_ready(world: World) -> None:
    """Nothing found is nothing seen, not all well."""
    world.say("kubectl get deployments", {"items": []})
    done = world.install("--only", "webhook", "--timeout", "1")
    assert done.returncode == 1 and "no workload in monitoring has app.kubernetes.io/instance=webhook" in done.stderr


def test_a_cluster_that_falls_silent_is_not_an_empty_one(world: World) -> None:
    """What it says is passed on, not that nothing is there."""
    world.fail("kubectl get --raw /readyz", "The connection to the server 10.0.0.1:6443 was refused")
    done = world.install("--only", "webhook", "--timeout", "1")
    assert done.returncode == 1 and "no workload" not in done.stderr
    assert "the API server does not answer: The connection to the server 10.0.0.1:6443 was refused" in done.stderr


def test_helm_s_own_words_are_passed_on(world: World) -> None:
    """And, where a kind is not known, who brings it."""
    world.fail("helm upgrade", 'Error: unable to build kubernetes objects: no matches for kind "ServiceMonitor" in version')
    done = world.install("--only", "opentelemetry-collector")
    assert done.returncode == 1 and 'no matches for kind "ServiceMonitor"' in done.stderr
    assert "do: this kind is kube-prometheus-stack's: --only kube-prometheus-stack first" in done.stderr
