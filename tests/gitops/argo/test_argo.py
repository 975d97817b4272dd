"""The life of an environment under Argo CD, from nothing to nothing. The order is the story."""

import re

import pytest

from applications import SET
from glassbox_gitops.argo import NAMESPACE, PART, PARTS
from glassbox_gitops.gate_cli import PROMETHEUS
from lab import ENVIRONMENT, METRICS, PATIENCE, Lab
from origin import GITOPS
from wire import eventually

RELEASE = f"{GITOPS}/environments/{ENVIRONMENT}/release.yaml"
SERVICE = f"{GITOPS}/environments/{ENVIRONMENT}/values/glassbox.yaml"
MISSING = f"localhost/glassbox@sha256:{'0' * 64}"
WAITS = "waiting for healthy state of argoproj.io/Application/metrics-server"
SOON = 30  # seconds in which a change by hand is undone, on a busy machine


def test_nothing_becomes_the_environment_that_git_names(lab: Lab) -> None:
    """One command into an empty cluster, and a release: an Application for each part, their children, all well at that
    commit. Nobody waits for the kinds of which the service has objects: it asks until they are there."""
    with lab.timed("the environment, from nothing"):
        lab.applications.settle(lab.origin.sources, lab.names, PATIENCE)
    for part in PARTS:
        parent = lab.applications.all()[part]["metadata"]
        assert parent["labels"] == {"glassbox.io/environment": ENVIRONMENT, PART: part}
        assert [each["name"] for each in parent["ownerReferences"]] == [SET]
    assert lab.images() == {lab.first}
    assert "hello" in lab.service("/demo/hello")


def test_a_wave_begins_when_the_one_before_is_healthy(lab: Lab) -> None:
    """Each child's first moment, beside what the children of the part's earlier waves had said by then."""
    healthy: dict[str, bool] = {}
    waves: dict[str, tuple[str, int]] = {}
    for each in lab.applications.history:
        if each.name not in (*PARTS, *waves):
            waves[each.name] = each.part, each.wave
            waiting = [name for name, (part, wave) in waves.items()
                       if part == each.part and wave < each.wave and not healthy[name]]
            assert not waiting, f"{each.name}, of wave {each.wave}, was made while these were not healthy: {waiting}"
        healthy[each.name] = each.health == "Healthy"
    assert waves == {child["name"]: (child.get("part", "platform"), child["wave"]) for child in lab.origin.children
                     if child["name"] in lab.names}
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


