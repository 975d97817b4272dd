# What the network makes of its variables, and what it refuses. Nobody is asked: the provider is a mock.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/flow-log" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/vpc/test" }
  }
}

variables {
  name            = "test"
  cidr            = "10.0.0.0/16"
  azs             = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  private_subnets = ["10.0.0.0/20", "10.0.16.0/20", "10.0.32.0/20"]
  public_subnets  = ["10.0.240.0/24", "10.0.241.0/24", "10.0.242.0/24"]
}

run "a_way_out_in_each_zone" {
  assert {
    condition     = length(aws_nat_gateway.this) == 3 && length(aws_eip.nat) == 3 && length(output.natgw_ids) == 3
    error_message = "a NAT gateway and an address in each zone"
  }
  assert {
    condition     = alltrue([for zone in var.azs : aws_route.private_nat_gateway[zone].nat_gateway_id == aws_nat_gateway.this[zone].id])
    error_message = "a zone's traffic leaves by its own gateway"
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch])
    error_message = "nothing gets a public address by being started"
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.tags["kubernetes.io/role/elb"] == "1"]) && alltrue([for subnet in aws_subnet.private : subnet.tags["kubernetes.io/role/internal-elb"] == "1"])
    error_message = "the load balancer controller finds the subnets"
  }
  assert {
    condition     = aws_flow_log.this[0].traffic_type == "ALL" && aws_cloudwatch_log_group.flow_log[0].retention_in_days == 30
    error_message = "all traffic is logged, for 30 days"
  }
  assert {
    condition     = aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway" && length(aws_vpc_endpoint.s3.route_table_ids) == 3 && length(aws_vpc_endpoint.interface) == 0
    error_message = "S3 by its gateway from all zones, and no endpoint that costs"
  }
}

run "one_way_out" {
  variables {
    single_nat_gateway = true
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && alltrue([for route in aws_route.private_nat_gateway : route.nat_gateway_id == aws_nat_gateway.this["eu-central-1a"].id])
    error_message = "all zones leave by the first one's gateway"
  }
  assert {
    condition     = length(aws_route_table.private) == 3
    error_message = "still a table a zone"
  }
}

run "no_way_out_but_endpoints" {
  variables {
    enable_nat_gateway  = false
    enable_flow_log     = false
    interface_endpoints = ["ecr.api", "ecr.dkr"]
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_route.private_nat_gateway) == 0 && length(aws_flow_log.this) == 0 && output.vpc_flow_log_id == null
    error_message = "no gateway, no route, no log"
  }
  assert {
    condition     = aws_vpc_endpoint.interface["ecr.dkr"].service_name == "com.amazonaws.eu-central-1.ecr.dkr" && length(aws_vpc_endpoint.interface["ecr.api"].subnet_ids) == 3
    error_message = "endpoints in all zones"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoints[0].from_port == 443 && aws_vpc_security_group_ingress_rule.endpoints[0].cidr_ipv4 == "10.0.0.0/16"
    error_message = "HTTPS from within the VPC alone"
  }
}

run "refuses_two_zones" {
  command = plan
  variables {
    azs = ["eu-central-1a", "eu-central-1b"]
  }
  expect_failures = [var.azs]
}

run "refuses_a_zone_twice" {
  command = plan
  variables {
    azs = ["eu-central-1a", "eu-central-1b", "eu-central-1b"]
  }
  expect_failures = [var.azs]
}

run "refuses_a_block_too_large" {
  command = plan
  variables {
    cidr = "10.0.0.0/8"
  }
  expect_failures = [var.cidr]
}

run "refuses_a_subnet_elsewhere" {
  command = plan
  variables {
    public_subnets = ["10.1.240.0/24", "10.0.241.0/24", "10.0.242.0/24"]
  }
  expect_failures = [aws_vpc.this]
}

run "refuses_a_subnet_twice" {
  command = plan
  variables {
    public_subnets = ["10.0.240.0/24", "10.0.240.0/24", "10.0.242.0/24"]
  }
  expect_failures = [aws_vpc.this]
}

run "refuses_a_subnet_too_small" {
  command = plan
  variables {
    private_subnets = ["10.0.0.0/28", "10.0.16.0/20", "10.0.32.0/20"]
  }
  expect_failures = [var.private_subnets]
}

run "refuses_an_unknown_endpoint" {
  command = plan
  variables {
    interface_endpoints = ["ecr"]
  }
  expect_failures = [var.interface_endpoints]
}

run "refuses_logs_for_ever" {
  command = plan
  variables {
    flow_log_cloudwatch_log_group_retention_in_days = 0
  }
  expect_failures = [var.flow_log_cloudwatch_log_group_retention_in_days]
}

run "refuses_a_name" {
  command = plan
  variables {
    name = "Test_1"
  }
  expect_failures = [var.name]
}
