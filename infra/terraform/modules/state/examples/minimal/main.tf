module "state" {
  source = "../.."

  name   = "example"
  bucket = "example-state-111122223333-eu-central-1"
  environments = {
    dev = { operators = ["arn:aws:iam::111122223333:root"], domain = "dev.example.org" }
  }
}
