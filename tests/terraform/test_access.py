"""What the roles may, read from where infra/terraform/up has made them, and decided as IAM would: a role for dev cannot
touch prod, in one account with it; no role can make itself a stronger one; and each may do what Terraform asked for."""

from __future__ import annotations

import json

import pytest
from cloud import ACCOUNT, REGION, Cloud, managed
from policy import Request, allowed

IAM = f"arn:aws:iam::{ACCOUNT}"
STATE = f"arn:aws:s3:::glassbox-state-{ACCOUNT}-{REGION}"
TAG = "aws:ResourceTag/Environment"


def on(environment: str) -> list[Request]:
    """What would change an environment's things, or read what is secret, each with what IAM would know."""
    name, tags = f"glassbox-{environment}", {TAG: environment}
    ec2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
    boundary = {"iam:PermissionsBoundary": f"{IAM}:policy/glassbox/bootstrap/glassbox-boundary-{environment}"}
    return [
        Request("ec2:DeleteVpc", f"{ec2}:vpc/vpc-1", tags),
        Request("ec2:CreateSubnet", f"{ec2}:vpc/vpc-1", tags),
        Request("ec2:DeleteNatGateway", f"{ec2}:natgateway/nat-1", tags),
        Request("ec2:AuthorizeSecurityGroupIngress", f"{ec2}:security-group/sg-1", tags),
        Request("ec2:CreateTags", f"{ec2}:vpc/vpc-1", {**tags, "aws:RequestTag/Name": "x"}),
        Request("ec2:TerminateInstances", f"{ec2}:instance/i-1", tags),
        Request("eks:DeleteCluster", f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{name}", tags),
        Request("eks:CreateAccessEntry", f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{name}", tags),
        Request("eks:UpdateNodegroupConfig", f"arn:aws:eks:{REGION}:{ACCOUNT}:nodegroup/{name}/a/b", tags),
        Request("kms:ScheduleKeyDeletion", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/a", tags),
        Request("kms:PutKeyPolicy", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/a", tags),
        Request("logs:DeleteLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/eks/{name}/cluster", tags),
        Request("acm:DeleteCertificate", f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/a", tags),
        Request("iam:CreateRole", f"{IAM}:role/glassbox/{environment}/x", boundary),
        Request("iam:PutRolePolicy", f"{IAM}:role/glassbox/{environment}/x"),
        Request("iam:UpdateAssumeRolePolicy", f"{IAM}:role/glassbox/{environment}/x"),
        Request("iam:PassRole", f"{IAM}:role/glassbox/{environment}/x", {"iam:PassedToService": "eks.amazonaws.com"}),
        Request("s3:GetObject", f"{STATE}/{environment}/terraform.tfstate"),
        Request("s3:PutObject", f"{STATE}/{environment}/terraform.tfstate.tflock"),
        Request("s3:ListBucket", STATE, {"s3:prefix": f"{environment}/terraform.tfstate"}),
    ]


OWN = [(environment, request) for environment in ("dev", "staging", "prod") for request in on(environment)]
FOREIGN = [(mine, request) for mine, theirs in (("dev", "prod"), ("dev", "staging"), ("staging", "prod"), ("dev", "shared"), ("shared", "prod"))
           for request in on(theirs)]


@pytest.mark.parametrize(("environment", "request_"), OWN, ids=lambda value: getattr(value, "action", value))
def test_a_role_makes_its_own(policies: dict, environment: str, request_: Request) -> None:
    """Else what follows would prove nothing."""
    assert allowed(policies[f"glassbox-deploy-{environment}"], request_)


@pytest.mark.parametrize(("environment", "request_"), FOREIGN, ids=lambda value: getattr(value, "action", value))
def test_a_role_cannot_touch_another_s(policies: dict, environment: str, request_: Request) -> None:
    assert not allowed(policies[f"glassbox-deploy-{environment}"], request_)


@pytest.mark.parametrize("request_", [
    Request("iam:CreateRole", f"{IAM}:role/glassbox/dev/x"),
    Request("iam:CreateRole", f"{IAM}:role/x", {"iam:PermissionsBoundary": f"{IAM}:policy/glassbox/bootstrap/glassbox-boundary-dev"}),
    Request("iam:CreateRole", f"{IAM}:role/glassbox/dev/x",
            {"iam:PermissionsBoundary": f"{IAM}:policy/glassbox/bootstrap/glassbox-boundary-prod"}),
    Request("iam:DeleteRolePermissionsBoundary", f"{IAM}:role/glassbox/dev/x"),
    Request("iam:PutRolePermissionsBoundary", f"{IAM}:role/glassbox/dev/x"),
    Request("iam:CreatePolicyVersion", f"{IAM}:policy/glassbox/bootstrap/glassbox-boundary-dev"),
    Request("iam:PutRolePolicy", f"{IAM}:role/glassbox/bootstrap/glassbox-deploy-dev"),
    Request("iam:UpdateAssumeRolePolicy", f"{IAM}:role/glassbox/bootstrap/glassbox-deploy-prod"),
    Request("iam:PassRole", f"{IAM}:role/glassbox/dev/x", {"iam:PassedToService": "lambda.amazonaws.com"}),
    Request("iam:CreateUser", f"{IAM}:user/x"), Request("iam:CreateAccessKey", f"{IAM}:user/x"),
    Request("sts:AssumeRole", f"{IAM}:role/glassbox/bootstrap/glassbox-deploy-prod"),
    Request("s3:DeleteBucket", STATE), Request("s3:PutBucketPolicy", STATE),
    Request("s3:GetObject", f"{STATE}/bootstrap/terraform.tfstate"),
    Request("ec2:CreateTags", f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/vpc-1", {TAG: "dev", "aws:RequestTag/Environment": "prod"}),
    Request("ec2:CreateVpc", f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/*", {"aws:RequestTag/Environment": "prod"}),
    Request("ec2:CreateVpc", f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/*"),
    Request("kms:ScheduleKeyDeletion", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/state", {TAG: "bootstrap"}),
    Request("ecr:BatchDeleteImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/glassbox"),
], ids=lambda request: request.action)
def test_a_role_cannot_outgrow_itself(policies: dict, request_: Request) -> None:
    assert not allowed(policies["glassbox-deploy-dev"], request_)


@pytest.mark.parametrize(("request_", "expected"), [
    (Request("ec2:DescribeSubnets"), True),
    (Request("ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/glassbox", {TAG: "shared"}), True),
    (Request("ec2:TerminateInstances", "arn", {TAG: "dev"}), True),
    (Request("ec2:TerminateInstances", "arn", {TAG: "prod"}), False),
    (Request("iam:CreateRole", f"{IAM}:role/glassbox/dev/x"), False),
    (Request("iam:PutRolePolicy", f"{IAM}:role/glassbox/dev/x"), False),
    (Request("sts:AssumeRole", f"{IAM}:role/glassbox/bootstrap/glassbox-deploy-dev"), False),
    (Request("s3:GetObject", f"{STATE}/dev/terraform.tfstate"), False),
    (Request("ecr:PutImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/glassbox", {TAG: "shared"}), False),
], ids=lambda value: getattr(value, "action", None))
def test_the_boundary_holds_whatever_a_role_is_given(cloud: Cloud, made: None, request_: Request, expected: bool) -> None:
    boundary = managed(cloud.client("iam"), f"{IAM}:policy/glassbox/bootstrap/glassbox-boundary-dev")
    everything = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    assert allowed([everything], request_, boundary) is expected


def test_every_role_is_bounded(cloud: Cloud, made: None) -> None:
    iam = cloud.client("iam")
    for environment in ("shared", "dev"):
        roles = iam.list_roles(PathPrefix=f"/glassbox/{environment}/")["Roles"]
        assert roles
        for role in roles:
            boundary = iam.get_role(RoleName=role["RoleName"])["Role"].get("PermissionsBoundary", {})
            assert boundary.get("PermissionsBoundaryArn") == f"{IAM}:policy/glassbox/bootstrap/glassbox-boundary-{environment}"


@pytest.mark.parametrize(("role", "subject", "expected"), [
    ("glassbox-dev-github-gate", "repo:acme/glassbox:environment:dev", True),
    ("glassbox-dev-github-gate", "repo:acme/glassbox:environment:prod", False),
    ("glassbox-dev-github-gate", "repo:acme/glassbox:ref:refs/heads/main", False),
    ("glassbox-dev-github-gate", "repo:evil/glassbox:environment:dev", False),
    ("glassbox-shared-github-push", "repo:acme/glassbox:environment:registry", True),
    ("glassbox-shared-github-push", "repo:acme/glassbox:pull_request", False),
    ("glassbox-shared-github-read", "repo:acme/glassbox:environment:registry-read", True),
    ("glassbox-shared-github-read", "repo:acme/glassbox:environment:registry", False),
    ("glassbox-shared-github-tag", "repo:acme/glassbox:environment:registry-tag", True),
    ("glassbox-shared-github-tag", "repo:acme/glassbox:environment:registry-read", False),
])
def test_github_s_jobs(cloud: Cloud, made: None, role: str, subject: str, expected: bool) -> None:
    trust = cloud.client("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Principal"] == {"Federated": f"{IAM}:oidc-provider/token.actions.githubusercontent.com"}
    claims = {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com", "token.actions.githubusercontent.com:sub": subject}
    assert allowed([trust], Request("sts:AssumeRoleWithWebIdentity", context=claims)) is expected


@pytest.mark.parametrize(("cluster", "namespace", "account", "expected"), [
    ("glassbox-dev", "external-dns", "external-dns", True), ("glassbox-prod", "external-dns", "external-dns", False),
    ("glassbox-dev", "glassbox", "external-dns", False), ("glassbox-dev", "external-dns", "default", False)])
def test_pods(cloud: Cloud, made: None, cluster: str, namespace: str, account: str, expected: bool) -> None:
    trust = cloud.client("iam").get_role(RoleName="glassbox-dev-external-dns")["Role"]["AssumeRolePolicyDocument"]
    tags = {"aws:RequestTag/eks-cluster-arn": f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{cluster}",
            "aws:RequestTag/kubernetes-namespace": namespace, "aws:RequestTag/kubernetes-service-account": account}
    assert allowed([trust], Request("sts:AssumeRole", context=tags)) is expected


BALANCER = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/a/b"
GROUP = f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/sg-1"


@pytest.mark.parametrize(("action", "resource", "key", "cluster", "expected"), [
    ("elasticloadbalancing:CreateLoadBalancer", BALANCER, "Request", "glassbox-dev", True),
    ("elasticloadbalancing:CreateLoadBalancer", BALANCER, "Request", "glassbox-prod", False),
    ("elasticloadbalancing:DeleteLoadBalancer", BALANCER, "Resource", "glassbox-dev", True),
    ("elasticloadbalancing:DeleteLoadBalancer", BALANCER, "Resource", "glassbox-prod", False),
    ("elasticloadbalancing:RegisterTargets", BALANCER, "Resource", "glassbox-prod", False),
    ("elasticloadbalancing:RemoveTags", BALANCER, "Resource", "glassbox-prod", False),
    ("ec2:DeleteSecurityGroup", GROUP, "Resource", "glassbox-dev", True),
    ("ec2:DeleteSecurityGroup", GROUP, "Resource", "glassbox-prod", False),
    ("ec2:CreateSecurityGroup", GROUP, "Request", "glassbox-dev", True),
    ("ec2:TerminateInstances", GROUP, "Resource", "glassbox-dev", False),
    ("wafv2:AssociateWebACL", BALANCER, "Resource", "glassbox-dev", False),
])
def test_the_load_balancer_controller(policies: dict, action: str, resource: str, key: str, cluster: str, expected: bool) -> None:
    tag = {f"aws:{key}Tag/elbv2.k8s.aws/cluster": cluster}
    assert allowed(policies["glassbox-dev-aws-load-balancer-controller"], Request(action, resource, tag)) is expected


def test_external_dns_keeps_one_zone(policies: dict, cloud: Cloud) -> None:
    zone = cloud.client("route53").list_hosted_zones()["HostedZones"][0]["Id"].removeprefix("/hostedzone/")
    for name, expected in ((zone, True), ("ZOTHER", False)):
        request = Request("route53:ChangeResourceRecordSets", f"arn:aws:route53:::hostedzone/{name}")
        assert allowed(policies["glassbox-dev-external-dns"], request) is expected
        assert allowed(policies["glassbox-deploy-dev"], request) is expected
    assert not allowed(policies["glassbox-deploy-prod"], Request("route53:ChangeResourceRecordSets", f"arn:aws:route53:::hostedzone/{zone}"))


def test_pushing_reaches_the_registry_and_nothing_else(policies: dict) -> None:
    push = policies["glassbox-shared-github-push"]
    repository = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository"
    assert allowed(push, Request("ecr:PutImage", f"{repository}/glassbox"))
    assert allowed(push, Request("ecr:PutImage", f"{repository}/glassbox/charts/glassbox"))
    assert not allowed(push, Request("ecr:PutImage", f"{repository}/other"))
    assert not allowed(push, Request("ecr:BatchDeleteImage", f"{repository}/glassbox"))
    assert not allowed(push, Request("eks:DescribeCluster", f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/glassbox-dev"))


def test_reading_the_registry_changes_nothing_there_and_naming_adds_no_layer(policies: dict) -> None:
    """Whoever asks for a signature, or names what goes to prod, needs no more."""
    actions = ("BatchGetImage", "GetDownloadUrlForLayer", "PutImage", "UploadLayerPart", "BatchDeleteImage")
    repository = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/glassbox"
    may = {role: [action for action in actions if allowed(policies[f"glassbox-shared-github-{role}"], Request(f"ecr:{action}", repository))]
           for role in ("read", "tag")}
    assert may == {"read": ["BatchGetImage", "GetDownloadUrlForLayer"], "tag": ["BatchGetImage", "GetDownloadUrlForLayer", "PutImage"]}


def test_state_comes_by_tls_alone(cloud: Cloud, made: None) -> None:
    policy = json.loads(cloud.client("s3").get_bucket_policy(Bucket=STATE.split(":::")[1])["Policy"])
    everything = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    for tls in (True, False):
        request = Request("s3:GetObject", f"{STATE}/dev/terraform.tfstate", {"aws:SecureTransport": str(tls).lower()})
        assert allowed([everything, policy], request) is tls


def test_no_policy_is_too_long(policies: dict) -> None:
    """IAM takes 6144 characters without white space; an inline policy of a role, 10240."""
    for name, documents in policies.items():
        for document in documents:
            assert len(json.dumps(document, separators=(",", ":"))) < 6144, name
