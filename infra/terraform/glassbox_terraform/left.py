"""What is left of an environment: asked of AWS itself, not of Terraform's state.

The tagging API knows what carries the environment's tags, and what the load balancer controller and the volume driver
made for the cluster. It knows no roles, which are found by their path, and it may be some minutes behind.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone

from . import tools
from .organisation import Failed, Target

PATIENCE = 300  # seconds that the tagging API may be behind
PAUSE = 10


def tagged(target: Target) -> list[str]:
    """ARNs of what carries a tag of the environment or of its cluster."""
    filters = [[f"Key=Project,Values={target.name}", f"Key=Environment,Values={target.environment}"]]
    if target.cluster:
        filters += [[f"Key=elbv2.k8s.aws/cluster,Values={target.cluster}"],
                    [f"Key=kubernetes.io/cluster/{target.cluster},Values=owned"]]
    found: set[str] = set()
    for each in filters:
        pages = tools.aws("resourcegroupstaggingapi", "get-resources", "--tag-filters", *each, role=target.role,
                          region=target.region)
        found.update(entry["ResourceARN"] for entry in pages.get("ResourceTagMappingList", []))
    return sorted(found)


def made_by_controllers(target: Target) -> list[str]:
    """Load balancers, target groups, security groups, volumes: what is not in Terraform's state and stands in its way."""
    return [arn for arn in tagged(target) if "elasticloadbalancing" in arn or ":volume/" in arn]


def roles(target: Target) -> list[str]:
    """ARNs of roles and policies beneath the environment's path."""
    path = f"/{target.name}/{target.environment}/"
    listed = tools.aws("iam", "list-roles", "--path-prefix", path, role=target.role)["Roles"]
    policies = tools.aws("iam", "list-policies", "--scope", "Local", "--path-prefix", path, role=target.role)["Policies"]
    return sorted(each["Arn"] for each in (*listed, *policies))


def going(target: Target, arn: str) -> str:
    """Why a thing that AWS still names is none any more; "" for all else. A key that was destroyed is kept for its days
    of grace, at no cost; a NAT gateway and an instance are named for about an hour after their end."""
    name = arn.rsplit("/", 1)[-1]
    if ":kms:" in arn and ":key/" in arn:
        key = tools.aws("kms", "describe-key", "--key-id", arn, role=target.role, region=target.region)["KeyMetadata"]
        return f"disabled, gone on {day(key.get('DeletionDate'))}, costs nothing" if key["KeyState"] == "PendingDeletion" else ""
    if ":natgateway/" in arn:
        found = tools.aws("ec2", "describe-nat-gateways", "--nat-gateway-ids", name, role=target.role, region=target.region)
        return "deleted" if all(each["State"] == "deleted" for each in found["NatGateways"]) else ""
    if ":instance/" in arn:
        found = tools.aws("ec2", "describe-instances", "--instance-ids", name, role=target.role, region=target.region)
        states = [each["State"]["Name"] for group in found["Reservations"] for each in group["Instances"]]
        return "terminated" if all(state == "terminated" for state in states) else ""
    return ""


def day(stamp: float | str | None) -> str:
    """The AWS CLI's first version says seconds, its second a date."""
    if isinstance(stamp, (int, float)):
        return datetime.fromtimestamp(stamp, timezone.utc).date().isoformat()
    return str(stamp or "a day that is not said")[:10]


def logs(target: Target) -> list[str]:
    """A control plane that is being destroyed may write a last line, and make its log group anew."""
    if not target.cluster:
        return []
    group = f"/aws/eks/{target.cluster}/cluster"
    found = tools.aws("logs", "describe-log-groups", "--log-group-name-prefix", group, role=target.role,
                      region=target.region)["logGroups"]
    for each in found:
        tools.aws("logs", "delete-log-group", "--log-group-name", each["logGroupName"], role=target.role,
                  region=target.region)
    return [each["logGroupName"] for each in found]


def report(target: Target) -> None:
    """Says that nothing is left, or raises Failed with what is."""
    for name in logs(target):
        print(f"deleted: {name}, which the control plane had made anew")
    deadline = time.monotonic() + PATIENCE
    while True:
        found = {arn: going(target, arn) for arn in tagged(target)}
        rest = [arn for arn, why in found.items() if not why] + roles(target)
        if not rest or time.monotonic() > deadline:
            break
        time.sleep(PAUSE)
    for arn, why in found.items():
        if why:
            print(f"going: {arn}: {why}")
    if rest:
        raise Failed(f"{len(rest)} left of {target.environment}:\n  " + "\n  ".join(rest))
    print(f"left of {target.environment}: 0")
