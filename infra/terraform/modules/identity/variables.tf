variable "name" {
  description = "What the roles are named after"
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name: 3 to 32 lower case letters, digits and hyphens, a letter first, no hyphen last: \"${var.name}\"."
  }
}

variable "github_repository" {
  description = "The repository whose jobs may take the roles, ORG/REPO"
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "github_repository: ORG/REPO, without wildcards: \"${var.github_repository}\"."
  }
}

variable "create_github_oidc_provider" {
  description = "Whether GitHub's OIDC provider is made here: once in an account"
  type        = bool
  default     = false
}

variable "github_roles" {
  description = "Roles for GitHub's jobs: the GitHub environment that gets it, repositories that it pulls from, names what is there, or pushes to, whether it may find the cluster"
  type = map(object({
    environment          = string
    pull_repository_arns = optional(list(string), [])
    tag_repository_arns  = optional(list(string), [])
    push_repository_arns = optional(list(string), [])
    describe_cluster     = optional(bool, false)
  }))
  default = {}

  validation {
    condition     = alltrue([for role in values(var.github_roles) : can(regex("^[A-Za-z0-9_-]+$", role.environment))])
    error_message = "github_roles: environment is one GitHub environment's name, without wildcards: ${jsonencode([for role in values(var.github_roles) : role.environment])}."
  }
  validation {
    condition     = alltrue([for role in values(var.github_roles) : alltrue([for arn in concat(role.pull_repository_arns, role.tag_repository_arns, role.push_repository_arns) : can(regex("^arn:aws[a-z-]*:ecr:[a-z0-9-]+:[0-9]{12}:repository/[a-z0-9._/-]+$", arn))])])
    error_message = "github_roles: pull_, tag_ and push_repository_arns are ARNs of ECR repositories, without wildcards."
  }
}

variable "cluster_name" {
  description = "The cluster whose pods get roles"
  type        = string
  default     = null
}

variable "vpc_id" {
  description = "The VPC that the load balancer controller makes security groups in"
  type        = string
  default     = null
}

variable "attach_load_balancer_controller_policy" {
  description = "Whether there is a role for the AWS Load Balancer Controller"
  type        = bool
  default     = false
}

variable "external_dns_hosted_zone_arns" {
  description = "The hosted zones whose records external-dns keeps; without any it has no role"
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.external_dns_hosted_zone_arns : can(regex("^arn:aws[a-z-]*:route53:::hostedzone/[A-Z0-9]{4,32}$", arn))])
    error_message = "external_dns_hosted_zone_arns: ARNs of hosted zones, each by itself: ${jsonencode(var.external_dns_hosted_zone_arns)}."
  }
}

variable "iam_role_path" {
  description = "Path of the roles that are made here: what another role's rights can be limited to"
  type        = string
  default     = "/"
}

variable "iam_role_permissions_boundary" {
  description = "ARN of the policy that bounds the roles made here"
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags for everything"
  type        = map(string)
  default     = {}
}
