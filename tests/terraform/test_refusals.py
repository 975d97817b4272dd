"""What up, down and cost refuse, before anything is begun: what was wrong, and what is allowed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cloud import ORGANISATION, ROOT

SECONDS = 300


@pytest.fixture(name="tree")
def a_copy(tmp_path: Path) -> Path:
    """infra/terraform, filled in."""
    tree = tmp_path / "infra/terraform"
    shutil.copytree(ROOT / "infra/terraform", tree, symlinks=True, ignore=shutil.ignore_patterns(".terraform"))
    fill(tree, {})
    return tree


def fill(tree: Path, changes: dict) -> None:
    (tree / "environments/common/organisation.auto.tfvars.json").write_text(json.dumps(ORGANISATION | changes))


def fake(folder: Path, **programs: str) -> str:
    """A PATH with python3 and these programs, shell scripts, alone."""
    folder.mkdir()
    (folder / "python3").symlink_to("/usr/bin/python3")
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def run(*line: str | Path, path: str | None = None) -> tuple[int, str]:
    done = subprocess.run(["/usr/bin/python3", *line], capture_output=True, text=True, timeout=SECONDS, check=False,
                          stdin=subprocess.DEVNULL, env=dict(os.environ, PATH=path or os.environ["PATH"]))
    return done.returncode, done.stderr


GOOD_TERRAFORM = """echo '{"terraform_version": "1.11.4"}'"""
GOOD_AWS = """case "$*" in *get-caller-identity*) echo '{"Account": "123456789012"}';; *) echo 'An error occurred (AccessDenied)' >&2; exit 254;; esac"""


@pytest.mark.parametrize("program", ["up", "down"])
def test_an_unknown_environment(tree: Path, program: str) -> None:
    status, said = run(tree / program, "production")
    assert (status, said) == (2, f"{program}: no such environment: production; there are bootstrap, shared, dev, staging, prod\n")


@pytest.mark.parametrize(("changes", "words"), [
    ({"accounts": dict.fromkeys(("shared", "dev", "staging", "prod"), "000000000000")}, "accounts.prod '000000000000'"),
    ({"accounts": {"shared": "1"}}, "accounts.dev ''"),
    ({"github_repository": "ORG/glassbox"}, "github_repository 'ORG/glassbox': ORG/REPO, yours"),
    ({"region": "Frankfurt"}, "region 'Frankfurt': such as eu-central-1"),
    ({"name": "G"}, "name 'G': 3 to 16"),
])
def test_what_is_not_filled_in(tree: Path, changes: dict, words: str) -> None:
    fill(tree, changes)
    status, said = run(tree / "up", "dev")
    assert status == 2 and words in said and "organisation.auto.tfvars.json is not filled in" in said


def test_the_file_as_it_is_committed_is_refused() -> None:
    status, said = run(ROOT / "infra/terraform/up", "dev", "--plan")
    assert status == 2 and "accounts.dev" in said and "github_repository" in said


def test_no_terraform(tree: Path, tmp_path: Path) -> None:
    status, said = run(tree / "up", "dev", path=fake(tmp_path / "bin", aws=GOOD_AWS))
    assert status == 2 and said.startswith("up: terraform is not in PATH: https://")


def test_terraform_of_before_there_was_a_lock_file(tree: Path, tmp_path: Path) -> None:
    path = fake(tmp_path / "bin", aws=GOOD_AWS, terraform=GOOD_TERRAFORM.replace("1.11.4", "1.9.8"))
    status, said = run(tree / "up", "dev", path=path)
    assert status == 2 and "1.11 or later is needed" in said


def test_nobody_logged_in(tree: Path, tmp_path: Path) -> None:
    path = fake(tmp_path / "bin", aws="echo 'Unable to locate credentials' >&2; exit 253", terraform=GOOD_TERRAFORM)
    status, said = run(tree / "up", "dev", path=path)
    assert status == 2 and "AWS does not know you" in said and "aws sso login" in said


def test_a_role_that_cannot_be_taken(tree: Path, tmp_path: Path) -> None:
    path = fake(tmp_path / "bin", aws=GOOD_AWS, terraform=GOOD_TERRAFORM, kubectl="exit 0")
    status, said = run(tree / "down", "prod", "--yes", path=path)
    assert status == 2 and "glassbox-deploy-prod cannot be taken" in said and "up bootstrap" in said


def test_bootstrap_in_a_stranger_s_account(tree: Path, tmp_path: Path) -> None:
    aws = GOOD_AWS.replace("123456789012", "999999999999")
    status, said = run(tree / "up", "bootstrap", path=fake(tmp_path / "bin", aws=aws, terraform=GOOD_TERRAFORM))
    assert status == 2 and "account 999999999999, which is none of" in said and "123456789012" in said


@pytest.mark.parametrize(("row", "words"), [
    ({"price": "0.1", "date": "2026-01-01", "source": "a"}, "price '0.1': a number of at least 0, or null"),
    ({"price": -1, "date": "2026-01-01", "source": "a"}, "price -1"),
    ({"price": 1, "date": None, "source": "a"}, "a price has a date and a source"),
    ({}, "not what prices.json is"),
])
def test_a_price_without_its_date(tmp_path: Path, row: dict, words: str) -> None:
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({"currency": "USD", "region": "x", "prices": {"a": row}, "used": []}))
    status, said = run(ROOT / "infra/terraform/cost", "--prices", file)
    assert status == 2 and words in said


def test_prices_are_multiplied_and_added(tmp_path: Path) -> None:
    if shutil.which("terraform") is None:
        pytest.skip("no terraform")
    said = json.loads((ROOT / "infra/terraform/prices.json").read_text())
    for row in said["prices"].values():
        row.update(price=2, date="2026-01-01")
    file = tmp_path / "prices.json"
    file.write_text(json.dumps(said))
    done = subprocess.run([ROOT / "infra/terraform/cost", "--prices", file], capture_output=True, text=True, timeout=SECONDS, check=True)
    dev, staging = done.stdout.split("## ")[1:3]
    assert "| NAT gateway, hours | 730 | 2 | 2026-01-01 [source](https://aws.amazon.com/vpc/pricing/) | 1460.00 |" in dev
    assert "| NAT gateway, hours | 2190 |" in staging
    rows = [line.split("|") for line in dev.splitlines() if line.startswith("| ")][1:]
    *lines, total = [float(row[-2]) for row in rows]
    assert total == sum(lines) > 0
