# What all environments share: the registry, that an image is built into once, and the roles of GitHub's jobs there: one that
# pushes, one that reads, one that gives what goes to prod its name.

variable "environment" {
  description = "Its name"
  type        = string
  default     = "shared"

  validation {
    condition     = var.environment == "shared"
    error_message = "environment: shared: \"${var.environment}\"."
  }
}

variable "repository_force_delete" {
  description = "Whether `down shared` may take the images with it"
  type        = bool
  default     = false
}

locals {
  # What is pushed: the image, and the chart as an OCI artifact, whose last word is the chart's name.
  repositories = [var.name, "${var.name}/charts/glassbox"]
  readers      = [for account in setsubtract(values(var.accounts), [var.accounts.shared]) : "arn:aws:iam::${account}:root"]
}

resource "aws_kms_key" "this" {
  description             = "${var.name}: images"
  enable_key_rotation     = true
  deletion_window_in_days = 7
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}-${var.environment}"
  target_key_id = aws_kms_key.this.key_id
}

# ECR encrypts and decrypts by grants of its own: who pulls from another account needs nothing of the key.
data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:a key's policy speaks of its own key alone: * is that key
  #checkov:skip=CKV_AWS_111:a key's policy speaks of its own key alone: * is that key
  #checkov:skip=CKV_AWS_356:a key's policy speaks of its own key alone: * is that key
  statement {
    sid       = "WhoeverTheAccountLets"
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["${local.bootstrap}:root"]
    }
  }
}

module "registry" {
  source   = "../../modules/registry"
  for_each = toset(local.repositories)

  repository_name             = each.key
  repository_kms_key          = aws_kms_key.this.arn
  repository_force_delete     = var.repository_force_delete
  repository_read_access_arns = local.readers
}

module "identity" {
  source = "../../modules/identity"

  name                        = "${var.name}-${var.environment}"
  github_repository           = var.github_repository
  create_github_oidc_provider = true
  github_roles = {
    push = { environment = "registry", push_repository_arns = [for repository in module.registry : repository.repository_arn] }
    read = { environment = "registry-read", pull_repository_arns = [module.registry[var.name].repository_arn] }
    tag  = { environment = "registry-tag", tag_repository_arns = [module.registry[var.name].repository_arn] }
  }
  iam_role_path                 = local.iam_role_path
  iam_role_permissions_boundary = local.boundary_arn
}

output "repository_urls" {
  description = "What comes before `@sha256:…`, by repository"
  value       = { for name, repository in module.registry : name => repository.repository_url }
}

output "github_role_arns" {
  description = "The roles of GitHub's jobs: `push`, `read`, `tag`"
  value       = module.identity.github_role_arns
}

output "github_environments" {
  description = "The GitHub environments that have them"
  value       = module.identity.github_environments
}

output "region" {
  description = "The region"
  value       = var.region
}
