"""Terraform's outputs as GitHub's variables, in the form that .github/setup --variables takes: `WHERE NAME VALUE` a line.

Which GitHub environment has which role is an output, too (`github_environments`), as the roles' trust is made of the same.
Exit status: 0 all of it is printed; 1 Terraform failed; 2 something is missing, and all that is missing is named.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import state, steps, tools
from .organisation import CLUSTERS, Failed, Refused, read

MADE = ("shared", *CLUSTERS)
CHARTS = "charts/glassbox"  # beneath the image's repository; a chart's own name is not part of where charts go
EPILOGUE = """
    infra/terraform/github-variables >variables
    .github/setup ORG/REPO --reviewers TEAM --variables variables

What Terraform does not know is a comment there, below another that says when it is needed: fill it in, or leave it.
"""


class Outputs:
    """One environment's; what is asked for and not there is noted in `missing`."""

    def __init__(self, environment: str, values: dict[str, Any]) -> None:
        self.environment, self.values = environment, values
        self.missing: list[str] = []

    def get(self, name: str, key: str = "") -> Any:
        """An output, or what a map of an output has under a key; "" where there is none."""
        value = self.values.get(name, {}).get("value") or ""
        if key and value:
            name, value = f"{name}.{key}", value.get(key) or ""
        if not value:
            self.missing.append(name)
        return value


def lines(outputs: Outputs, name: str) -> Iterator[str]:
    """All that GitHub must know of one environment; `name` is the organisation's."""
    where = outputs.get("github_environments") or {}
    for role, github in where.items():
        yield f"{github} AWS_ROLE {outputs.get('github_role_arns', role)}"
        yield f"{github} AWS_REGION {outputs.get('region')}"
    if outputs.environment == "shared":
        yield f"- IMAGE_REPOSITORY {outputs.get('repository_urls', name)}"
        yield f"- CHART_REPOSITORY {outputs.get('repository_urls', f'{name}/{CHARTS}').rpartition('/')[0]}"
        return
    gate, here = outputs.get("github_environments", "gate"), outputs.environment
    yield f"{gate} CLUSTER_NAME {outputs.get('cluster_name')}"
    if domain := outputs.values.get("domain", {}).get("value"):
        yield f"{gate} URL https://glassbox.{domain}"
    else:
        yield f"# {here} has no domain: its address is known after its first release: kubectl -n glassbox get ingress"
        yield f"# {gate} URL http://ADDRESS"
    yield f"# as long as {here} has no users: the gate judges by 500 requests of each route, and sends so many a second"
    yield f"# {gate} GATE_TRAFFIC 20"
    if here == CLUSTERS[0]:
        yield "- DELIVERY on"
        yield "# GitHub's own runners reach no API server that is closed to them, as each is whose environment's"
        yield "# cluster_endpoint_public_access_cidrs does not name them: the label of a runner within the network"
        yield "# - GATE_RUNNER LABEL"


def recorded(folder: Path, environment: str) -> str:
    """What `terraform output -json` has said."""
    path = folder / f"{environment}.json"
    try:
        return path.read_text()
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}: `terraform output -json` of {environment} is to be there") from None


def asked(environment: str) -> str:
    """What it says now."""
    tools.need("terraform", "aws")
    wanted = steps.ready(environment)
    state.enter(wanted)
    return tools.terraform(wanted, "output", "-json", quiet=True)


def collect(environments: list[str], folder: Path | None, given: list[str]) -> list[str]:
    """The lines of all environments, each asked with the profile of its account."""
    said = read()
    name, accounts = said["name"], said["accounts"]
    known = steps.profiles(given, accounts)
    if strangers := [each for each in environments if each not in MADE]:
        raise Refused(f"no such environment: {strangers[0]}; there are {', '.join(MADE)}")
    found, missing = [], []
    for environment in environments or MADE:
        with steps.Step(environment, profile=known.get(accounts[environment], "")).credentials():
            text = recorded(folder, environment) if folder else asked(environment)
        try:
            outputs = Outputs(environment, dict(json.loads(text)))
            found += lines(outputs, name)
        except (ValueError, TypeError, AttributeError):
            raise Refused(f"{environment}: that is not what `terraform output -json` says: {text[:80]!r}") from None
        if outputs.missing:
            why = "missing" if outputs.values else "there are no outputs"
            missing.append(f"{environment}: {', '.join(dict.fromkeys(outputs.missing))}: {why}; "
                           f"infra/terraform/up {environment} makes them")
    if missing:
        raise Refused("Terraform's outputs:\n  " + "\n  ".join(missing))
    return found


def main(arguments: list[str]) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="github-variables", description="GitHub's variables, from Terraform's outputs.",
                                     epilog=EPILOGUE, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("environments", nargs="*", metavar="ENV", help=f"of {', '.join(MADE)} (default: all four)")
    parser.add_argument("--outputs", type=Path, metavar="FOLDER",
                        help="with ENV.json each, what `terraform output -json` has said, instead of asking it")
    parser.add_argument("--profile", action="append", default=[], metavar="ACCOUNT=PROFILE",
                        help="who asks in an account, a profile of the AWS CLI (default: the credentials at hand)")
    given = parser.parse_args(arguments)
    try:
        print("\n".join(collect(given.environments, given.outputs, given.profile)))
    except Refused as error:
        print(f"github-variables: {error}", file=sys.stderr)
        return 2
    except (Failed, OSError) as error:
        print(f"github-variables: {error}", file=sys.stderr)
        return 1
    return 0
