# A row for each service account that calls AWS. glassbox itself has none: it calls nobody but the Collector.

locals {
  pods = merge(
    var.attach_load_balancer_controller_policy ? {
      aws-load-balancer-controller = {
        namespace       = "kube-system"
        service_account = "aws-load-balancer-controller"
        policies = {
          find   = data.aws_iam_policy_document.load_balancer_find.json
          change = data.aws_iam_policy_document.load_balancer_change.json
        }
      }
    } : {},
    length(var.external_dns_hosted_zone_arns) > 0 ? {
      external-dns = {
        namespace       = "external-dns"
        service_account = "external-dns"
        policies        = { records = one(data.aws_iam_policy_document.external_dns[*].json) }
      }
    } : {},
  )
  pod_policies = merge([
    for name, pod in local.pods : { for policy, document in pod.policies : "${name}-${policy}" => { role = name, name = policy, document = document } }
  ]...)
}

# The agent sends what it knows of the pod as tags of the session: another service account of the same cluster, or
# the same one in another cluster, does not get the role.
data "aws_iam_policy_document" "pod_trust" {
  for_each = local.pods

  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]
    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/eks-cluster-arn"
      values   = [local.cluster]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-namespace"
      values   = [each.value.namespace]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-service-account"
      values   = [each.value.service_account]
    }
  }
}

resource "aws_iam_role" "pod" {
  for_each = local.pods

  name                 = "${var.name}-${each.key}"
  description          = "Pods of ${each.value.namespace}/${each.value.service_account} in ${var.cluster_name}"
  path                 = var.iam_role_path
  permissions_boundary = var.iam_role_permissions_boundary
  assume_role_policy   = data.aws_iam_policy_document.pod_trust[each.key].json
  tags                 = var.tags

  lifecycle {
    precondition {
      condition     = var.cluster_name != null
      error_message = "identity: a role for pods needs cluster_name."
    }
  }
}

resource "aws_iam_role_policy" "pod" {
  for_each = local.pod_policies

  name   = each.value.name
  role   = aws_iam_role.pod[each.value.role].id
  policy = each.value.document
}

resource "aws_eks_pod_identity_association" "this" {
  for_each = local.pods

  cluster_name    = var.cluster_name
  namespace       = each.value.namespace
  service_account = each.value.service_account
  role_arn        = aws_iam_role.pod[each.key].arn
  tags            = var.tags
}
