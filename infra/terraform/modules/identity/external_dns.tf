# external-dns: the records of these hosted zones. It asks for all zones to find its own: that no ARN can limit.

data "aws_iam_policy_document" "external_dns" {
  count = length(var.external_dns_hosted_zone_arns) > 0 ? 1 : 0

  statement {
    sid       = "Records"
    actions   = ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets", "route53:ListTagsForResources"]
    resources = var.external_dns_hosted_zone_arns
  }
  statement {
    sid       = "Find"
    actions   = ["route53:ListHostedZones"]
    resources = ["*"]
  }
}
