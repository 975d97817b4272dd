# A hosted zone for each environment that has a domain. It is here, not with the environment, because its name servers
# are known elsewhere: a zone that came and went with the environment would have to be delegated anew each time.

resource "aws_route53_zone" "this" {
  #checkov:skip=CKV2_AWS_38:a key for DNSSEC must lie in us-east-1, and its parent must sign as well: to be decided by whoever has the domain
  #checkov:skip=CKV2_AWS_39:the log of queries must lie in us-east-1; what is asked of these names is public
  for_each = { for name, environment in var.environments : name => environment.domain if environment.domain != "" }

  name          = each.value
  comment       = "${var.name} ${each.key}"
  force_destroy = var.force_destroy
  tags          = merge(var.tags, { Environment = each.key })
}
