"""A promotion becomes a pull request of one file: the real infra/gitops/promote, a real origin, and a gh that tells."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest
import workflows
from conftest import Tree
from workflows import ROOT

GITOPS = ROOT / "infra/gitops"
IMAGE = "registry.example.org/team/glassbox@sha256:" + "ab" * 32

# Tells what it was asked, remembers one pull request, and refuses to merge as often as MERGE_FAILS says.
GH = """#!/usr/bin/env bash
echo "$*" >>"$GH_LOG"
case "$1 $2" in
"pr list") [ ! -e "$GH_LOG.open" ] || echo 7 ;;
"pr create")
    touch "$GH_LOG.open"
    while [ $# -gt 0 ]; do [ "$1" != --body-file ] || cp "$2" "$GH_LOG.body"; shift; done ;;
"pr merge") [ "$(grep -c '^pr merge' "$GH_LOG")" -gt "${MERGE_FAILS:-0}" ] ;;
esac
"""


class Delivery:
    """An origin, a clone of it in which things are proposed, and what gh was told."""

    def __init__(self, tree: Tree, folder: Path) -> None:
        self.clone = tree
        self.origin = Tree(folder / "origin.git")
        self.log = folder / "gh.log"
        self.origin.root.mkdir()
        self.origin.out("git", "init", "--quiet", "--bare", "--initial-branch=main")
        shutil.copytree(GITOPS, tree.root / "infra/gitops", ignore=shutil.ignore_patterns("__pycache__"))
        for left in tree.root.glob("infra/gitops/environments/*/release.yaml"):
            left.unlink()
        tree.write(".gitignore", "/build/\n__pycache__/\n/bin/\n")
        tree.write("bin/gh", GH, 0o755)
        self.first = tree.commit("what is built")
        tree.out("git", "remote", "add", "origin", str(self.origin.root))
        self.push()
        tree.environment |= {"PATH": f"{tree.root}/bin:{os.environ['PATH']}", "GH_TOKEN": "t", "GH_LOG": str(self.log), "PROPOSE_PAUSE": "0"}

    def push(self) -> None:
        """What the clone has becomes main."""
        self.clone.out("git", "push", "--quiet", "origin", "HEAD:main")
        self.clone.out("git", "fetch", "--quiet", "origin", "main:refs/remotes/origin/main")

    def merge(self, branch: str) -> None:
        """Somebody merges a proposal."""
        self.clone.out("git", "fetch", "--quiet", "origin", branch)
        self.clone.out("git", "merge", "--quiet", "--ff-only", "FETCH_HEAD")
        self.push()
        Path(f"{self.log}.open").unlink(missing_ok=True)

    def set(self, revision: str, *before: str, **environment: str) -> str:
        """dev is to run a commit."""
        words = ("set", "dev", "--image", IMAGE, "--revision", revision, "--version", "0.1.0-dev.1")
        return self.clone.out(".ci/propose.sh", *before, *words, **environment)

    def output(self, run: str, **environment: str) -> str:
        """What a step of a workflow hands on: its own lines, run in the clone."""
        output = self.clone.root / "build/output"
        output.parent.mkdir(exist_ok=True)
        output.unlink(missing_ok=True)
        self.clone.out("bash", "-e", "-c", run, GITHUB_OUTPUT=str(output), **environment)
        return output.read_text(encoding="utf-8").strip()

    def judged(self, environment: str) -> str:
        """What promote.yaml's gate says of the release that it has judged."""
        [step] = [step for step in workflows.read("promote.yaml")["jobs"]["gate"]["steps"] if step.get("id") == "judged"]
        return self.output(step["run"], FROM=environment).removeprefix("release=")

    def sum(self, environment: str, branch: str) -> str:
        """The sha256 of an environment's release.yaml on a branch."""
        text = self.origin.out("git", "show", f"{branch}:infra/gitops/environments/{environment}/release.yaml") + "\n"
        return hashlib.sha256(text.encode()).hexdigest()

    def told(self) -> list[str]:
        """What gh was asked, since the last time."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines

    def changed(self, branch: str) -> str:
        """The files of a proposal."""
        return self.origin.out("git", "diff", "--name-only", "main", branch)


@pytest.fixture(name="delivery")
def a_delivery(tree: Tree, tmp_path: Path) -> Delivery:
    """Nothing is delivered yet."""
    if not (GITOPS / "promote").exists():
        pytest.skip("infra/gitops/promote is not there")
    return Delivery(tree, tmp_path)


def test_dev_is_merged_at_once(delivery: Delivery) -> None:
    delivery.set(delivery.first, "--merge", MERGE_FAILS="2")
    assert delivery.changed("deliver/dev") == "infra/gitops/environments/dev/release.yaml"
    commit = delivery.origin.out("git", "rev-parse", "deliver/dev")
    told = delivery.told()
    [status] = [line for line in told if line.startswith("api")]
    assert f"statuses/{commit}" in status and "state=success" in status and "context=required" in status
    assert [line for line in told if line.startswith("pr merge")] == [f"pr merge 7 --squash --delete-branch --match-head-commit {commit}"] * 3
    assert delivery.clone.out("git", "status", "--porcelain") == "" and delivery.clone.out("git", "branch", "--show-current") == "main"
    assert len(delivery.clone.out("git", "worktree", "list").splitlines()) == 1


# In place of git: writes what the real one would ask for a password, and is the real one.
GIT = """#!/usr/bin/env bash
for word; do
    case $word in fetch | push | ls-remote) echo "$word: $({real} config --get-all credential.helper | paste -sd,)" >>"$GIT_LOG" && break ;; esac
