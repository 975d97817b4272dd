#!/usr/bin/env bash
# infra/terraform without an account: fmt, validate, each module's and environment's tests, tflint, checkov, READMEs and
# costs current; then tests/terraform: policies evaluated, and bootstrap, shared and dev made and unmade in an AWS on the
# loopback by infra/terraform/up and down, whose last lines are left in build/terraform/log and whose rest is counted.
#
# The provider comes from a folder if there is one on the machine (TF_PLUGIN_MIRROR=DIR, or the usual places), else from
# its registry. `--write` writes the modules' READMEs and costs.md anew.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

OUT=$PWD/build/terraform
WORK=$OUT/work
HERE=infra/terraform
export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1 TF_CLI_CONFIG_FILE=$OUT/terraformrc TF_PLUGIN_CACHE_DIR=$CACHE/terraform-plugins
# What a person has set for their own account is no business of these tests.
unset "${!AWS_@}" "${!TF_VAR_@}" TF_CLI_ARGS TF_DATA_DIR TF_WORKSPACE TF_LOG

# Prints the folder of a mirror: it holds HOST/hashicorp/aws/VERSION/PLATFORM/terraform-provider-aws….
mirror() {
    local folder found
    for folder in ${TF_PLUGIN_MIRROR:+"$TF_PLUGIN_MIRROR"} "$HOME/.terraform.d/plugins" "$HOME/.local/share/terraform/plugins" \
        /usr/local/share/terraform/plugins /usr/share/terraform/plugins /usr/lib/terraform/plugins /opt/*; do
        [ -d "$folder" ] || continue
        found=$(find -L "$folder" -maxdepth 7 -path '*/hashicorp/aws/*' -name 'terraform-provider-aws*' -print -quit 2>/dev/null) || true
        if [ -n "$found" ]; then
            echo "${found%%/registry.terraform.io/*}"
            return
        fi
    done
}

configure() {
    local folder
    folder=$(mirror)
    if [ -n "$folder" ]; then
        printf 'provider_installation {\n  filesystem_mirror {\n    path = "%s"\n  }\n}\n' "$folder"
    fi >"$TF_CLI_CONFIG_FILE"
}

# Modules, roots and examples, in the copy: Terraform leaves nothing in the tree.
folders() { (cd "$WORK" && find modules environments -name '*.tf' -printf '%h\n' | sort -u | grep -v '^environments/common$'); }

# Each folder by itself; -lockfile=readonly also shows that the committed lock file has what is needed.
initialise() {
    local folder
    while read -r folder; do
        terraform -chdir="$WORK/$folder" init -backend=false -input=false -lockfile=readonly -no-color >"$OUT/init" 2>&1 ||
            { cat "$OUT/init" && return 1; }
    done < <(folders)
}

validate() { terraform -chdir="$WORK/$1" validate -no-color >"$OUT/said" 2>&1; }

# test FOLDER: its *.tftest.hcl; counts are Terraform's own.
count_tests() {
    local folder=$1 passed=0 failed=0
    terraform -chdir="$WORK/$folder" test -no-color >"$OUT/said" 2>&1 || { grep -v '\.\.\. pass$' "$OUT/said" >&2 || true; }
    passed=$(grep -c '^  run .*\.\.\. pass$' "$OUT/said") || true
    failed=$(grep -c '^  run .*\.\.\. \(fail\|skip\)$' "$OUT/said") || true
    grep -q '^Success! [1-9][0-9]* passed, 0 failed' "$OUT/said" || [ "$failed" -gt 0 ] || failed=1
    TESTS_PASSED=$((TESTS_PASSED + passed)) TESTS_FAILED=$((TESTS_FAILED + failed))
}

formatted() { terraform fmt -check -diff -recursive "$HERE"; }

lint_terraform() { "$tflint" --chdir="$HERE" --recursive --config="$PWD/$HERE/.tflint.hcl" --no-color; }

document() {
    local module
    for module in "$1"/modules/*; do
        "$terraform_docs" -c "$HERE/.terraform-docs.yml" "${@:2}" "$module" >/dev/null || return
    done
}
documented() { document "$HERE" --output-check || { echo "not current: .ci/terraform.sh --write" && return 1; }; }

# The tables.
costed() { "$HERE/cost" >"$OUT/costs.md" && { diff -u "$HERE/costs.md" "$OUT/costs.md" || { echo "not current: .ci/terraform.sh --write" && return 1; }; }; }

# Neither examples nor tests: nobody makes what they say. Exceptions are comments where they are so, each with its reason and
# still needed.
CHECKOV=(--framework terraform --compact --quiet --skip-download --skip-path /examples/ --skip-path /tests/)
misconfiguration() { "$checkov" "${CHECKOV[@]}" --directory "$HERE"; }
exceptions() { python3 .ci/exceptions.py "$HERE" "$checkov" "${CHECKOV[@]}"; }

started=$SECONDS
rm -rf "$WORK"
mkdir -p "$OUT" "$TF_PLUGIN_CACHE_DIR" build/check
if ! have terraform; then
    skipped "terraform" "it is not in PATH; unproved: all of infra/terraform"
    total
    exit
fi
configure
cp -a "$HERE" "$WORK"
find "$WORK" -name .terraform -prune -exec rm -rf {} +
if ! terraform -chdir="$WORK/modules/registry" init -backend=false -input=false -lockfile=readonly -no-color >"$OUT/init" 2>&1; then
    if grep -q 'could not connect\|no available releases\|was not found in any\|no such host' "$OUT/init"; then
        skipped "terraform" "no provider hashicorp/aws: not in a folder of this machine (TF_PLUGIN_MIRROR=DIR), nor at its registry; unproved: all of infra/terraform"
    else
        cat "$OUT/init" >&2
        tally "terraform init" 0 1 0
    fi
    total
    exit
fi
mapfile -t lines < <(.ci/tools.sh tflint terraform-docs)
tflint=${lines[0]:-tools.sh said nothing} terraform_docs=${lines[1]:-tools.sh said nothing}
if [ "${1:-}" = --write ]; then
    ! usable "READMEs" "$terraform_docs" || document "$HERE"
    "$HERE/cost" --write
fi

# An environment takes a minute or two in which nearly nothing is to be done but to wait: all else meanwhile.
venv=$(.ci/venv.sh "$TERRAFORM_REQUIREMENTS")
read -ra pytest_args <<<"${PYTEST_ARGS:-}"
rm -f build/check/terraform.xml
"$venv/bin/python" -m pytest -q -p no:cacheprovider --junit-xml=build/check/terraform.xml tests/terraform "${pytest_args[@]}" >"$OUT/pytest" 2>&1 &
pytest_pid=$!
trap 'kill "$pytest_pid" 2>/dev/null || true' EXIT

step "terraform fmt" formatted
step "terraform init" initialise
valid=0 invalid=0
while read -r folder; do
    if validate "$folder"; then valid=$((valid + 1)); else invalid=$((invalid + 1)) && cat "$OUT/said" >&2; fi
done < <(folders)
tally "terraform validate" "$valid" "$invalid" 0
TESTS_PASSED=0 TESTS_FAILED=0
for folder in "$WORK"/modules/* "$WORK"/environments/{dev,staging,prod}; do
    count_tests "${folder#"$WORK/"}"
done
tally "terraform test" "$TESTS_PASSED" "$TESTS_FAILED" 0
if usable "tflint" "$tflint"; then step "tflint" lint_terraform; fi
checkov=$(.ci/venv.sh "$CHARTS_REQUIREMENTS")/bin/checkov
step "checkov" misconfiguration
step "checkov's exceptions" exceptions
if usable "READMEs, by terraform-docs" "$terraform_docs"; then step "READMEs, by terraform-docs" documented; fi
step "costs" costed

say "tests/terraform"
wait "$pytest_pid" || true
trap - EXIT
cat "$OUT/pytest" >&2
tail -n 40 "$OUT/moto/log" >"$OUT/log" 2>/dev/null || true
# shellcheck disable=SC2046 # three numbers
tally "policies, up and down" $("$venv/bin/python" .ci/junit.py build/check/terraform.xml) "$(tail -n 2 "$OUT/moto/log" 2>/dev/null | head -n 1 || true)"
printf '\nterraform: %d s\n' $((SECONDS - started))
total
