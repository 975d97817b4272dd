variable "repository_name" {
  description = "The repository's name"
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*$", var.repository_name)) && length(var.repository_name) >= 2 && length(var.repository_name) <= 256
    error_message = "repository_name: lower case letters and digits, parted by one of . _ - /, 2 to 256 characters: \"${var.repository_name}\"."
  }
}

variable "repository_image_tag_mutability" {
  description = "Tags are not moved: IMMUTABLE, and nothing else is taken"
  type        = string
  default     = "IMMUTABLE"

  validation {
    condition     = var.repository_image_tag_mutability == "IMMUTABLE"
    error_message = "repository_image_tag_mutability: IMMUTABLE: what was tested under a tag must be what is deployed under it: \"${var.repository_image_tag_mutability}\"."
  }
}

variable "repository_image_scan_on_push" {
  description = "Whether an image is scanned for known faults when it arrives"
  type        = bool
  default     = true
}

variable "repository_kms_key" {
  description = "ARN of the key that images are encrypted with; AWS's own for ECR without it"
  type        = string
  default     = null
}

variable "repository_force_delete" {
  description = "Whether it may be destroyed with images in it"
  type        = bool
  default     = false
}

variable "repository_read_access_arns" {
  description = "Who may pull, such as the roots of other accounts: arn:aws:iam::111122223333:root"
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.repository_read_access_arns : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(root|role/.+|user/.+)$", arn))])
    error_message = "repository_read_access_arns: ARNs of accounts' roots, roles or users, never \"*\": ${jsonencode(var.repository_read_access_arns)}."
  }
}

variable "untagged_days" {
  description = "How long an image without a tag is kept; the parts of an image for several machines stay with it"
  type        = number
  default     = 7

  validation {
    condition     = var.untagged_days >= 1 && floor(var.untagged_days) == var.untagged_days
    error_message = "untagged_days: a whole number, at least 1: ${var.untagged_days}."
  }
}

variable "keep_releases" {
  description = "How many images tagged v* are kept, each with its signature"
  type        = number
  default     = 30

  validation {
    condition     = var.keep_releases >= 2 && floor(var.keep_releases) == var.keep_releases
    error_message = "keep_releases: a whole number, at least 2, the one that runs and the one to go back to: ${var.keep_releases}."
  }
}

variable "keep_promoted" {
  description = "How many images tagged prod-* are kept, each with its signature: what has held staging, and so what prod runs and may go back to"
  type        = number
  default     = 100

  validation {
    condition     = var.keep_promoted >= 10 && floor(var.keep_promoted) == var.keep_promoted
    error_message = "keep_promoted: a whole number, at least 10: what runs in prod is among them, and what it may go back to: ${var.keep_promoted}."
  }
}

variable "keep_others" {
  description = "Neither released nor promoted, an image or a signature is kept while it is among the youngest so many of the repository. All count: a push to main makes seven, two architectures, their index, its signature and three attestations"
  type        = number
  default     = 1000

  validation {
    condition     = var.keep_others >= 350 && floor(var.keep_others) == var.keep_others
    error_message = "keep_others: a whole number, at least 350, the last 50 pushes to main: dev and staging run one of them: ${var.keep_others}."
  }
}

variable "tags" {
  description = "Tags for everything"
  type        = map(string)
  default     = {}
}
