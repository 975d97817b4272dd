variable "environment" {
  description = "Its name: dev, staging or prod"
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment: dev, staging or prod: \"${var.environment}\"."
  }
}

variable "cidr" {
  description = "The VPC's IPv4 block: another for each environment, so that they could be joined"
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && endswith(var.cidr, "/16")
    error_message = "cidr: an IPv4 block of /16, such as 10.10.0.0/16: \"${var.cidr}\"."
  }
}

variable "azs" {
  description = "Three availability zones, where the region's first three are not named a, b, c"
  type        = list(string)
  default     = null
}

variable "single_nat_gateway" {
  description = "One NAT gateway for all zones instead of one in each"
  type        = bool
}

variable "interface_endpoints" {
  description = "AWS services reached without a NAT gateway"
  type        = list(string)
  default     = []
}

# The version of all environments; one that is to try the next first says so in its terraform.tfvars.
variable "cluster_version" {
  description = "Kubernetes' version"
  type        = string
  default     = "1.35"
}

variable "cluster_endpoint_public_access_cidrs" {
  description = "From where the API server can be reached, besides from within the VPC"
  type        = list(string)
  default     = []
}

variable "eks_managed_node_groups" {
  description = "Groups of nodes; each becomes one in every zone, and its sizes are of one zone: nothing scales them"
  type = map(object({
    instance_types = list(string)
    min_size       = number
    max_size       = number
    desired_size   = number
    disk_size      = optional(number, 50)
    ami_type       = optional(string, "AL2023_x86_64_STANDARD")
    capacity_type  = optional(string, "ON_DEMAND")
    labels         = optional(map(string), {})
  }))
}

variable "access_entries" {
  description = "Who else may do what in the cluster, as modules/cluster has it"
  type = map(object({
    principal_arn     = string
    kubernetes_groups = optional(list(string), [])
    policy_associations = optional(map(object({
      policy     = string
      namespaces = optional(list(string), [])
    })), {})
  }))
  default = {}

  validation {
    condition     = length(setintersection(keys(var.access_entries), ["deploy", "gate"])) == 0
    error_message = "access_entries: deploy and gate are taken."
  }
}

variable "log_retention_in_days" {
  description = "How long the control plane's and the network's logs are kept"
  type        = number
}

variable "kms_key_deletion_window_in_days" {
  description = "How long the key can still be had back once it was destroyed"
  type        = number
  default     = 7
}

variable "wait_for_certificate" {
  description = "Whether to wait for the certificate, which is issued once the zone is delegated"
  type        = bool
  default     = true
}
