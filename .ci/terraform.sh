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

# in_each COMMAND...: terraform COMMAND in each folder that stdin names, as many at once as there are cores. What each said is
# in $OUT/said, a file for each, and in $OUT/failed the names of those that failed.
in_each() {
    rm -rf "$OUT/said" "$OUT/failed"
    mkdir "$OUT/said"
    : >"$OUT/failed"
    # shellcheck disable=SC2016 # the inner shell's
    WORK=$WORK OUT=$OUT xargs -P "$JOBS" -I{} bash -c 'folder=$1 said=${1//\//-}
        shift
        terraform -chdir="$WORK/$folder" "$@" -no-color >"$OUT/said/$said" 2>&1 || echo "$said" >>"$OUT/failed"' _ {} "$@"
    (cd "$OUT/said" && xargs -r cat <"$OUT/failed" >&2)
}

# -lockfile=readonly also shows that the committed lock file has what is needed.
initialise() { folders | in_each init -backend=false -input=false -lockfile=readonly && [ ! -s "$OUT/failed" ]; }

validate() {
    local all failed
    folders | in_each validate
    all=$(folders | wc -l) failed=$(wc -l <"$OUT/failed")
    tally "terraform validate" $((all - failed)) "$failed" 0
}

# The *.tftest.hcl of modules and environments; counts are Terraform's own, and a folder that counts none has failed.
test_all() {
    local folder passed failed
    folders | grep -v 'examples\|bootstrap' | in_each test
    passed=$(cat "$OUT"/said/* | grep -c '^  run .*\.\.\. pass$') || true
    failed=$(cat "$OUT"/said/* | grep -c '^  run .*\.\.\. \(fail\|skip\)$') || true
    for folder in "$OUT"/said/*; do
        grep -q '^Success! [1-9][0-9]* passed, 0 failed' "$folder" || grep -q '\.\.\. \(fail\|skip\)$' "$folder" ||
            { echo "${folder##*/}: no test ran" >&2 && failed=$((failed + 1)); }
    done
    tally "terraform test" "$passed" "$failed" 0
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
validate
test_all
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
