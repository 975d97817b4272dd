"""From nothing to an environment and back, for real, in an AWS on the loopback; in this order."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cloud import ACCOUNT, ROOT, Cloud
from policy import Request, applies, listed

LOCK_SECONDS = 120
ALL = ("bootstrap", "shared", "dev")


def test_what_is_made(cloud: Cloud, before: Counter[str], made: None) -> None:
    new = cloud.inventory() - before
    assert {kind: new[kind] for kind in ("bucket", "repository", "vpc", "NAT gateway", "cluster", "certificate")} == {
        "bucket": 1, "repository": 2, "vpc": 1, "NAT gateway": 1, "cluster": 1, "certificate": 1}
    eks = cloud.client("eks")
    groups = eks.list_nodegroups(clusterName="glassbox-dev")["nodegroups"]
    assert groups == [f"default-eu-central-1{zone}" for zone in "abc"]
    driver = eks.describe_addon(clusterName="glassbox-dev", addonName="aws-ebs-csi-driver")["addon"]
    assert json.loads(driver["configurationValues"])["controller"]["extraVolumeTags"].items() >= {
        "Project": "glassbox", "Environment": "dev"}.items()
    outputs = json.loads(cloud.do("terraform", f"-chdir={cloud.terraform / 'environments/dev'}", "output", "-json"))
    assert outputs["cluster_name"]["value"] == "glassbox-dev"
    assert outputs["public_subnets_cidr_blocks"]["value"] == [f"10.10.24{i}.0/24" for i in range(3)]
    assert outputs["acm_certificate_arn"]["value"].startswith("arn:aws:acm:")


def test_the_gate_may_do_in_the_cluster_what_its_group_may(cloud: Cloud, made: None) -> None:
    """No policy of EKS's; the group is what infra/gitops binds to asking Prometheus."""
    eks, gate = cloud.client("eks"), f"arn:aws:iam::{ACCOUNT}:role/glassbox/dev/glassbox-dev-github-gate"
    entry = eks.describe_access_entry(clusterName="glassbox-dev", principalArn=gate)["accessEntry"]
    bound = (ROOT / "infra/gitops/apps/templates/gate.yaml").read_text()
    assert entry["kubernetesGroups"] == re.findall(r"kind: Group, name: ([\w-]+)", bound)
    assert eks.list_associated_access_policies(clusterName="glassbox-dev", principalArn=gate)["associatedAccessPolicies"] == []


def test_state_has_keys_of_its_own(cloud: Cloud, made: None) -> None:
    s3 = cloud.client("s3")
    bucket = f"glassbox-state-{123456789012}-eu-central-1"
    keys = {each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert keys == {f"{name}/terraform.tfstate" for name in ("bootstrap", "shared", "dev")}
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0][
        "ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())


@pytest.fixture(name="plans", scope="module")
def one_more_of_each(cloud: Cloud, made: None) -> dict[str, subprocess.CompletedProcess[str]]:
    """What would be done next, of all at once."""
    def plan(name: str) -> subprocess.CompletedProcess[str]:
        folder = cloud.terraform / "environments" / name
        return cloud.run("terraform", f"-chdir={folder}", "plan", "-input=false", "-no-color", "-detailed-exitcode")

    with ThreadPoolExecutor() as pool:
        return dict(zip(ALL, pool.map(plan, ALL)))


@pytest.mark.parametrize("environment", ALL)
def test_done_again_changes_nothing(plans: dict, environment: str) -> None:
    done = plans[environment]
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]


def holder(cloud: Cloud, folder: Path) -> subprocess.Popen[str]:
    """An apply that somebody has begun and not confirmed yet: it holds the lock."""
    process = subprocess.Popen(["terraform", f"-chdir={folder}", "apply", "-no-color", "-var=log_retention_in_days=3"],
                               env=cloud.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, start_new_session=True)
    s3, deadline = cloud.client("s3"), time.monotonic() + LOCK_SECONDS
    while not s3.list_objects_v2(Bucket="glassbox-state-123456789012-eu-central-1", Prefix="dev/terraform.tfstate.tflock").get(
            "Contents"):
        assert process.poll() is None and time.monotonic() < deadline, "no lock was taken"
        time.sleep(0.2)
    return process


def test_a_second_apply_is_refused_while_one_is_at_work(cloud: Cloud, made: None) -> None:
    folder = cloud.terraform / "environments/dev"
    first = holder(cloud, folder)
    second = cloud.run("terraform", f"-chdir={folder}", "apply", "-auto-approve", "-input=false", "-no-color")
    assert second.returncode == 1
    assert "Error acquiring the state lock" in second.stderr and "Who:" in second.stderr
    said, _ = first.communicate("no\n", timeout=LOCK_SECONDS)
    assert "Apply cancelled" in said
    third = cloud.run("terraform", f"-chdir={folder}", "plan", "-input=false", "-no-color", "-detailed-exitcode")
    assert third.returncode == 0, third.stderr


