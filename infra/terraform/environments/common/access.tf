# Who may do what in the cluster: the role that makes it, everything; GitHub's gate, what its group is bound to there, which is
# asking Prometheus (infra/gitops/apps/templates/gate.yaml), and no policy of EKS's besides: AmazonEKSViewPolicy reads pods and
# ConfigMaps, which no gate needs. No job can change anything: changes come from git, by Argo CD.

locals {
  access_entries = {
    deploy = {
      principal_arn       = local.deploy_role_arn
      kubernetes_groups   = []
      policy_associations = { admin = { policy = "AmazonEKSClusterAdminPolicy", namespaces = [] } }
    }
    gate = {
      principal_arn       = module.identity.github_role_arns.gate
      kubernetes_groups   = ["glassbox-gate"]
      policy_associations = {}
    }
  }
  # Volumes carry the environment's tags, by which `down` finds what is left.
  addons = {
    coredns                = {}
    kube-proxy             = { before_compute = true }
    eks-pod-identity-agent = { before_compute = true }
    vpc-cni = {
      before_compute       = true
      configuration_values = jsonencode({ enableNetworkPolicy = "true" })
      service_account      = "aws-node"
      managed_policy       = "AmazonEKS_CNI_Policy"
    }
    aws-ebs-csi-driver = {
      configuration_values = jsonencode({ controller = { extraVolumeTags = local.tags } })
      service_account      = "ebs-csi-controller-sa"
      managed_policy       = "service-role/AmazonEBSCSIDriverPolicy"
    }
  }
}
