# State lies in the bucket of the environment's own account, under the environment's own key; a lock is an object
# beside it, written only if it is not there, so nothing else is needed for several people. Bucket, key, region and
# role are what differs: infra/terraform/up gives them to `terraform init`.
terraform {
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
