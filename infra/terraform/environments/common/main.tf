# An environment: all three are this one, by links, and differ by their terraform.tfvars alone.

locals {
  cluster_name = "${var.name}-${var.environment}"
  azs          = coalesce(var.azs, [for letter in ["a", "b", "c"] : "${var.region}${letter}"])
  domain       = lookup(var.domains, var.environment, "")
}

module "network" {
  source = "../../modules/network"

  name = local.cluster_name
  cidr = var.cidr
  azs  = local.azs
  # Of a /16: 4091 addresses a zone for nodes and pods, 251 for load balancers.
  private_subnets     = [for i in range(3) : cidrsubnet(var.cidr, 4, i)]
  public_subnets      = [for i in range(3) : cidrsubnet(var.cidr, 8, 240 + i)]
  single_nat_gateway  = var.single_nat_gateway
  interface_endpoints = var.interface_endpoints

  flow_log_cloudwatch_log_group_retention_in_days = var.log_retention_in_days
  flow_log_cloudwatch_log_group_kms_key_id        = aws_kms_key.this.arn
  iam_role_path                                   = local.iam_role_path
  iam_role_permissions_boundary                   = local.boundary_arn
}

module "cluster" {
  source = "../../modules/cluster"

  cluster_name                           = local.cluster_name
  cluster_version                        = var.cluster_version
  azs                                    = module.network.azs
  subnet_ids                             = module.network.private_subnets
  cluster_endpoint_public_access         = length(var.cluster_endpoint_public_access_cidrs) > 0
  cluster_endpoint_public_access_cidrs   = var.cluster_endpoint_public_access_cidrs
  cloudwatch_log_group_retention_in_days = var.log_retention_in_days
  kms_key_arn                            = aws_kms_key.this.arn
  eks_managed_node_groups                = var.eks_managed_node_groups
  cluster_addons                         = local.addons
  access_entries                         = merge(local.access_entries, var.access_entries)
  tags                                   = local.tags
  iam_role_path                          = local.iam_role_path
  iam_role_permissions_boundary          = local.boundary_arn
}

# GitHub's environment whose jobs ask the gate. prod's own waits for approval and has no role: what it has been promoted to
# is looked at by `prod-gate` (.github/workflows/verify.yaml).
locals {
  gate_environment = var.environment == "prod" ? "prod-gate" : var.environment
}

module "identity" {
  source = "../../modules/identity"

  name                                   = local.cluster_name
  github_repository                      = var.github_repository
  create_github_oidc_provider            = local.github_provider_owner[local.account] == var.environment
  github_roles                           = { gate = { environment = local.gate_environment, describe_cluster = true } }
  cluster_name                           = module.cluster.cluster_name
  vpc_id                                 = module.network.vpc_id
  attach_load_balancer_controller_policy = true
  external_dns_hosted_zone_arns          = data.aws_route53_zone.this[*].arn
  iam_role_path                          = local.iam_role_path
  iam_role_permissions_boundary          = local.boundary_arn
}

data "aws_route53_zone" "this" {
  count = local.domain == "" ? 0 : 1

  name = local.domain
}

module "certificate" {
  source = "../../modules/certificate"
  count  = local.domain == "" ? 0 : 1

  domain_name         = local.domain
  zone_id             = data.aws_route53_zone.this[0].zone_id
  wait_for_validation = var.wait_for_certificate
}
