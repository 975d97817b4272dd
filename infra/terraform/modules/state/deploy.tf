# The role that makes an environment. It reaches what carries the environment's tag, or its name where a service knows
# no tags, and nothing else: neither another environment's things, nor its state, nor this module's. It makes roles
# only beneath its own path and only within the boundary, so it cannot make itself a stronger one.

locals {
  paths = { for name in keys(var.environments) : name => "/${var.name}/${name}/" }
}

data "aws_iam_policy_document" "deploy_trust" {
  for_each = var.environments

  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = each.value.operators
    }
  }
}

# What can only be looked at, and what EC2 makes of nothing that has a tag.
data "aws_iam_policy_document" "deploy_network" {
  #checkov:skip=CKV_AWS_356:looking knows no resources in these services; what changes something names them or asks for the tag
  for_each = var.environments

  statement {
    sid = "Look"
    actions = [
      "acm:DescribeCertificate", "acm:GetCertificate", "acm:ListCertificates", "acm:ListTagsForCertificate",
      "autoscaling:Describe*",
      "ec2:Describe*", "ec2:Get*",
      "ecr:DescribeRepositories",
      "eks:DescribeAddonConfiguration", "eks:DescribeAddonVersions", "eks:DescribeClusterVersions", "eks:List*",
      "elasticloadbalancing:Describe*",
      "iam:GetOpenIDConnectProvider", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:List*",
      "kms:ListAliases", "kms:ListKeys",
      "logs:DescribeLogGroups", "logs:ListTagsForResource",
      "route53:Get*", "route53:List*",
      "sts:GetCallerIdentity",
      "tag:GetResources",
    ]
    resources = ["*"]
  }
  statement {
    sid       = "Ec2Make"
    actions   = ["ec2:AllocateAddress", "ec2:Create*", "ec2:RunInstances"]
    resources = ["arn:${local.partition}:ec2:${local.region}:${local.account}:*"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Environment"
      values   = [each.key]
    }
  }
  statement {
    sid       = "Ec2MakeOf"
    actions   = ["ec2:RunInstances"]
    resources = ["arn:${local.partition}:ec2:${local.region}::image/*", "arn:${local.partition}:ec2:${local.region}::snapshot/*"]
  }
  statement {
    sid = "Ec2Change"
    actions = [
      "ec2:Associate*", "ec2:Attach*", "ec2:AuthorizeSecurityGroup*", "ec2:Create*", "ec2:Delete*", "ec2:Detach*",
      "ec2:Disassociate*", "ec2:Modify*", "ec2:ReleaseAddress", "ec2:Replace*", "ec2:RevokeSecurityGroup*",
      "ec2:RunInstances", "ec2:TerminateInstances", "ec2:UpdateSecurityGroupRuleDescriptions*",
    ]
    resources = ["arn:${local.partition}:ec2:${local.region}:${local.account}:*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Environment"
      values   = [each.key]
    }
  }
  # Tags come with what is made, and are changed on what is ours; the one that says whose it is stays (NotRetagged).
  statement {
    sid       = "Ec2TagNew"
    actions   = ["ec2:CreateTags"]
    resources = ["arn:${local.partition}:ec2:${local.region}:${local.account}:*"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Environment"
      values   = [each.key]
    }
    condition {
      test     = "Null"
      variable = "ec2:CreateAction"
      values   = ["false"]
    }
  }
  # A rule of a group carries no tag of its own when it is asked for.
  statement {
    sid       = "Ec2Rules"
    actions   = ["ec2:AuthorizeSecurityGroup*", "ec2:RevokeSecurityGroup*"]
    resources = ["arn:${local.partition}:ec2:${local.region}:${local.account}:security-group-rule/*"]
  }
  # Should one of the rights ever be too wide, this still holds. The key of the state is of no environment.
  statement {
    sid       = "NotOfAnother"
    effect    = "Deny"
    actions   = ["ec2:*", "eks:*", "kms:*", "acm:*", "logs:*", "elasticloadbalancing:*", "autoscaling:*"]
    resources = ["*"]
    condition {
      test     = "StringNotEquals"
      variable = "aws:ResourceTag/Environment"
      values   = [each.key, "bootstrap"]
    }
    condition {
      test     = "Null"
      variable = "aws:ResourceTag/Environment"
      values   = ["false"]
    }
  }
  statement {
    sid       = "NotRetagged"
    effect    = "Deny"
    actions   = ["ec2:CreateTags", "eks:TagResource", "kms:TagResource", "acm:AddTagsToCertificate", "logs:TagResource", "iam:TagRole"]
    resources = ["*"]
    condition {
      test     = "StringNotEquals"
      variable = "aws:RequestTag/Environment"
      values   = [each.key]
    }
    condition {
      test     = "Null"
      variable = "aws:RequestTag/Environment"
      values   = ["false"]
    }
  }
}

