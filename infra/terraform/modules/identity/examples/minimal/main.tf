module "identity" {
  source = "../.."

  name                                   = "example"
  github_repository                      = "acme/example"
  create_github_oidc_provider            = true
  github_roles                           = { gate = { environment = "dev", describe_cluster = true } }
  cluster_name                           = "example"
  vpc_id                                 = "vpc-0123456789abcdef0"
  attach_load_balancer_controller_policy = true
}
