module "certificate" {
  source = "../.."

  domain_name = "dev.example.org"
  zone_id     = "Z0123456789ABC"
}
