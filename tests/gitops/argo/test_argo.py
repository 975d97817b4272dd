"""The life of an environment under Argo CD, from nothing to nothing. The order is the story."""

import re

import pytest

from applications import PARENT, SET
from glassbox_gitops.argo import NAMESPACE
from glassbox_gitops.gate_cli import PROMETHEUS
from lab import ENVIRONMENT, PATIENCE, Lab
from origin import GITOPS
from wire import eventually

RELEASE = f"{GITOPS}/environments/{ENVIRONMENT}/release.yaml"
MINIMUM = f"{GITOPS}/environments/{ENVIRONMENT}/values/glassbox.yaml"
MISSING = f"localhost/glassbox@sha256:{'0' * 64}"
SOON = 30  # seconds in which a change by hand is undone, on a busy machine


def test_nothing_becomes_the_environment_that_git_names(lab: Lab) -> None:
    """One command into an empty cluster, and a release: an Application, its children, all well at that commit."""
    with lab.timed("the environment, from nothing"):
        lab.applications.settle(lab.origin.sources, lab.names, PATIENCE)
    parent = lab.applications.all()[PARENT]
    assert parent["metadata"]["labels"]["glassbox.io/environment"] == ENVIRONMENT
    assert [each["name"] for each in parent["metadata"]["ownerReferences"]] == [SET]
    assert lab.images() == {lab.first}
    assert "hello" in lab.service("/demo/hello")


def test_a_wave_begins_when_the_one_before_is_healthy(lab: Lab) -> None:
    """Each child's first moment, beside what the children of earlier waves had said by then."""
    healthy: dict[str, bool] = {}
    waves: dict[str, int] = {}
    for each in lab.applications.history:
        if each.name != PARENT and each.name not in waves:
            waves[each.name] = each.wave
            waiting = [name for name, wave in waves.items() if wave < each.wave and not healthy[name]]
            assert not waiting, f"{each.name}, of wave {each.wave}, was made while these were not healthy: {waiting}"
        healthy[each.name] = each.health == "Healthy"
    assert waves == {child["name"]: child["wave"] for child in lab.origin.children if child["name"] in lab.names}
    assert len(set(waves.values())) > 2


def test_the_gate_may_ask_prometheus_and_nothing_else(lab: Lab) -> None:
    """By its group alone. What may be asked is told from what may not also where nobody is there: the API server decides first."""
    def forbidden(*words: str) -> bool:
        said = lab.cluster.run("kubectl", "--as", "gate", "--as-group", "glassbox-gate", *words, check=False)
        return "Error from server (Forbidden)" in said.stderr
    assert not forbidden("get", "--raw", f"{PROMETHEUS}/api/v1/query?query=1")
    namespace, service = PROMETHEUS.partition("/services/")[0], PROMETHEUS.removesuffix(":http-web/proxy")
    for path in (f"{service}:9090/proxy/", f"{service}/proxy/", f"{namespace}/services/grafana:service/proxy/", f"{namespace}/pods",
                 f"{namespace}/configmaps", f"{namespace}/secrets", "/api/v1/namespaces/glassbox/pods"):
        assert forbidden("get", "--raw", path), path
    assert forbidden("create", "--raw", f"{PROMETHEUS}/-/reload", "--filename", "/dev/null")


BY_HAND = {
    "a Service is deleted": ("delete", "service", "glassbox"),
    "the image is set": ("set", "image", "deployment/glassbox", f"glassbox={MISSING}"),
    "the autoscaler's bounds are set": ("patch", "hpa", "glassbox", "--type=merge", '--patch={"spec":{"minReplicas":1}}'),
    "a rule is deleted": ("delete", "prometheusrule", "--all"),
    "an Application is told to follow a branch": ("--namespace", NAMESPACE, "patch", "application", "metrics-server", "--type=json",
                                                  '--patch=[{"op":"replace","path":"/spec/sources/1/targetRevision","value":"main"}]'),
}


@pytest.mark.parametrize("what", BY_HAND)
def test_a_change_by_hand_is_undone(lab: Lab, what: str) -> None:
    """Whatever git has a word about; nobody asks Argo CD to look."""
    def state() -> list[object]:
        kinds = (("v1", "services"), ("apps/v1", "deployments"), ("autoscaling/v2", "horizontalpodautoscalers"),
                 ("monitoring.coreos.com/v1", "prometheusrules"))
        found = [(item["metadata"]["name"], item["spec"]) for group, kind in kinds
                 for item in lab.cluster.items("glassbox", kind, group="api/v1" if group == "v1" else f"apis/{group}")]
        found += [(name, item["spec"]) for name, item in lab.applications.all().items()]
        for _, spec in found:  # the API server's choice, and the autoscaler's
            for key in ("clusterIP", "clusterIPs", "replicas"):
                spec.pop(key, None)
        return found
    before = state()
    lab.cluster.kubectl("--namespace", "glassbox", *BY_HAND[what])
    with lab.timed(f"undone: {what}"):
        assert eventually(lambda: state() == before, SOON, 0.5), lab.applications.told()


