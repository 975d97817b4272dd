"""The ApplicationSet and Argo CD's health check, run by the engines that Argo CD uses: what comes of which Secret."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from glassbox_gitops.argo import BOOTSTRAP, PART, PARTS, cluster_secret
from glassbox_gitops.release import ENVIRONMENTS
from rendering import APPS, CLUSTERS, RELEASE, REPOSITORY, applications, bootstrap, helm, parts

pytestmark = pytest.mark.skipif("GITOPS_BIN" not in os.environ, reason="no GITOPS_BIN (.ci/tools.sh gitops)")
RELEASES = dict.fromkeys(ENVIRONMENTS, RELEASE.text())
ANNOTATIONS = sorted(cluster_secret(bootstrap("dev"))["metadata"]["annotations"])


def made(secrets: list[dict], releases: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """The Applications."""
    done = applications(secrets, RELEASES if releases is None else releases)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_cluster_gets_its_own_environment(environment: str) -> None:
    """An Application for each part, with its own release: that of another is not looked at."""
    mine = RELEASE.text().replace("v1.2.0", f"v1.2.0-{environment}")
    found = made([cluster_secret(bootstrap(environment))], RELEASES | {environment: mine})
    assert tuple(each["metadata"]["name"] for each in found) == PARTS
    for part, application in zip(PARTS, found):
        values = application["spec"]["source"]["helm"]["valuesObject"]
        assert (values["environment"], values["release"]["version"]) == (environment, f"v1.2.0-{environment}")
        assert values["part"] == application["metadata"]["labels"][PART] == part
        assert application["spec"]["source"] | {"helm": None} == {
            "repoURL": REPOSITORY, "targetRevision": RELEASE.revision, "path": "infra/gitops/apps", "helm": None}
        assert application["spec"]["destination"] == {"server": "https://kubernetes.default.svc", "namespace": "argocd"}


def test_without_a_release_nothing_is_made() -> None:
    """A cluster that has come up before the first build waits for it."""
    assert made([cluster_secret(bootstrap("staging"))], {"dev": RELEASE.text()}) == []


def test_other_clusters_are_left_alone() -> None:
    """A Secret of an environment that there is not, and one of none."""
    other, none = cluster_secret(bootstrap("dev")), cluster_secret(bootstrap("dev"))
    other["metadata"]["labels"]["glassbox.io/environment"] = "sandbox"
    del none["metadata"]["labels"]["glassbox.io/environment"]
    assert made([other, none]) == []
    assert len(made([other, cluster_secret(bootstrap("dev")), none])) == len(PARTS)


@pytest.mark.parametrize("annotation", ANNOTATIONS)
def test_a_missing_annotation_is_named(annotation: str) -> None:
    """It is an error, and not an empty value."""
    secret = cluster_secret(bootstrap("dev"))
    del secret["metadata"]["annotations"][annotation]
    done = applications([secret], RELEASES)
    assert done.returncode == 1
    assert f'map has no entry for key "{annotation}"' in done.stderr


def test_all_that_is_told_is_read() -> None:
    """Each annotation is somewhere in the ApplicationSet, or in vain."""
    text = (BOOTSTRAP / "applicationset.yaml").read_text()
    assert [name for name in ANNOTATIONS if f".metadata.annotations.{name}}}}}" not in text] == []


@pytest.mark.parametrize("field", ["image", "revision", "version"])
def test_a_release_that_lacks_something_is_an_error(field: str) -> None:
    """By name."""
    content = yaml.safe_load(RELEASE.text())
    del content[field]
    done = applications([cluster_secret(bootstrap("dev"))], {"dev": json.dumps(content)})
    assert done.returncode == 1 and f'map has no entry for key "{field}"' in done.stderr


@pytest.mark.parametrize("path, value, word", [
    ("release.image.digest", "latest", "/release/image/digest"),
    ("release.image.digest", "sha256:0123", "/release/image/digest"),
    ("release.revision", "main", "/release/revision"),
    ("release.revision", "0123abc", "/release/revision"),
    ("release.image.repository", "Registry/x", "/release/image/repository"),
    ("part", "monitoring", "/part"),
    ("environment", "sandbox", "/environment"),
    ("cluster.provider", "gcp", "/cluster/provider"),
    ("cluster.name", "", "/cluster/name"),
    ("cluster.publicSubnets", "everywhere", "/cluster/publicSubnets"),
    ("cluster.certificateArn", "nope", "/cluster/certificateArn"),
    ("repository", "", "/repository"),
    ("cluster.zone", "a", "additional properties 'zone' not allowed"),
])
def test_what_cannot_be_is_refused_by_name(path: str, value: str, word: str) -> None:
    """infra/gitops/apps reads its values by a schema: a branch is no commit, a tag no digest."""
    values = copy.deepcopy(parts("dev")["service"]["spec"]["source"]["helm"]["valuesObject"])
    *way, last = path.split(".")
    target = values
    for name in way:
        target = target[name]
    target[last] = value
    with pytest.raises(RuntimeError) as error:
        helm("template", "service", str(APPS), "-f", "-", stdin=json.dumps(values))
    assert word in str(error.value)


def test_a_release_that_vanishes_takes_nothing_down() -> None:
    """Only the deletion of the ApplicationSet itself does."""
    wanted = yaml.safe_load((BOOTSTRAP / "applicationset.yaml").read_text())["spec"]
    assert wanted["syncPolicy"] == {"applicationsSync": "create-update"}
    assert wanted["goTemplateOptions"] == ["missingkey=error"]


def test_every_cluster_of_the_tests_can_be_told() -> None:
    """What is empty is there, and empty."""
    for cluster in CLUSTERS:
        notes = cluster_secret(bootstrap("prod", cluster))["metadata"]["annotations"]
        assert sorted(notes) == ANNOTATIONS


SOURCES = [{"repoURL": "a", "targetRevision": "2"}, {"repoURL": "b", "targetRevision": "2"}]
OLD = [{"repoURL": "a", "targetRevision": "1"}, {"repoURL": "b", "targetRevision": "1"}]
WELL = {"health": {"status": "Healthy"}, "sync": {"status": "Synced", "comparedTo": {"sources": SOURCES}}}


@pytest.mark.parametrize("status, wanted, word", [
    (None, "Progressing", ""),
    ({}, "Progressing", ""),
    (WELL, "Healthy", ""),
    (WELL | {"health": {"status": "Degraded", "message": "a pod does not start"}}, "Degraded", "a pod does not start"),
    (WELL | {"health": {"status": "Missing"}}, "Missing", ""),
    (WELL | {"operationState": {"phase": "Succeeded"}}, "Healthy", ""),
    (WELL | {"operationState": {"phase": "Running"}}, "Progressing", "an operation is under way"),
    (WELL | {"sync": {"status": "Synced", "comparedTo": {"sources": OLD}}}, "Progressing", "not compared with 2 yet"),
    ({"health": {"status": "Healthy"}}, "Progressing", "not compared with 2 yet"),
    (WELL | {"sync": {"status": "OutOfSync", "comparedTo": {"sources": SOURCES}}}, "Progressing",
     "its sync status is OutOfSync"),
    (WELL | {"sync": {"status": "Unknown", "comparedTo": {"sources": SOURCES}}}, "Progressing",
     "its sync status is Unknown"),
])
def test_a_wave_waits_for_what_is_well(tmp_path: Path, status: dict | None, wanted: str, word: str) -> None:
    """The health check that Argo CD is given: what is said of the release before says nothing, nor does what cannot even be
    rendered."""
    item: dict[str, Any] = {"spec": {"sources": SOURCES}}
    if status is not None:
        item["status"] = status
    assert health(tmp_path, "argoproj.io_Application", item) == {"status": wanted, "message": word}
    if status is WELL:  # those of the parts have one source, and are asked the same way
        one = WELL | {"sync": {"status": "Synced", "comparedTo": {"source": SOURCES[0]}}}
        assert health(tmp_path, "argoproj.io_Application", {"spec": {"source": SOURCES[0]}, "status": one})["status"] == "Healthy"


def health(folder: Path, kind: str, item: dict[str, Any]) -> dict[str, str]:
    """What Argo CD would say of an object, by the script that it is given for the kind."""
    script = folder / "health.lua"
    values = yaml.safe_load((BOOTSTRAP / "values/argo-cd.yaml").read_text())
    script.write_text(values["configs"]["cm"][f"resource.customizations.health.{kind}"])
    done = subprocess.run([os.environ["GITOPS_BIN"], "health", script], input=json.dumps(item), capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("conditions, wanted", [
    (None, "Progressing"),
    ([], "Progressing"),
    ([("NamesAccepted", "True"), ("Established", "False")], "Progressing"),
    ([("NamesAccepted", "True"), ("Established", "True")], "Healthy"),
    ([("NamesAccepted", "False"), ("Established", "True")], "Degraded"),
    ([("Established", "True"), ("NonStructuralSchema", "True")], "Degraded"),
])
def test_a_kind_that_was_just_accepted_is_not_ill(tmp_path: Path, conditions: list[tuple[str, str]] | None, wanted: str) -> None:
    """Argo CD's own check says Degraded of it, which fails the wave instead of letting it wait."""
    said = [{"type": kind, "status": status, "message": "why"} for kind, status in conditions or []]
    item = {"status": {"conditions": said}} if conditions is not None else {}
    assert health(tmp_path, "apiextensions.k8s.io_CustomResourceDefinition", item)["status"] == wanted
