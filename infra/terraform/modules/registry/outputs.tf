output "repository_name" {
  description = "The repository's name"
  value       = aws_ecr_repository.this.name
}

output "repository_arn" {
  description = "The repository's ARN"
  value       = aws_ecr_repository.this.arn
}

output "repository_url" {
  description = "What comes before `@sha256:…` or `:tag`"
  value       = aws_ecr_repository.this.repository_url
}

output "repository_registry_id" {
  description = "The account whose registry it is"
  value       = aws_ecr_repository.this.registry_id
}

output "repository_lifecycle_policy" {
  description = "What is kept, as JSON"
  value       = aws_ecr_lifecycle_policy.this.policy
}
