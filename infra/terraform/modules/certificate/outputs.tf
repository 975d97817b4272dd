output "acm_certificate_arn" {
  description = "The certificate's ARN"
  value       = var.wait_for_validation ? aws_acm_certificate_validation.this[0].certificate_arn : aws_acm_certificate.this.arn
}

output "distinct_domain_names" {
  description = "What it is for"
  value       = [var.domain_name, "*.${var.domain_name}"]
}
