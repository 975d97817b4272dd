"""What infra/terraform/up and down do."""
