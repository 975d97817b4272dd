# What prod has, in small: three ways out, on-demand nodes of the same kind; a fault of zones shows here first.
environment        = "staging"
cidr               = "10.20.0.0/16"
single_nat_gateway = false

eks_managed_node_groups = {
  default = {
    instance_types = ["m6i.large"]
    min_size       = 1
    max_size       = 3
    desired_size   = 1
  }
}

log_retention_in_days = 30
