# An environment with its own terraform.tfvars: what all three promise, and what none takes. dev, staging and prod have a
# link to this file each.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_route53_zone" {
    defaults = { arn = "arn:aws:route53:::hostedzone/Z1234", zone_id = "Z1234" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/test" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:111122223333:key/a" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:a" }
  }
  mock_resource "aws_eks_cluster" {
    defaults = { certificate_authority = [{ data = "YQ==" }] }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:eu-central-1:111122223333:certificate/a"
      domain_validation_options = [{
        domain_name           = "x.example.org"
        resource_record_name  = "_a.x.example.org."
        resource_record_type  = "CNAME"
        resource_record_value = "_b.acm-validations.aws."
      }]
    }
  }
}

variables {
  github_repository = "acme/glassbox"
  accounts          = { shared = "111122223333", dev = "111122223333", staging = "444455556666", prod = "777788889999" }
}

run "three_zones" {
  assert {
    condition     = join(" ", module.network.azs) == "eu-central-1a eu-central-1b eu-central-1c" && length(module.cluster.eks_managed_node_groups) == 3 * length(var.eks_managed_node_groups)
    error_message = "a node group in each of three zones"
  }
  assert {
    condition     = length(module.network.natgw_ids) == (var.environment == "dev" ? 1 : 3)
    error_message = "one way out for dev, three for the others"
  }
  assert {
    condition     = module.cluster.cluster_name == "glassbox-${var.environment}" && output.account_id == var.accounts[var.environment]
    error_message = "its own name, in its own account"
  }
  assert {
    condition     = output.domain == "" && output.acm_certificate_arn == "" && keys(output.pod_role_arns) == ["aws-load-balancer-controller"]
    error_message = "without a domain no certificate, and no role for records"
  }
  assert {
    condition     = output.github_environments.gate == { dev = "dev", staging = "staging", prod = "prod-gate" }[var.environment]
    error_message = "the gate's role is of the jobs that ask it, and prod's own environment has none"
  }
  assert {
    condition     = local.access_entries.gate.kubernetes_groups == ["glassbox-gate"] && length(local.access_entries.gate.policy_associations) == 0
    error_message = "the gate may do in the cluster what its group is bound to, and nothing by a policy of EKS's"
  }
  assert {
    condition     = local.quantities["NAT gateway, hours"] == 730 * length(module.network.natgw_ids)
    error_message = "what is counted for the costs is what is made"
  }
}

run "one_version_for_all" {
  command = plan
  assert {
    condition     = var.cluster_version == "1.35"
    error_message = "no environment says a version of its own, unless it tries the next one first"
  }
}

run "with_a_domain" {
  variables {
    domains = { dev = "dev.example.org", staging = "staging.example.org", prod = "prod.example.org" }
  }
  override_resource {
    target = module.certificate[0].aws_acm_certificate.this
    values = {
      arn = "arn:aws:acm:eu-central-1:111122223333:certificate/a"
      domain_validation_options = [
        { domain_name = "dev.example.org", resource_record_name = "_a", resource_record_type = "CNAME", resource_record_value = "_b" },
        { domain_name = "staging.example.org", resource_record_name = "_a", resource_record_type = "CNAME", resource_record_value = "_b" },
        { domain_name = "prod.example.org", resource_record_name = "_a", resource_record_type = "CNAME", resource_record_value = "_b" },
      ]
    }
  }
  assert {
    condition     = output.domain == "${var.environment}.example.org" && length(output.pod_role_arns) == 2
    error_message = "a certificate, and a role for records"
  }
}

run "refuses_what_is_not_filled_in" {
  command = plan
  variables {
    github_repository = "ORG/glassbox"
    accounts          = { shared = "000000000000", dev = "000000000000", staging = "000000000000", prod = "000000000000" }
  }
  expect_failures = [var.github_repository, var.accounts]
}

run "refuses_an_account_too_few" {
  command = plan
  variables {
    accounts = { shared = "111122223333", dev = "111122223333", staging = "111122223333" }
  }
  # The account is looked up as well, where it is not.
  expect_failures = [var.accounts]
}

run "refuses_a_block" {
  command = plan
  variables {
    cidr = "10.0.0.0/20"
  }
  expect_failures = [var.cidr]
}

run "refuses_to_give_the_deploy_role_away" {
  command = plan
  variables {
    access_entries = { deploy = { principal_arn = "arn:aws:iam::111122223333:role/a" } }
  }
  expect_failures = [var.access_entries]
}
