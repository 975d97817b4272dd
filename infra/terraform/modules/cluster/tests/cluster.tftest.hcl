# What the cluster is made of, and what it refuses.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/test" }
  }
  mock_resource "aws_eks_cluster" {
    defaults = { certificate_authority = [{ data = "YQ==" }] }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }
}

variables {
  cluster_name = "test"
  # The newest that is taken for granted is said in one place; any from 1.32 on will do here.
  cluster_version = "1.34"
  azs             = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  subnet_ids      = ["subnet-a", "subnet-b", "subnet-c"]
  kms_key_arn     = "arn:aws:kms:eu-central-1:111122223333:key/a"
  eks_managed_node_groups = {
    default = { instance_types = ["m6i.large"], min_size = 1, desired_size = 1, max_size = 3 }
  }
  access_entries = {
    gate = {
      principal_arn       = "arn:aws:iam::111122223333:role/gate"
      policy_associations = { view = { policy = "AmazonEKSViewPolicy", namespaces = ["glassbox"] } }
    }
  }
}

run "a_group_a_zone" {
  assert {
    condition     = keys(aws_eks_node_group.this) == ["default-eu-central-1a", "default-eu-central-1b", "default-eu-central-1c"]
    error_message = "a node group in each zone"
  }
  assert {
    condition     = alltrue([for i, zone in var.azs : aws_eks_node_group.this["default-${zone}"].subnet_ids == toset([var.subnet_ids[i]])])
    error_message = "each in its zone's subnet"
  }
  assert {
    condition     = alltrue([for group in aws_eks_node_group.this : group.version == "1.34" && group.update_config[0].max_unavailable == 1])
    error_message = "the version is the cluster's; a node at a time is replaced"
  }
  assert {
    condition     = aws_launch_template.this["default"].metadata_options[0].http_tokens == "required" && aws_launch_template.this["default"].metadata_options[0].http_put_response_hop_limit == 1
    error_message = "no pod reaches its node's credentials"
  }
  assert {
    condition     = aws_launch_template.this["default"].block_device_mappings[0].ebs[0].encrypted == "true"
    error_message = "disks are encrypted"
  }
}

run "closed" {
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_private_access && !aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "from within the VPC alone, unless it is said from where else"
  }
  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API" && !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions
    error_message = "access entries alone decide"
  }
  assert {
    condition     = length(aws_eks_cluster.this.enabled_cluster_log_types) == 5 && aws_cloudwatch_log_group.this.name == "/aws/eks/test/cluster" && aws_cloudwatch_log_group.this.retention_in_days == 90
    error_message = "all is logged, where EKS logs, for 90 days"
  }
  assert {
    condition     = aws_eks_cluster.this.encryption_config[0].resources == toset(["secrets"]) && aws_eks_cluster.this.encryption_config[0].provider[0].key_arn == var.kms_key_arn
    error_message = "secrets are encrypted with the key"
  }
  assert {
    condition     = aws_eks_access_policy_association.this["gate-view"].policy_arn == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy" && aws_eks_access_policy_association.this["gate-view"].access_scope[0].type == "namespace"
    error_message = "a policy for a namespace"
  }
}

run "addons" {
  assert {
    condition     = keys(aws_eks_addon.before_compute) == ["eks-pod-identity-agent", "kube-proxy", "vpc-cni"] && keys(aws_eks_addon.this) == ["aws-ebs-csi-driver", "coredns"]
    error_message = "what nodes need comes before them"
  }
  assert {
    condition     = jsondecode(aws_eks_addon.before_compute["vpc-cni"].configuration_values).enableNetworkPolicy == "true"
    error_message = "network policies are in force"
  }
  assert {
    condition     = keys(aws_iam_role.addon) == ["aws-ebs-csi-driver", "vpc-cni"] && keys(aws_iam_role_policy_attachment.node) == ["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodePolicy"]
    error_message = "what calls AWS has a role of its own, and the nodes have none of that"
  }
}

run "open_to_some" {
  variables {
    cluster_endpoint_public_access       = true
    cluster_endpoint_public_access_cidrs = ["192.0.2.0/24"]
  }
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].public_access_cidrs == toset(["192.0.2.0/24"])
    error_message = "from there alone"
  }
}

run "refuses_the_world" {
  command = plan
  variables {
    cluster_endpoint_public_access       = true
    cluster_endpoint_public_access_cidrs = ["0.0.0.0/0"]
  }
  expect_failures = [var.cluster_endpoint_public_access_cidrs]
}

run "refuses_public_from_anywhere" {
  command = plan
  variables {
    cluster_endpoint_public_access = true
  }
  expect_failures = [aws_eks_cluster.this]
}

run "refuses_two_zones" {
  command = plan
  variables {
    azs        = ["eu-central-1a", "eu-central-1b"]
    subnet_ids = ["subnet-a", "subnet-b"]
  }
  expect_failures = [var.azs]
}

run "refuses_subnets_that_are_no_zone_s" {
  command = plan
  variables {
    # One too many shows the same as one too few, which no index would get past.
    subnet_ids = ["subnet-a", "subnet-b", "subnet-c", "subnet-d"]
  }
  expect_failures = [aws_eks_cluster.this]
}

run "refuses_an_old_version" {
  command = plan
  variables {
    cluster_version = "1.29"
  }
  expect_failures = [var.cluster_version]
}

run "refuses_no_audit" {
  command = plan
  variables {
    cluster_enabled_log_types = ["api"]
  }
  expect_failures = [var.cluster_enabled_log_types]
}

run "refuses_no_nodes" {
  command = plan
  variables {
    eks_managed_node_groups = {}
  }
  expect_failures = [var.eks_managed_node_groups]
}

run "refuses_sizes" {
  command = plan
  variables {
    eks_managed_node_groups = { default = { instance_types = ["m6i.large"], min_size = 2, desired_size = 1, max_size = 3 } }
  }
  expect_failures = [var.eks_managed_node_groups]
}

run "refuses_no_agent" {
  command = plan
  variables {
    cluster_addons = { coredns = {} }
  }
  expect_failures = [var.cluster_addons]
}

run "refuses_masters" {
  command = plan
  variables {
    access_entries = { a = { principal_arn = "arn:aws:iam::111122223333:role/a", kubernetes_groups = ["system:masters"] } }
  }
  expect_failures = [var.access_entries]
}

run "refuses_a_key" {
  command = plan
  variables {
    kms_key_arn = "alias/a"
  }
  expect_failures = [var.kms_key_arn]
}

run "refuses_logs_for_ever" {
  command = plan
  variables {
    cloudwatch_log_group_retention_in_days = 0
  }
  expect_failures = [var.cloudwatch_log_group_retention_in_days]
}
