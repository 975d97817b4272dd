"""What every workflow keeps to, and that what it calls is there for a person to call."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import workflows
from workflows import ROOT

# What a job may be given, beyond reading: the workflow and job that it is for.
WRITES = {
    ("ci.yaml", "image"): {"packages", "id-token", "attestations"},
    ("ci.yaml", "deliver"): {"contents", "packages", "pull-requests", "statuses", "id-token"},
    ("deliver.yaml", "newest"): {"id-token"},
    ("deliver.yaml", "deploy"): {"contents", "pull-requests", "statuses"},
    ("deliver.yaml", "promote"): {"contents", "packages", "pull-requests", "statuses", "id-token"},
    ("image.yaml", "build"): {"packages", "id-token", "attestations"},
    ("image.yaml", "index"): {"packages", "id-token", "attestations"},
    ("release.yaml", "image"): {"packages", "id-token", "attestations"},
    ("release.yaml", "publish"): {"contents", "packages", "id-token", "attestations"},
    ("promote.yaml", "gate"): {"id-token"},
    ("promote.yaml", "signed"): {"id-token"},
    ("promote.yaml", "named"): {"packages", "id-token"},
    ("promote.yaml", "propose"): {"contents", "pull-requests", "statuses"},
    ("rollback.yaml", "rollback"): {"contents", "pull-requests", "statuses"},
    ("verify.yaml", "gate"): {"id-token"},
    ("verify.yaml", "rollback"): {"contents", "pull-requests", "statuses", "issues"},
    ("verify.yaml", "unasked"): {"issues"},
    ("verify.yaml", "onward"): {"contents", "packages", "pull-requests", "statuses", "id-token"},
}
JOBS = {(name, job): body for name, job, body in workflows.jobs()}


def make_targets() -> set[str]:
    """What the Makefile can be asked for."""
    return set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def run_step(run: str, folder: Path, script: str, status: int) -> tuple[int, str]:
    """How a step ends under the shell that GitHub gives it, and its outputs, when a script ends so."""
    program, output = folder / script, folder / "output"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nexit {status}\n", encoding="utf-8")
    program.chmod(0o755)
    output.touch()
    environment = {**os.environ, "ENVIRONMENT": "staging", "IMAGE": "x", "GITHUB_OUTPUT": str(output)}
    return subprocess.run(["bash", "-e", "-c", run], cwd=folder, env=environment, check=False).returncode, output.read_text(encoding="utf-8")


def test_there_are_those_of_a_delivery() -> None:
    assert workflows.NAMES == ["ci.yaml", "deliver.yaml", "image.yaml", "promote.yaml", "release.yaml", "rollback.yaml", "verify.yaml"]


def test_actions_are_pinned_by_sha_with_their_tag() -> None:
    lines = [(name, line) for name, line in workflows.uses() if not line.startswith("./")]
    assert len(lines) > 15
    loose = [line for line in lines if not re.fullmatch(r"[\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line[1])]
    assert not loose


def test_an_action_has_one_version() -> None:
    versions: dict[str, set[str]] = {}
    for _, line in workflows.uses():
        versions.setdefault(line.split("@")[0], set()).add(line)
    assert {action: found for action, found in versions.items() if len(found) > 1} == {}


def test_local_workflows_exist_and_can_be_called() -> None:
    called = {line.removeprefix("./.github/workflows/") for _, line in workflows.uses() if line.startswith("./")}
    assert called == {"deliver.yaml", "image.yaml", "promote.yaml"}
    assert all("workflow_call" in workflows.read(name)["on"] for name in called)


@pytest.mark.parametrize("name", workflows.NAMES)
def test_nothing_is_permitted_but_to_a_job(name: str) -> None:
    assert workflows.read(name)["permissions"] == {}


def test_each_has_its_turn() -> None:
    """A group of its own, or that of the job which calls it: what runs twice at once is nobody's intention."""
    without = {name for name in workflows.NAMES if "concurrency" not in workflows.read(name)}
    callers = {body["uses"].rpartition("/")[2]: body["concurrency"]["group"] for body in JOBS.values() if "uses" in body and "concurrency" in body}
    assert callers == {"deliver.yaml": "dev"} and without == set(callers)
    assert list(workflows.read("deliver.yaml")["on"]) == ["workflow_call"]


