#!/usr/bin/env bash
# From nothing to production, as far as it can be shown without an account: `make infra-test`.
cd "$(dirname "$0")/.." || exit
. .ci/lib.sh

part "terraform" .ci/terraform.sh
part "gitops" .ci/gitops.sh
part "workflows" .ci/workflows.sh
total
