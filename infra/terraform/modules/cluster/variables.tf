variable "cluster_name" {
  description = "The cluster's name"
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,38}[a-z0-9]$", var.cluster_name))
    error_message = "cluster_name: 3 to 40 lower case letters, digits and hyphens, a letter first, no hyphen last: \"${var.cluster_name}\"."
  }
}

variable "cluster_version" {
  description = "Kubernetes' version, of the control plane and the nodes"
  type        = string

  validation {
    condition     = can(regex("^1\\.(3[2-9]|[4-9][0-9])$", var.cluster_version))
    error_message = "cluster_version: MAJOR.MINOR, at least 1.32, such as 1.35: \"${var.cluster_version}\"."
  }
}

variable "azs" {
  description = "Availability zones, at least three"
  type        = list(string)

  validation {
    condition     = length(var.azs) >= 3 && length(distinct(var.azs)) == length(var.azs)
    error_message = "azs: at least three different zones: ${jsonencode(var.azs)}."
  }
}

variable "subnet_ids" {
  description = "A private subnet for each zone, in the order of `azs`"
  type        = list(string)
}

variable "cluster_endpoint_public_access" {
  description = "Whether the API server can be reached from outside the VPC as well"
  type        = bool
  default     = false
}

variable "cluster_endpoint_public_access_cidrs" {
  description = "From where, if so: never from everywhere"
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for block in var.cluster_endpoint_public_access_cidrs : can(cidrhost(block, 0)) && can(regex("^[0-9.]+/([89]|[12][0-9]|3[0-2])$", block))])
    error_message = "cluster_endpoint_public_access_cidrs: IPv4 blocks of /8 to /32; 0.0.0.0/0 is the world: ${jsonencode(var.cluster_endpoint_public_access_cidrs)}."
  }
}

variable "cluster_enabled_log_types" {
  description = "What the control plane logs"
  type        = list(string)
  default     = ["api", "audit", "authenticator", "controllerManager", "scheduler"]

  validation {
    condition     = contains(var.cluster_enabled_log_types, "audit") && alltrue([for kind in var.cluster_enabled_log_types : contains(["api", "audit", "authenticator", "controllerManager", "scheduler"], kind)])
    error_message = "cluster_enabled_log_types: of api, audit, authenticator, controllerManager, scheduler, and audit always: ${jsonencode(var.cluster_enabled_log_types)}."
  }
}

variable "cloudwatch_log_group_retention_in_days" {
  description = "How long those logs are kept"
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.cloudwatch_log_group_retention_in_days)
    error_message = "cloudwatch_log_group_retention_in_days: one of the numbers that CloudWatch takes: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731; never for ever."
  }
}

variable "kms_key_arn" {
  description = "ARN of the key for secrets and logs"
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:", var.kms_key_arn))
    error_message = "kms_key_arn: the ARN of a key, such as arn:aws:kms:eu-central-1:111122223333:key/…: \"${var.kms_key_arn}\"."
  }
}

variable "eks_managed_node_groups" {
  description = "Groups of nodes; each becomes one in every zone, and its sizes are of one zone"
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

  validation {
    condition     = length(var.eks_managed_node_groups) > 0
    error_message = "eks_managed_node_groups: at least one group: without nodes nothing runs."
  }
  validation {
    condition     = alltrue([for group in values(var.eks_managed_node_groups) : group.min_size >= 1 && group.min_size <= group.desired_size && group.desired_size <= group.max_size])
    error_message = "eks_managed_node_groups: 1 <= min_size <= desired_size <= max_size, in each zone: ${jsonencode({ for name, group in var.eks_managed_node_groups : name => [group.min_size, group.desired_size, group.max_size] })}."
  }
  validation {
    condition     = alltrue([for group in values(var.eks_managed_node_groups) : contains(["ON_DEMAND", "SPOT"], group.capacity_type)])
    error_message = "eks_managed_node_groups: capacity_type is ON_DEMAND or SPOT: ${jsonencode({ for name, group in var.eks_managed_node_groups : name => group.capacity_type })}."
  }
  validation {
    condition     = alltrue([for group in values(var.eks_managed_node_groups) : group.disk_size >= 20])
    error_message = "eks_managed_node_groups: disk_size is at least 20 GiB: images and logs share it."
  }
}

variable "cluster_addons" {
  description = "EKS add-ons; one that calls AWS names its service account and AWS's policy for it"
  type = map(object({
    addon_version        = optional(string)
    configuration_values = optional(string)
    before_compute       = optional(bool, false)
    service_account      = optional(string)
    managed_policy       = optional(string)
  }))
  default = {
    coredns                = {}
    kube-proxy             = { before_compute = true }
    eks-pod-identity-agent = { before_compute = true }
    # Without enableNetworkPolicy the chart's NetworkPolicies would be accepted and mean nothing.
    vpc-cni = {
      before_compute       = true
      configuration_values = "{\"enableNetworkPolicy\":\"true\"}"
      service_account      = "aws-node"
      managed_policy       = "AmazonEKS_CNI_Policy"
    }
    aws-ebs-csi-driver = {
      service_account = "ebs-csi-controller-sa"
      managed_policy  = "service-role/AmazonEBSCSIDriverPolicy"
    }
  }

  validation {
    condition     = alltrue([for addon in values(var.cluster_addons) : (addon.service_account == null) == (addon.managed_policy == null)])
    error_message = "cluster_addons: service_account and managed_policy belong together: ${jsonencode([for name, addon in var.cluster_addons : name if(addon.service_account == null) != (addon.managed_policy == null)])}."
  }
  validation {
    condition     = contains(keys(var.cluster_addons), "eks-pod-identity-agent")
    error_message = "cluster_addons: eks-pod-identity-agent must be among them: without it no pod has its role."
  }
}

variable "access_entries" {
  description = "Who may do what in the cluster: a principal, groups of Kubernetes, and AWS's access policies, for all or for some namespaces"
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
    condition     = alltrue([for entry in values(var.access_entries) : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+$", entry.principal_arn))])
    error_message = "access_entries: principal_arn is the ARN of a role or a user: ${jsonencode([for entry in values(var.access_entries) : entry.principal_arn])}."
  }
  validation {
    condition     = alltrue([for entry in values(var.access_entries) : alltrue([for group in entry.kubernetes_groups : !startswith(group, "system:")])])
    error_message = "access_entries: groups that begin with system: are not given away here: use a policy."
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