done
exec {real} "$@"
"""


def test_a_private_repository_is_read_by_the_jobs_token_too(delivery: Delivery, tmp_path: Path) -> None:
    """Every git that goes to origin, promote's own fetch among them, has gh to ask, and no other helper."""
    log, settings = tmp_path / "git.log", tmp_path / "gitconfig"
    settings.write_text("[credential]\n\thelper = store\n", encoding="utf-8")
    delivery.clone.write("bin/git", GIT.format(real=shutil.which("git")), 0o755)
    delivery.set(delivery.first, GIT_LOG=str(log), GIT_CONFIG_GLOBAL=str(settings))
    asked = log.read_text(encoding="utf-8").splitlines()
    assert [line.partition(":")[0] for line in asked] == ["fetch", "fetch", "push"]
    # What comes before an empty one counts for nothing.
    assert {line.partition(": ")[2].rpartition(",,")[2] for line in asked} == {"!gh auth git-credential"}


def test_a_merge_that_github_refuses_is_a_failure(delivery: Delivery) -> None:
    words = ("set", "dev", "--image", IMAGE, "--revision", delivery.first, "--version", "1")
    got = delivery.clone.run(".ci/propose.sh", "--merge", *words, MERGE_FAILS="99")
    assert got.returncode == 1 and "pull request 7 is open, and GitHub does not merge it" in got.stderr


def test_what_is_there_or_older_is_not_proposed(delivery: Delivery) -> None:
    """And deliver.yaml's step says so: of what was proposed the sum that the gate is to find, else nothing."""
    [step] = [step for step in workflows.read("deliver.yaml")["jobs"]["deploy"]["steps"] if step.get("id") == "release"]
    later = delivery.clone.commit("later")
    delivery.push()
    delivery.set(later)
    assert delivery.output(step["run"]) == "release=" + delivery.sum("dev", "deliver/dev")
    delivery.merge("deliver/dev")
    delivery.told()
    for revision in (later, delivery.first):
        delivery.set(revision, "--merge")
        assert delivery.told() == [] and delivery.output(step["run"]) == "release="


