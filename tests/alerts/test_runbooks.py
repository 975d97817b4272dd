"""Each alert has a runbook, each runbook an alert; what is in them can be pasted, and answers.

Every query is asked of a real Prometheus that watches the real service in trouble (stage.py), every
command that says so is run there; what a page links to is there.
"""

import json
import math
import re
import signal
import subprocess
from pathlib import Path
from typing import Iterator

import promql_parser
import pytest
import yaml

import contract
import links
import markdown
from drills.table import DRILLS
from promtool import rules
from service import ROOT
from stage import Stage
from wire import eventually

pytestmark = pytest.mark.timeout(180)

FOLDER = ROOT / "alerts/runbooks"
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation", "Practise"]
PAGES = {path.stem: links.document(path) for path in sorted(FOLDER.glob("Glassbox*.md"))}
LANGUAGES = {"promql": {"cluster"}, "sh": {"run"}}  # and the marks that a block of them may have
ROW = re.compile(r"^\| \[(Glassbox\w+)\]\((Glassbox\w+)\.md\) \| ([^|]+) \| [^|]+ \| ([^|]+) \|$", re.M)


def blocks(language: str, *marks: str) -> list:
    """Parameters: the blocks of a language that have these marks, by page and line."""
    return [pytest.param(block, id=f"{name}:{block.line}") for name, page in PAGES.items()
            for block in page.blocks
            if block.language == language and set(marks) <= set(block.marks)]


