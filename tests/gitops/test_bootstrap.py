"""bootstrap/install: what it runs and in which order, what it refuses, and what it waits for when it takes all down.

helm and kubectl are stand-ins here that write down what they are told and answer from files: a cluster's own part is
tests/e2e's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from glassbox_gitops.argo import ARGO, BOOTSTRAP, PART, PARTS

INSTALL = BOOTSTRAP / "install"
REPOSITORY = "https://git.example.org/team/glassbox.git"
OUTPUTS: dict[str, Any] = {
    "cluster_name": "glassbox-prod", "region": "eu-central-1", "vpc_id": "vpc-0123456789abcdef0",
    "public_subnets_cidr_blocks": ["10.0.48.0/24", "10.0.49.0/24"], "domain": "example.org",
    "acm_certificate_arn": "arn:aws:acm:eu-central-1:111122223333:certificate/0123"}
FAKE = r"""#!/usr/bin/env python3
import json, os, pathlib, sys
here, name, words = pathlib.Path(os.environ["FAKE"]), pathlib.Path(sys.argv[0]).name, sys.argv[1:]
stdin = sys.stdin.read() if "-" in words else ""
with open(here / "log", "a") as log:
    log.write(json.dumps([name, words, stdin]) + "\n")
if name == "helm" and words[0] == "version":
    print("v4.1.4")
elif words[0] == "version":
    print(json.dumps({"clientVersion": {"gitVersion": "v1.35.2"}, "serverVersion": {"gitVersion": "v1.35.0"}}))
elif words[0] == "get" and "--raw" not in words:
    path = here / "-".join(word for word in words[1:] if word not in ("-o", "json", "-n")).replace("/", "_")
    if not path.exists():
        sys.exit(1)
    text = path.read_text()
    left = text.split("\n", 1)
    if len(left) > 1 and left[1]:  # a line for each time that it is asked
        path.write_text(left[1])
    print(left[0])
