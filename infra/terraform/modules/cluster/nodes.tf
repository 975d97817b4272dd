# A managed node group in each zone: a group over all zones is balanced only while nothing is lost, and a volume
# belongs to one zone. Sizes are of one zone.

locals {
  node_groups = merge([
    for name, group in var.eks_managed_node_groups : {
      for i, zone in var.azs : "${name}-${zone}" => merge(group, { group = name, zone = zone, subnet_id = var.subnet_ids[i] })
    }
  ]...)
}

resource "aws_launch_template" "this" {
  for_each = var.eks_managed_node_groups

  name                   = "${var.cluster_name}-${each.key}"
  update_default_version = true
  tags                   = var.tags

  # A pod is a hop further than its node: it does not reach the node's credentials.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "disabled"
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_type           = "gp3"
      volume_size           = each.value.disk_size
      encrypted             = true
      delete_on_termination = true
    }
  }

  monitoring {
    enabled = true
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume", "network-interface"])
    content {
      resource_type = tag_specifications.value
      tags          = merge(var.tags, { Name = "${var.cluster_name}-${each.key}" })
    }
  }
}

resource "aws_eks_node_group" "this" {
  for_each = local.node_groups

  cluster_name    = aws_eks_cluster.this.name
  node_group_name = each.key
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = [each.value.subnet_id]
  ami_type        = each.value.ami_type
  instance_types  = each.value.instance_types
  capacity_type   = each.value.capacity_type
  version         = var.cluster_version
  labels          = each.value.labels
  tags            = var.tags

  launch_template {
    id      = aws_launch_template.this[each.value.group].id
    version = aws_launch_template.this[each.value.group].latest_version
  }

  scaling_config {
    min_size     = each.value.min_size
    max_size     = each.value.max_size
    desired_size = each.value.desired_size
  }

  update_config {
    max_unavailable = 1
  }

  node_repair_config {
    enabled = true
  }

  lifecycle {
    # Once it is there, how many nodes it has is set on the group itself.
    ignore_changes = [scaling_config[0].desired_size]
  }

  depends_on = [aws_iam_role_policy_attachment.node, aws_eks_addon.before_compute]
}