def alerts() -> list[dict]:
    """The alerting rules of the profile `real`."""
    return [rule for rule in rules("real") if "alert" in rule]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The bad night; what it takes apart at the end is checked by who was in it."""
    with Stage(tmp_path_factory.mktemp("night")) as night:
        yield night


# ---- pages and alerts ---------------------------------------------------------------------------

def test_each_alert_has_a_runbook_and_each_runbook_an_alert() -> None:
    assert {rule["alert"] for rule in alerts()} == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_runbook_has_all_its_parts(name: str) -> None:
    page = PAGES[name]
    assert page.headings == [(1, name)] + [(2, heading) for heading in HEADINGS]
    for heading in HEADINGS:
        assert len(page.section(heading)) >= 20, heading
    assert "It resolves" in page.section("Mitigation") or name == "GlassboxDeadMansSwitch"
    assert any(block.language in LANGUAGES for block in page.blocks)
    for block in page.blocks:
        assert block.language in LANGUAGES, f"line {block.line}: {block.language}"
        assert set(block.marks) <= LANGUAGES[block.language], f"line {block.line}: {block.marks}"


def test_no_two_pages_say_the_same() -> None:
    """A mitigation that was copied was not thought about."""
    texts = [page.section(heading) for page in PAGES.values() for heading in HEADINGS[:4]]
    assert len(set(texts)) == len(texts)


def test_alerts_lead_to_their_runbook_and_to_a_dashboard() -> None:
    base = yaml.safe_load((ROOT / "alerts/slo.yaml").read_text())["links"]
    boards = {yaml.safe_load(path.read_text())["uid"]
              for path in (ROOT / "dashboards/json").glob("*.json")}
    assert alerts()
    for rule in alerts():
        notes = rule["annotations"]
        assert notes["runbook_url"] == f"{base['runbooks']}/{rule['alert']}.md"
        assert links.external(notes["runbook_url"]) is None
        found = re.match(re.escape(base["dashboards"]) + r"/d/([\w-]+)\?", notes["dashboard_url"])
        assert found and found[1] in boards, f"{rule['alert']}: {notes['dashboard_url']}: {boards}"


def test_the_table_has_each_page_with_its_severity() -> None:
    text = (FOLDER / "README.md").read_text()
    rows = ROW.findall(text)
    assert [name for name, *_ in rows] == sorted(PAGES)
    assert all(name == link for name, link, *_ in rows)
    severities: dict[str, set[str]] = {}
    for rule in alerts():
        severities.setdefault(rule["alert"], set()).add(rule["labels"]["severity"])
    assert {name: set(severity.split(", ")) for name, _, severity, _ in rows} == severities


def test_a_page_says_drill_where_there_is_one() -> None:
    drilled = {drill.alert for drill in DRILLS}
    rows = ROW.findall((FOLDER / "README.md").read_text())
    assert {name for name, *_, by in rows if by == "drill"} == drilled
    for name, page in PAGES.items():
        assert (f"`alerts/drill {name}`" in page.section("Practise")) == (name in drilled), name


# Options of others, as pages name them.
OTHERS = {"--enable-feature", "--web.enable-lifecycle", "--fast", "--severity", "--list"}


@pytest.mark.parametrize("name", PAGES)
def test_settings_and_reasons_are_there(name: str) -> None:
    """Each option, variable and reason that a page names is one that the program has."""
    text = PAGES[name].path.read_text()
    docs = {doc: (ROOT / f"docs/{doc}.md").read_text() for doc in ("options", "variables", "metrics")}
    for option in set(re.findall(r"`(--[a-z][a-z.-]+)", text)) - OTHERS - {"--print-config"}:
        assert f"| `{option}` |" in docs["options"], option
    for variable in re.findall(r"\bOTEL_[A-Z_]+[A-Z]\b(?!_?\*)", text):
        assert f"| `{variable}` |" in docs["variables"], variable
    table = re.findall(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*)[^|]* \|", text, re.M)
    named = re.findall(r'(?:error_type|reason)="([a-z_]+)"', text)
    for reason in named + re.findall(r"`([a-z_]+)`", " ".join(table)):
        assert f"`{reason}`" in docs["metrics"], reason


# ---- queries ------------------------------------------------------------------------------------

@pytest.mark.parametrize("block", blocks("promql"))
def test_a_query_parses(block: markdown.Block) -> None:
    promql_parser.parse(block.text)


@pytest.mark.parametrize("block", blocks("promql"))
def test_a_query_holds_to_the_contract(block: markdown.Block) -> None:
    assert contract.problems(contract.Expression("a runbook", block.text)) == []


@pytest.mark.parametrize("block", blocks("promql"))
def test_a_query_answers(stage: Stage, block: markdown.Block) -> None:
    def answers() -> list[dict]:
        data = stage.prometheus.api("query", query=block.text)
        assert data is None or data["resultType"] == "vector"
        return [sample for sample in (data or {}).get("result", [])
                if not math.isnan(float(sample["value"][1]))]
    assert eventually(answers, timeout=30, pause=0.5), block.text


@pytest.mark.parametrize("signal_name", ["spans", "log", "log_records"])
def test_full_queues_are_seen_by_their_alert(stage: Stage, signal_name: str) -> None:
    """A queue is full when the workers' parts are, whatever is free in the main thread's."""
    query = f'count(ALERTS{{alertname="GlassboxQueueNearlyFull", signal="{signal_name}"}})'
    assert stage.prometheus.wait(query, 1)


# ---- commands -----------------------------------------------------------------------------------

@pytest.mark.parametrize("block", blocks("sh"))
def test_a_command_is_bash(block: markdown.Block) -> None:
    done = subprocess.run(["bash", "-n"], input=block.text, text=True, capture_output=True,
                          check=False, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("block", blocks("sh", "run"))
def test_a_command_runs_and_says_something(stage: Stage, block: markdown.Block) -> None:
    script = f"set -euo pipefail\n. alerts/runbooks/env.sh\n{block.text}\n"

    def run() -> subprocess.CompletedProcess:
        return subprocess.run(["bash"], input=script, text=True, capture_output=True, check=False,
                              timeout=60, cwd=ROOT, env=stage.variables())
    done = eventually(lambda: (result := run()).stdout.strip() and result, timeout=15, pause=0.5) \
        or run()
    assert done.returncode in (0, 128 + signal.SIGPIPE), done.stderr  # head has enough
    assert done.stdout.strip(), f"says nothing: {block.text}"
    assert "command not found" not in done.stderr and "jq: error" not in done.stderr, done.stderr


def test_what_a_page_would_do_is_not_run_by_the_test() -> None:
    """Commands that change something are for people."""
    for param in blocks("sh", "run"):
        text = param.values[0].text
        assert not re.search(r"\b(kubectl|kill|systemctl|DELETE|PUT|POST|silence add)\b", text), text


# ---- env.sh -------------------------------------------------------------------------------------

def run_env(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess:
    """A script with env.sh sourced, in an environment that has nothing else."""
    return subprocess.run(
        ["bash", "-c", f". {FOLDER}/env.sh {script}"], text=True, capture_output=True, check=False,
        timeout=20, cwd=folder, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", **variables})


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(
        "#Version: 1.0\n#Fields: date x-error sc-status\n2026-11-26\told\t200\n"
        "#Fields: date sc-status cs(User-Agent) x-error\n"
        '2026-11-26\t503\t"a b"\t503\n#Remark: 3 lines lost (reason=queue_full)\n'
        "2026-11-26\t200\t-\t-\n{\"level\":\"info\"}\n")
    (tmp_path / "later").write_text("".join(
        (tmp_path / "log").read_text().splitlines(keepends=True)[3:]))
    done = run_env('; access x-error sc-status "cs(User-Agent)"', tmp_path, ACCESS_LOG="later")
    assert (done.stdout, done.returncode) == ('503\t503\t"a b"\n-\t200\t-\n', 0)
    done = run_env("; access x-error x-nothing", tmp_path, ACCESS_LOG="later")
    assert (done.stdout, done.returncode) == ("", 1) and "no field x-nothing" in done.stderr


def test_the_end_of_a_log_has_the_default_columns(tmp_path: Path) -> None:
    line = "\t".join(["2026-11-26", "10:00:00.5", *(f"v{i}" for i in range(3, 20)), "/r", "e", "f"])
    done = run_env(f"; printf '%s\\n' '{line}' | ACCESS_LOG=/dev/stdin access x-route x-error x-fault date",
                   tmp_path)
    assert done.stdout == "/r\te\tf\t2026-11-26\n", done.stderr


def test_a_stack_s_file_gives_the_addresses(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text(json.dumps({
        "service": "http://a:1", "operators": "http://b:2", "prometheus": "http://c:3",
        "alertmanager": "http://d:4", "webhook": "http://e:5", "token_file": "/f/token",
        "plan_file": "/f/faults.json", "folder": "/f", "pids": {"service": 77}}))
    done = run_env("stack.json; echo $SERVICE $OPERATORS $PROMETHEUS $ALERTMANAGER $WEBHOOK $TOKEN_FILE"
                   " $PLAN_FILE $ACCESS_LOG $DIAGNOSTICS $GLASSBOX_PID", tmp_path, SERVICE="http://old")
    assert done.stdout.split() == [
        "http://a:1", "http://b:2", "http://c:3", "http://d:4", "http://e:5", "/f/token",
        "/f/faults.json", "/f/log/access.log", "/f/log/service.log", "77"], done.stderr


def test_what_is_set_stays(tmp_path: Path) -> None:
    done = run_env("; echo $SERVICE $PROMETHEUS", tmp_path, SERVICE="http://mine:1", GLASSBOX_PID="1")
    assert done.stdout.split() == ["http://mine:1", "http://127.0.0.1:9090"], done.stderr
