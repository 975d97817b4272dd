"""What GitHub must be told comes from Terraform's outputs, by one command; what is missing there is named."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cloud import ORGANISATION, ROOT, Cloud
from jobs import subjects


def test_a_role_that_is_made_can_be_told_to_github_and_trusts_where_it_is_told(cloud: Cloud, made: None, tmp_path: Path) -> None:
    """By the real command, into the real setup."""
    told = cloud.do(cloud.terraform / "github-variables", "shared", "dev")
    (tmp_path / "variables").write_text(told)
    setup = subprocess.run([ROOT / ".github/setup", "acme/glassbox", "--reviewers", "ops", "--dry-run", "--variables", tmp_path / "variables"],
                           capture_output=True, text=True, check=False)
    assert setup.returncode == 0, setup.stderr
    iam, roles = cloud.client("iam"), re.findall(r"^(\S+) AWS_ROLE (\S+)$", told, re.MULTILINE)
    assert sorted(where for where, _ in roles) == ["dev", "registry", "registry-read", "registry-tag"]
    for where, arn in roles:
        role = iam.get_role(RoleName=arn.rpartition("/")[2])["Role"]
        assert role["Arn"] == arn and subjects(role["AssumeRolePolicyDocument"]) == [f"repo:acme/glassbox:environment:{where}"]
    rest = {line for line in told.splitlines() if " AWS_ROLE " not in line and not line.startswith("#")}
    registry = cloud.client("ecr").describe_repositories(repositoryNames=["glassbox"])["repositories"][0]["repositoryUri"]
    assert rest == {
        *(f"{where} AWS_REGION eu-central-1" for where, _ in roles), f"- IMAGE_REPOSITORY {registry}",
        f"- CHART_REPOSITORY {registry}/charts", "dev CLUSTER_NAME glassbox-dev", "dev URL https://glassbox.dev.example.org", "- DELIVERY on",
    }


def test_what_is_not_made_yet_is_named(cloud: Cloud, made: None) -> None:
    done = cloud.run(cloud.terraform / "github-variables", "dev", "staging")
    assert done.returncode == 2 and done.stdout == ""
    assert "staging: github_environments" in done.stderr and "there are no outputs; infra/terraform/up staging makes them" in done.stderr


OUTPUTS = {
    "region": "eu-central-1", "cluster_name": "glassbox-prod", "domain": "example.org", "github_environments": {"gate": "prod-gate"},
    "github_role_arns": {"gate": "arn:aws:iam::111122223333:role/glassbox/prod/glassbox-prod-github-gate"},
}


def told(folder: Path, outputs: Any, *arguments: str, file: str = "prod.json") -> subprocess.CompletedProcess[str]:
    """The program in a copy that is filled in, with outputs as they were recorded."""
    subprocess.run(["cp", "-a", ROOT / "infra/terraform", folder / "terraform"], check=True)
    (folder / "terraform/environments/common/organisation.auto.tfvars.json").write_text(json.dumps(ORGANISATION))
    text = outputs if isinstance(outputs, str) else json.dumps({name: {"value": value, "type": "?", "sensitive": False}
                                                                for name, value in outputs.items()})
    (folder / file).write_text(text)
    return subprocess.run([folder / "terraform/github-variables", *arguments, "--outputs", folder], capture_output=True, text=True, check=False)


def test_prod_is_looked_at_by_an_environment_of_its_own(tmp_path: Path) -> None:
    done = told(tmp_path, OUTPUTS, "prod")
    assert [line for line in done.stdout.splitlines() if not line.startswith("#")] == [
        f"prod-gate AWS_ROLE {OUTPUTS['github_role_arns']['gate']}", "prod-gate AWS_REGION eu-central-1",
        "prod-gate CLUSTER_NAME glassbox-prod", "prod-gate URL https://glassbox.example.org"]
    # The host is the chart's of infra/gitops.
    assert 'printf "glassbox.%s"' in (ROOT / "infra/gitops/apps/templates/_helpers.tpl").read_text()


def test_without_a_domain_the_address_is_a_persons_to_say(tmp_path: Path) -> None:
    done = told(tmp_path, OUTPUTS | {"domain": ""}, "prod")
    assert done.returncode == 0 and "\n# prod-gate URL http://ADDRESS\n" in done.stdout and "\nprod-gate URL" not in done.stdout
    assert "# prod has no domain: its address is known after its first release: kubectl -n glassbox get ingress\n" in done.stdout


def test_what_terraform_does_not_know_is_a_comment_to_be_filled_in(tmp_path: Path) -> None:
    """Each says when it is needed; without its # it is a line that .github/setup takes, the file's last one, too."""
    done = told(tmp_path, OUTPUTS | {"domain": "", "github_environments": {"gate": "dev"}}, "dev", file="dev.json")
    comments = [line for line in done.stdout.splitlines() if line.startswith("#")]
    needed = [line for line in comments if re.fullmatch(r"# \S+ [A-Z_]+ \S+", line)]
    assert needed == ["# dev URL http://ADDRESS", "# dev GATE_TRAFFIC 20", "# - GATE_RUNNER LABEL"]
    assert all(comments[comments.index(line) - 1] not in needed for line in needed)
    for text, wanted in ((done.stdout, False), ("\n".join(line.removeprefix("# ") for line in needed), True)):
        (tmp_path / "variables").write_text(text)
        setup = subprocess.run([ROOT / ".github/setup", "acme/glassbox", "--reviewers", "ops", "--dry-run", "--variables", tmp_path / "variables"],
                               capture_output=True, text=True, check=False)
        assert setup.returncode == 0, setup.stderr
        assert ("variable set GATE_RUNNER --repo acme/glassbox --body LABEL" in setup.stdout) == wanted


@pytest.mark.parametrize(("outputs", "arguments", "said"), [
    ({name: value for name, value in OUTPUTS.items() if name != "region"}, ["prod"], "prod: region: missing; infra/terraform/up prod makes them"),
    (OUTPUTS | {"github_role_arns": {}, "cluster_name": ""}, ["prod"], "prod: github_role_arns, cluster_name: missing"),
    (OUTPUTS | {"github_role_arns": {"push": "x"}}, ["prod"], "prod: github_role_arns.gate: missing"),
    ({}, ["prod"], "prod: github_environments, cluster_name: there are no outputs"),
    ("nonsense", ["prod"], "prod: that is not what `terraform output -json` says: 'nonsense'"),
    (OUTPUTS, ["prod", "dev"], "dev.json: No such file or directory: `terraform output -json` of dev is to be there"),
    (OUTPUTS, ["production"], "no such environment: production; there are shared, dev, staging, prod"),
])
def test_what_is_missing_is_named(tmp_path: Path, outputs: Any, arguments: list[str], said: str) -> None:
    done = told(tmp_path, outputs, *arguments)
    assert done.returncode == 2 and done.stdout == "" and said in done.stderr, done.stderr
