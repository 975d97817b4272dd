"""What a cluster would get: parts, waves, namespaces, files, what is pinned, and what may differ between environments."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from glassbox_gitops.argo import ARGO, BOOTSTRAP, NAMESPACE, PART, project
from glassbox_gitops.gate_cli import PROMETHEUS
from glassbox_gitops.release import ENVIRONMENTS
from glassbox_install.parts import PARTS, PROFILES
from glassbox_terraform.organisation import Target
from rendering import (CLUSTERS, FACTS, RELEASE, REPOSITORY, ROOT, Unavailable, apps, bootstrap, children, made, manifests,
                       objects, parts, value_files)

pytestmark = pytest.mark.skipif("GITOPS_BIN" not in os.environ, reason="no GITOPS_BIN (.ci/tools.sh gitops)")
EVERY = [(environment, cluster) for environment in ENVIRONMENTS for cluster in CLUSTERS]
WAVES = {"metrics-server": 1, "aws-load-balancer-controller": 1, "external-dns": 1, "kube-prometheus-stack-crds": 1,
         "kube-prometheus-stack": 2, "prometheus-adapter": 3, "opentelemetry-collector": 3}
SERVICE = {"glassbox": 1}
NAMED = {each["metadata"]["name"]: each for each in children("prod")} if "GITOPS_BIN" in os.environ else {}
# Sizes, and how much is recorded: all that an environment may say for itself. Keys of values/*.yaml, as paths.
MAY_DIFFER = {
    "glassbox": {"autoscaling.minReplicas", "autoscaling.maxReplicas", "otlp.sampler.name", "otlp.sampler.ratio"},
    "kube-prometheus-stack": {
        "prometheus.prometheusSpec.retention", "prometheus.prometheusSpec.retentionSize",
        "prometheus.prometheusSpec.storageSpec.volumeClaimTemplate.spec.resources.requests.storage"},
}


def wave(item: dict[str, Any]) -> int:
    """When it is its turn."""
    return int(item["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """{path: value} of a file of values."""
    if not isinstance(value, dict):
        return {path: value}
    return {key: each for name, inner in value.items()
            for key, each in leaves(inner, f"{path}.{name}" if path else str(name)).items()}


def rendered(name: str) -> str:
    """A child's manifests in prod; skipped where its chart cannot be had."""
    try:
        return manifests(NAMED[name])
    except Unavailable as error:
        pytest.skip(f"{error}; what comes of it stays unproved")


def read(path: Path) -> Any:
    """A file of YAML."""
    return yaml.safe_load(path.read_text())


@pytest.mark.parametrize("environment, cluster", EVERY)
def test_children_come_in_waves(environment: str, cluster: str) -> None:
    """What serves an API or a CRD before who asks for it; namespaces before all; nothing of AWS elsewhere."""
    wanted = dict(WAVES)
    if cluster == "elsewhere":
        del wanted["aws-load-balancer-controller"]
    if cluster:
        del wanted["external-dns"]
    assert waves("platform", environment, cluster) == wanted
    assert waves("service", environment, cluster) == SERVICE
    assert {wave(each) for each in made(environment, cluster) if each["kind"] != "Application"} == {0}


def waves(part: str, environment: str, cluster: str) -> dict[str, int]:
    """The wave of each child of a part."""
    return {each["metadata"]["name"]: wave(each) for each in objects(apps(part, environment, cluster))
            if each["kind"] == "Application"}


@pytest.mark.parametrize("environment, cluster", EVERY)
def test_each_thing_is_of_one_part(environment: str, cluster: str) -> None:
    """And is labelled so, by which bootstrap/install finds what it must wait for; the service has its child and its
    namespace, and the platform everything else."""
    found = {part: {(each["kind"], each["metadata"]["name"]) for each in objects(apps(part, environment, cluster))}
             for part in parts(environment, cluster)}
    assert found["service"] == {("Namespace", "glassbox"), ("Application", "glassbox")}
    assert not found["service"] & found["platform"]
    assert (("StorageClass", "gp3") in found["platform"]) == (cluster != "elsewhere")
    for part, application in parts(environment, cluster).items():
        labels = [each["metadata"]["labels"] for each in (application, *objects(apps(part, environment, cluster)))]
        assert {each[PART] for each in labels} == {part}


