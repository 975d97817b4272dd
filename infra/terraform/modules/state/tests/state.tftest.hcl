# Where state lies, and what is refused. That the roles reach their own environment and no other, tests/terraform shows.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::111122223333:policy/test" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/test" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:111122223333:key/a" }
  }
  mock_resource "aws_route53_zone" {
    defaults = { arn = "arn:aws:route53:::hostedzone/Z1234" }
  }
}

variables {
  name   = "test"
  bucket = "test-state"
  environments = {
    dev  = { operators = ["arn:aws:iam::111122223333:root"], domain = "dev.example.org" }
    prod = { operators = ["arn:aws:iam::111122223333:role/ops"] }
  }
}

run "kept_safe" {
  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled" && !aws_s3_bucket.this.force_destroy
    error_message = "every version is kept, and the bucket is not destroyed with states in it"
  }
  assert {
    condition     = alltrue([aws_s3_bucket_public_access_block.this.block_public_acls, aws_s3_bucket_public_access_block.this.block_public_policy, aws_s3_bucket_public_access_block.this.ignore_public_acls, aws_s3_bucket_public_access_block.this.restrict_public_buckets])
    error_message = "nothing public"
  }
  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms" && aws_kms_key.this.enable_key_rotation
    error_message = "encrypted by a key of its own, which turns"
  }
}

run "a_role_each" {
  assert {
    condition     = keys(aws_iam_role.deploy) == ["dev", "prod"] && keys(aws_iam_policy.boundary) == ["dev", "prod"] && length(aws_iam_role_policy_attachment.deploy) == 6
    error_message = "a role and a boundary for each environment"
  }
  assert {
    condition     = alltrue([for role in aws_iam_role.deploy : role.path == "/test/bootstrap/"])
    error_message = "out of the reach of what they make"
  }
  assert {
    condition     = keys(aws_route53_zone.this) == ["dev"]
    error_message = "a zone for whoever has a domain"
  }
}

run "refuses_everybody" {
  command = plan
  variables {
    environments = { dev = { operators = ["*"] } }
  }
  expect_failures = [var.environments]
}

run "refuses_nobody" {
  command = plan
  variables {
    environments = { dev = { operators = [] } }
  }
  expect_failures = [var.environments]
}

run "refuses_a_domain" {
  command = plan
  variables {
    environments = { dev = { operators = ["arn:aws:iam::111122223333:root"], domain = "localhost" } }
  }
  expect_failures = [var.environments]
}

run "refuses_to_forget_at_once" {
  command = plan
  variables {
    noncurrent_days                 = 1
    kms_key_deletion_window_in_days = 3
  }
  expect_failures = [var.noncurrent_days, var.kms_key_deletion_window_in_days]
}