OFF = '--patch=[{"op":"remove","path":"/spec/syncPolicy/automated"}]'
BY_HAND = {
    "a Service is deleted": ("delete", "service", "glassbox"),
    "the image is set": ("set", "image", "deployment/glassbox", f"glassbox={MISSING}"),
    "the autoscaler's bounds are set": ("patch", "hpa", "glassbox", "--type=merge", '--patch={"spec":{"minReplicas":1}}'),
    "a rule is deleted": ("delete", "prometheusrule", "--all"),
    "an Application is told to follow a branch": ("--namespace", NAMESPACE, "patch", "application", "metrics-server", "--type=json",
                                                  '--patch=[{"op":"replace","path":"/spec/sources/1/targetRevision","value":"main"}]'),
    "an Application's sync is switched off": ("--namespace", NAMESPACE, "patch", "application", "glassbox", "--type=json", OFF),
    "a part's sync is switched off": ("--namespace", NAMESPACE, "patch", "application", "service", "--type=json", OFF),
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


NOT_OURS = {
    "nothing is left of the pods": (("scale", "deployment/glassbox", "--replicas=0"), ("scale", "deployment/glassbox", "--replicas=2"),
                                    lambda spec: spec["replicas"] == 0, "ScalingDisabled"),
    "a variable is added": (("set", "env", "deployment/glassbox", "ADDED=1"), ("set", "env", "deployment/glassbox", "ADDED-"),
                            lambda spec: "ADDED" in str(spec["template"]), "AbleToScale"),
}


@pytest.mark.parametrize("what", NOT_OURS)
def test_what_git_has_no_word_about_stays(lab: Lab, what: str) -> None:
    """How many pods there are is the autoscaler's, and an apply takes back nothing that it has not brought: Argo CD looks,
    and finds what git says."""
    there, back, is_so, word = NOT_OURS[what]
    lab.cluster.kubectl("--namespace", "glassbox", *there)
    said = lab.applications.compare("glassbox", PATIENCE)
    assert said["sync"]["status"] == "Synced", lab.applications.told()
    assert eventually(lambda: is_so(lab.deployment()["spec"]) and word in str(lab.autoscaler()["status"]), PATIENCE, 0.5)
    lab.cluster.kubectl("--namespace", "glassbox", *back)
    lab.cluster.kubectl("--namespace", "glassbox", "rollout", "status", "deployment/glassbox", f"--timeout={PATIENCE}s",
                        timeout=PATIENCE)
    lab.applications.settle(lab.origin.sources, lab.names, PATIENCE)


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
    lab.origin.write(SERVICE, lab.origin.read(SERVICE).replace("maxReplicas: 4", "maxReplicas: 5"))
    revision = lab.origin.push("dev may have one pod more")
    second = lab.build(revision)
    lab.promote(revision, second, "v2")
    with lab.timed("a promotion, to all well"):
        lab.applications.settle(revision, lab.names, PATIENCE)
    assert lab.images() == {second}
    assert lab.bounds() == (2, 5)
    assert lab.others() == others, "others have restarted"


def test_without_git_a_person_goes_back_and_git_has_its_way_again(lab: Lab) -> None:
    """As docs/delivery.md has it: who would undo it is stopped, the Deployment goes back, and later git's word counts again."""
    now, programs = lab.images(), lab.programs
    assert programs
    programs.stop("application-controller")
    lab.cluster.kubectl("--namespace", "glassbox", "rollout", "undo", "deployment/glassbox")
    with lab.timed("kubectl rollout undo, to all pods of before"):
        lab.cluster.kubectl("--namespace", "glassbox", "rollout", "status", "deployment/glassbox", f"--timeout={PATIENCE}s",
                            timeout=PATIENCE)
    assert eventually(lambda: lab.images() == {lab.first}, PATIENCE, 0.5) and now != {lab.first}
    assert "hello" in lab.service("/demo/hello")
    programs.start("application-controller")
    with lab.timed("Argo CD is back, to git's word"):
        assert eventually(lambda: lab.images() == now, PATIENCE, 0.5), lab.applications.told()
    lab.applications.settle(lab.revision(), lab.names, PATIENCE)


def test_a_release_that_cannot_start_takes_nothing_down_and_a_revert_takes_it_back(lab: Lab) -> None:
    """Its pods do not come; those of the release before go on serving, and the revert need not wait for them."""
    running = lab.images()
    was = lab.deployment()["status"]["readyReplicas"]
    revision = lab.origin.push_empty("nothing new, and an image that nobody has")
    lab.promote(revision, MISSING, "v3")
    assert eventually(lambda: MISSING in str(lab.deployment()["spec"]["template"]), PATIENCE, 0.5), lab.applications.told()
    assert eventually(lambda: "ErrImage" in str(lab.cluster.items("glassbox", "pods"))
                      or "ImagePullBackOff" in str(lab.cluster.items("glassbox", "pods")), PATIENCE, 0.5)
    assert eventually(lambda: lab.applications.health("glassbox") == "Progressing", PATIENCE, 0.5), lab.applications.told()
    assert (lab.images(), lab.deployment()["status"]["readyReplicas"]) == (running, was)
    assert "hello" in lab.service("/demo/hello")
    lab.rollback()
    with lab.timed("a revert of a release that cannot start, to all well"):
        lab.applications.settle(lab.revision(), lab.names, PATIENCE)
    assert lab.images() == running


def test_a_release_that_is_refused_takes_nothing_down_and_a_revert_takes_it_back(lab: Lab) -> None:
    """The API server will not have its Deployment, and Argo CD tries again without end: the revert interrupts that."""
    running, values = lab.images(), lab.origin.read(SERVICE)
    lab.origin.write(SERVICE, values + "securityContext: {privileged: true}\n")
    revision = lab.origin.push("what contradicts itself")
    lab.promote(revision, lab.build(revision), "v4")
    assert eventually(lambda: "Retrying" in str(lab.operation("glassbox").get("message")), PATIENCE, 0.5), lab.applications.told()
    assert "privileged" in str(lab.operation("glassbox")) and lab.images() == running
    lab.rollback()
    with lab.timed("a revert of a release that is refused, to all well"):
        lab.applications.settle(lab.revision(), lab.names, PATIENCE)
    assert lab.images() == running
    lab.origin.write(SERVICE, values)
    lab.origin.push("what is mended")


def test_a_revert_brings_back_what_was(lab: Lab) -> None:
    """Image and values, as dev began."""
    lab.rollback()
    assert lab.revision() == lab.origin.sources
    with lab.timed("a revert, to all well"):
        lab.applications.settle(lab.origin.sources, lab.names, PATIENCE)
    assert lab.images() == {lab.first}
    assert lab.bounds() == (2, 4)


def test_a_platform_that_is_ill_holds_up_no_release_and_no_way_back(lab: Lab) -> None:
    """A release brings it, with an image of metrics-server that nobody has, and a service that is well."""
    before, values = (lab.revision(), lab.images()), lab.origin.read(METRICS)
    revision = lab.break_platform()
    image = lab.build(revision)
    lab.promote(revision, image, "v5")
    with lab.timed("a promotion while the platform is ill, to the service well"):
        lab.applications.reach(revision, {"service", "glassbox"}, PATIENCE)
    assert lab.images() == {image}
    assert eventually(lambda: WAITS in str(lab.operation("platform").get("message")), PATIENCE, 0.5), lab.applications.told()
    lab.rollback()
    with lab.timed("a revert while the platform is ill, to the service well"):
        lab.applications.reach(before[0], {"service", "glassbox"}, PATIENCE)
    assert (lab.revision(), lab.images()) == before
    lab.origin.write(METRICS, values)
    lab.origin.push("what is mended")


def test_a_kind_that_is_lost_keeps_no_release_from_the_pods(lab: Lab) -> None:
    """Nobody brings it back while the platform is ill: who would is gone with it. What is not of the kind is applied."""
    before = lab.revision(), lab.images()
    crds = ("--namespace", NAMESPACE, "application", "kube-prometheus-stack-crds")
    lab.cluster.kubectl("patch", *crds, "--type=merge", '--patch={"metadata":{"finalizers":null}}')
    lab.cluster.kubectl("delete", *crds)
    lab.cluster.kubectl("delete", "crd", "prometheusrules.monitoring.coreos.com")
    revision = lab.origin.push_empty("nothing new")
    image = lab.build(revision)
    lab.promote(revision, image, "v6")
    with lab.timed("a promotion without a kind, to the pods"):
        assert eventually(lambda: lab.images() == {image}, PATIENCE, 0.5), lab.applications.told()
    assert eventually(lambda: "Retrying" in str(lab.operation("glassbox").get("message")), PATIENCE, 0.5), lab.applications.told()
    assert "PrometheusRule" in str(lab.operation("glassbox"))
    lab.rollback()
    with lab.timed("a revert without a kind, to the pods"):
        assert eventually(lambda: (lab.revision(), lab.images()) == before, PATIENCE, 0.5), lab.applications.told()


def test_the_platforms_own_way_back_is_opened_by_a_person(lab: Lab) -> None:
    """What its sync waits for will not come, and Argo CD does not begin another one before: as infra/gitops/README.md has it,
    the operation is dropped."""
    assert WAITS in lab.operation("platform")["message"]
    lab.cluster.kubectl("--namespace", NAMESPACE, "patch", "application", "platform", "--type=merge", '--patch={"operation":null}')
    with lab.timed("the platform's revert, from the operation's end to all well"):
        lab.applications.settle(lab.revision(), lab.names, PATIENCE)


def test_it_goes_service_first_and_leaves_nothing(lab: Lab) -> None:
    """`install --uninstall`, in an environment whose platform is ill, and interrupted: the service, then the platform's last
    wave first, each gone before the one before it goes; then the cluster has what it had.

    But for kinds: Argo CD deletes none, as everything of a kind would go with it, nor does Helm those of a chart's folder
    `crds`. They cost nothing, and go with the cluster."""
    revision = lab.break_platform()
    lab.promote(revision, lab.build(revision), "v7")
    assert eventually(lambda: WAITS in str(lab.operation("platform").get("message")), PATIENCE, 0.5), lab.applications.told()
    begun = len(lab.applications.history)
    done = lab.install("--uninstall", "--timeout", "1", check=False)
    assert done.returncode == 1 and "1 s: " in done.stderr, done.stderr
    with lab.timed("bootstrap/install --uninstall"):
        lab.install("--uninstall", "--timeout", "150")
    gone = [each for each in lab.applications.history[begun:] if each.kind == "DELETED"]
    assert {each.name for each in gone} == lab.names
    assert [each.name for each in gone][:2] == ["glassbox", "service"] and gone[-1].name == "platform"
    platform = [each.wave for each in gone[2:-1]]
    assert platform == sorted(platform, reverse=True)
    left = lab.everything() - lab.before
    kinds = {row for row in left if re.fullmatch(r"(CustomResourceDefinition|APIService) <none> \S+\.(monitoring\.coreos\.com|argoproj\.io)", row)}
    assert not left - kinds, sorted(left - kinds)