def test_from_dev_to_staging_and_back(delivery: Delivery) -> None:
    for message in ("one", "another"):
        revision = delivery.clone.commit(message)
        delivery.push()
        delivery.set(revision)
        delivery.merge("deliver/dev")
        delivery.clone.out(".ci/propose.sh", "copy", "dev", "staging")
        told = delivery.told()
        assert any(line.startswith("pr create") for line in told) and not any(line.startswith("pr merge") for line in told)
        assert delivery.changed("deliver/staging") == "infra/gitops/environments/staging/release.yaml"
        before = delivery.clone.out("git", "rev-parse", "HEAD")
        delivery.merge("deliver/staging")
        assert delivery.clone.out(".ci/promoted.sh", before, "HEAD").splitlines() == ["environment=staging", "reverts=no"]
    assert "another" in Path(f"{delivery.log}.body").read_text(encoding="utf-8")

    delivery.told()
    assert "left as it is" in delivery.clone.out(".ci/propose.sh", "rollback", "staging", "--of", delivery.first)
    assert delivery.told() == []
    delivery.clone.out(".ci/propose.sh", "rollback", "staging", "--of", "HEAD")
    before = delivery.clone.out("git", "rev-parse", "HEAD")
    delivery.merge("rollback/staging")
    assert delivery.clone.out(".ci/promoted.sh", before, "HEAD").splitlines() == ["environment=staging", "reverts=yes"]
    text = (delivery.clone.root / "infra/gitops/environments/staging/release.yaml").read_text(encoding="utf-8")
    assert revision not in text


def test_what_was_taken_back_comes_again_on_a_persons_word(delivery: Delivery) -> None:
    """promote.yaml's own line, as it is called and as a person may start it."""
    [step] = [step for step in workflows.read("promote.yaml")["jobs"]["propose"]["steps"] if ".ci/propose.sh" in step.get("run", "")]
    for message in ("one", "another"):
        revision = delivery.clone.commit(message)
        delivery.push()
        delivery.set(revision)
        delivery.merge("deliver/dev")
        delivery.clone.out(".ci/propose.sh", "copy", "dev", "staging")
        delivery.merge("deliver/staging")
    delivery.clone.out(".ci/propose.sh", "rollback", "staging")
    delivery.merge("rollback/staging")
    delivery.told()
    given = {"FROM": "dev", "TO": "staging", "RELEASE": delivery.judged("dev")}
    assert "--again" in delivery.clone.refused("bash", "-e", "-c", step["run"], **given)
    assert delivery.told() == []
    delivery.clone.out("bash", "-e", "-c", step["run"], **given, AGAIN="yes")
    assert revision in delivery.origin.out("git", "show", "deliver/staging:infra/gitops/environments/staging/release.yaml")
    again = workflows.read("promote.yaml")["on"]["workflow_dispatch"]["inputs"]["again"]
    assert again["type"] == "boolean" and again["default"] is False and step["env"]["AGAIN"] == "${{ inputs.again && 'yes' || '' }}"


def test_only_what_was_judged_is_proposed(delivery: Delivery) -> None:
    """By the sum that promote.yaml's gate hands on; dev has something newer when it comes to proposing."""
    delivery.set(delivery.first)
    delivery.merge("deliver/dev")
    sums = [delivery.judged("dev")]
    later = delivery.clone.commit("later")
    delivery.push()
    delivery.set(later)
    delivery.merge("deliver/dev")
    sums.append(delivery.judged("dev"))
    delivery.told()
    assert "which is not what was judged" in delivery.clone.out(".ci/propose.sh", "copy", "dev", "staging", "--judged", sums[0])
    assert delivery.told() == []
    delivery.clone.out(".ci/propose.sh", "copy", "dev", "staging", "--judged", sums[1])
    assert later in delivery.origin.out("git", "show", "deliver/staging:infra/gitops/environments/staging/release.yaml")


def test_the_image_that_was_judged_is_known(delivery: Delivery) -> None:
    """Whose signature promote.yaml asks for, and of which commit: its own line, run in the clone."""
    delivery.set(delivery.first)
    delivery.merge("deliver/dev")
    [step] = [step for step in workflows.read("promote.yaml")["jobs"]["gate"]["steps"] if step.get("id") == "image"]
    assert delivery.output(step["run"], FROM="dev") == f"image={IMAGE}\nrevision={delivery.first}"