def test_a_lock_outlives_a_crash_and_can_be_broken(cloud: Cloud, made: None) -> None:
    folder = cloud.terraform / "environments/dev"
    first = holder(cloud, folder)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(LOCK_SECONDS)
    refused = cloud.run("terraform", f"-chdir={folder}", "plan", "-input=false", "-no-color")
    assert refused.returncode == 1 and "Error acquiring the state lock" in refused.stderr
    name = re.search(r"ID:\s+([0-9a-f]{8}-[0-9a-f-]{27})", refused.stderr)[1]
    cloud.do("terraform", f"-chdir={folder}", "force-unlock", "-force", name)
    cloud.do("terraform", f"-chdir={folder}", "plan", "-input=false", "-no-color")


def test_bootstrap_stays_while_others_are_there(cloud: Cloud, made: None) -> None:
    done = cloud.run(cloud.terraform / "down", "bootstrap", "--yes")
    assert done.returncode == 2 and "dev, shared" in done.stderr, done.stderr


def test_a_record_left_behind_holds_the_destruction_up(cloud: Cloud, made: None) -> None:
    stuck, before = cloud.folder / "stuck", cloud.inventory()
    stuck.touch()
    done = cloud.run(cloud.terraform / "down", "dev", "--yes", "--patience", "1")
    stuck.unlink()
    assert done.returncode == 1 and "after 1 s the cluster's controllers have left:\n  cname-glassbox.dev.example.org TXT\n  " \
        "glassbox.dev.example.org A -> k8s-glassbox.elb.amazonaws.com\n" in done.stderr, done.stderr
    assert before - cloud.inventory() == {"load balancer": 1}, "something of the cluster was destroyed"


def test_a_registry_stays_while_it_has_images(cloud: Cloud, made: None) -> None:
    """It is said before anything is destroyed; conftest.py's `unmade` then does as it says."""
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": f"sha256:{'0' * 64}"},
                "layers": []}
    cloud.client("ecr").put_image(repositoryName="glassbox", imageTag="v1.0.0", imageManifest=json.dumps(manifest))
    before = cloud.inventory()
    done = cloud.run(cloud.terraform / "down", "shared", "--yes")
    assert done.returncode == 2 and done.stderr == (
        "down: shared: there are images: glassbox: 1, such as v1.0.0\nto take them along, first: "
        "TF_VAR_repository_force_delete=true infra/terraform/up shared\n"), done.stdout[-2000:] + done.stderr
    assert cloud.inventory() == before, "something was destroyed"


def test_nothing_is_left(cloud: Cloud, before: Counter[str], unmade: dict[str, str]) -> None:
    for environment, said in unmade.items():
        assert f"left of {environment}: 0" in said
    installs = (cloud.folder / "installs").read_text().splitlines()
    assert [line.split()[:3] for line in installs] == [["dev", "--context", "glassbox-dev"]] * 3
    rest = cloud.inventory() - before
    with cloud.log.open("a") as log:
        log.write(f"asked of each service of moto: {sum(rest.values())} resources left {dict(rest)}\n")
    assert not rest, rest


# moto's name of a service where IAM has another.
PREFIXES = {"elbv2": "elasticloadbalancing", "resourcegroupstaggingapi": "tag", "monitoring": "cloudwatch"}
# What a call is called where IAM calls the right to it otherwise.
ACTIONS = {"logs:ListTagsLogGroup": "logs:ListTagsForResource"}


@pytest.mark.parametrize("environment", ["shared", "dev"])
def test_what_up_and_down_asked_for_is_among_the_rights(cloud: Cloud, policies: dict, unmade: dict, environment: str) -> None:
    """By the action's name alone: what making and unmaking it took is on the role's list."""
    actions = {each for document in policies[f"glassbox-deploy-{environment}"] for statement in listed(document["Statement"])
               if statement["Effect"] == "Allow" for each in listed(statement["Action"])}
    asked = set()
    for call in cloud.asked(environment):
        service, name = call.split()
        action = f"{PREFIXES.get(service, service)}:{name}"
        asked.add(ACTIONS.get(action, action))
    asked = {each for each in asked if not each.startswith(("sts:", "s3:"))}
    assert {each.split(":")[1][:6] for each in asked} >= {"Create", "Delete"} and len(asked) > 20
    missing = {each for each in asked
               if not any(applies({"Effect": "Allow", "Action": action}, Request(each)) for action in actions)}
    assert not missing
