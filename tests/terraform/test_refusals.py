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
    """infra/terraform, filled in, and what it calls."""
    tree = tmp_path / "infra/terraform"
    for folder in ("infra/terraform", "infra/gitops", "charts/stack", "alerts/alertmanager"):
        shutil.copytree(ROOT / folder, tmp_path / folder, symlinks=True, ignore=shutil.ignore_patterns(".terraform", "__pycache__"))
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


def ran(*line: str | Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Whichever charts this machine has in a folder, if any: a folder without Argo CD's would be refused first."""
    environment = {name: value for name, value in os.environ.items() if name != "CHARTS_DIR"}
    return subprocess.run(["/usr/bin/python3", *line], capture_output=True, text=True, timeout=SECONDS, check=False,
                          stdin=subprocess.DEVNULL, env=environment | {"PATH": path or os.environ["PATH"]})


def run(*line: str | Path, path: str | None = None) -> tuple[int, str]:
    done = ran(*line, path=path)
    return done.returncode, done.stderr


SOURCE = "https://aws.amazon.com/eks/pricing/"
GOOD_TERRAFORM = """echo '{"terraform_version": "1.11.4"}'"""
GOOD_AWS = """case "$*" in *get-caller-identity*) echo '{"Account": "123456789012"}';; *) echo 'An error occurred (AccessDenied)' >&2; exit 254;; esac"""
# What else must be there before an environment is begun.
REST = {"kubectl": """echo '{"clientVersion": {"gitVersion": "v1.35.2"}}'""", "helm": "echo v4.1.4",
        "git": "echo https://git.example.org/acme/glassbox.git"}


@pytest.mark.parametrize("program", ["up", "down"])
def test_an_unknown_environment(tree: Path, program: str) -> None:
    status, said = run(tree / program, "production")
    assert (status, said) == (2, f"{program}: no such environment: production; there are bootstrap, shared, dev, staging, prod, and all\n")


def test_patience_is_a_number_of_seconds(tree: Path) -> None:
    status, said = run(tree / "down", "dev", "--patience", "5m")
    assert status == 2 and "--patience: '5m': a whole number of seconds, 0 to 99999" in said


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
    path = fake(tmp_path / "bin", aws="echo 'Unable to locate credentials' >&2; exit 253", terraform=GOOD_TERRAFORM, **REST)
    status, said = run(tree / "up", "dev", path=path)
    assert status == 2 and "AWS does not know you" in said and "aws sso login" in said


def test_a_role_that_cannot_be_taken(tree: Path, tmp_path: Path) -> None:
    path = fake(tmp_path / "bin", aws=GOOD_AWS, terraform=GOOD_TERRAFORM, **REST)
    status, said = run(tree / "down", "prod", "--yes", path=path)
    assert status == 2 and "glassbox-deploy-prod cannot be taken" in said and "up bootstrap" in said


@pytest.mark.parametrize(("environment", "changes", "words"), [
    ("dev", {"helm": None}, "dev: install: refused: helm is not in PATH: https://"),
    ("dev", {"helm": "echo v3.2.1"}, "dev: install: refused: helm is v3.2.1: 3.14 or later is needed"),
    ("staging", {"kubectl": None}, "staging: install: refused: kubectl is not in PATH: https://"),
    ("staging", {"git": "exit 2"}, "staging: install: refused: where Argo CD finds the repository is not known"),
    ("prod", {"git": None}, "prod: install: refused: git is not in PATH"),
    ("prod", {"git": "echo /srv/glassbox"}, "'/srv/glassbox': must be an address that a cluster can reach"),
    ("all", {"helm": None}, "dev: install: refused: helm is not in PATH: https://"),
    ("all", {"git": "exit 2"}, "dev: install: refused: where Argo CD finds the repository is not known"),
])
def test_what_only_the_cluster_needs_is_looked_at_first(tree: Path, tmp_path: Path, environment: str, changes: dict,
                                                        words: str) -> None:
    """Building it takes half an hour: nothing is begun, of no environment."""
    programs = {"aws": EMPTY_AWS, "terraform": NOTING} | REST | changes
    path = fake(tmp_path / "bin", **{name: text for name, text in programs.items() if text})
    status, said = run(tree / "up", environment, "--yes", path=path)
    assert status == 2 and words in said, said
    assert not (tree / "environments/bootstrap/backend_override.tf").exists()


def test_down_needs_no_address(tree: Path, tmp_path: Path) -> None:
    """But helm, and before anything is begun."""
    programs = {"aws": GOOD_AWS, "terraform": GOOD_TERRAFORM} | REST | {"git": "exit 2"}
    status, said = run(tree / "down", "prod", "--yes", path=fake(tmp_path / "bin", **programs))
    assert status == 2 and "glassbox-deploy-prod cannot be taken" in said
    (tmp_path / "bin/helm").unlink()
    status, said = run(tree / "down", "prod", "--yes", path=str(tmp_path / "bin"))
    assert status == 2 and "prod: install: refused: helm is not in PATH" in said


def test_bootstrap_in_a_stranger_s_account(tree: Path, tmp_path: Path) -> None:
    aws = GOOD_AWS.replace("123456789012", "999999999999")
    status, said = run(tree / "up", "bootstrap", path=fake(tmp_path / "bin", aws=aws, terraform=GOOD_TERRAFORM))
    assert status == 2 and "account 999999999999, which is none of" in said and "123456789012" in said


TWO_ACCOUNTS = {"accounts": {"shared": "123456789012", "dev": "123456789012", "staging": "123456789012",
                             "prod": "999999999999"}}
BY_PROFILE = GOOD_AWS.replace("123456789012", """'"$(case "${AWS_PROFILE:-}" in prod-admin) echo 999999999999 ;; *) echo 123456789012; esac)"'""")


@pytest.mark.parametrize(("given", "words"), [
    ([], "account 999999999999 needs credentials of its own: those at hand are of account 123456789012; "
         "--profile 999999999999=PROFILE"),
    (["--profile", "999999999999=mine"], "those of the profile mine are of account 123456789012"),
    (["--profile", "prod-admin"], "--profile 'prod-admin': must be ACCOUNT=PROFILE"),
    (["--profile", "111111111111=mine"], "--profile 111111111111=…: none of organisation.auto.tfvars.json's accounts: "
                                         "123456789012, 999999999999"),
])
def test_all_of_it_in_an_account_that_cannot_be_entered(tree: Path, tmp_path: Path, given: list[str], words: str) -> None:
    """Before anything is begun, in any account."""
    fill(tree, TWO_ACCOUNTS)
    path = fake(tmp_path / "bin", aws=BY_PROFILE, terraform="echo began >&2; exit 1", echo="/bin/echo")
    status, said = run(tree / "up", "all", "--yes", *given, path=path)
    assert (status, "began" in said) == (2, False) and words in said, said


# Whatever is asked, nothing is there; who asks is written down.
# A role trusts its own account alone.
EMPTY_AWS = BY_PROFILE.replace("*) echo 'An error", """*assume-role*::999999999999:*) [ "${AWS_PROFILE:-}" = prod-admin ] || { echo 'An error occurred (AccessDenied)' >&2; exit 254; }
    echo '{"Credentials": {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c"}}';;
*assume-role*) echo '{"Credentials": {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c"}}';;
*list-*|*describe-*|*get-resources*|*head-bucket*) echo '{"Roles": [], "Policies": [], "logGroups": [], "HostedZones": []}';; *) echo 'An error""")
NOTING = """[ "$1" = version ] && { echo '{"terraform_version": "1.11.4"}'; exit; }
case "$2" in apply|destroy) echo "$2 ${1##*/} ${AWS_PROFILE:-}" >>"$LOG"; [ "${1##*/}" != "${FAILS:-}" ] || exit 1;; esac"""


def noted(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> tuple[int, str, list[str]]:
    """What a program does with all environments of two accounts: exit status, what it says, what is applied as whom."""
    log = tmp_path / "log"
    monkeypatch.setenv("LOG", str(log))
    monkeypatch.setenv("AWS_PROFILE", "mine")
    fill(tree, TWO_ACCOUNTS)
    path = fake(tmp_path / "bin", aws=EMPTY_AWS, terraform=NOTING)
    status, said = run(tree / program, "all", "--yes", "--no-gitops", "--profile", "999999999999=prod-admin", path=path)
    return status, said, log.read_text().splitlines()


def test_all_is_made_in_order_each_account_as_its_administrator(tree: Path, tmp_path: Path,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    status, said, lines = noted(tree, tmp_path, monkeypatch, "up")
    assert status == 0, said
    assert lines == ["apply bootstrap mine", "apply bootstrap prod-admin", "apply shared mine", "apply dev mine",
                     "apply staging mine", "apply prod prod-admin"]


def test_all_goes_in_the_opposite_order(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status, said, lines = noted(tree, tmp_path, monkeypatch, "down")
    assert status == 0, said
    assert lines == ["destroy prod prod-admin", "destroy staging mine", "destroy dev mine", "destroy shared mine",
                     "apply bootstrap prod-admin", "destroy bootstrap prod-admin", "apply bootstrap mine",
                     "destroy bootstrap mine"]


def test_what_was_done_before_one_failed_is_said(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILS", "dev")
    status, said, lines = noted(tree, tmp_path, monkeypatch, "up")
    assert (status, lines[-1]) == (1, "apply dev mine")
    assert "up: terraform apply of dev failed" in said
    assert "up: done: bootstrap of 123456789012, bootstrap of 999999999999, shared\n" \
           "up: not done: dev, staging, prod\n" in said


def test_what_github_must_know_is_asked_in_each_account_as_who_may(tree: Path, tmp_path: Path,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment in another account is entered with its profile, and with that alone."""
    fill(tree, TWO_ACCOUNTS)
    monkeypatch.setenv("AWS_PROFILE", "mine")
    path = fake(tmp_path / "bin", aws=EMPTY_AWS, terraform=NOTING + """
[ "$2" != output ] || echo '{"region": {"value": "eu-central-1"}}'""")
    status, said = run(tree / "github-variables", "dev", "prod", path=path)
    assert status == 2 and "prod: arn:aws:iam::999999999999:role/glassbox/bootstrap/glassbox-deploy-prod cannot be taken" in said
    status, said = run(tree / "github-variables", "dev", "prod", "--profile", "999999999999=prod-admin", path=path)
    assert status == 2 and "prod: github_environments" in said and "cannot be taken" not in said
    status, said = run(tree / "github-variables", "dev", "--profile", "111111111111=mine", path=path)
    assert status == 2 and "--profile 111111111111=…: none of organisation.auto.tfvars.json's accounts" in said


OUTPUTS = {"cluster_name": "glassbox-x", "region": "eu-central-1", "vpc_id": "vpc-0a", "public_subnets_cidr_blocks": ["10.0.0.0/24"]}
CLUSTER = {"kubectl": """case "$*" in
version*) echo '{"clientVersion": {"gitVersion": "v1.35.2"}, "serverVersion": {"gitVersion": "v1.35.0"}}' ;;
get*) exit 1 ;;
esac"""}


def test_who_made_a_cluster_is_told_how_to_ask_it(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it stops in the middle: prod's Secret must not go where the shell happens to point."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a cache"))
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    outputs = json.dumps({name: {"value": value} for name, value in OUTPUTS.items()})
    terraform = f"""{NOTING}\n[ "$2" != output ] || echo '{outputs}'"""
    aws = EMPTY_AWS.replace("*get-caller", "*update-kubeconfig*) ;; *get-caller", 1)
    path = fake(tmp_path / "bin", **{"aws": aws, "terraform": terraform} | REST | CLUSTER)
    export = f"\n   export KUBECONFIG='{tmp_path}/a cache/glassbox/kubeconfig/glassbox-"
    done = ran(tree / "up", "dev", "--yes", path=path)
    assert done.returncode == 0 and done.stdout.endswith(f"{export}dev'\n"), done.stdout + done.stderr
    assert "kubectl --context glassbox-dev -n argocd get applications -w" in done.stdout
    done = ran(tree / "up", "prod", "--yes", path=path)
    assert done.returncode == 1 and done.stderr.endswith(f"{export}prod'\n"), done.stderr
    assert "kubectl --context glassbox-prod -n monitoring create secret generic glassbox" in done.stderr


SLOW_IAM = """case "$*" in *assume-role*deploy-shared*) echo again >>"$LOG.tries"
    [ "$(wc -l <"$LOG.tries")" -gt 2 ] || { echo 'An error occurred (AccessDenied) when calling the AssumeRole operation' >&2; exit 254; };; esac
"""


def test_a_role_that_was_made_just_now_is_waited_for(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """IAM refuses it for some seconds; one that was there before is refused at once."""
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    path = fake(tmp_path / "bin", aws=SLOW_IAM + EMPTY_AWS, terraform=NOTING, wc='exec /usr/bin/wc "$@"')
    status, said = run(tree / "up", "shared", "--yes", path=path)
    assert status == 2 and "glassbox-deploy-shared cannot be taken" in said
    assert len((tmp_path / "log.tries").read_text().splitlines()) == 1
    (tmp_path / "log.tries").unlink()
    status, said = run(tree / "up", "all", "--yes", "--no-gitops", path=path)
    assert status == 0, said
    assert (tmp_path / "log").read_text().split()[1::2] == ["bootstrap", "shared", "dev", "staging", "prod"]
    assert len((tmp_path / "log.tries").read_text().splitlines()) == 3


@pytest.mark.parametrize(("why", "waits"), [("An error occurred (AccessDenied)", True), ("An error occurred (Throttling)", False)])
def test_a_refusal_stays_a_refusal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], why: str,
                                   waits: bool) -> None:
    """Once the time is up; at once, when it is none that time heals."""
    monkeypatch.syspath_prepend(str(ROOT / "infra/terraform"))
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    from glassbox_terraform import organisation, tools  # noqa: PLC0415  the path comes first
    now = [0.0]

    def refuse(role: str) -> None:
        raise organisation.Failed(f"{role}: {why}")

    monkeypatch.setattr(tools, "assume", refuse)
    monkeypatch.setattr(tools.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(tools.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    with pytest.raises(organisation.Refused, match="glassbox-deploy-dev cannot be taken"):
        tools.allowed(organisation.Target("glassbox", "dev", "123456789012", "eu-central-1", ""), fresh=True)
    assert now[0] == (tools.KNOWN_SECONDS if waits else 0)
    assert ("waiting for IAM to know the role" in capsys.readouterr().out) == waits


def test_a_profile_for_one(tree: Path) -> None:
    status, said = run(tree / "up", "dev", "--profile", "123456789012=mine")
    assert status == 2 and "--profile is for all" in said


@pytest.mark.parametrize(("row", "words"), [
    ({"price": "0.1", "date": "2026-01-01", "source": "a"}, "price '0.1': a number of at least 0, or null"),
    ({"price": -1, "date": "2026-01-01", "source": "a"}, "price -1"),
    ({"price": True, "date": "2026-01-01", "source": "a"}, "price True: a number of at least 0, or null"),
    ({"price": float("nan"), "date": "2026-01-01", "source": "a"}, "price nan: a number of at least 0, or null"),
    ({"price": float("inf"), "date": "2026-01-01", "source": "a"}, "price inf"),
    ({"price": 1, "date": None, "source": SOURCE}, "date None: the day it was read, as 2026-01-31"),
    ({"price": 1, "date": "last week", "source": SOURCE}, "date 'last week': the day it was read, as 2026-01-31"),
    ({"price": 1, "date": "2026-02-30", "source": SOURCE}, "date '2026-02-30'"),
    ({"price": 1, "date": "2026-01-01", "source": ""}, "source '': where it can be read, https://…"),
    ({"price": 1, "date": "2026-01-01", "source": "a friend"}, "source 'a friend': where it can be read, https://…"),
    ({"price": 1, "date": "2026-01-01"}, "source None"),
    ({"price": None, "date": None}, "source None"),
    ({}, "not what prices.json is"),
])
def test_a_price_that_is_none(tmp_path: Path, row: dict, words: str) -> None:
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({"currency": "USD", "region": "x", "prices": {"a": row}, "used": []}))
    status, said = run(ROOT / "infra/terraform/cost", "--prices", file)
    assert status == 2 and words in said


def test_prices_are_multiplied_and_added(tmp_path: Path) -> None:
    """Each its own; one that is missing leaves its own line and the sums with it blank, and no other."""
    if shutil.which("terraform") is None:
        pytest.skip("no terraform")
    said = json.loads((ROOT / "infra/terraform/prices.json").read_text())
    for number, row in enumerate(said["prices"].values()):
        row.update(price=number + 0.25, date="2026-01-01")
    said["prices"]["interface endpoint, zone-hours"].update(price=None, date=None)  # prod's alone
    file = tmp_path / "prices.json"
    file.write_text(json.dumps(said))
    done = subprocess.run([ROOT / "infra/terraform/cost", "--prices", file], capture_output=True, text=True, timeout=SECONDS, check=True)
    assert "1 of 9 unit prices are blank" in done.stdout
    tables = [[line for line in part.splitlines() if line.startswith("| ")][1:] for part in done.stdout.split("## ")[1:4]]
    dev, staging, prod = ([[cell.strip() for cell in line.split("|")[1:-1]] for line in table] for table in tables)
    assert ["NAT gateway, hours", "730", "1.25", "2026-01-01 [source](https://aws.amazon.com/vpc/pricing/)", "912.50"] in dev
    assert "2190" == {row[0]: row[1] for row in staging}["NAT gateway, hours"]
    for *rows, total in (dev, staging):
        for name, amount, price, _, cost in rows:
            assert price == f"{said['prices'][name]['price']:g}" and float(cost) == float(amount) * float(price) > 0, name
        assert float(total[-1]) == sum(float(row[-1]) for row in rows)
    assert {row[0] for row in prod if not row[-1]} == {"interface endpoint, zone-hours", "all of these"}
