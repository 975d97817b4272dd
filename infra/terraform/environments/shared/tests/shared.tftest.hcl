# What all environments share, for an organisation of any name.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/test" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:111122223333:key/a" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = { arn = "arn:aws:ecr:eu-central-1:111122223333:repository/test" }
  }
}

variables {
  github_repository = "acme/web"
  accounts          = { shared = "111122223333", dev = "111122223333", staging = "444455556666", prod = "777788889999" }
}

run "as_it_is" {
  assert {
    condition     = join(" ", keys(output.repository_urls)) == "glassbox glassbox/charts/glassbox"
    error_message = "the image and its chart: ${jsonencode(keys(output.repository_urls))}"
  }
}

run "of_another_name" {
  variables {
    name = "acme"
  }
  assert {
    condition     = join(" ", keys(output.repository_urls)) == "acme acme/charts/glassbox"
    error_message = "named after the organisation: ${jsonencode(keys(output.repository_urls))}"
  }
  assert {
    condition     = join(" ", keys(output.github_role_arns)) == "push read tag"
    error_message = "GitHub's roles: ${jsonencode(keys(output.github_role_arns))}"
  }
}

run "read_from_other_accounts" {
  assert {
    condition     = join(" ", local.readers) == "arn:aws:iam::444455556666:root arn:aws:iam::777788889999:root"
    error_message = "the accounts of staging and prod, once each: ${jsonencode(local.readers)}"
  }
}
