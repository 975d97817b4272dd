/**
 * # cluster
 *
 * The control plane. Who may do what in it is decided by access entries alone: there is no aws-auth ConfigMap, and
 * whoever creates the cluster gets nothing by that.
 */

data "aws_partition" "current" {}

resource "aws_cloudwatch_log_group" "this" {
  # Before the cluster: else EKS makes one that is kept for ever.
  name              = "/aws/eks/${var.cluster_name}/cluster"
  retention_in_days = var.cloudwatch_log_group_retention_in_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_eks_cluster" "this" {
  name     = var.cluster_name
  version  = var.cluster_version
  role_arn = aws_iam_role.cluster.arn
  tags     = var.tags

  enabled_cluster_log_types     = var.cluster_enabled_log_types
  bootstrap_self_managed_addons = false

  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = false
  }

  vpc_config {
    subnet_ids              = var.subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = var.cluster_endpoint_public_access
    public_access_cidrs     = var.cluster_endpoint_public_access ? var.cluster_endpoint_public_access_cidrs : null
  }

  encryption_config {
    resources = ["secrets"]
    provider {
      key_arn = var.kms_key_arn
    }
  }

  # Past its standard support a version costs several times as much: rather be upgraded than pay unknowingly.
  upgrade_policy {
    support_type = "STANDARD"
  }

  # A zone in trouble can be left by one command, or by AWS.
  zonal_shift_config {
    enabled = true
  }

  lifecycle {
    precondition {
      condition     = length(var.subnet_ids) == length(var.azs)
      error_message = "cluster: a subnet for each zone: ${length(var.azs)} zones, ${length(var.subnet_ids)} subnets."
    }
    precondition {
      condition     = !var.cluster_endpoint_public_access || length(var.cluster_endpoint_public_access_cidrs) > 0
      error_message = "cluster: cluster_endpoint_public_access without cluster_endpoint_public_access_cidrs would open the API server to the world: name who may reach it."
    }
  }

  depends_on = [aws_iam_role_policy_attachment.cluster, aws_cloudwatch_log_group.this]
}

resource "aws_eks_access_entry" "this" {
  for_each = var.access_entries

  cluster_name      = aws_eks_cluster.this.name
  principal_arn     = each.value.principal_arn
  kubernetes_groups = each.value.kubernetes_groups
  type              = "STANDARD"
  tags              = var.tags
}

locals {
  associations = merge([
    for entry, value in var.access_entries : {
      for name, association in value.policy_associations : "${entry}-${name}" => merge(association, { entry = entry })
    }
  ]...)
}

resource "aws_eks_access_policy_association" "this" {
  for_each = local.associations

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = aws_eks_access_entry.this[each.value.entry].principal_arn
  policy_arn    = "arn:${data.aws_partition.current.partition}:eks::aws:cluster-access-policy/${each.value.policy}"

  access_scope {
    type       = length(each.value.namespaces) > 0 ? "namespace" : "cluster"
    namespaces = length(each.value.namespaces) > 0 ? each.value.namespaces : null
  }
}
