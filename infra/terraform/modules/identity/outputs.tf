output "github_oidc_provider_arn" {
  description = "GitHub's OIDC provider in this account"
  value       = local.github_provider_arn
}

output "github_role_arns" {
  description = "The roles for GitHub's jobs, by name: what a workflow's `role-to-assume` says"
  value       = { for name, role in aws_iam_role.github : name => role.arn }
}

output "github_environments" {
  description = "The GitHub environment that each of them trusts, by the same names"
  value       = { for name, role in var.github_roles : name => role.environment }
}

output "pod_role_arns" {
  description = "The roles for pods, by name"
  value       = { for name, role in aws_iam_role.pod : name => role.arn }
}