@pytest.mark.parametrize("key", JOBS, ids="/".join)
def test_a_job_has_the_least(key: tuple[str, str]) -> None:
    given = JOBS[key]["permissions"]
    assert {scope for scope, level in given.items() if level == "write"} == WRITES.get(key, set())
    assert set(given.values()) <= {"read", "write"}


@pytest.mark.parametrize("key", [key for key, body in JOBS.items() if "uses" not in body], ids="/".join)
def test_a_job_ends(key: tuple[str, str]) -> None:
    assert 0 < JOBS[key]["timeout-minutes"] <= 90
    runner = "${{ vars.GATE_RUNNER || 'ubuntu-24.04' }}"
    assert (JOBS[key]["runs-on"] == runner) == (key[1] == "gate")
    assert JOBS[key]["runs-on"] == runner or re.fullmatch(r"ubuntu-24\.04(-arm)?|\$\{\{ matrix\.runner \}\}", JOBS[key]["runs-on"])


def test_no_checkout_keeps_its_token() -> None:
    checkouts = [step for _, _, step in workflows.steps() if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) >= 9
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_git_goes_nowhere_without_a_token() -> None:
    """None is kept: fetch-depth 0 brings main, and what goes to origin later is propose.sh's, which asks gh."""
    assert [line for line in workflows.commands() if re.search(r"\bgit (fetch|pull|push|clone|ls-remote)\b", line[1])] == []
    checkouts = [step for step in JOBS["release.yaml", "check"]["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"]["fetch-depth"] for step in checkouts] == [0]


def test_shell_is_given_values_by_its_environment_only() -> None:
    found = list(workflows.commands())
    assert len(found) > 20
    assert [line for line in found if "${{" in line[1]] == []


def conditions(name: str, job: str) -> list[str]:
    """What must hold for a job to start: its own, and those of the jobs that it needs, unless its own lets it start
    when they were skipped."""
    body = JOBS[name, job]
    own = str(body.get("if", ""))
    if re.search(r"\b(always|failure|cancelled)\(\)", own):
        return [own]
    needs = body.get("needs", [])
    return [own, *(each for one in ([needs] if isinstance(needs, str) else needs) for each in conditions(name, one))]


def test_conditions_are_followed() -> None:
    """Or the test below would hold for anything."""
    assert conditions("ci.yaml", "test") == [""]
    assert JOBS["ci.yaml", "image"]["if"] in conditions("ci.yaml", "deliver")
    assert conditions("ci.yaml", "required") == ["always()"]


def test_events_are_those_that_run_code_of_ours() -> None:
    """pull_request_target and workflow_run give a stranger's code the repository's rights."""
    events = {event for name in workflows.NAMES for event in workflows.read(name)["on"]}
    assert events == {"push", "pull_request", "workflow_call", "workflow_dispatch"}
    for name, job, body in workflows.jobs():
        if set(body["permissions"].values()) - {"read"} and name == "ci.yaml":
            assert any("github.event_name == 'push' && github.ref == 'refs/heads/main'" in one for one in conditions(name, job)), job
    assert JOBS["ci.yaml", "deliver"]["needs"] == "image"


def test_the_required_check_wants_all_that_is_checked() -> None:
    required = JOBS["ci.yaml", "required"]
    assert required["if"] == "always()" and required["needs"] == ["test", "check"]
    [step] = required["steps"]
    for needs, expected in ((("success", "success"), 0), (("success", "skipped"), 1), (("failure", "success"), 1), (("", ""), 1)):
        got = subprocess.run(["bash", "-c", step["run"]], env={"TEST": needs[0], "CHECK": needs[1]}, check=False)
        assert got.returncode == expected, needs
    assert '"context": "required"' in (ROOT / ".github/setup").read_text(encoding="utf-8")