def test_a_newer_proposal_takes_the_place_of_one_that_waits(delivery: Delivery) -> None:
    delivery.set(delivery.first)
    delivery.told()
    later = delivery.clone.commit("later")
    delivery.push()
    delivery.set(later)
    told = delivery.told()
    assert any(line.startswith("pr edit 7") for line in told) and not any(line.startswith("pr create") for line in told)
    assert later in delivery.origin.out("git", "show", "deliver/dev:infra/gitops/environments/dev/release.yaml")


def test_a_promotion_that_changes_more_is_refused(delivery: Delivery) -> None:
    """The program on main is a stand-in that brings a file of its own."""
    delivery.clone.write(
        "infra/gitops/promote",
        "#!/bin/sh\nfor tree; do :; done\ncd \"$tree\" && mkdir -p infra/gitops/environments/dev && date >infra/gitops/environments/dev/release.yaml"
        " && date >stray && git add --all && git commit --quiet --message both\n",
        0o755,
    )
    delivery.clone.commit("a promote that does too much")
    delivery.push()
    words = ("set", "dev", "--image", IMAGE, "--revision", delivery.first, "--version", "1")
    assert "this one changes: infra/gitops/environments/dev/release.yaml, stray" in delivery.clone.refused(".ci/propose.sh", *words)
    assert delivery.told() == []


REFUSED = {
    (): "usage: [--merge] set ENV",
    ("copy", "dev"): "usage:",
    ("copy", "dev", "staging", "--judged", "x", "--again", "more"): "usage:",
    ("copy", "dev", "test"): "no such environment: 'test'; there are dev, staging, prod",
    ("rollback", "qa"): "no such environment: 'qa'",
    ("--merge", "copy", "dev", "staging"): "--merge is for dev alone",
    ("--merge", "rollback", "prod"): "--merge is for dev alone",
}


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_a_proposal_that_is_refused(tree: Tree, arguments: tuple[str, ...]) -> None:
    assert REFUSED[arguments] in tree.refused(".ci/propose.sh", *arguments)


def test_which_promotion_a_push_is(tree: Tree) -> None:
    first = tree.out("git", "rev-parse", "HEAD")
    tree.write("README.md", "x")
    assert "no release of staging or prod" in tree.refused(".ci/promoted.sh", first, tree.commit("no promotion"))
    tree.write("infra/gitops/environments/prod/release.yaml", "x")
    one = tree.commit("prod: 1")
    assert tree.out(".ci/promoted.sh", first, one) == "environment=prod\nreverts=no"
    tree.write("infra/gitops/environments/staging/release.yaml", "x")
    assert "prod staging" in tree.refused(".ci/promoted.sh", first, tree.commit("and staging"))
    assert "there is no commit nothing here" in tree.refused(".ci/promoted.sh", first, "nothing")
    assert "two commits" in tree.refused(".ci/promoted.sh", first)


def test_what_a_commit_is_called(tree: Tree) -> None:
    short = tree.out("git", "rev-parse", "--short=7", "HEAD")
    assert tree.out(".ci/version.sh") == f"0.1.0-dev.1+g{short}"
    tree.out("git", "tag", "v0.1.0")
    assert tree.out(".ci/version.sh") == "0.1.0"
    tree.commit("two")
    tree.commit("three")
    assert tree.out(".ci/version.sh").startswith("0.1.0-dev.2+g")
    assert tree.out(".ci/version.sh", "HEAD~2") == "0.1.0"
    assert tree.out(".ci/version.sh", "HEAD~1").startswith("0.1.0-dev.1+g")
    assert "there is no commit nothing here" in tree.refused(".ci/version.sh", "nothing")


