"""A copy of infra/terraform, an organisation with one account, and an AWS on the loopback to make it all in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
ACCOUNT = "123456789012"
REGION = "eu-central-1"
START_SECONDS = 120
WORK_SECONDS = 420
ORGANISATION = {
    "name": "glassbox", "region": REGION, "github_repository": "acme/glassbox",
    "accounts": dict.fromkeys(("shared", "dev", "staging", "prod"), ACCOUNT),
    "domains": {"dev": "dev.example.org"}, "operators": {},
}
# Where infra/gitops' installer is, for what up and down do beside Terraform: it leaves a load balancer and its record and
# takes them away, as the load balancer controller and external-dns would; not the record, while there is a file `stuck`.
INSTALL = """#!/bin/sh
set -eu
case "$*" in *--check*) exit ;; esac
echo "$*" >>"{folder}/installs"
zone=$(aws route53 list-hosted-zones-by-name --dns-name dev.example.org --query 'HostedZones[0].Id' --output text)
records() {{ sed "s/ACTION/$1/g" "{folder}/records.json" >"{folder}/$1.json" &&
    aws route53 change-resource-record-sets --hosted-zone-id "$zone" --change-batch "file://{folder}/$1.json" >/dev/null; }}
case "$*" in
*--uninstall*)
    for arn in $(aws elbv2 describe-load-balancers --query 'LoadBalancers[].LoadBalancerArn' --output text); do
        aws elbv2 delete-load-balancer --load-balancer-arn "$arn"
    done
    [ -e "{folder}/stuck" ] || records DELETE ;;
*)
    subnets=$(aws ec2 describe-subnets --filters Name=tag:kubernetes.io/role/elb,Values=1 --query 'Subnets[].SubnetId' --output text)
    aws elbv2 create-load-balancer --name k8s-glassbox --subnets $subnets --tags Key=elbv2.k8s.aws/cluster,Value=glassbox-dev >/dev/null
    records CREATE ;;