"""


class Lab:
    """The stand-ins, what they answer, and what they were told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("helm", "kubectl"):
            (folder / name).write_text(FAKE)
            (folder / name).chmod(0o755)
        self.outputs = folder / "outputs.json"
        self.told(OUTPUTS)

    def told(self, values: dict[str, Any]) -> None:
        """What Terraform says."""
        self.outputs.write_text(json.dumps({name: {"value": value, "sensitive": False} for name, value in values.items()}))

    def has(self, name: str, *answers: Any) -> None:
        """What `kubectl get` answers, each time."""
        (self.folder / name).write_text("\n".join(json.dumps(each) for each in answers))

    def install(self, *arguments: str, charts: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs it."""
        env = {"PATH": f"{self.folder}:{os.environ['PATH']}", "FAKE": str(self.folder), "LC_ALL": "C"}
        return subprocess.run([sys.executable, INSTALL, *arguments], env=env | ({"CHARTS_DIR": charts} if charts else {}),
                              capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)

    def up(self, environment: str, *more: str) -> subprocess.CompletedProcess[str]:
        """With outputs and a repository."""
        return self.install(environment, "--outputs", str(self.outputs), "--repository", REPOSITORY, *more)

    def changes(self) -> list[tuple[str, list[str], str]]:
        """What was told that was no question."""
        log = self.folder / "log"
        lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [(name, words, stdin) for name, words, stdin in lines if words[0] not in ("version", "get")]

    def made(self) -> list[dict[str, Any]]:
        """The objects that kubectl was given, in order."""
        found: list[dict[str, Any]] = []
        for name, words, stdin in self.changes():
            if name == "kubectl" and "-f" in words:
                text = stdin if words[-1] == "-" or "-" in words else Path(words[-1]).read_text()
                found += yaml.safe_load_all(text)
        return found


@pytest.fixture(name="lab")
def a_lab(tmp_path: Path) -> Lab:
    """A cluster in which nothing is."""
    return Lab(tmp_path)


def test_a_cluster_is_told_who_it_is(lab: Lab) -> None:
    """Namespaces and Secrets, Argo CD, its project, its cluster, and last what makes it begin."""
    done = lab.up("dev")
    assert done.returncode == 0, done.stderr
    assert [(each["kind"], each["metadata"]["name"]) for each in lab.made()] == [
        ("Namespace", "argocd"), ("Namespace", "monitoring"), ("Secret", "grafana-admin"), ("Secret", "glassbox"),
        ("AppProject", "glassbox"), ("Secret", "environment"), ("ApplicationSet", "environments")]
    secret = lab.made()[5]
    assert secret["metadata"]["labels"] == {"argocd.argoproj.io/secret-type": "cluster", "glassbox.io/environment": "dev"}
    assert secret["metadata"]["annotations"] == {
        "repository": REPOSITORY, "branch": "main", "provider": "aws", "cluster_name": "glassbox-prod",
        "aws_region": "eu-central-1", "aws_vpc_id": OUTPUTS["vpc_id"], "aws_public_subnets": "10.0.48.0/24,10.0.49.0/24",
        "domain": "example.org", "certificate_arn": OUTPUTS["acm_certificate_arn"]}
    assert REPOSITORY in lab.made()[4]["spec"]["sourceRepos"] and "REPOSITORY" not in lab.made()[4]["spec"]["sourceRepos"]
    (helm,) = [words for name, words, _ in lab.changes() if name == "helm"]
    assert helm[:7] == ["upgrade", "--install", "argocd", "argo-cd", "--repo", ARGO.repository, "--version"]
    assert helm[7] == ARGO.version and "--wait" in helm
    order = [name if name == "helm" else words[0] for name, words, _ in lab.changes()]
    assert order == ["create"] * 4 + ["helm"] + ["apply"] * 3


def test_prod_is_highly_available_and_can_page(lab: Lab) -> None:
    """Without Alertmanager's Secret nothing is begun; with it prod has values of its own."""
    done = lab.up("prod")
    assert done.returncode == 2 and "there is no Secret monitoring/glassbox" in done.stderr
    assert "kubectl -n monitoring create secret generic glassbox --from-file=" in done.stderr
    assert lab.changes() == []
    lab.has("secret-glassbox-monitoring", {"data": {"slack-url": "eA=="}})
    done = lab.up("prod")
    assert done.returncode == 0, done.stderr
    (helm,) = [words for name, words, _ in lab.changes() if name == "helm"]
    assert [Path(word).name for word in helm if word.endswith(".yaml")] == ["argo-cd.yaml", "argo-cd.prod.yaml"]
    assert ("Secret", "glassbox") not in [(each["kind"], each["metadata"]["name"]) for each in lab.made()]


def test_what_is_to_be_typed_names_the_cluster_that_was_asked_for(lab: Lab) -> None:
    """prod's credentials must not go where the shell happens to point."""
    done = lab.up("prod", "--context", "acme-prod")
    assert done.returncode == 2
    assert "kubectl --context acme-prod create namespace monitoring\n" in done.stderr
    assert "kubectl --context acme-prod -n monitoring create secret generic glassbox --from-file=" in done.stderr
    assert "kubectl --context acme-dev -n argocd get applications -w" in lab.up("dev", "--context", "acme-dev").stdout
    assert "kubectl -n argocd get applications -w" in lab.up("dev").stdout


def test_done_again_it_leaves_secrets_alone(lab: Lab) -> None:
    """Grafana's password stays, and what somebody has put into Alertmanager's."""
    for name in ("secret-grafana-admin-monitoring", "secret-glassbox-monitoring", "namespace-argocd", "namespace-monitoring"):
        lab.has(name, {"data": {}})
    assert lab.up("dev").returncode == 0
    assert [each["kind"] for each in lab.made()] == ["AppProject", "Secret", "ApplicationSet"]


def test_passwords_are_never_the_same_nor_shown(lab: Lab) -> None:
    """Two clusters, two passwords; --print has none."""
    found = set()
    for _ in range(2):
        (lab.folder / "log").unlink(missing_ok=True)
        assert lab.up("dev").returncode == 0
        found.add(lab.made()[2]["stringData"]["admin-password"])
    assert len(found) == 2 and min(map(len, found)) >= 24
    shown = lab.up("dev", "--print").stdout
    assert "A-RANDOM-ONE" in shown and not [each for each in found if each in shown]


def test_print_asks_nobody(lab: Lab) -> None:
    """It shows the commands, in the order in which they would be run."""
    done = lab.up("prod", "--print", "--context", "here")
    assert done.returncode == 0, done.stderr
    assert not (lab.folder / "log").exists()
    assert "helm upgrade --install argocd" in done.stdout and "--kube-context here" in done.stdout
    assert done.stdout.index("AppProject") < done.stdout.index("secret-type") < done.stdout.index("applicationset.yaml")


def test_check_needs_no_cluster_and_no_outputs(lab: Lab) -> None:
    """What it would need is looked at, and nothing else: Terraform may have made nothing yet."""
    done = lab.install("prod", "--check", "--repository", REPOSITORY)
    assert (done.returncode, done.stderr, lab.changes()) == (0, "", [])
    asked = [json.loads(line)[1] for line in (lab.folder / "log").read_text().splitlines()]
    assert ["version", "-o", "json", "--client"] in asked and all(words[0] == "version" for words in asked)
    done = lab.install("prod", "--check", "--repository", "here")
    assert done.returncode == 2 and "--repository 'here': must be an address" in done.stderr
    (lab.folder / "helm").write_text("#!/bin/sh\necho v3.2.1\n")
    for more in (["--repository", REPOSITORY], ["--uninstall"]):
        done = lab.install("prod", "--check", *more)
        assert done.returncode == 2 and "helm is v3.2.1: 3.14 or later is needed" in done.stderr


def test_elsewhere_no_outputs_are_needed(lab: Lab) -> None:
    """What AWS would have is empty."""
    assert lab.install("dev", "--provider", "none", "--repository", REPOSITORY).returncode == 0
    notes = lab.made()[5]["metadata"]["annotations"]
    assert {name for name, value in notes.items() if value} == {"repository", "branch", "provider", "cluster_name"}


@pytest.mark.parametrize("output, value, word", [
    ("cluster_name", None, "cluster_name: missing: must be the name of a cluster; there are"),
    ("region", None, "region: missing: must be a region such as eu-central-1"),
    ("vpc_id", "", "vpc_id: missing"),
    ("vpc_id", "10.0.0.0/16", "vpc_id '10.0.0.0/16': must be vpc- and hexadecimal digits"),
    ("public_subnets_cidr_blocks", [], "public_subnets_cidr_blocks: missing: must be a list of CIDRs"),
    ("public_subnets_cidr_blocks", ["all"], "public_subnets_cidr_blocks 'all': must be a list of CIDRs"),
    ("domain", "not a domain", "domain 'not a domain': must be a domain such as"),
    ("domain", "", "acm_certificate_arn: is for a domain, and the output domain is empty"),
    ("acm_certificate_arn", "abc", "acm_certificate_arn 'abc': must be the ARN of a certificate"),
])
def test_outputs_that_cannot_be_are_named(lab: Lab, output: str, value: Any, word: str) -> None:
    """With what is allowed, and nothing is begun."""
    lab.told({name: each for name, each in (OUTPUTS | {output: value}).items() if each is not None})
    done = lab.up("dev")
    assert done.returncode == 2 and word in done.stderr, done.stderr
    assert lab.changes() == []


def test_all_that_is_wrong_is_said_at_once(lab: Lab) -> None:
    """Not one after the other."""
    lab.told({"domain": "example.org"})
    done = lab.up("dev")
    assert [line.split(":")[0].strip() for line in done.stderr.splitlines()[1:]] == [
        "cluster_name", "region", "vpc_id", "public_subnets_cidr_blocks"]


@pytest.mark.parametrize("arguments, word", [
    (["qa"], "no such environment: 'qa'; there are dev, staging, prod"),
    (["dev", "--outputs", "/nonexistent"], "--outputs: /nonexistent: No such file or directory"),
    (["dev", "--repository", "glassbox"], "--repository 'glassbox': must be an address that a cluster can reach"),
    (["dev", "--branch", "-x y"], "--branch '-x y': must be a branch's name"),
    (["dev", "--timeout", "0"], "--timeout 0: must be a second at least"),
])
def test_bad_input_is_refused_by_name(lab: Lab, arguments: list[str], word: str) -> None:
    """Exit status 2."""
    given = ["--outputs", str(lab.outputs), "--repository", REPOSITORY]
    done = lab.install(arguments[0], *given, *(f"{one}={other}" for one, other in zip(arguments[1::2], arguments[2::2])))
    assert done.returncode == 2 and word in done.stderr, done.stderr
    assert lab.changes() == []


def test_a_file_that_is_no_output_is_refused(lab: Lab) -> None:
    """As is a folder of charts without Argo CD's."""
    lab.outputs.write_text("[1]")
    assert "is not what `terraform output -json` says" in lab.up("dev").stderr
    lab.told(OUTPUTS)
    (lab.folder / "charts").mkdir()
    done = lab.install("dev", "--outputs", str(lab.outputs), "--repository", REPOSITORY, charts=str(lab.folder / "charts"))
    assert done.returncode == 2 and f"no argo-cd-{ARGO.version}.tgz in CHARTS_DIR" in done.stderr


KINDS = {"kind": "CustomResourceDefinition"}
SELECTED = "applications.argoproj.io-argocd--l-"
OF = {part: f"{SELECTED}{PART}={part}".replace("/", "_") for part in PARTS}
ORDER = ["-n argocd delete applicationset environments", "-n argocd delete application service",
         "-n argocd delete application platform", "uninstall argocd -n argocd", "delete namespace argocd monitoring"]


def listed(*names: str, **more: Any) -> dict[str, Any]:
    """Applications, as kubectl lists them."""
    return {"items": [{"metadata": {"name": name, "deletionTimestamp": "2026-01-01T00:00:00Z"}} | more for name in names]}


def steps(lab: Lab) -> list[str]:
    """What was changed, without how."""
    return [" ".join(words).partition(" --")[0] for _, words, _ in lab.changes()]


def test_taking_down_takes_the_service_first(lab: Lab) -> None:
    """Of the platform nothing goes before it has gone, with the Ingress its load balancer; Argo CD last: it deletes them."""
    lab.has("crd-applicationsets.argoproj.io", KINDS)
    lab.has(OF["service"], listed("service", "glassbox"), listed("service"), listed())
    lab.has(OF["platform"], listed("platform", "metrics-server"), listed())
    lab.has(SELECTED, listed())
    done = lab.install("prod", "--uninstall")
    assert done.returncode == 0, done.stderr
    assert steps(lab) == ORDER
    assert "--cascade=orphan" in lab.changes()[0][1]


@pytest.mark.parametrize("part, begun", [("service", 2), ("platform", 3)])
def test_taking_down_says_what_holds(lab: Lab, part: str, begun: int) -> None:
    """And leaves what comes after, and Argo CD, which has not done yet; done again, it goes on."""
    lab.has("crd-applicationsets.argoproj.io", KINDS)
    for each in (*OF.values(), SELECTED):
        lab.has(each, listed())
    lab.has(OF[part], listed(part, "child"))
    done = lab.install("prod", "--uninstall", "--timeout", "1")
    assert done.returncode == 1 and f"still there after 1 s: {part}, child. What holds one" in done.stderr
    assert steps(lab) == ORDER[:begun]
    (lab.folder / "log").unlink()
    lab.has(OF[part], listed())
    assert lab.install("prod", "--uninstall").returncode == 0
    assert steps(lab) == ORDER


def test_taking_down_interrupts_what_is_under_way(lab: Lab) -> None:
    """Of an Application that is to go, and of no other: Argo CD would end it before it deletes anything."""
    lab.has("crd-applicationsets.argoproj.io", KINDS)
    ill = listed("platform", operation={"sync": {}})
    kept = {"items": [{"metadata": {"name": "metrics-server"}, "operation": {"sync": {}}}]}
    lab.has(OF["service"], listed())
    lab.has(OF["platform"], {"items": ill["items"] + kept["items"]}, listed())
    lab.has(SELECTED, listed())
    assert lab.install("prod", "--uninstall").returncode == 0
    assert [words[2:] for _, words, _ in lab.changes() if "patch" in words] == [
        ["patch", "application", "platform", "--type=merge", '--patch={"operation":null}']]


def test_no_answer_is_not_nothing(lab: Lab) -> None:
    """A list that cannot be had does not say that the service is gone."""
    lab.has("crd-applicationsets.argoproj.io", KINDS)
    done = lab.install("prod", "--uninstall", "--timeout", "1")
    assert done.returncode == 1 and "still there after 1 s: Applications, which cannot be listed" in done.stderr
    assert steps(lab) == ORDER[:2]