def test_what_is_called_is_there() -> None:
    targets = make_targets()
    scripts = 0
    for name, line in workflows.commands():
        for target in re.findall(r"\bmake ([a-z-]+)", line):
            assert target in targets, f"{name}: {line}"
        for script in re.findall(r"(?<![\w/])(\.ci/[\w.-]+|infra/[\w/.-]+)", line):
            scripts += 1
            assert os.access(ROOT / script, os.X_OK), f"{name}: {script}"
    assert scripts > 10


def test_a_person_can_call_it_all() -> None:
    """What is neither ours, nor GitHub's own tool, nor the shell's: there is none."""
    known = r"\.ci/|infra/gitops/|git |gh |echo |if |fi$|exit 1$|--body |\[ "
    assert [line for line in workflows.commands() if not re.match(known, line[1].strip())] == []


def parts_of_check() -> set[str]:
    """The rows of its table."""
    text = (ROOT / ".ci/check.sh").read_text(encoding="utf-8")
    (table,) = re.findall(r'^PARTS="(.+?)"$', text, re.MULTILINE | re.DOTALL)
    return {row.partition(":")[0] for row in table.splitlines()}


def test_the_jobs_together_are_make_check() -> None:
    parts = [part for row in JOBS["ci.yaml", "check"]["strategy"]["matrix"]["include"] for part in row["parts"].split()]
    assert len(parts) == len(set(parts))
    assert set(parts) == parts_of_check()


