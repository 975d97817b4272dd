# What is true of the whole organisation: one file says it, organisation.auto.tfvars.json, and every root has a link to
# it and to this one. Not every root uses all of it, which tflint is told.

variable "name" {
  description = "What everything is named after"
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,14}[a-z0-9]$", var.name))
    error_message = "name: 3 to 16 lower case letters, digits and hyphens, a letter first, no hyphen last: \"${var.name}\"."
  }
}

variable "region" {
  description = "AWS region, of all environments"
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: such as eu-central-1: \"${var.region}\"."
  }
}

# tflint-ignore: terraform_unused_declarations
variable "github_repository" {
  description = "The repository on GitHub, ORG/REPO"
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository)) && !startswith(var.github_repository, "ORG/")
    error_message = "github_repository: ORG/REPO, yours, in organisation.auto.tfvars.json: \"${var.github_repository}\"."
  }
}

variable "accounts" {
  description = "The AWS account of each environment and of what they share; all may be one"
  type        = map(string)

  validation {
    condition     = length(setsubtract(["shared", "dev", "staging", "prod"], keys(var.accounts))) == 0 && alltrue([for name in keys(var.accounts) : contains(["shared", "dev", "staging", "prod"], name)])
    error_message = "accounts: one for each of shared, dev, staging and prod: ${jsonencode(keys(var.accounts))}."
  }
  validation {
    condition     = alltrue([for account in values(var.accounts) : can(regex("^[0-9]{12}$", account)) && account != "000000000000"])
    error_message = "accounts: 12 digits each, yours, in organisation.auto.tfvars.json: ${jsonencode(var.accounts)}."
  }
}

# tflint-ignore: terraform_unused_declarations
variable "domains" {
  description = "The domain of each environment, \"\" for none: then there are no certificate and no records"
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.domains) : contains(["dev", "staging", "prod"], name)])
    error_message = "domains: of dev, staging, prod: ${jsonencode(keys(var.domains))}."
  }
}

# tflint-ignore: terraform_unused_declarations
variable "operators" {
  description = "ARNs of who may make each environment; without any, whoever its account lets take the role"
  type        = map(list(string))
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.operators) : contains(["shared", "dev", "staging", "prod"], name)])
    error_message = "operators: of shared, dev, staging, prod: ${jsonencode(keys(var.operators))}."
  }
}

locals {
  # GitHub's OIDC provider is one for an account: with shared where that is, else with the first of its environments.
  # tflint-ignore: terraform_unused_declarations
  github_provider_owner = {
    for account in distinct(values(var.accounts)) :
    account => var.accounts.shared == account ? "shared" : sort([for name, of in var.accounts : name if of == account])[0]
  }
}
