# infra/gitops/bootstrap/install and github-variables read these, and nothing else of Terraform's.

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

output "public_subnets_cidr_blocks" {
  description = "Where the load balancers' requests come from"
  value       = module.network.public_subnets_cidr_blocks
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

output "github_environments" {
  description = "The GitHub environments that have them"
  value       = module.identity.github_environments
}

output "pod_role_arns" {
  description = "The roles of pods"
  value       = module.identity.pod_role_arns
}
