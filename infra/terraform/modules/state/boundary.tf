# The most that a role made for an environment can ever do, whatever policies it is given: none makes roles, takes
# others, reads state, or reaches what carries another environment's tag.

data "aws_iam_policy_document" "boundary" {
  #checkov:skip=CKV_AWS_109:a boundary grants nothing: it is the most that other policies can grant
  #checkov:skip=CKV_AWS_111:a boundary grants nothing: it is the most that other policies can grant
  for_each = var.environments

  statement {
    sid = "AtMost"
    actions = [
      "acm:DescribeCertificate", "acm:ListCertificates",
      "autoscaling:*", "ec2:*", "eks:*", "eks-auth:AssumeRoleForPodIdentity", "elasticloadbalancing:*",
      "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetAuthorizationToken",
      "ecr:GetDownloadUrlForLayer",
      "iam:CreateServiceLinkedRole", "kms:*", "logs:*", "route53:*", "sts:GetCallerIdentity",
    ]
    resources = ["*"]
  }
  dynamic "statement" {
    for_each = each.value.registry ? [true] : []
    content {
      sid       = "Push"
      actions   = ["ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"]
      resources = ["*"]
    }
  }
  # Images are pulled from the registry that all share.
  statement {
    sid       = "NotOfAnother"
    effect    = "Deny"
    actions   = ["*"]
    resources = ["*"]
    condition {
      test     = "StringNotEquals"
      variable = "aws:ResourceTag/Environment"
      values   = [each.key, "shared"]
    }
    condition {
      test     = "Null"
      variable = "aws:ResourceTag/Environment"
      values   = ["false"]
    }
  }
  statement {
    sid       = "NoState"
    effect    = "Deny"
    actions   = ["kms:*"]
    resources = [aws_kms_key.this.arn]
  }
  dynamic "statement" {
    for_each = [for name, zone in aws_route53_zone.this : zone.arn if name != each.key]
    content {
      effect    = "Deny"
      actions   = ["route53:*"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_policy" "boundary" {
  for_each = var.environments

  name   = "${var.name}-boundary-${each.key}"
  path   = "/${var.name}/bootstrap/"
  policy = data.aws_iam_policy_document.boundary[each.key].json
  tags   = var.tags
}
