"""What .github/setup would tell GitHub, call by call, and what it refuses."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import workflows
from workflows import ROOT

SETUP = ROOT / ".github/setup"
GIVEN = ("team/glassbox", "--reviewers", "operators", "--dry-run")
VARIABLES = """# a comment

- IMAGE_REPOSITORY registry.example.org/team/glassbox
registry AWS_ROLE arn:aws:iam::123456789012:role/glassbox-github-push
prod-gate URL https://glassbox.example.org
"""


def setup(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A run of it."""
    return subprocess.run([SETUP, *arguments], capture_output=True, text=True, timeout=30, check=False)


def calls(text: str) -> list[tuple[str, Any]]:
    """Each call with what it was given on stdin, read."""
    found: list[tuple[str, Any]] = []
    for block in text.split("\ngh ")[0:]:
        head, _, body = block.removeprefix("gh ").partition("\n")
        found.append((head, json.loads(body) if body.strip() else None))
    return found


def test_all_that_github_is_told(tmp_path: Path) -> None:
    (tmp_path / "variables").write_text(VARIABLES, encoding="utf-8")
    got = setup(*GIVEN, "--variables", str(tmp_path / "variables"))
    assert got.returncode == 0, got.stderr
    told = calls(got.stdout)
    bodies = dict(told)
    root = "repos/team/glassbox"
    assert bodies[f"api --method PUT {root}/actions/permissions/workflow --input -"]["default_workflow_permissions"] == "read"
    assert bodies[f"api --method PUT {root}/actions/permissions --input -"]["sha_pinning_required"] is True
    reviewed = {
        head.split("/")[-1].split()[0]: bool(body["reviewers"])
        for head, body in told
        if "/environments/" in head and "policies" not in head
    }
    assert reviewed == {"registry": False, "registry-read": False, "registry-tag": False, "dev": False, "staging": False, "prod": True, "prod-gate": False}
    policies = [(head.split("/")[-2], body["name"]) for head, body in told if "deployment-branch-policies" in head]
    of_main = ("registry-read", "registry-tag", "dev", "staging", "prod", "prod-gate")
    assert policies == [("registry", "main"), ("registry", "v*"), *((name, "main") for name in of_main)]
    assert [head for head, _ in told if head.startswith("variable")] == [
        "variable set IMAGE_REPOSITORY --repo team/glassbox --body registry.example.org/team/glassbox",
        "variable set AWS_ROLE --repo team/glassbox --env registry --body arn:aws:iam::123456789012:role/glassbox-github-push",
        "variable set URL --repo team/glassbox --env prod-gate --body https://glassbox.example.org",
    ]
    rules = {body["name"]: body for head, body in told if head.startswith(f"api --method POST {root}/rulesets")}
    assert {name: len(body["bypass_actors"]) for name, body in rules.items()} == {"main": 0, "release tags": 1, "tags stay": 0}
    assert {rule["type"] for rule in rules["main"]["rules"]} == {
        "deletion", "non_fast_forward", "required_linear_history", "pull_request", "required_status_checks",
    }


def test_actions_that_are_used_are_allowed() -> None:
    """GitHub's own, and those by name."""
    used = {line.split("@")[0] for _, line in workflows.uses() if not line.startswith(("./", "actions/"))}
    [allowed] = [body for head, body in calls(setup(*GIVEN).stdout) if "selected-actions" in head]
    assert {f"{action}@*" for action in used} == set(allowed["patterns_allowed"])


REFUSED = {
    "nothing": ((), "which repository? '' is not ORG/REPO"),
    "no team": (("team/glassbox",), "who must agree before prod?"),
    "two": (("team/glassbox", "team/other", "--reviewers", "o"), "one repository, not 'team/glassbox' and 'team/other'"),
    "option": (("team/glassbox", "--force"), "no such option: --force"),
    "value": (("team/glassbox", "--reviewers"), "--reviewers wants a value"),
    "file": ((*GIVEN, "--variables", "/nowhere"), "/nowhere cannot be read"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_call_that_is_refused(case: str) -> None:
    arguments, said = REFUSED[case]
    got = setup(*arguments)
    assert got.returncode == 2 and said in got.stderr and not got.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("- NOTHING x", "variables:1: no such variable: 'NOTHING'; there are AWS_REGION AWS_ROLE"),
        ("prod AWS_ROLE x", "variables:1: AWS_ROLE is not of 'prod'; it is of: registry registry-read registry-tag dev staging prod-gate"),
        ("dev URL", "variables:1: URL has no value"),
        ("\n- DELIVERY", "variables:2: DELIVERY has no value"),
    ],
)
def test_a_variable_that_is_refused(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "variables").write_text(f"{line}\n", encoding="utf-8")
    got = setup(*GIVEN, "--variables", str(tmp_path / "variables"))
    assert got.returncode == 2 and said in got.stderr and not got.stdout