def test_check_takes_parts_by_name() -> None:
    assert "${CHECK:-}" in (ROOT / ".ci/check.sh").read_text(encoding="utf-8"), "it would do all of it, this test included"
    environment = {**os.environ, "CHECK": "nothing"}
    got = subprocess.run([ROOT / ".ci/check.sh"], env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert got.returncode == 2
    assert "'nothing'" in got.stderr and "lint" in got.stderr


def test_versions_are_in_one_place() -> None:
    """Those of our tools are in versions.env and go.mod; a workflow names actions, and the one tool that signs."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in workflows.FILES)
    text = re.sub(r"@[0-9a-f]{40} # v[\d.]+", "", text)
    assert set(re.findall(r"\bv?\d+\.\d+\.\d+\b", text)) == {"v2.6.1"}


def test_variables_are_set_up_and_explained() -> None:
    setup = (ROOT / ".github/setup").read_text(encoding="utf-8")
    readme = (ROOT / ".github/README.md").read_text(encoding="utf-8")
    places = set(re.findall(r"\[([A-Z_]+)\]=", setup))
    assert workflows.mentioned("vars") == places
    assert all(f"`{name}`" in readme for name in places | workflows.mentioned("secrets"))
    assert workflows.mentioned("secrets") == {"REGISTRY_PASSWORD"}


def test_environments_are_set_up_and_explained() -> None:
    setup = (ROOT / ".github/setup").read_text(encoding="utf-8")
    found = re.search(r"^ENVIRONMENTS=\(([^)]*)\)", setup, re.MULTILINE)
    assert found
    readme = (ROOT / ".github/README.md").read_text(encoding="utf-8")
    plain = {body["environment"] for body in JOBS.values() if "environment" in body and "$" not in body["environment"]}
    assert plain | {"dev", "staging", "prod", "prod-gate"} == set(found[1].split())
    assert all(f"`{name}`" in readme for name in found[1].split())


def test_prod_is_proposed_behind_its_environment_and_verified_without() -> None:
    assert JOBS["promote.yaml", "propose"]["environment"] == "${{ inputs.to }}"
    assert "'prod-gate'" in JOBS["verify.yaml", "gate"]["environment"]


def test_what_was_deployed_is_what_is_judged() -> None:
    """By the sum of its release.yaml, from propose.sh to gate.sh."""
    deploy, promote, gate = JOBS["deliver.yaml", "deploy"], JOBS["deliver.yaml", "promote"], JOBS["promote.yaml", "gate"]
    assert deploy["outputs"]["release"] == "${{ steps.release.outputs.release }}"
    assert promote["with"]["release"] == "${{ needs.deploy.outputs.release }}" and promote["if"] == "needs.deploy.outputs.release != ''"
    [step] = [step for step in gate["steps"] if ".ci/gate.sh" in step.get("run", "")]
    assert step["env"]["RELEASE"] == "${{ inputs.release }}"


def test_what_was_judged_is_what_is_proposed() -> None:
    gate, propose = JOBS["promote.yaml", "gate"], JOBS["promote.yaml", "propose"]
    assert gate["outputs"]["release"] == "${{ steps.judged.outputs.release }}"
    [step] = [step for step in propose["steps"] if ".ci/propose.sh" in step.get("run", "")]
    assert '--judged "$RELEASE"' in step["run"] and step["env"]["RELEASE"] == "${{ needs.gate.outputs.release }}"


def test_only_what_did_not_hold_is_taken_back() -> None:
    """The gate's step, under the shell that GitHub gives it, with a gate that ends as it may; and what follows on that."""
    gate, rollback, unasked = (JOBS["verify.yaml", job] for job in ("gate", "rollback", "unasked"))
    assert gate["concurrency"] == {"group": "verify-${{ needs.which.outputs.environment }}", "cancel-in-progress": True}
    assert gate["outputs"] == {"held": "${{ steps.gate.outputs.held }}"}
    assert rollback["if"] == "failure() && needs.gate.outputs.held == 'no'"
    assert unasked["if"] == "failure() && needs.gate.result == 'failure' && needs.gate.outputs.held != 'no'"
    runs = [step for step in rollback["steps"] if "run" in step]
    assert runs[0]["run"] == '.ci/propose.sh rollback "$ENVIRONMENT" --of "$GITHUB_SHA"'
    assert runs[1]["run"].startswith("gh issue create") and runs[1]["if"] == "always()"


@pytest.mark.parametrize(("status", "said"), [(0, ""), (1, "held=no\n"), (2, ""), (127, "")])
def test_what_the_gate_says_is_told_from_that_it_says_nothing(tmp_path: Path, status: int, said: str) -> None:
    [step] = [step for step in JOBS["verify.yaml", "gate"]["steps"] if step.get("id") == "gate"]
    got = run_step(step["run"], tmp_path, ".ci/gate.sh", status)
    assert (got[0] != 0) == (status != 0) and got[1] == said


def test_a_person_can_take_back_what_any_environment_has() -> None:
    """As it is on main, and by the script that verify uses."""
    choice = workflows.read("rollback.yaml")["on"]["workflow_dispatch"]["inputs"]["environment"]
    assert choice["options"] == ["dev", "staging", "prod"] and choice["type"] == "choice"
    job = JOBS["rollback.yaml", "rollback"]
    assert job["if"] == "github.ref == 'refs/heads/main'"
    [step] = [step for step in job["steps"] if "run" in step]
    assert step["run"] == '.ci/propose.sh rollback "$ENVIRONMENT"' and step["env"]["ENVIRONMENT"] == "${{ inputs.environment }}"


@pytest.mark.parametrize(("status", "said"), [(0, "already=true\n"), (1, "already=false\n"), (3, ""), (2, "")])
@pytest.mark.parametrize("key", [("image.yaml", "index"), ("release.yaml", "publish")], ids="/".join)
def test_who_cannot_be_asked_is_not_unsigned(tmp_path: Path, key: tuple[str, str], status: int, said: str) -> None:
    """It would be signed and attested once more."""
    [step] = [step for step in JOBS[key]["steps"] if step.get("id") == "signed"]
    got = run_step(step["run"], tmp_path, ".ci/publish.sh", status)
    assert (got[0] != 0) == (status > 1) and got[1] == said


def test_a_second_run_attests_nothing_in_the_registry() -> None:
    """Under a tag that cannot be moved it would be refused."""
    pushes = [step["with"]["push-to-registry"] for _, _, step in workflows.steps() if step.get("uses", "").startswith("actions/attest-")]
    assert pushes == ["${{ steps.image.outputs.built == 'true' }}", "${{ steps.built.outputs.index == 'true' }}", "${{ github.run_attempt == 1 }}"]


def test_who_may_push_is_who_pushes() -> None:
    """The role of `registry` can put an image anywhere; whoever only asks has one that reads."""
    pushing = re.compile(r"\.ci/(publish|release)\.sh (image|index|sign|tag|chart)\b")
    users = {key: [step.get("run", "") for step in body.get("steps", [])] for key, body in JOBS.items() if body.get("environment") == "registry"}
    assert len(users) == 3
    assert [key for key, runs in users.items() if not any(pushing.search(run) for run in runs)] == []


def test_what_goes_on_was_signed_on_main() -> None:
    """By nobody but the workflow that builds, of main, and for the image that the gate has judged."""
    signed, image = JOBS["promote.yaml", "signed"], "${{ needs.gate.outputs.image }}"
    assert JOBS["promote.yaml", "propose"]["needs"] == ["gate", "signed", "named"]
    assert JOBS["promote.yaml", "gate"]["outputs"]["image"] == "${{ steps.image.outputs.image }}"
    [step] = [step for step in signed["steps"] if step.get("run") == '.ci/publish.sh verify "$IMAGE"']
    assert step["env"] == {
        "IMAGE": image, "SIGNERS": "${{ github.server_url }}/${{ github.repository }}/.github/workflows/image.yaml@refs/heads/main",
    }
    assert [step["env"]["IMAGE"] for step in signed["steps"] if step.get("id") == "ours"] == [image]


def test_what_goes_to_prod_is_named_before_it_is_proposed() -> None:
    """The image and the commit of the release that the gate has judged, once its signature is known; staging is proposed
    without, though not if something before has failed."""
    gate, named, propose = (JOBS["promote.yaml", job] for job in ("gate", "named", "propose"))
    assert named["needs"] == ["gate", "signed"] and named["if"] == "inputs.to == 'prod'" and named["environment"] == "registry-tag"
    assert gate["outputs"]["revision"] == "${{ steps.image.outputs.revision }}"
    [step] = [step for step in named["steps"] if step.get("run", "").startswith(".ci/publish.sh promoted")]
    assert step == {"run": '.ci/publish.sh promoted "$REVISION" "$IMAGE"',
                    "env": {"IMAGE": "${{ needs.gate.outputs.image }}", "REVISION": "${{ needs.gate.outputs.revision }}"}}
    assert propose["if"] == "${{ !failure() && !cancelled() }}"


@pytest.mark.parametrize(("image", "repository", "ours"), [
    ("r.example.org/g@sha256:ab", "r.example.org/g", True), ("r.example.org/other@sha256:ab", "r.example.org/g", False),
    ("", "", False), ("null", "r.example.org/g", False),
])
def test_another_repositorys_image_goes_nowhere(image: str, repository: str, ours: bool) -> None:
    [step] = [step for step in JOBS["promote.yaml", "signed"]["steps"] if step.get("id") == "ours"]
    environment = {"PATH": os.environ["PATH"], "IMAGE": image, "IMAGE_REPOSITORY": repository}
    got = subprocess.run(["bash", "-e", "-c", step["run"]], env=environment, capture_output=True, text=True, check=False)
    assert (got.returncode == 0) == ours and ("is not of" in got.stderr) != ours


@pytest.mark.parametrize("file", [".github/dependabot.yml"])
def test_dependabot_looks_everywhere(file: str) -> None:
    updates = workflows.yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"github-actions", "docker", "pip", "gomod", "npm", "terraform"}
    folders = {folder for update in updates if update["package-ecosystem"] == "pip" for folder in update["directories"]}
    listed = subprocess.run(["git", "ls-files", "*requirements.txt"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert folders == {f"/{os.path.dirname(line)}" for line in listed.split()}
