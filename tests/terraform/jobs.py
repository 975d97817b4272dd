"""Which of .github's jobs take a role of AWS, and in which of GitHub's environments; and whom a role trusts of them."""

from __future__ import annotations

import sys
from typing import Any

from cloud import ROOT

sys.path.insert(0, str(ROOT / "tests/release"))
import workflows  # noqa: E402  the path comes first
from github import Named, filled  # noqa: E402

SUBJECT = "token.actions.githubusercontent.com:sub"


def values(name: str) -> list[str]:
    """The environments that a workflow may be about: a person's choice, or the paths that start it."""
    events = workflows.read(name)["on"]
    if "workflow_dispatch" in events:
        return list(events["workflow_dispatch"]["inputs"].get("from", {"options": []})["options"])
    return [path.split("/")[-2] for path in events.get("push", {}).get("paths", [])]


def taken() -> dict[str, set[str]]:
    """Of each GitHub environment in which a job takes a role of AWS: those jobs."""
    found: dict[str, set[str]] = {}
    for name, job, body in workflows.jobs():
        if any(step.get("uses", "").startswith("aws-actions/configure-aws-credentials@") for step in body.get("steps", [])):
            for each in values(name) or [""]:
                context = {"inputs": Named({"from": each}), "needs": Named(which=Named(outputs=Named(environment=each)))}
                found.setdefault(filled(body["environment"], context), set()).add(f"{name}/{job}")
    return found


def subjects(policy: dict[str, Any]) -> list[str]:
    """Whom a role trusts, of GitHub's jobs; all of it, not compared by a pattern."""
    found = []
    for statement in policy["Statement"]:
        if statement["Action"] == "sts:AssumeRoleWithWebIdentity":
            assert set(statement["Condition"]) == {"StringEquals"}
            said = statement["Condition"]["StringEquals"][SUBJECT]
            found += [said] if isinstance(said, str) else said
    return found
