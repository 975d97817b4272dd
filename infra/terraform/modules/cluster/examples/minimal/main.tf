module "cluster" {
  source = "../.."

  cluster_name    = "example"
  cluster_version = "1.35"
  azs             = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  subnet_ids      = ["subnet-0a", "subnet-0b", "subnet-0c"]
  kms_key_arn     = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000"

  eks_managed_node_groups = {
    default = { instance_types = ["m6i.large"], min_size = 1, desired_size = 1, max_size = 3 }
  }
}