data "aws_iam_policy_document" "deploy_cluster" {
  for_each = var.environments

  statement {
    sid     = "Cluster"
    actions = ["eks:*"]
    resources = [
      for kind in ["access-entry", "addon", "cluster", "nodegroup", "podidentityassociation"] :
      "arn:${local.partition}:eks:${local.region}:${local.account}:${kind}/${var.name}-${each.key}${kind == "cluster" ? "" : "/*"}"
    ]
  }
  statement {
    sid     = "Logs"
    actions = ["logs:*"]
    resources = flatten([
      for group in ["/aws/eks/${var.name}-${each.key}/", "/aws/vpc/${var.name}-${each.key}"] :
      ["arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${group}*"]
    ])
  }
  # Flow logs are delivered by way of these, which know no resources.
  statement {
    sid       = "LogDelivery"
    actions   = ["logs:CreateLogDelivery", "logs:DeleteLogDelivery"]
    resources = ["*"]
  }
  statement {
    sid       = "KeyMake"
    actions   = ["kms:CreateKey", "kms:TagResource"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Environment"
      values   = [each.key]
    }
  }
  statement {
    sid       = "Key"
    actions   = ["kms:*"]
    resources = ["arn:${local.partition}:kms:${local.region}:${local.account}:key/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Environment"
      values   = [each.key]
    }
  }
  statement {
    sid       = "KeyName"
    actions   = ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"]
    resources = ["arn:${local.partition}:kms:${local.region}:${local.account}:alias/${var.name}-${each.key}"]
  }
  statement {
    sid       = "CertificateMake"
    actions   = ["acm:AddTagsToCertificate", "acm:RequestCertificate"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Environment"
      values   = [each.key]
    }
  }
  statement {
    sid       = "Certificate"
    actions   = ["acm:*"]
    resources = ["arn:${local.partition}:acm:${local.region}:${local.account}:certificate/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Environment"
      values   = [each.key]
    }
  }
  dynamic "statement" {
    for_each = each.value.domain == "" ? [] : [aws_route53_zone.this[each.key].arn]
    content {
      sid       = "Records"
      actions   = ["route53:ChangeResourceRecordSets"]
      resources = [statement.value]
    }
  }
  # An environment by this name may hold what all share as well: the registry.
  dynamic "statement" {
    for_each = each.value.registry ? [true] : []
    content {
      sid       = "Registry"
      actions   = ["ecr:*"]
      resources = ["arn:${local.partition}:ecr:${local.region}:${local.account}:repository/${var.name}", "arn:${local.partition}:ecr:${local.region}:${local.account}:repository/${var.name}/*"]
    }
  }
}

data "aws_iam_policy_document" "deploy_roles" {
  for_each = var.environments

  statement {
    sid       = "RoleMake"
    actions   = ["iam:CreateRole"]
    resources = ["${local.iam}:role${local.paths[each.key]}*"]
    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = [aws_iam_policy.boundary[each.key].arn]
    }
  }
  statement {
    sid = "Role"
    actions = [
      "iam:AttachRolePolicy", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:GetRolePolicy",
      "iam:PutRolePolicy", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
      "iam:UpdateRoleDescription",
    ]
    resources = ["${local.iam}:role${local.paths[each.key]}*"]
  }
  statement {
    sid       = "RoleGive"
    actions   = ["iam:PassRole"]
    resources = ["${local.iam}:role${local.paths[each.key]}*"]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ec2.amazonaws.com", "eks.amazonaws.com", "pods.eks.amazonaws.com", "vpc-flow-logs.amazonaws.com"]
    }
  }
  statement {
    sid       = "ServiceRoles"
    actions   = ["iam:CreateServiceLinkedRole"]
    resources = ["${local.iam}:role/aws-service-role/*"]
    condition {
      test     = "StringEquals"
      variable = "iam:AWSServiceName"
      values   = ["autoscaling.amazonaws.com", "eks-nodegroup.amazonaws.com", "eks.amazonaws.com", "elasticloadbalancing.amazonaws.com", "spot.amazonaws.com"]
    }
  }
  # GitHub's provider is one for the account: whoever is first makes it, and only who may take it away does.
  dynamic "statement" {
    for_each = each.value.github_oidc_provider ? [true] : []
    content {
      sid       = "GitHub"
      actions   = ["iam:*OpenIDConnectProvider*"]
      resources = ["${local.iam}:oidc-provider/token.actions.githubusercontent.com"]
    }
  }
  statement {
    sid       = "StateFind"
    actions   = ["s3:ListBucket"]
    resources = [local.bucket]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${each.key}/*", "env:/"]
    }
  }
  statement {
    sid       = "State"
    actions   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    resources = ["${local.bucket}/${each.key}/*"]
  }
  statement {
    sid       = "StateKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.this.arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${local.region}.amazonaws.com"]
    }
  }
}

locals {
  deploy = merge([
    for name in keys(var.environments) : {
      "${name}-network" = { environment = name, policy = data.aws_iam_policy_document.deploy_network[name].json }
      "${name}-cluster" = { environment = name, policy = data.aws_iam_policy_document.deploy_cluster[name].json }
      "${name}-roles"   = { environment = name, policy = data.aws_iam_policy_document.deploy_roles[name].json }
    }
  ]...)
}

resource "aws_iam_policy" "deploy" {
  for_each = local.deploy

  name   = "${var.name}-deploy-${each.key}"
  path   = "/${var.name}/bootstrap/"
  policy = each.value.policy
  tags   = var.tags
}

resource "aws_iam_role" "deploy" {
  for_each = var.environments

  name                 = "${var.name}-deploy-${each.key}"
  description          = "Makes and unmakes ${var.name} ${each.key}"
  path                 = "/${var.name}/bootstrap/"
  max_session_duration = 7200
  assume_role_policy   = data.aws_iam_policy_document.deploy_trust[each.key].json
  tags                 = var.tags
}

resource "aws_iam_role_policy_attachment" "deploy" {
  for_each = local.deploy

  role       = aws_iam_role.deploy[each.value.environment].name
  policy_arn = aws_iam_policy.deploy[each.key].arn
}
