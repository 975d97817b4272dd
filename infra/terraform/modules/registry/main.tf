/**
 * # registry
 *
 * A repository whose tags never change what they mean: a digest is deployed, a tag is how people speak of it.
 */

resource "aws_ecr_repository" "this" {
  name                 = var.repository_name
  image_tag_mutability = var.repository_image_tag_mutability
  force_delete         = var.repository_force_delete
  tags                 = var.tags

  image_scanning_configuration {
    scan_on_push = var.repository_image_scan_on_push
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.repository_kms_key
  }
}

# As ECR evaluates it: an image belongs to the first rule whose tags it has, and no other rule takes it, so that no number of
# pushes to main takes away what was released or promoted. Who has both tags counts as a release. A signature is an image to
# ECR: what keeps its image keeps it by the same tag with `.sig`, hence twice the number. Parts of an index stay with it.
# Attestations have no tag; GitHub keeps them as well.
resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "untagged: after ${var.untagged_days} days"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = var.untagged_days }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "releases: the last ${var.keep_releases}, and their signatures"
        selection    = { tagStatus = "tagged", tagPatternList = ["v*"], countType = "imageCountMoreThan", countNumber = 2 * var.keep_releases }
        action       = { type = "expire" }
      },
      {
        rulePriority = 3
        description  = "promoted: the last ${var.keep_promoted}, and their signatures"
        selection    = { tagStatus = "tagged", tagPatternList = ["prod-*"], countType = "imageCountMoreThan", countNumber = 2 * var.keep_promoted }
        action       = { type = "expire" }
      },
      {
        rulePriority = 4
        description  = "all others: if not among the last ${var.keep_others} of everything"
        selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = var.keep_others }
        action       = { type = "expire" }
      },
    ]
  })
}

data "aws_iam_policy_document" "pull" {
  count = length(var.repository_read_access_arns) > 0 ? 1 : 0

  statement {
    sid = "Pull"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:DescribeImages",
      "ecr:GetDownloadUrlForLayer",
    ]
    principals {
      type        = "AWS"
      identifiers = var.repository_read_access_arns
    }
  }
}

resource "aws_ecr_repository_policy" "this" {
  count = length(var.repository_read_access_arns) > 0 ? 1 : 0

  repository = aws_ecr_repository.this.name
  policy     = data.aws_iam_policy_document.pull[0].json
}
