# Who is trusted, and who is not. The provider is the real one with keys that are none, so that it writes the policies
# as it would; all that would ask AWS is overridden.

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "111122223333" }
}

variables {
  name              = "test"
  github_repository = "acme/glassbox"
  cluster_name      = "test"
  vpc_id            = "vpc-1"
  github_roles      = { gate = { environment = "dev", describe_cluster = true } }
}

run "github_by_environment" {
  command = plan
  assert {
    condition = jsondecode(data.aws_iam_policy_document.github_trust["gate"].json).Statement[0].Condition.StringEquals == {
      "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
      "token.actions.githubusercontent.com:sub" = "repo:acme/glassbox:environment:dev"
    }
    error_message = "one repository, one environment, compared as it is"
  }
  assert {
    condition     = jsondecode(data.aws_iam_policy_document.github["gate"].json).Statement == [{ Sid = "FindTheCluster", Effect = "Allow", Action = "eks:DescribeCluster", Resource = "arn:aws:eks:eu-central-1:111122223333:cluster/test" }]
    error_message = "the gate finds its cluster, and nothing else"
  }
  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0 && length(aws_iam_role.pod) == 0
    error_message = "what was not asked for is not made"
  }
}

run "push_where_it_may" {
  command = plan
  variables {
    create_github_oidc_provider = true
    github_roles                = { push = { environment = "registry", push_repository_arns = ["arn:aws:ecr:eu-central-1:111122223333:repository/glassbox"] } }
  }
  assert {
    condition     = [for statement in jsondecode(data.aws_iam_policy_document.github["push"].json).Statement : statement.Resource] == ["*", "arn:aws:ecr:eu-central-1:111122223333:repository/glassbox"]
    error_message = "a token, and this repository"
  }
  assert {
    condition     = alltrue([for action in jsondecode(data.aws_iam_policy_document.github["push"].json).Statement[1].Action : !strcontains(action, "Delete") && !strcontains(action, "*")])
    error_message = "nothing is deleted by whoever pushes"
  }
  assert {
    condition     = aws_iam_openid_connect_provider.github[0].client_id_list == toset(["sts.amazonaws.com"])
    error_message = "GitHub's provider, for STS"
  }
}

run "read_and_no_more" {
  command = plan
  variables {
    github_roles = { read = { environment = "registry-read", pull_repository_arns = ["arn:aws:ecr:eu-central-1:111122223333:repository/glassbox"] } }
  }
  assert {
    condition = jsonencode([for statement in jsondecode(data.aws_iam_policy_document.github["read"].json).Statement : [sort(flatten([statement.Action])), statement.Resource]]) == jsonencode([
      [["ecr:GetAuthorizationToken"], "*"],
      [["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], "arn:aws:ecr:eu-central-1:111122223333:repository/glassbox"],
    ])
    error_message = "a token, and reading this repository"
  }
}

run "name_what_is_there" {
  command = plan
  variables {
    github_roles = { tag = { environment = "registry-tag", tag_repository_arns = ["arn:aws:ecr:eu-central-1:111122223333:repository/glassbox"] } }
  }
  assert {
    condition     = sort(jsondecode(data.aws_iam_policy_document.github["tag"].json).Statement[1].Action) == tolist(["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:PutImage"])
    error_message = "reading, and a manifest of layers that are there: no layer is uploaded"
  }
}

run "pods" {
  command = plan
  variables {
    attach_load_balancer_controller_policy = true
    external_dns_hosted_zone_arns          = ["arn:aws:route53:::hostedzone/Z1234"]
  }
  assert {
    condition     = keys(aws_eks_pod_identity_association.this) == ["aws-load-balancer-controller", "external-dns"]
    error_message = "these two, and nothing for glassbox"
  }
  assert {
    condition = jsondecode(data.aws_iam_policy_document.pod_trust["external-dns"].json).Statement[0].Condition.StringEquals == {
      "aws:RequestTag/eks-cluster-arn"            = "arn:aws:eks:eu-central-1:111122223333:cluster/test"
      "aws:RequestTag/kubernetes-namespace"       = "external-dns"
      "aws:RequestTag/kubernetes-service-account" = "external-dns"
    }
    error_message = "this cluster, this namespace, this service account"
  }
  assert {
    condition     = jsondecode(data.aws_iam_policy_document.external_dns[0].json).Statement[0].Resource == "arn:aws:route53:::hostedzone/Z1234"
    error_message = "records of this zone"
  }
}

run "refuses_a_wildcard_environment" {
  command = plan
  variables {
    github_roles = { gate = { environment = "*", describe_cluster = true } }
  }
  expect_failures = [var.github_roles]
}

run "refuses_a_wildcard_repository" {
  command = plan
  variables {
    github_repository = "acme/*"
  }
  expect_failures = [var.github_repository]
}

run "refuses_a_role_for_nothing" {
  command = plan
  variables {
    github_roles = { gate = { environment = "dev" } }
  }
  expect_failures = [aws_iam_role.github]
}

run "refuses_a_cluster_that_is_not_named" {
  command = plan
  variables {
    cluster_name                           = null
    github_roles                           = {}
    attach_load_balancer_controller_policy = true
  }
  expect_failures = [aws_iam_role.pod]
}

run "refuses_all_zones" {
  command = plan
  variables {
    external_dns_hosted_zone_arns = ["arn:aws:route53:::hostedzone/*"]
  }
  expect_failures = [var.external_dns_hosted_zone_arns]
}

run "refuses_all_repositories" {
  command = plan
  variables {
    github_roles = { push = { environment = "registry", push_repository_arns = ["arn:aws:ecr:eu-central-1:111122223333:repository/*"] } }
  }
  expect_failures = [var.github_roles]
}
