/**
 * # identity
 *
 * Who may do what in AWS, without a single long-lived key: GitHub's jobs by their OIDC token, pods by EKS Pod Identity.
 * A role is one thing's, trusts exactly that thing, and lies under one path with all others of its environment.
 */

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name
  cluster   = "arn:${local.partition}:eks:${local.region}:${local.account}:cluster/${coalesce(var.cluster_name, "none")}"
}