def test_a_release_without_a_key_is_refused_by_name(lab: Lab) -> None:
    """The ApplicationSet says what is missing, and the environment stays as it is."""
    text = lab.origin.read(RELEASE)
    lab.origin.write(RELEASE, "".join(line for line in text.splitlines(True) if not line.startswith("version:")))
    lab.origin.push("release.yaml loses its version")
    lab.applications.look()
    with lab.timed("a release without a key is refused"):
        assert eventually(lambda: 'map has no entry for key "version"' in str(lab.applications.conditions()), PATIENCE, 0.5), \
            lab.applications.told()
    lab.applications.settle(lab.origin.sources, lab.names, PATIENCE)
    lab.origin.revert()
    lab.applications.look()
    assert eventually(lambda: "has no entry" not in str(lab.applications.conditions()), PATIENCE, 0.5), lab.applications.told()


def test_a_promotion_is_synced(lab: Lab) -> None:
    """The image and what stands in the repository beside it, from the one commit; all children follow it."""
    others = lab.others()
    lab.origin.write(MINIMUM, lab.origin.read(MINIMUM).replace("maxReplicas: 4", "maxReplicas: 5"))
    revision = lab.origin.push("dev may have one pod more")
    second = lab.build(revision)
    lab.promote(revision, second, "v2")
    with lab.timed("a promotion, to all well"):
        lab.applications.settle(revision, lab.names, PATIENCE)
    assert lab.images() == {second}
    assert lab.bounds() == (2, 5)
    assert lab.others() == others, "others have restarted"


def test_a_release_that_cannot_start_takes_nothing_down_and_a_revert_takes_it_back(lab: Lab) -> None:
    """Its pods do not come; those of the release before go on serving, and the revert need not wait for them."""
    running = lab.images()
    was = lab.deployment()["status"]["readyReplicas"]
    revision = lab.origin.push_empty("nothing new, and an image that nobody has")
    lab.promote(revision, MISSING, "v3")
    assert eventually(lambda: MISSING in str(lab.deployment()["spec"]["template"]), PATIENCE, 0.5), lab.applications.told()
    assert eventually(lambda: "ErrImage" in str(lab.cluster.items("glassbox", "pods"))
                      or "ImagePullBackOff" in str(lab.cluster.items("glassbox", "pods")), PATIENCE, 0.5)
    assert lab.applications.all()["glassbox"]["status"]["health"]["status"] != "Healthy"
    assert (lab.images(), lab.deployment()["status"]["readyReplicas"]) == (running, was)
    assert "hello" in lab.service("/demo/hello")
    lab.rollback()
    with lab.timed("a revert of a release that cannot start, to all well"):
        lab.applications.settle(lab.revision(), lab.names, PATIENCE)
    assert lab.images() == running


def test_a_revert_brings_back_what_was(lab: Lab) -> None:
    """Image and values, as dev began."""
    lab.rollback()
    assert lab.revision() == lab.origin.sources
    with lab.timed("a revert, to all well"):
        lab.applications.settle(lab.origin.sources, lab.names, PATIENCE)
    assert lab.images() == {lab.first}
    assert lab.bounds() == (2, 4)


def test_it_goes_in_reverse_and_leaves_nothing(lab: Lab) -> None:
    """`install --uninstall`: the last wave first, each gone before the one before it goes; then the cluster has what it had.

    But for kinds: Argo CD deletes none, as everything of a kind would go with it, nor does Helm those of a chart's folder
    `crds`. They cost nothing, and go with the cluster."""
    with lab.timed("bootstrap/install --uninstall"):
        lab.install("--uninstall", "--timeout", "150")
    gone = [each for each in lab.applications.history if each.kind == "DELETED" and each.name != PARENT]
    assert {each.name for each in gone} == lab.names - {PARENT}
    assert [each.wave for each in gone] == sorted((each.wave for each in gone), reverse=True)
    left = lab.everything() - lab.before
    kinds = {row for row in left if re.fullmatch(r"(CustomResourceDefinition|APIService) <none> \S+\.(monitoring\.coreos\.com|argoproj\.io)", row)}
    assert not left - kinds, sorted(left - kinds)
