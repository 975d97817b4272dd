# One way out for all zones and small nodes of Spot: nobody is paged for dev.
environment        = "dev"
cidr               = "10.10.0.0/16"
single_nat_gateway = true

eks_managed_node_groups = {
  default = {
    instance_types = ["t3.large", "t3a.large", "m5.large", "m6i.large"]
    capacity_type  = "SPOT"
    min_size       = 1
    max_size       = 2
    desired_size   = 1
  }
}

log_retention_in_days = 7
