"""What `down` finds left, asked of an account of its own: what controllers make and Terraform knows nothing of."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from cloud import REGION, ROOT, Cloud

ACCOUNT = "210987654321"
ZONE = "dev.example.org"
BALANCER = "k8s-glassbox-1.eu-central-1.elb.amazonaws.com"


@pytest.fixture(name="left", scope="module")
def the_module(cloud: Cloud) -> Iterator[ModuleType]:
    """infra/terraform's own, asking the server."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PATH", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
            patch.setenv(name, cloud.environment[name])
        patch.setattr(sys, "path", [str(ROOT / "infra/terraform"), *sys.path])
        patch.setattr(sys, "dont_write_bytecode", True)
        from glassbox_terraform import left  # noqa: PLC0415  the path comes first
        yield left


@pytest.fixture(name="target", scope="module")
def dev(left: ModuleType) -> Any:
    """dev, in that account."""
    return left.Target("glassbox", "dev", ACCOUNT, REGION, ZONE)


def mark(owner: str) -> str:
    """The text by which external-dns knows its own."""
    return f'"heritage=external-dns,external-dns/owner={owner},external-dns/resource=ingress/glassbox/glassbox"'


def test_records_of_external_dns_are_left(cloud: Cloud, left: ModuleType, target: Any) -> None:
    route53 = cloud.client("route53", target.role)
    assert left.records(target) == [], "there is no zone yet"
    zone = route53.create_hosted_zone(Name=ZONE, CallerReference="1")["HostedZone"]["Id"]
    alias = {"HostedZoneId": "Z215JYRZR1TBD5", "DNSName": BALANCER, "EvaluateTargetHealth": True}
    made = [
        # An alias and its marks, as external-dns 0.20 names them; then an address.
        *({"Name": f"glassbox.{ZONE}", "Type": kind, "AliasTarget": alias} for kind in ("A", "AAAA")),
        *({"Name": f"{kind}-glassbox.{ZONE}", "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": mark("glassbox-dev")}]}
          for kind in ("cname", "aaaa")),
        {"Name": f"a-www.{ZONE}", "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": mark("glassbox-dev")}]},
        {"Name": f"www.{ZONE}", "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": "192.0.2.1"}]},
        # Of the same name and nobody's; of another owner, whose name only begins as ours does; of no owner at all.
        {"Name": f"www.{ZONE}", "Type": "MX", "TTL": 300, "ResourceRecords": [{"Value": "10 mail.example.org"}]},
        {"Name": f"cname-other.{ZONE}", "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": mark("glassbox-dev2")}]},
        {"Name": f"other.{ZONE}", "Type": "A", "AliasTarget": alias},
        {"Name": f"a-words.{ZONE}", "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": '"owner=glassbox-dev"'}]},
        {"Name": f"words.{ZONE}", "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": "192.0.2.2"}]},
    ]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={
        "Changes": [{"Action": "CREATE", "ResourceRecordSet": each} for each in made]})
    found = left.records(target)
    assert found == [f"a-www.{ZONE} TXT", f"aaaa-glassbox.{ZONE} TXT", f"cname-glassbox.{ZONE} TXT",
                     f"glassbox.{ZONE} A -> {BALANCER}", f"glassbox.{ZONE} AAAA -> {BALANCER}", f"www.{ZONE} A -> 192.0.2.1"]
    assert set(found) <= set(left.made_by_controllers(target)), "down does not wait for them"
    with pytest.raises(left.Failed, match=f"6 left of dev:\n  a-www.{ZONE} TXT"):
        left.report(target, 0)


def test_down_waits_for_what_controllers_made_and_for_nothing_else(cloud: Cloud, left: ModuleType, target: Any) -> None:
    """A node has a disk with the environment's tags, too, and goes with its node group: who waits for it waits for ever."""
    ec2, elb = (cloud.client(name, target.role) for name in ("ec2", "elbv2"))
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]]

    def tags(*more: tuple[str, str], own: bool = True) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in ((*target.tags.items(), *more) if own else more)]

    def volume(*more: tuple[str, str], environment: str = "dev") -> str:
        given = [each | ({"Value": environment} if each["Key"] == "Environment" else {}) for each in tags(*more)]
        made = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1,
                                 TagSpecifications=[{"ResourceType": "volume", "Tags": given}])
        return f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/{made['VolumeId']}"

    def group(name: str, *more: tuple[str, str]) -> str:
        made = ec2.create_security_group(GroupName=name, Description=name, TagSpecifications=[
            {"ResourceType": "security-group", "Tags": tags(*more)}])
        return f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/{made['GroupId']}"

    driver, controller = ("ebs.csi.aws.com/cluster", "true"), ("elbv2.k8s.aws/cluster", "glassbox-dev")
    claimed, disk, foreign = volume(driver), volume(), volume(driver, environment="staging")
    front, terraforms = group("k8s-traffic", controller), group("endpoints")
    balancers = [elb.create_load_balancer(Name=name, Subnets=subnets, Tags=tags(("elbv2.k8s.aws/cluster", cluster), own=False))[
        "LoadBalancers"][0]["LoadBalancerArn"] for name, cluster in (("ours", "glassbox-dev"), ("theirs", "glassbox-dev2"))]
    arns = [each for each in left.made_by_controllers(target) if each.startswith("arn:")]
    assert arns == sorted([claimed, front, balancers[0]])
    assert set(left.tagged(target)) == {claimed, disk, front, terraforms, balancers[0]} and foreign not in arns
