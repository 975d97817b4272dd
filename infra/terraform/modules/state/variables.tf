variable "name" {
  description = "What everything here is named after"
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name))
    error_message = "name: 3 to 24 lower case letters, digits and hyphens, a letter first, no hyphen last: \"${var.name}\"."
  }
}

variable "bucket" {
  description = "The bucket's name"
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket: 3 to 63 lower case letters, digits and hyphens: \"${var.bucket}\"."
  }
}

variable "environments" {
  description = "The environments of this account: who may make them, a domain or none, whether the registry and GitHub's provider belong to it"
  type = map(object({
    operators            = list(string)
    domain               = optional(string, "")
    registry             = optional(bool, false)
    github_oidc_provider = optional(bool, false)
  }))

  validation {
    condition     = alltrue([for name in keys(var.environments) : can(regex("^[a-z][a-z0-9]{1,11}$", name)) && name != "bootstrap"])
    error_message = "environments: names of 2 to 12 lower case letters and digits, not bootstrap: ${jsonencode(keys(var.environments))}."
  }
  validation {
    condition     = alltrue([for environment in values(var.environments) : length(environment.operators) > 0])
    error_message = "environments: operators: at least one for each environment: nobody could make it."
  }
  validation {
    condition     = alltrue([for environment in values(var.environments) : alltrue([for arn in environment.operators : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(root|role/.+|user/.+)$", arn))])])
    error_message = "environments: operators are ARNs of roles or users, or an account's root, never \"*\": ${jsonencode([for environment in values(var.environments) : environment.operators])}."
  }
  validation {
    condition     = alltrue([for environment in values(var.environments) : environment.domain == "" || can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", environment.domain))])
    error_message = "environments: domain: a name such as dev.example.org, or \"\": ${jsonencode([for environment in values(var.environments) : environment.domain])}."
  }
}

variable "noncurrent_days" {
  description = "How long an old version of a state is kept"
  type        = number
  default     = 90

  validation {
    condition     = var.noncurrent_days >= 7
    error_message = "noncurrent_days: at least 7: a mistake is not always seen at once: ${var.noncurrent_days}."
  }
}

variable "kms_key_deletion_window_in_days" {
  description = "How long the key can still be had back once it was destroyed"
  type        = number
  default     = 30

  validation {
    condition     = var.kms_key_deletion_window_in_days >= 7 && var.kms_key_deletion_window_in_days <= 30
    error_message = "kms_key_deletion_window_in_days: 7 to 30: ${var.kms_key_deletion_window_in_days}."
  }
}

variable "force_destroy" {
  description = "Whether bucket and zones may be destroyed with states and records in them: infra/terraform/down sets it once all else is gone"
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags for everything"
  type        = map(string)
  default     = {}
}