# A gate that answers what GATE_ANSWERS says, one a call.
GATE = """#!/usr/bin/env bash
echo "$*" >>"$GATE_LOG"
call=$(wc -l <"$GATE_LOG")
read -ra answers <<<"$GATE_ANSWERS"
exit "${answers[call - 1]}"
"""
BASE = {"URL": "https://dev.example.org", "PROMETHEUS_URL": "https://p.example.org", "GATE_PAUSE": "0", "GATE_MINUTES": "1"}


@pytest.mark.parametrize(("answers", "status"), [("0", 0), ("1 1 0", 0), ("2", 2), ("1 2", 2), ("1 127", 127)])
def test_the_gate_is_asked_until_it_says_yes(tree: Tree, answers: str, status: int) -> None:
    tree.write("gate", GATE, 0o755)
    given = {**BASE, "GATE": "./gate", "GATE_LOG": str(tree.root / "log"), "GATE_ANSWERS": answers, "GATE_TRAFFIC": "50"}
    assert tree.run(".ci/gate.sh", "dev", **given).returncode == status
    asked = (tree.root / "log").read_text(encoding="utf-8").splitlines()
    assert asked == ["dev --url https://dev.example.org --prometheus https://p.example.org --traffic 50 --window 10m"] * len(answers.split())


def test_the_gate_is_not_asked_for_ever(tree: Tree) -> None:
    tree.write("gate", GATE, 0o755)
    given = {**BASE, "GATE": "./gate", "GATE_LOG": str(tree.root / "log"), "GATE_ANSWERS": "1 1", "GATE_MINUTES": "0"}
    assert tree.run(".ci/gate.sh", "dev", **given).returncode == 1
    assert len((tree.root / "log").read_text(encoding="utf-8").splitlines()) == 1


def test_the_gate_judges_the_release_that_it_is_to_judge(delivery: Delivery) -> None:
    tree = delivery.clone
    tree.write("gate", GATE, 0o755)
    given = {**BASE, "GATE": "./gate", "GATE_LOG": str(tree.root / "log"), "GATE_ANSWERS": "0 0"}
    assert "dev has no release yet" in tree.refused(".ci/gate.sh", "dev", **given, RELEASE="ab" * 32)
    delivery.set(delivery.first)
    delivery.merge("deliver/dev")
    tree.out(".ci/gate.sh", "dev", **given, RELEASE=delivery.judged("dev"))
    said = tree.refused(".ci/gate.sh", "dev", **given, RELEASE="ab" * 32)
    assert f"dev is to run another release by now: the sha256 of infra/gitops/environments/dev/release.yaml is {delivery.judged('dev')}" in said


GATES = {
    "environment": (["test"], {}, "no such environment: 'test'"),
    "url": (["dev"], {"URL": ""}, "URL is not set"),
    "prometheus": (["dev"], {"PROMETHEUS_URL": ""}, "One of PROMETHEUS_URL, KUBE_CONTEXT, CLUSTER_NAME"),
    "region": (["dev"], {"PROMETHEUS_URL": "", "CLUSTER_NAME": "c", "AWS_REGION": ""}, "AWS_REGION is not set"),
    "minutes": (["dev"], {"GATE_MINUTES": "ten"}, "GATE_MINUTES is 'ten'"),
}


@pytest.mark.parametrize("case", GATES)
def test_a_gate_that_cannot_be_asked(tree: Tree, case: str) -> None:
    arguments, environment, said = GATES[case]
    assert said in tree.refused(".ci/gate.sh", *arguments, **{**BASE, **environment})


def test_the_real_gate_takes_what_it_is_given(tree: Tree) -> None:
    """That it refuses is its own word, on a release or an address, and not on options that it does not know."""
    if not (GITOPS / "gate").exists():
        pytest.skip("infra/gitops/gate is not there")
    got = tree.run(".ci/gate.sh", "dev", **{**BASE, "PROMETHEUS_URL": "nonsense", "GATE": str(GITOPS / "gate"), "GATE_TRAFFIC": "5"})
    assert got.returncode == 2 and got.stderr.startswith("gate: refused: ")
