"""What is left of an environment: asked of AWS itself, not of Terraform's state.

The tagging API knows what carries the environment's tags, and what the load balancer controller and the volume driver
made for the cluster. It knows no roles, which are found by their path, and it may be some minutes behind. Nor does it know
records: external-dns marks its own in the zone itself.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone

from . import tools
from .organisation import Failed, Target

PATIENCE = 900  # seconds for controllers to delete what they made, and for the tagging API to hear of it
PAUSE = 10
# external-dns's TXT registry: beside each record a TXT, named TYPE-RECORD, whose text names the owner. To external-dns 0.20
# an alias of type A is a CNAME.
COVERED = {"a": ("A",), "aaaa": ("AAAA",), "cname": ("A", "AAAA", "CNAME")}


def tagged(target: Target) -> list[str]:
    """ARNs of what carries the tags of the environment or of its cluster."""
    owners = [target.tags]
    if target.cluster:
        owners += [balancing(target), {f"kubernetes.io/cluster/{target.cluster}": "owned"}]
    return having(target, *owners)


def having(target: Target, *any_of: dict[str, str]) -> list[str]:
    """ARNs of what carries all tags of one of these."""
    found: set[str] = set()
    for tags in any_of:
        pages = tools.aws("resourcegroupstaggingapi", "get-resources", "--tag-filters",
                          *(f"Key={key},Values={value}" for key, value in tags.items()), role=target.role, region=target.region)
        found.update(entry["ResourceARN"] for entry in pages.get("ResourceTagMappingList", []))
    return sorted(found)


def balancing(target: Target) -> dict[str, str]:
    """What the load balancer controller puts on all that it makes."""
    return {"elbv2.k8s.aws/cluster": target.cluster}


def made_by_controllers(target: Target) -> list[str]:
    """Load balancers with their target and security groups, and volumes: what is not in Terraform's state and stands in its
    way; a node's disk has the environment's tags, too, but not the volume driver's. And records: who gets the name of a
    load balancer that is gone gets their visitors."""
    return having(target, balancing(target), target.tags | {"ebs.csi.aws.com/cluster": "true"}) + records(target)


def records(target: Target) -> list[str]:
    """What external-dns made for the cluster in the environment's zone, each with what it points to."""
    zone = zone_of(target)
    if not zone:
        return []
    listed = tools.aws("route53", "list-resource-record-sets", "--hosted-zone-id", zone, role=target.role)
    marks, covered = set(), set()
    for each in listed["ResourceRecordSets"]:
        if each["Type"] == "TXT" and any(owned(target, text["Value"]) for text in each.get("ResourceRecords", [])):
            kind, _, name = each["Name"].partition("-")
            marks.add((each["Name"], "TXT"))
            covered |= {(name, of) for of in COVERED.get(kind, ())}
    ours = marks | covered
    return sorted(line(each) for each in listed["ResourceRecordSets"] if (each["Name"], each["Type"]) in ours)


def images(target: Target, repository: str) -> list[dict]:
    """What a repository holds; nothing, if there is none."""
    try:
        return tools.aws("ecr", "list-images", "--repository-name", repository, role=target.role,
                         region=target.region)["imageIds"]
    except Failed as error:
        if "RepositoryNotFoundException" in str(error):
            return []
        raise


def zone_of(target: Target) -> str:
    """The id of the environment's zone; "" where it has none."""
    if not (target.cluster and target.domain):
        return ""
    name = f"{target.domain}."
    near = tools.aws("route53", "list-hosted-zones-by-name", "--dns-name", name, role=target.role)["HostedZones"]
    public = [each["Id"] for each in near if each["Name"] == name and not each["Config"]["PrivateZone"]]
    return public[0].rsplit("/", 1)[-1] if public else ""


def owned(target: Target, text: str) -> bool:
    """Whether a TXT record is this cluster's mark: infra/gitops gives external-dns the cluster's name for a txtOwnerId."""
    return {"heritage=external-dns", f"external-dns/owner={target.cluster}"} <= set(text.strip('"').split(","))


def line(record: dict) -> str:
    """NAME TYPE -> what it points to, which a mark does not."""
    to = [record["AliasTarget"]["DNSName"]] if "AliasTarget" in record else [each["Value"] for each in record["ResourceRecords"]]
    said = f"{record['Name'].rstrip('.')} {record['Type']}"
    return said if record["Type"] == "TXT" else f"{said} -> {', '.join(each.rstrip('.') for each in to)}"


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


def report(target: Target, patience: float = PATIENCE) -> None:
    """Says that nothing is left, or raises Failed with what is."""
    for name in logs(target):
        print(f"deleted: {name}, which the control plane had made anew")
    deadline = time.monotonic() + patience
    while True:
        found = {arn: going(target, arn) for arn in tagged(target)}
        rest = [arn for arn, why in found.items() if not why] + roles(target) + records(target)
        if not rest or time.monotonic() > deadline:
            break
        time.sleep(PAUSE)
    for arn, why in found.items():
        if why:
            print(f"going: {arn}: {why}")
    if rest:
        raise Failed(f"{len(rest)} left of {target.environment}:\n  " + "\n  ".join(rest))
    print(f"left of {target.environment}: 0")
