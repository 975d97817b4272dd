"""The organisation's file, and what follows from it: names that Terraform and these programs must agree on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
FILE = HERE / "environments/common/organisation.auto.tfvars.json"
CLUSTERS = ("dev", "staging", "prod")
ENVIRONMENTS = ("bootstrap", "shared", *CLUSTERS)


class Refused(Exception):
    """It was not begun: exit status 2."""


class Failed(Exception):
    """It was begun and did not succeed: exit status 1."""


@dataclass(frozen=True)
class Target:
    """One environment in its account."""

    name: str
    environment: str
    account: str
    region: str
    domain: str

    @property
    def folder(self) -> Path:
        """Its root module."""
        return HERE / "environments" / self.environment

    @property
    def cluster(self) -> str:
        """The cluster's name; "" where there is none."""
        return f"{self.name}-{self.environment}" if self.environment in CLUSTERS else ""

    @property
    def tags(self) -> dict[str, str]:
        """What everything of it carries, whoever makes it."""
        return {"Project": self.name, "Environment": self.environment}

    @property
    def bucket(self) -> str:
        """Where its state lies."""
        return f"{self.name}-state-{self.account}-{self.region}"

    @property
    def role(self) -> str:
        """The ARN of the role that makes it; "" for bootstrap, which an administrator makes."""
        if self.environment == "bootstrap":
            return ""
        return f"arn:aws:iam::{self.account}:role/{self.name}/bootstrap/{self.name}-deploy-{self.environment}"

    def backend(self) -> list[str]:
        """What `terraform init` is told of the state."""
        told = {"bucket": self.bucket, "region": self.region, "key": f"{self.environment}/terraform.tfstate"}
        lines = [f"-backend-config={key}={value}" for key, value in told.items()]
        if self.role:
            lines.append(f'-backend-config=assume_role={{role_arn="{self.role}",session_name="state-{self.environment}"}}')
        return lines


def read(path: Path = FILE) -> dict:
    """The file; what is not filled in yet is refused by name."""
    try:
        said = json.loads(path.read_text())
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise Refused(f"{path}: not JSON: {error}") from None
    wrong = []
    if not re.fullmatch(r"[a-z][a-z0-9-]{1,14}[a-z0-9]", str(said.get("name", ""))):
        wrong.append(f"name {said.get('name')!r}: 3 to 16 lower case letters, digits and hyphens, a letter first")
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]", str(said.get("region", ""))):
        wrong.append(f"region {said.get('region')!r}: such as eu-central-1")
    repository = str(said.get("github_repository", ""))
    if not re.fullmatch(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", repository) or repository.startswith("ORG/"):
        wrong.append(f"github_repository {repository!r}: ORG/REPO, yours")
    accounts = said.get("accounts", {})
    for name in ("shared", *CLUSTERS):
        account = str(accounts.get(name, ""))
        if not re.fullmatch(r"[0-9]{12}", account) or account == "0" * 12:
            wrong.append(f"accounts.{name} {account!r}: the 12 digits of your account")
    if wrong:
        raise Refused(f"{path} is not filled in:\n  " + "\n  ".join(wrong))
    return said


def target(environment: str, caller: str) -> Target:
    """The environment; bootstrap is of the caller's own account."""
    said = read()
    accounts = said["accounts"]
    if environment == "bootstrap":
        if caller not in accounts.values():
            raise Refused(f"bootstrap: your credentials are of account {caller}, which is none of {FILE.name}'s: "
                          f"{', '.join(sorted(set(accounts.values())))}")
        return Target(said["name"], environment, caller, said["region"], "")
    return Target(said["name"], environment, accounts[environment], said["region"],
                  said.get("domains", {}).get(environment, ""))
