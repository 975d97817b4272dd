# The environment's key: the cluster's secrets and all logs. Another environment's roles have no way to it.

data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:a key's policy speaks of its own key alone: * is that key
  #checkov:skip=CKV_AWS_111:a key's policy speaks of its own key alone: * is that key
  #checkov:skip=CKV_AWS_356:a key's policy speaks of its own key alone: * is that key
  statement {
    sid       = "WhoeverTheAccountLets"
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["${local.bootstrap}:root"]
    }
  }
  statement {
    sid       = "Logs"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = ["*"]
    principals {
      type        = "Service"
      identifiers = ["logs.${var.region}.amazonaws.com"]
    }
    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values = [
        "arn:aws:logs:${var.region}:${local.account}:log-group:/aws/eks/${local.cluster_name}/cluster",
        "arn:aws:logs:${var.region}:${local.account}:log-group:/aws/vpc/${local.cluster_name}",
      ]
    }
  }
}

resource "aws_kms_key" "this" {
  description             = "${local.cluster_name}: secrets and logs"
  enable_key_rotation     = true
  deletion_window_in_days = var.kms_key_deletion_window_in_days
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "this" {
  name          = "alias/${local.cluster_name}"
  target_key_id = aws_kms_key.this.key_id
}
