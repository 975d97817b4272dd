variable "domain_name" {
  description = "The name; the certificate is for all beneath it, too"
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.domain_name))
    error_message = "domain_name: a name such as dev.example.org, lower case, without a wildcard or a dot at the end: \"${var.domain_name}\"."
  }
}

variable "zone_id" {
  description = "The hosted zone that the name is in"
  type        = string

  validation {
    condition     = can(regex("^[A-Z0-9]{4,32}$", var.zone_id))
    error_message = "zone_id: the id of a hosted zone, such as Z0123456789ABC: \"${var.zone_id}\"."
  }
}

variable "wait_for_validation" {
  description = "Whether to wait until the certificate is issued: only once the zone is delegated"
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags for everything"
  type        = map(string)
  default     = {}
}
