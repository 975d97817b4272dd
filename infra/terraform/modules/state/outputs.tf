output "s3_bucket_id" {
  description = "The bucket's name"
  value       = aws_s3_bucket.this.id
}

output "s3_bucket_arn" {
  description = "The bucket's ARN"
  value       = aws_s3_bucket.this.arn
}

output "kms_key_arn" {
  description = "The key that states are encrypted with"
  value       = aws_kms_key.this.arn
}

output "deploy_role_arns" {
  description = "The roles that make the environments, by environment"
  value       = { for name, role in aws_iam_role.deploy : name => role.arn }
}

output "boundary_arns" {
  description = "The boundaries of the roles that those make, by environment"
  value       = { for name, policy in aws_iam_policy.boundary : name => policy.arn }
}

output "zone_ids" {
  description = "The hosted zones, by environment"
  value       = { for name, zone in aws_route53_zone.this : name => zone.zone_id }
}

output "name_servers" {
  description = "What a zone's parent must name as its name servers, by environment"
  value       = { for name, zone in aws_route53_zone.this : name => zone.name_servers }
}
