# A certificate, its proof, and what is refused.

mock_provider "aws" {
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:eu-central-1:111122223333:certificate/a"
      domain_validation_options = [{
        domain_name           = "dev.example.org"
        resource_record_name  = "_a.dev.example.org."
        resource_record_type  = "CNAME"
        resource_record_value = "_b.acm-validations.aws."
      }]
    }
  }
}

variables {
  domain_name = "dev.example.org"
  zone_id     = "Z0123456789ABC"
}

run "proved_by_a_record" {
  assert {
    condition     = aws_acm_certificate.this.validation_method == "DNS" && contains(aws_acm_certificate.this.subject_alternative_names, "*.dev.example.org")
    error_message = "for all beneath the name, proved by DNS"
  }
  assert {
    condition     = aws_route53_record.validation.name == "_a.dev.example.org." && aws_route53_record.validation.zone_id == "Z0123456789ABC" && length(aws_acm_certificate_validation.this) == 1
    error_message = "the record is made, and waited for"
  }
}

run "does_not_wait" {
  variables {
    wait_for_validation = false
  }
  assert {
    condition     = length(aws_acm_certificate_validation.this) == 0 && output.acm_certificate_arn == "arn:aws:acm:eu-central-1:111122223333:certificate/a"
    error_message = "while the zone is not delegated"
  }
}

run "refuses_a_wildcard" {
  command = plan
  variables {
    domain_name = "*.example.org"
  }
  expect_failures = [var.domain_name]
}

run "refuses_a_zone" {
  command = plan
  variables {
    zone_id = "example.org"
  }
  expect_failures = [var.zone_id]
}
