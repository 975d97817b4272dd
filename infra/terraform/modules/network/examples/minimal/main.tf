module "network" {
  source = "../.."

  name            = "example"
  cidr            = "10.0.0.0/16"
  azs             = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  private_subnets = ["10.0.0.0/20", "10.0.16.0/20", "10.0.32.0/20"]
  public_subnets  = ["10.0.240.0/24", "10.0.241.0/24", "10.0.242.0/24"]
}
