/**
 * # network
 *
 * A VPC over three zones. Nodes and pods are in private subnets and leave through NAT gateways; only load balancers
 * are in the public ones. With a NAT gateway in each zone the loss of a zone takes nothing from the other two; with
 * a single one it may take their way out, which is cheaper and enough for development.
 */

locals {
  nat_zones = !var.enable_nat_gateway ? [] : var.single_nat_gateway ? slice(var.azs, 0, 1) : var.azs
  private   = zipmap(var.azs, var.private_subnets)
  public    = zipmap(var.azs, var.public_subnets)
}

data "aws_region" "current" {}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = merge(var.tags, { Name = var.name })

  lifecycle {
    precondition {
      condition     = length(var.private_subnets) == length(var.azs) && length(var.public_subnets) == length(var.azs)
      error_message = "network: a private and a public subnet for each zone: ${length(var.azs)} zones, ${length(var.private_subnets)} private, ${length(var.public_subnets)} public."
    }
    precondition {
      condition = alltrue([
        for block in concat(var.private_subnets, var.public_subnets) :
        tonumber(split("/", block)[1]) >= tonumber(split("/", var.cidr)[1]) &&
        cidrhost("${split("/", block)[0]}/${split("/", var.cidr)[1]}", 0) == cidrhost(var.cidr, 0)
      ])
      error_message = "network: every subnet must lie within cidr, ${var.cidr}: ${join(", ", concat(var.private_subnets, var.public_subnets))}."
    }
    precondition {
      condition     = length(distinct(concat(var.private_subnets, var.public_subnets))) == length(concat(var.private_subnets, var.public_subnets))
      error_message = "network: a subnet is given twice: ${join(", ", concat(var.private_subnets, var.public_subnets))}."
    }
  }
}

# What AWS makes with every VPC lets its members talk to each other and to the world: here it lets nobody.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.name}-default-unused" })
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = var.name })
}

resource "aws_subnet" "public" {
  for_each = local.public

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = each.value
  map_public_ip_on_launch = false
  # The load balancer controller finds subnets by these tags.
  tags = merge(var.tags, { Name = "${var.name}-public-${each.key}", "kubernetes.io/role/elb" = "1" }, var.public_subnet_tags)
}

resource "aws_subnet" "private" {
  for_each = local.private

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value
  tags              = merge(var.tags, { Name = "${var.name}-private-${each.key}", "kubernetes.io/role/internal-elb" = "1" }, var.private_subnet_tags)
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.name}-public" })
}

resource "aws_route" "public_internet_gateway" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}

resource "aws_eip" "nat" {
  for_each = toset(local.nat_zones)

  domain = "vpc"
  tags   = merge(var.tags, { Name = "${var.name}-nat-${each.key}" })
}

resource "aws_nat_gateway" "this" {
  for_each = toset(local.nat_zones)

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id
  tags          = merge(var.tags, { Name = "${var.name}-${each.key}" })

  depends_on = [aws_internet_gateway.this]
}

# A table a zone, also with one NAT gateway: to go from one to three changes a route, not a table.
resource "aws_route_table" "private" {
  for_each = local.private

  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.name}-private-${each.key}" })
}

resource "aws_route" "private_nat_gateway" {
  for_each = var.enable_nat_gateway ? local.private : {}

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[var.single_nat_gateway ? var.azs[0] : each.key].id
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private[each.key].id
}
