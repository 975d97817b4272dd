# Once for each account, by whoever administers it: the bucket for state, and a role for each of the account's
# environments. Its own state lies in the same bucket: infra/terraform/up brings it there once there is one.

provider "aws" {
  region              = var.region
  allowed_account_ids = values(var.accounts)

  default_tags {
    tags = {
      Project     = var.name
      Environment = "bootstrap"
      ManagedBy   = "terraform"
    }
  }
}

variable "force_destroy" {
  description = "Whether states and records may go with the bucket and the zones"
  type        = bool
  default     = false
}

data "aws_caller_identity" "current" {}

locals {
  account      = data.aws_caller_identity.current.account_id
  environments = [for name, account in var.accounts : name if account == local.account]
}

module "state" {
  source = "../../modules/state"

  name          = var.name
  bucket        = "${var.name}-state-${local.account}-${var.region}"
  force_destroy = var.force_destroy
  environments = {
    for name in local.environments : name => {
      operators            = length(lookup(var.operators, name, [])) > 0 ? var.operators[name] : ["arn:aws:iam::${local.account}:root"]
      domain               = lookup(var.domains, name, "")
      registry             = name == "shared"
      github_oidc_provider = local.github_provider_owner[local.account] == name
    }
  }
}

output "s3_bucket_id" {
  description = "The bucket"
  value       = module.state.s3_bucket_id
}

output "deploy_role_arns" {
  description = "The roles that make this account's environments"
  value       = module.state.deploy_role_arns
}

output "name_servers" {
  description = "What the parents of the zones must name as their name servers"
  value       = module.state.name_servers
}
