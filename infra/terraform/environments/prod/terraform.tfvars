# A way out in each zone, and a pull of an image goes by none of them. Two nodes a zone: a zone and a node may be lost
# together, and what is left carries the rest.
environment        = "prod"
cidr               = "10.30.0.0/16"
single_nat_gateway = false

interface_endpoints = ["ecr.api", "ecr.dkr", "eks-auth", "sts"]

eks_managed_node_groups = {
  default = {
    instance_types = ["m6i.large"]
    min_size       = 2
    max_size       = 6
    desired_size   = 2
  }
}

log_retention_in_days           = 90
kms_key_deletion_window_in_days = 30
