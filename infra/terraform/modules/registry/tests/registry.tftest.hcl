# What the registry keeps and refuses.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  repository_name = "glassbox"
}

run "tags_stay" {
  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push && !aws_ecr_repository.this.force_delete
    error_message = "immutable, scanned, not destroyed with images in it"
  }
  assert {
    condition     = aws_ecr_repository.this.encryption_configuration[0].encryption_type == "KMS"
    error_message = "encrypted by a key of KMS"
  }
  assert {
    condition = jsonencode([for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : [rule.rulePriority, rule.selection.tagStatus, try(rule.selection.tagPatternList, []), rule.selection.countNumber]]) == jsonencode([
      [1, "untagged", [], 7], [2, "tagged", ["v*"], 60], [3, "tagged", ["prod-*"], 200], [4, "any", [], 1000],
    ])
    error_message = "untagged for 7 days, the last 30 releases and 100 promoted ones with their signatures, others among the last 1000, in this order"
  }
  assert {
    condition     = length(aws_ecr_repository_policy.this) == 0
    error_message = "nobody else pulls unless named"
  }
}

run "other_accounts_pull" {
  variables {
    repository_read_access_arns = ["arn:aws:iam::111122223333:root"]
  }
  assert {
    condition     = length(aws_ecr_repository_policy.this) == 1
    error_message = "a policy for them"
  }
}

run "refuses_mutable_tags" {
  command = plan
  variables {
    repository_image_tag_mutability = "MUTABLE"
  }
  expect_failures = [var.repository_image_tag_mutability]
}

run "refuses_everybody" {
  command = plan
  variables {
    repository_read_access_arns = ["*"]
  }
  expect_failures = [var.repository_read_access_arns]
}

run "refuses_to_keep_one" {
  command = plan
  variables {
    keep_releases = 1
    keep_promoted = 9
    keep_others   = 349
    untagged_days = 0
  }
  expect_failures = [var.keep_releases, var.keep_promoted, var.keep_others, var.untagged_days]
}

run "refuses_a_name" {
  command = plan
  variables {
    repository_name = "Glassbox"
  }
  expect_failures = [var.repository_name]
}
