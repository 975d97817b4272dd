/**
 * # certificate
 *
 * A certificate for a name and all beneath it, proved by records in the name's zone. The zone is not made here: its
 * name servers are known elsewhere, and they would change with every zone that is made anew.
 */

resource "aws_acm_certificate" "this" {
  domain_name               = var.domain_name
  subject_alternative_names = ["*.${var.domain_name}"]
  validation_method         = "DNS"
  tags                      = merge(var.tags, { Name = var.domain_name })

  lifecycle {
    create_before_destroy = true
  }
}

# The name and the wildcard are proved by the same record: it is made once.
resource "aws_route53_record" "validation" {
  zone_id         = var.zone_id
  name            = one(distinct([for option in aws_acm_certificate.this.domain_validation_options : option.resource_record_name if option.domain_name == var.domain_name]))
  type            = one(distinct([for option in aws_acm_certificate.this.domain_validation_options : option.resource_record_type if option.domain_name == var.domain_name]))
  records         = distinct([for option in aws_acm_certificate.this.domain_validation_options : option.resource_record_value if option.domain_name == var.domain_name])
  ttl             = 60
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  count = var.wait_for_validation ? 1 : 0

  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = [aws_route53_record.validation.fqdn]

  timeouts {
    create = "15m"
  }
}
