module "registry" {
  source = "../.."

  repository_name             = "example"
  repository_read_access_arns = ["arn:aws:iam::111122223333:root"]
}
