output "vpc_id" {
  description = "The VPC's id"
  value       = aws_vpc.this.id
}

output "vpc_arn" {
  description = "The VPC's ARN"
  value       = aws_vpc.this.arn
}

output "vpc_cidr_block" {
  description = "The VPC's IPv4 block"
  value       = aws_vpc.this.cidr_block
}

output "azs" {
  description = "The zones"
  value       = var.azs
}

output "private_subnets" {
  description = "Ids of the private subnets, in the order of `azs`"
  # Nothing may be put into a subnet whose way out is not there yet.
  value      = [for zone in var.azs : aws_subnet.private[zone].id]
  depends_on = [aws_route.private_nat_gateway, aws_route_table_association.private, aws_vpc_endpoint.s3]
}

output "public_subnets" {
  description = "Ids of the public subnets, in the order of `azs`"
  value       = [for zone in var.azs : aws_subnet.public[zone].id]
}

output "public_subnets_cidr_blocks" {
  description = "IPv4 blocks of the public subnets, in the order of `azs`"
  value       = [for zone in var.azs : aws_subnet.public[zone].cidr_block]
}

output "private_route_table_ids" {
  description = "Ids of the private subnets' route tables, in the order of `azs`"
  value       = [for zone in var.azs : aws_route_table.private[zone].id]
}

output "natgw_ids" {
  description = "Ids of the NAT gateways"
  value       = [for zone in local.nat_zones : aws_nat_gateway.this[zone].id]
}

output "nat_public_ips" {
  description = "Addresses that the private subnets' traffic comes from: for other people's allow lists"
  value       = [for zone in local.nat_zones : aws_eip.nat[zone].public_ip]
}

output "vpc_flow_log_id" {
  description = "The flow log's id"
  value       = one(aws_flow_log.this[*].id)
}
