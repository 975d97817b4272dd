output "cluster_name" {
  description = "The cluster's name, once it is there"
  value       = aws_eks_cluster.this.name
}

output "cluster_arn" {
  description = "The cluster's ARN"
  value       = aws_eks_cluster.this.arn
}

output "cluster_endpoint" {
  description = "The API server's address"
  value       = aws_eks_cluster.this.endpoint
}

output "cluster_certificate_authority_data" {
  description = "What the API server's certificate is checked with, in base64"
  value       = aws_eks_cluster.this.certificate_authority[0].data
}

output "cluster_version" {
  description = "Kubernetes' version"
  value       = aws_eks_cluster.this.version
}

output "cluster_primary_security_group_id" {
  description = "The security group that EKS made for the control plane and the nodes"
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

output "cluster_iam_role_arn" {
  description = "The control plane's role"
  value       = aws_iam_role.cluster.arn
}

output "node_iam_role_arn" {
  description = "The nodes' role"
  value       = aws_iam_role.node.arn
}

output "eks_managed_node_groups" {
  description = "The node groups, by group and zone"
  value       = { for name, group in aws_eks_node_group.this : name => { node_group_arn = group.arn, zone = local.node_groups[name].zone } }
}

output "cloudwatch_log_group_name" {
  description = "Where the control plane logs"
  value       = aws_cloudwatch_log_group.this.name
}