esac
"""
RECORDS = {"Changes": [{"Action": "ACTION", "ResourceRecordSet": each} for each in (
    {"Name": "glassbox.dev.example.org", "Type": "A", "AliasTarget": {
        "HostedZoneId": "Z215JYRZR1TBD5", "DNSName": "k8s-glassbox.elb.amazonaws.com", "EvaluateTargetHealth": True}},
    {"Name": "cname-glassbox.dev.example.org", "Type": "TXT", "TTL": 300, "ResourceRecords": [
        {"Value": '"heritage=external-dns,external-dns/owner=glassbox-dev,external-dns/resource=ingress/glassbox/glassbox"'}]})]}


class Cloud:
    """The server, and what is run against it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.terraform = folder / "infra/terraform"
        self.log = folder / "log"
        self.calls = folder / "calls"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ROOT / "infra/terraform", self.terraform, symlinks=True,
                        ignore=shutil.ignore_patterns(".terraform", "__pycache__"))
        self.organisation(ORGANISATION)
        self.script(folder / "infra/gitops/bootstrap/install", INSTALL.format(folder=folder))
        (folder / "records.json").write_text(json.dumps(RECORDS))
        self.server = self.start()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_VAR_"))},
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true",
            "XDG_CACHE_HOME": str(folder / "cache"), "HOME": str(folder),
        }

    def organisation(self, said: dict[str, Any]) -> None:
        (self.terraform / "environments/common/organisation.auto.tfvars.json").write_text(json.dumps(said, indent=2))

    @staticmethod
    def script(path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def start(self) -> subprocess.Popen[bytes]:
        """The server, once it answers."""
        port = self.folder / "port"
        server = subprocess.Popen([sys.executable, HERE / "aws_server.py", "--port-file", port, "--calls", self.calls],
                                  stdout=subprocess.DEVNULL, stderr=(self.folder / "server.log").open("wb"))
        deadline = time.monotonic() + START_SECONDS
        while not port.exists():
            if server.poll() is not None or time.monotonic() > deadline:
                server.kill()
                raise RuntimeError(f"moto did not start: {(self.folder / 'server.log').read_text()[-2000:]}")
            time.sleep(0.2)
        self.port = int(port.read_text())
        return server

    def stop(self) -> None:
        self.server.terminate()
        self.server.wait(30)

    def run(self, *line: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs a program against the server, with these variables; what it printed goes to the log as well."""
        begun = time.monotonic()
        done = subprocess.run(line, cwd=self.terraform, env=self.environment | variables, capture_output=True, text=True,
                              timeout=WORK_SECONDS, check=False, stdin=subprocess.DEVNULL)
        said, took = f"$ {' '.join(map(str, line))}\n{done.stdout}{done.stderr}", time.monotonic() - begun
        with self.log.open("a") as file:
            file.write(f"{said}exit status {done.returncode} after {took:.0f} s\n\n")
        return done

    def do(self, *line: str | Path, **variables: str) -> str:
        """The same, and it must succeed."""
        done = self.run(*line, **variables)
        assert done.returncode == 0, f"{line}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def client(self, service: str, role: str = "") -> Any:
        """boto3's, asking the server; as `role`, if given."""
        keys = {"AccessKeyId": "none", "SecretAccessKey": "none", "SessionToken": None}
        if role:
            keys = self.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return boto3.client(service, endpoint_url=f"http://127.0.0.1:{self.port}", region_name=REGION,
                            aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                            aws_session_token=keys["SessionToken"], config=Config(retries={"max_attempts": 1}, read_timeout=30))

    def asked(self, environment: str) -> set[str]:
        """`service action` of every call so far as the role that makes an environment."""
        role = f"arn:aws:iam::{ACCOUNT}:role/glassbox/bootstrap/glassbox-deploy-{environment}"
        lines = [line.split() for line in self.calls.read_text().splitlines()]
        return {f"{service} {action}" for arn, service, action in lines if arn == role}

    def inventory(self) -> Counter[str]:
        """How many of each kind there are, asked of each service itself: whatever Terraform may believe."""
        ec2, iam, kms = self.client("ec2"), self.client("iam"), self.client("kms")
        keys = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]]
        found = {
            "vpc": ec2.describe_vpcs()["Vpcs"], "subnet": ec2.describe_subnets()["Subnets"],
            "route table": ec2.describe_route_tables()["RouteTables"], "address": ec2.describe_addresses()["Addresses"],
            "internet gateway": ec2.describe_internet_gateways()["InternetGateways"],
            "NAT gateway": [each for each in ec2.describe_nat_gateways()["NatGateways"] if each["State"] != "deleted"],
            "security group": ec2.describe_security_groups()["SecurityGroups"],
            "endpoint": [each for each in ec2.describe_vpc_endpoints()["VpcEndpoints"] if each["State"] != "deleted"],
            "flow log": ec2.describe_flow_logs()["FlowLogs"],
            "launch template": ec2.describe_launch_templates()["LaunchTemplates"],
            "instance": [instance for group in ec2.describe_instances()["Reservations"] for instance in group["Instances"]
                         if instance["State"]["Name"] != "terminated"],
            "volume": ec2.describe_volumes()["Volumes"],
            "cluster": self.client("eks").list_clusters()["clusters"],
            "load balancer": self.client("elbv2").describe_load_balancers()["LoadBalancers"],
            "repository": self.client("ecr").describe_repositories()["repositories"],
            "log group": self.client("logs").describe_log_groups()["logGroups"],
            "role": [each for each in iam.list_roles()["Roles"] if "/aws-service-role/" not in each["Path"]],
            "policy": iam.list_policies(Scope="Local")["Policies"],
            "OIDC provider": iam.list_open_id_connect_providers()["OpenIDConnectProviderList"],
            "key": [key for key in keys if key["KeyState"] != "PendingDeletion" and key["KeyManager"] == "CUSTOMER"],
            "key's name": [each for each in kms.list_aliases()["Aliases"] if not each["AliasName"].startswith("alias/aws/")],
            "certificate": self.client("acm").list_certificates()["CertificateSummaryList"],
            "hosted zone": self.client("route53").list_hosted_zones()["HostedZones"],
            "bucket": self.client("s3").list_buckets()["Buckets"],
        }
        return Counter({kind: len(things) for kind, things in found.items() if things})


def documents(iam: Any) -> dict[str, list[dict[str, Any]]]:
    """{role: its own policies} of all roles beneath our path."""
    found = {}
    for role in iam.list_roles(PathPrefix="/glassbox/")["Roles"]:
        name = role["RoleName"]
        inline = [iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"]
                  for each in iam.list_role_policies(RoleName=name)["PolicyNames"]]
        attached = [each["PolicyArn"] for each in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]]
        found[name] = inline + [managed(iam, arn) for arn in attached if f":{ACCOUNT}:" in arn]
    return found


def managed(iam: Any, arn: str) -> dict[str, Any]:
    """A policy's document in force."""
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
