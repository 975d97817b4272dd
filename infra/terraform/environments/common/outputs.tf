output "region" {
  description = "The region"
  value       = var.region
}

output "account_id" {
  description = "The account"
  value       = local.account
}

output "vpc_id" {
  description = "The VPC"
  value       = module.network.vpc_id
}

output "nat_public_ips" {
  description = "Where the environment's own requests come from"
  value       = module.network.nat_public_ips
}

output "cluster_name" {
  description = "The cluster"
  value       = module.cluster.cluster_name
}

output "cluster_endpoint" {
  description = "The API server's address"
  value       = module.cluster.cluster_endpoint
}

output "cluster_certificate_authority_data" {
  description = "What its certificate is checked with, in base64"
  value       = module.cluster.cluster_certificate_authority_data
}

output "domain" {
  description = "The domain, or nothing"
  value       = local.domain
}

output "acm_certificate_arn" {
  description = "The domain's certificate, or nothing"
  value       = local.domain == "" ? "" : module.certificate[0].acm_certificate_arn
}

output "github_role_arns" {
  description = "The roles of GitHub's jobs"
  value       = module.identity.github_role_arns
}

output "pod_role_arns" {
  description = "The roles of pods"
  value       = module.identity.pod_role_arns
}

# What Argo CD is told of its own cluster: infra/gitops reads nothing else of Terraform's.
output "gitops" {
  description = "Labels and annotations for the cluster's Secret in Argo CD"
  value = {
    environment     = var.environment
    region          = var.region
    account         = local.account
    cluster_name    = module.cluster.cluster_name
    vpc_id          = module.network.vpc_id
    domain          = local.domain
    certificate_arn = local.domain == "" ? "" : module.certificate[0].acm_certificate_arn
    hosted_zone_id  = local.domain == "" ? "" : data.aws_route53_zone.this[0].zone_id
  }
}
