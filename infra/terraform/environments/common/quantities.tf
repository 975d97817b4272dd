# What an environment has by the month, from its variables alone: `infra/terraform/cost` multiplies it by prices. Used
# amounts (traffic, logs, volumes of pods) are in no variable and stay blank there.

locals {
  hours = 730
  zones = 3
  # tflint-ignore: terraform_unused_declarations
  quantities = merge(
    {
      "EKS control plane, hours"         = local.hours
      "NAT gateway, hours"               = local.hours * (var.single_nat_gateway ? 1 : local.zones)
      "public IPv4 address, hours"       = local.hours * ((var.single_nat_gateway ? 1 : local.zones) + local.zones)
      "application load balancer, hours" = local.hours
      "KMS key, months"                  = 1
      "node disk gp3, GiB-months"        = sum([for group in values(var.eks_managed_node_groups) : group.desired_size * local.zones * group.disk_size])
      "interface endpoint, zone-hours"   = local.hours * local.zones * length(var.interface_endpoints)
    },
    {
      for name, group in var.eks_managed_node_groups :
      "node ${group.instance_types[0]} ${group.capacity_type == "SPOT" ? "Spot" : "on demand"}, hours" => local.hours * local.zones * group.desired_size
    },
  )
}
