"""Terraform and .github as one: the roles that jobs take are those that trust their environments, and none trusts another."""

from __future__ import annotations

import json
import re

import pytest
from cloud import ROOT, Cloud
from jobs import subjects, taken


@pytest.fixture(scope="module", name="trusts")
def of_all_environments(cloud: Cloud, made: None) -> dict[str, list[str]]:
    """By role: of what is made what IAM says, of staging and prod what Terraform would make."""
    found = {role["RoleName"]: subjects(role["AssumeRolePolicyDocument"]) for role in cloud.client("iam").list_roles()["Roles"]}
    for environment in ("staging", "prod"):
        cloud.do(cloud.terraform / "up", environment, "--plan")
        folder = f"-chdir={cloud.terraform}/environments/{environment}"
        for each in json.loads(cloud.do("terraform", folder, "show", "-json", "plan.tfplan"))["resource_changes"]:
            if each["type"] == "aws_iam_role":
                after = each["change"]["after"]
                found[after["name"]] = subjects(json.loads(after["assume_role_policy"])) if "assume_role_policy" in after else []
    return {role: trusted for role, trusted in found.items() if trusted}


def test_each_job_has_a_role_that_trusts_it_and_no_role_trusts_another(trusts: dict[str, list[str]]) -> None:
    """One role for one environment; a job elsewhere than on main is kept out of it by .github/setup."""
    trusted = [subject.removeprefix("repo:acme/glassbox:environment:") for each in trusts.values() for subject in each]
    assert sorted(trusted) == sorted(taken())
    assert trusts["glassbox-prod-github-gate"] == ["repo:acme/glassbox:environment:prod-gate"]


def test_the_jobs_that_take_a_role_are_found() -> None:
    """Or the test above would hold for anything."""
    found = taken()
    assert found["registry"] == {"image.yaml/build", "image.yaml/index", "release.yaml/publish"}
    assert found["prod-gate"] == {"verify.yaml/gate"} and found["staging"] == {"promote.yaml/gate", "verify.yaml/gate"}
    assert found["registry-read"] == {"deliver.yaml/newest", "promote.yaml/signed"} and "prod" not in found
    (places,) = re.findall(r'\[AWS_ROLE\]="([^"]*)"', (ROOT / ".github/setup").read_text())
    assert sorted(places.split()) == sorted(found)
