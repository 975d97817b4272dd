# Everything is done as the environment's own role, in the environment's own account, or not at all; and everything
# carries the tags by which it is found again.

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.accounts[var.environment]]

  assume_role {
    role_arn     = local.deploy_role_arn
    session_name = "terraform-${var.environment}"
  }

  default_tags {
    tags = local.tags
  }
}

locals {
  account         = var.accounts[var.environment]
  bootstrap       = "arn:aws:iam::${local.account}"
  deploy_role_arn = "${local.bootstrap}:role/${var.name}/bootstrap/${var.name}-deploy-${var.environment}"
  boundary_arn    = "${local.bootstrap}:policy/${var.name}/bootstrap/${var.name}-boundary-${var.environment}"
  iam_role_path   = "/${var.name}/${var.environment}/"
  tags = {
    Project     = var.name
    Environment = var.environment
    ManagedBy   = "terraform"
  }
}
