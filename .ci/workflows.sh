#!/usr/bin/env bash
# .github and what it calls: the workflows under actionlint, zizmor and yamllint; pins, permissions and that each step is one
# that a person can take (tests/release); publishing and releasing, for real, to a registry on the loopback. PYTEST_ARGS
# may be set.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

yaml() {
    local linters
    linters=$(.ci/venv.sh "$CHECK_REQUIREMENTS")
    git ls-files -z '.github/*.yaml' '.github/*.yml' '.github/**/*.yaml' |
        xargs -0 "$linters/bin/yamllint" --strict -c .yamllint.yaml
}

# With shellcheck for what is in `run:`.
action() { "$actionlint"; }

# What an auditor would say, too; what it knows of GitHub is asked of nobody.
audit() { "$venv/bin/zizmor" --offline --persona=auditor --strict-collection --quiet .github; }

.ci/deps.sh release check
venv=$(.ci/venv.sh "$RELEASE_REQUIREMENTS")
mkdir -p build/check
actionlint=$(.ci/tools.sh actionlint) || true
! usable "actionlint" "$actionlint" || step "actionlint" action
step "zizmor" audit
step "yamllint" yaml
# What signs is built by nobody here: it takes minutes, and there is one for a workflow to fetch. If it is there, it is used.
if [ -z "$(.ci/tools.sh --missing cosign)" ]; then
    COSIGN_BIN=$(.ci/tools.sh cosign)
    export COSIGN_BIN
fi
read -ra pytest_args <<<"${PYTEST_ARGS:-}"
say "tests/release"
pytests "tests/release" build/check/release.xml "" tests/release "${pytest_args[@]}"
total
