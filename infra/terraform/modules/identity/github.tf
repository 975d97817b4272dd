# A job gets a role only from the GitHub environment that the role is for: who may start it, and who must approve it
# first, GitHub decides there. `repo:ORG/REPO:*` would give it to every branch and every pull request.

locals {
  github_provider_arn = "arn:${local.partition}:iam::${local.account}:oidc-provider/token.actions.githubusercontent.com"

  # What may be done with a repository, each more than the one before it: reading images and signatures; giving what is
  # there a further tag; pushing.
  pull_actions = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
  tag_actions  = concat(local.pull_actions, ["ecr:BatchCheckLayerAvailability", "ecr:PutImage"])
  push_actions = concat(local.tag_actions, [
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImages",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
  ])
  github_repositories = {
    for name, role in var.github_roles : name => [
      for each in [
        { sid = "Pull", actions = local.pull_actions, arns = role.pull_repository_arns },
        { sid = "Tag", actions = local.tag_actions, arns = role.tag_repository_arns },
        { sid = "Push", actions = local.push_actions, arns = role.push_repository_arns },
      ] : each if length(each.arns) > 0
    ]
  }
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.create_github_oidc_provider ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
  tags           = var.tags
}

data "aws_iam_policy_document" "github_trust" {
  #checkov:skip=CKV_AWS_358:the claim is repo:ORG/REPO:environment:ENV, compared as it is; it cannot be read before the variables are known
  for_each = var.github_roles

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [local.github_provider_arn]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:${var.github_repository}:environment:${each.value.environment}"]
    }
  }
}

data "aws_iam_policy_document" "github" {
  for_each = var.github_roles

  # A token for the registry, which no ARN can limit, and what it is for.
  dynamic "statement" {
    for_each = length(local.github_repositories[each.key]) > 0 ? [true] : []
    content {
      sid       = "Token"
      actions   = ["ecr:GetAuthorizationToken"]
      resources = ["*"]
    }
  }
  dynamic "statement" {
    for_each = local.github_repositories[each.key]
    content {
      sid       = statement.value.sid
      actions   = statement.value.actions
      resources = statement.value.arns
    }
  }
  # Looking: where the cluster's API is; what may be seen there its access entry says.
  dynamic "statement" {
    for_each = each.value.describe_cluster ? [true] : []
    content {
      sid       = "FindTheCluster"
      actions   = ["eks:DescribeCluster"]
      resources = [local.cluster]
    }
  }
}

resource "aws_iam_role" "github" {
  for_each = var.github_roles

  name                 = "${var.name}-github-${each.key}"
  description          = "GitHub Actions of ${var.github_repository}, environment ${each.value.environment}"
  path                 = var.iam_role_path
  permissions_boundary = var.iam_role_permissions_boundary
  max_session_duration = 3600
  assume_role_policy   = data.aws_iam_policy_document.github_trust[each.key].json
  tags                 = var.tags

  lifecycle {
    precondition {
      condition     = length(local.github_repositories[each.key]) > 0 || each.value.describe_cluster
      error_message = "identity: github_roles[\"${each.key}\"] may do nothing: give it pull_, tag_ or push_repository_arns, or describe_cluster."
    }
    precondition {
      condition     = !each.value.describe_cluster || var.cluster_name != null
      error_message = "identity: github_roles[\"${each.key}\"] is to find a cluster, and cluster_name is not given."
    }
  }

  depends_on = [aws_iam_openid_connect_provider.github]
}

resource "aws_iam_role_policy" "github" {
  for_each = var.github_roles

  name   = "github"
  role   = aws_iam_role.github[each.key].id
  policy = data.aws_iam_policy_document.github[each.key].json
}