def test_a_release_interrupts_the_one_before() -> None:
    """Argo CD goes on for ever with a sync that fails, of what the Application was when it began: replaced, it forgets that."""
    assert {each["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] for each in children("prod")} == {"Replace=true"}


@pytest.mark.parametrize("environment, cluster", EVERY)
def test_every_namespace_is_made(environment: str, cluster: str) -> None:
    """Or is Kubernetes' own; and the project lets something be made there."""
    there = {each["metadata"]["name"] for each in made(environment, cluster) if each["kind"] == "Namespace"}
    used = {each["spec"]["destination"]["namespace"] for each in children(environment, cluster)}
    assert there == used - {"kube-system"}
    (allowed,) = objects(project(bootstrap(environment, cluster)))
    assert used | {NAMESPACE} <= {each["namespace"] for each in allowed["spec"]["destinations"]}
    assert {each["repoURL"] for child in children(environment, cluster) for each in child["spec"]["sources"]} <= set(
        allowed["spec"]["sourceRepos"])


def test_the_services_namespace_holds_pods_to_what_they_need() -> None:
    """Pod Security `restricted`, there and nowhere else."""
    label = "pod-security.kubernetes.io/enforce"
    found = {each["metadata"]["name"]: each["metadata"]["labels"].get(label) for each in made("prod")
             if each["kind"] == "Namespace"}
    assert found == {"monitoring": None, "external-dns": None, "glassbox": "restricted"}


@pytest.mark.parametrize("environment, cluster", EVERY)
def test_the_gate_may_ask_what_it_asks_and_no_more(environment: str, cluster: str) -> None:
    """Its one URL, as the API server would authorise it: /api/v1/namespaces/NAMESPACE/services/NAME:PORT/proxy."""
    _, _, _, _, namespace, kind, name, subresource = PROMETHEUS.split("/")
    found = {each["kind"]: each for each in made(environment, cluster) if each["metadata"]["name"] == "glassbox-gate"}
    assert sorted(found) == ["Role", "RoleBinding"]
    assert {each["metadata"]["namespace"] for each in found.values()} == {namespace}
    assert found["Role"]["rules"] == [{"apiGroups": [""], "resources": [f"{kind}/{subresource}"], "resourceNames": [name],
                                       "verbs": ["get"]}]
    group = {"apiGroup": "rbac.authorization.k8s.io"}
    assert found["RoleBinding"]["roleRef"] == group | {"kind": "Role", "name": "glassbox-gate"}
    assert found["RoleBinding"]["subjects"] == [group | {"kind": "Group", "name": "glassbox-gate"}]


def test_what_the_gate_asks_is_there() -> None:
    """The Service and its port, of the chart's making."""
    name, port = PROMETHEUS.split("/")[6].split(":")
    (service,) = [each for each in objects(rendered("kube-prometheus-stack")) if each["kind"] == "Service"
                  and each["metadata"]["name"] == name]
    assert port in [each["name"] for each in service["spec"]["ports"]]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_file_of_values_is_there(environment: str) -> None:
    """And says something; and each file of an environment is some child's."""
    named = [path for child in children(environment) for path in value_files(child)]
    for path in named:
        assert path.is_file() and read(path), path
    folder = ROOT / f"infra/gitops/environments/{environment}/values"
    assert {path for path in folder.iterdir()} <= set(named)
    assert set((ROOT / "infra/gitops/values").iterdir()) <= set(named)


@pytest.mark.parametrize("environment, cluster", EVERY)
def test_nothing_follows_a_branch(environment: str, cluster: str) -> None:
    """Everything of this repository is the release's commit, of others an exact version."""
    sources = [*(each["spec"]["source"] for each in parts(environment, cluster).values()),
               *(each for child in children(environment, cluster) for each in child["spec"]["sources"])]
    ours = [each for each in sources if each["repoURL"] == REPOSITORY]
    assert len(ours) > len(children(environment, cluster))
    assert {each["targetRevision"] for each in ours} == {RELEASE.revision}
    for each in sources:
        if each["repoURL"] != REPOSITORY:
            assert re.fullmatch(r"\d+\.\d+\.\d+", each["targetRevision"]), each


def test_versions_are_those_of_the_installer() -> None:
    """What charts/stack/install has, too, is the same here: charts, values and order."""
    for part in PARTS:
        if part.name not in NAMED:
            # On AWS the Ingress is the door.
            assert (part.name, part.profiles, part.option) in (("webhook", ("demo",), ""), ("gateway", PROFILES, "gateway"))
            continue
        source = NAMED[part.name]["spec"]["sources"][0]
        if part.version:
            assert (source["chart"], source["targetRevision"], source["repoURL"]) == (part.name, part.version, part.repository)
        else:
            assert source["path"] == part.folder
        base = "charts/glassbox/values-production.yaml" if part.name == "glassbox" else f"charts/stack/values/{part.name}.yaml"
        assert f"$values/{base}" == source["helm"]["valueFiles"][0]
        profile = f"charts/stack/values/{part.name}.production.yaml"
        assert (ROOT / profile).exists() == (f"$values/{profile}" in source["helm"]["valueFiles"])
    order = [part.name for part in PARTS if part.name in NAMED]
    assert order == sorted(order, key=lambda name: (name in SERVICE, wave(NAMED[name])))


def test_the_image_is_the_releases_by_digest() -> None:
    """The pods' image, whatever the environment."""
    for environment in ENVIRONMENTS:
        (child,) = [each for each in children(environment) if each["metadata"]["name"] == "glassbox"]
        (deployment,) = [each for each in objects(manifests(child)) if each["kind"] == "Deployment"]
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert container["image"] == f"{RELEASE.repository}@{RELEASE.digest}"
        resource = next(each["value"] for each in container["env"] if each["name"] == "OTEL_RESOURCE_ATTRIBUTES")
        assert f"deployment.environment.name={environment}" in resource


def test_environments_differ_in_sizes_only() -> None:
    """Each says the same keys of those that it may, or fewer."""
    for environment in ENVIRONMENTS:
        for path in (ROOT / f"infra/gitops/environments/{environment}/values").glob("*.yaml"):
            assert set(leaves(read(path))) <= MAY_DIFFER[path.stem], path
    for cluster in CLUSTERS:
        for part in parts("prod", cluster):
            texts = [re.sub(rf"\b{environment}\b", "ENV", apps(part, environment, cluster)) for environment in ENVIRONMENTS]
            assert texts[0] == texts[1] == texts[2]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_is_removed_takes_all_of_it_along(environment: str) -> None:
    """A finalizer each; and what somebody changes or breaks by hand comes right by itself, again and again."""
    for each in (*parts(environment).values(), *children(environment)):
        assert each["metadata"]["finalizers"] == ["resources-finalizer.argocd.argoproj.io"]
        assert each["spec"]["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}
        assert each["spec"]["syncPolicy"]["retry"]["limit"] != 0
        assert each["spec"]["project"] == "glassbox"


def test_large_crds_are_applied_by_the_server() -> None:
    """Only there is it needed; and only a certificate that each rendering makes anew is left alone."""
    options = {name: each["spec"]["syncPolicy"].get("syncOptions", []) for name, each in NAMED.items()}
    assert {name for name, each in options.items() if "ServerSideApply=true" in each} == {
        "kube-prometheus-stack", "kube-prometheus-stack-crds"}
    ignoring = {name for name, each in NAMED.items() if "ignoreDifferences" in each["spec"]}
    assert ignoring == {"aws-load-balancer-controller"}
    assert {name for name, each in options.items() if "RespectIgnoreDifferences=true" in each} == ignoring


def test_the_service_may_come_before_its_kinds() -> None:
    """Those of others that it has objects of; who brings its own, or waits for a wave, need not."""
    options = {name: each["spec"]["syncPolicy"].get("syncOptions", []) for name, each in NAMED.items()}
    assert {name for name, each in options.items() if "SkipDryRunOnMissingResource=true" in each} == {"glassbox"}
    assert {each["kind"] for each in objects(rendered("glassbox")) if "monitoring.coreos.com" in each["apiVersion"]} == {
        "ServiceMonitor", "PrometheusRule"}


def test_the_operators_kinds_come_before_it_from_the_same_chart() -> None:
    """It asks once, at its start, whether they are served: one child has them and nothing else, the other none of them."""
    kinds, operator = NAMED["kube-prometheus-stack-crds"], NAMED["kube-prometheus-stack"]
    assert wave(kinds) < wave(operator)
    for key in ("repoURL", "chart", "targetRevision"):
        assert kinds["spec"]["sources"][0][key] == operator["spec"]["sources"][0][key]
    found = {child: set(re.findall(r"^kind: (\S+)$", rendered(child), re.MULTILINE))
            for child in ("kube-prometheus-stack-crds", "kube-prometheus-stack")}
    assert found["kube-prometheus-stack-crds"] == {"CustomResourceDefinition"}
    assert "CustomResourceDefinition" not in found["kube-prometheus-stack"]


@pytest.mark.parametrize("name", sorted(WAVES | SERVICE))
def test_a_chart_renders_twice_to_the_same(name: str) -> None:
    """Else Argo CD would find a difference for ever, and undo it for ever; where it does, ignoreDifferences says so."""
    assert (rendered(name) == rendered(name)) != ("ignoreDifferences" in NAMED[name]["spec"])


def test_the_operators_webhook_is_said_once() -> None:
    """By the chart and by its job, which runs after the rules are there: until then it must let them through."""
    found = objects(rendered("kube-prometheus-stack"))
    policies = {hook["failurePolicy"] for each in found if each["kind"].endswith("WebhookConfiguration")
                for hook in each["webhooks"]}
    (patch,) = [each for each in found if each["kind"] == "Job" and each["metadata"]["name"].endswith("-patch")]
    (container,) = patch["spec"]["template"]["spec"]["containers"]
    assert policies == {"Ignore"} and "--patch-failure-policy=Ignore" in container["args"]


def test_nobody_scales_against_the_autoscaler() -> None:
    """The Deployment says no replicas where there is an HPA: so nothing need be ignored."""
    found = objects(rendered("glassbox"))
    (deployment,) = [each for each in found if each["kind"] == "Deployment"]
    assert "replicas" not in deployment["spec"]
    assert [each["kind"] for each in found].count("HorizontalPodAutoscaler") == 1


def glassbox(cluster: str, kind: str) -> list[dict[str, Any]]:
    """The service's objects of a kind, in prod."""
    (child,) = [each for each in children("prod", cluster) if each["metadata"]["name"] == "glassbox"]
    return [each for each in objects(manifests(child)) if each["kind"] == kind]


def test_a_domain_brings_a_host_and_tls() -> None:
    """Without one there is a load balancer all the same, and elsewhere than on AWS none."""
    (ingress,) = glassbox("", "Ingress")
    prefix = "alb.ingress.kubernetes.io"
    notes = ingress["metadata"]["annotations"]
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == [f"glassbox.{FACTS['domain']}"]
    assert (notes[f"{prefix}/certificate-arn"], notes[f"{prefix}/ssl-redirect"]) == (FACTS["certificate_arn"], "443")
    assert '"HTTPS": 443' in notes[f"{prefix}/listen-ports"]
    assert ingress["spec"]["ingressClassName"] == "alb" and notes[f"{prefix}/target-type"] == "ip"
    (ingress,) = glassbox("without-domain", "Ingress")
    assert "host" not in ingress["spec"]["rules"][0]
    assert not [note for note in ingress["metadata"]["annotations"] if "certificate" in note or "ssl" in note]
    assert glassbox("elsewhere", "Ingress") == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_aws_controllers_make_is_found_by_down(environment: str) -> None:
    """By the tags and the name that infra/terraform/down asks for: left.py."""
    target = Target("glassbox", environment, "111122223333", FACTS["aws_region"], FACTS["domain"])
    given = {each["metadata"]["name"]: each["spec"]["sources"][0]["helm"].get("valuesObject") for each in children(environment)}
    assert given["aws-load-balancer-controller"]["defaultTags"] == target.tags
    assert given["aws-load-balancer-controller"]["clusterName"] == given["external-dns"]["txtOwnerId"] == target.cluster


def test_records_go_with_the_ingress() -> None:
    """Who keeps them is told when it goes, and stays for what is after it: the service goes first, then the last wave."""
    given = read(ROOT / "infra/gitops/values/external-dns.yaml")
    assert (given["policy"], given["triggerLoopOnEvent"]) == ("sync", True)
    assert 0 < seconds(given["interval"]) < 60
    assert WAVES["external-dns"] == min(WAVES.values()) < max(WAVES.values()) - 1


def seconds(text: str) -> int:
    """45s -> 45."""
    return int(text.removesuffix("s"))


def test_the_load_balancer_lets_go_before_the_pod_does() -> None:
    """Deregistration within the drain; nobody's idle connection is closed by the service first; health checks reach it."""
    (ingress,) = glassbox("", "Ingress")
    notes = {key.rpartition("/")[2]: value for key, value in ingress["metadata"]["annotations"].items()}
    (deployment,) = glassbox("", "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    flags = dict(word.removeprefix("--").split("=", 1) for word in container["args"] if "=" in word)
    delay = seconds(notes["target-group-attributes"].removeprefix("deregistration_delay.timeout_seconds="))
    assert 0 < delay <= seconds(flags["drain-delay"])
    assert seconds(flags["idle-timeout"]) > 60  # the load balancer's own
    ports = {each["name"]: str(each["containerPort"]) for each in container["ports"]}
    assert notes["healthcheck-port"] == ports["admin"]
    assert notes["healthcheck-path"] == container["readinessProbe"]["httpGet"]["path"]
    (policy,) = glassbox("", "NetworkPolicy")
    (rule,) = [each for each in policy["spec"]["ingress"] if each["ports"][0]["port"] == "admin"]
    blocks = [peer["ipBlock"]["cidr"] for peer in rule["from"] if "ipBlock" in peer]
    assert ",".join(blocks) == FACTS["aws_public_subnets"]
    assert {"kubernetes.io/metadata.name": "monitoring"} in [
        peer.get("namespaceSelector", {}).get("matchLabels") for peer in rule["from"]]


def test_a_roll_waits_for_the_load_balancer() -> None:
    """A pod is ready when its target is: for which the target group must be there first, and the namespace say so."""
    label = "elbv2.k8s.aws/pod-readiness-gate-inject"
    for cluster, wanted in (("", "enabled"), ("without-domain", "enabled"), ("elsewhere", None)):
        labels = {each["metadata"]["name"]: each["metadata"]["labels"].get(label) for each in made("prod", cluster)
                  if each["kind"] == "Namespace"}
        assert labels.pop("glassbox") == wanted and set(labels.values()) == {None}
    (ingress,), (deployment,) = glassbox("", "Ingress"), glassbox("", "Deployment")
    (users,) = [each for each in glassbox("", "Service") if each["metadata"]["name"] == "glassbox"]
    assert wave(ingress) == wave(users) == -1
    assert "argocd.argoproj.io/sync-wave" not in deployment["metadata"].get("annotations", {})
    notes = {key.rpartition("/")[2]: value for key, value in ingress["metadata"]["annotations"].items()}
    known = int(notes["healthcheck-interval-seconds"]) * int(notes["healthy-threshold-count"])
    assert deployment["spec"]["minReadySeconds"] > known


def test_nobody_is_told_twice() -> None:
    """The Alertmanager has our routes; the chart brings none of its own."""
    assert glassbox("", "AlertmanagerConfig") == []
    files = [path.name for path in value_files(NAMED["kube-prometheus-stack"])]
    assert "values.kubernetes.yaml" in files


def test_argo_cd_is_pinned_in_one_place() -> None:
    """And highly available where it must be."""
    assert re.fullmatch(r"\d+\.\d+\.\d+", ARGO.version)
    named = [path for path in (ROOT / "infra/gitops").rglob("*") if path.is_file() and ARGO.version in path.read_text()]
    assert [path.name for path in named] == ["argo.py"]
    prod = read(BOOTSTRAP / "values/argo-cd.prod.yaml")
    assert prod["redis-ha"]["enabled"]
    assert all(prod[part]["replicas"] == 2 and prod[part]["pdb"]["enabled"] for part in (
        "server", "repoServer", "applicationSet"))
