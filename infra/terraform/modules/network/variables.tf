variable "name" {
  description = "What everything here is named after"
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,38}[a-z0-9]$", var.name))
    error_message = "name: 3 to 40 lower case letters, digits and hyphens, a letter first, no hyphen last: \"${var.name}\"."
  }
}

variable "cidr" {
  description = "The VPC's IPv4 block"
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && can(regex("^[0-9.]+/(1[6-9]|2[0-4])$", var.cidr))
    error_message = "cidr: an IPv4 block of /16 to /24, such as 10.0.0.0/16: \"${var.cidr}\"."
  }
}

variable "azs" {
  description = "Availability zones, three of one region: two may be lost together only with the region"
  type        = list(string)

  validation {
    condition     = length(var.azs) == 3 && length(distinct(var.azs)) == 3
    error_message = "azs: three different zones: ${jsonencode(var.azs)}."
  }
}

variable "private_subnets" {
  description = "An IPv4 block for each zone, in the order of `azs`: nodes and pods, an address each"
  type        = list(string)

  validation {
    condition     = alltrue([for block in var.private_subnets : can(cidrhost(block, 0)) && can(regex("/(1[6-9]|2[0-6])$", block))])
    error_message = "private_subnets: IPv4 blocks of /16 to /26 (every pod takes an address): ${jsonencode(var.private_subnets)}."
  }
}

variable "public_subnets" {
  description = "An IPv4 block for each zone, in the order of `azs`: load balancers and NAT gateways"
  type        = list(string)

  validation {
    condition     = alltrue([for block in var.public_subnets : can(cidrhost(block, 0)) && can(regex("/(1[6-9]|2[0-7])$", block))])
    error_message = "public_subnets: IPv4 blocks of /16 to /27 (a load balancer wants 8 free addresses in each): ${jsonencode(var.public_subnets)}."
  }
}

variable "public_subnet_tags" {
  description = "More tags for the public subnets"
  type        = map(string)
  default     = {}
}

variable "private_subnet_tags" {
  description = "More tags for the private subnets"
  type        = map(string)
  default     = {}
}

variable "enable_nat_gateway" {
  description = "Whether the private subnets have a way out"
  type        = bool
  default     = true
}

variable "single_nat_gateway" {
  description = "One NAT gateway for all zones instead of one in each: cheaper, and its zone's loss is everybody's"
  type        = bool
  default     = false
}

variable "interface_endpoints" {
  description = "AWS services reached from within the VPC; the S3 gateway is always there"
  type        = list(string)
  default     = []

  validation {
    condition = alltrue([
      for service in var.interface_endpoints :
      contains(["ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "elasticloadbalancing", "logs", "sts"], service)
    ])
    error_message = "interface_endpoints: of ec2, ecr.api, ecr.dkr, eks, eks-auth, elasticloadbalancing, logs, sts: ${jsonencode(var.interface_endpoints)}."
  }
}

variable "enable_flow_log" {
  description = "Whether the VPC's traffic is logged"
  type        = bool
  default     = true
}

variable "flow_log_traffic_type" {
  description = "ALL, ACCEPT or REJECT"
  type        = string
  default     = "ALL"

  validation {
    condition     = contains(["ALL", "ACCEPT", "REJECT"], var.flow_log_traffic_type)
    error_message = "flow_log_traffic_type: ALL, ACCEPT or REJECT: \"${var.flow_log_traffic_type}\"."
  }
}

variable "flow_log_cloudwatch_log_group_retention_in_days" {
  description = "How long the flow log is kept"
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.flow_log_cloudwatch_log_group_retention_in_days)
    error_message = "flow_log_cloudwatch_log_group_retention_in_days: one of the numbers that CloudWatch takes: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731; never for ever."
  }
}

variable "flow_log_cloudwatch_log_group_kms_key_id" {
  description = "ARN of the key that the flow log is encrypted with; CloudWatch's own without it"
  type        = string
  default     = null
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
