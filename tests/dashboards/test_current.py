"""What is committed is what the source makes; and a change of an objective moves the lines."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reading import FOLDER, ROOT, read

SERVICE = "dashboards/json/service.json"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources, to be changed."""
    for name in ("dashboards", "alerts"):
        shutil.copytree(ROOT / name, tmp_path / name,
                        ignore=shutil.ignore_patterns("__pycache__", "*.prom"))
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs/contract.json", tmp_path / "docs")
    return tmp_path


def generate(root: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(root / "dashboards/generate.py"), *arguments],
                          capture_output=True, text=True, timeout=120)


def test_what_is_committed_is_current():
    done = generate(ROOT, "--check")
    assert done.returncode == 0, done.stderr


def test_what_is_stale_missing_or_nobodys_is_told(copy: Path):
    assert generate(copy, "--check").returncode == 0
    (copy / SERVICE).write_text("{}")
    (copy / "dashboards/json/slo.json").unlink()
    (copy / "dashboards/json/old.json").write_text("{}")
    done = generate(copy, "--check")
    assert done.returncode == 1
    assert {line.split(":")[0] for line in done.stderr.splitlines()} == {
        SERVICE, "dashboards/json/slo.json", "dashboards/json/old.json"}
    assert generate(copy).returncode == 0
    assert (copy / SERVICE).read_text() == (ROOT / SERVICE).read_text()


@pytest.mark.parametrize("file,old,new,board", [
    ("alerts/slo.yaml", "symptom: {error_ratio: 0.05,", "symptom: {error_ratio: 0.07,", "service"),
    ("alerts/source/saturation.yaml", "> 0.9", "> 0.95", "saturation")])
def test_a_line_follows_its_source(copy: Path, file: str, old: str, new: str, board: str):
    path = copy / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    done = generate(copy, "--check")
    assert done.returncode == 1 and f"dashboards/json/{board}.json" in done.stderr, done.stderr
    generate(copy)
    value = new.strip(",").split(" ")[-1]
    assert value in (copy / f"dashboards/json/{board}.json").read_text()
    assert value not in (FOLDER / f"json/{board}.json").read_text()


def test_the_line_of_slow_requests_is_the_smallest_budget(copy: Path):
    """Objectives that differ: below the line all of them are kept."""
    path = copy / "alerts/slo.yaml"
    path.write_text(path.read_text().replace("latency: {objective: 99,", "latency: {objective: 99.5,", 1))
    assert generate(copy).returncode == 0
    board = read(copy / SERVICE)
    panel = next(one for one in board.panels if one["title"] == "Slower than the objective")
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [step["value"] for step in steps] == [None, 0.005]


def own_figures(source: str) -> list[int]:
    """The lines of a board on which a graph is given a step that is a figure of its own. Zero is the
    end of a budget, wherever it comes from."""
    return [figure.lineno for call in ast.walk(ast.parse(source))
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "graph"
            for keyword in call.keywords if keyword.arg == "steps"
            for figure in ast.walk(keyword.value)
            if isinstance(figure, ast.Constant) and isinstance(figure.value, (int, float)) and figure.value]


def test_no_line_across_a_graph_is_a_figure_of_its_own():
    boards = sorted((FOLDER / "boards").glob("*.py"))
    assert len(boards) > 7
    assert {path.name: found for path in boards if (found := own_figures(path.read_text()))} == {}
    assert own_figures("graph('a',\n steps=rising(warn=0.8))") == [2]
    assert own_figures("graph('a', steps=rising(limit('A')), most=1)\nfigure('b', steps=[(1, 2)])") == []


def test_no_window_of_a_burn_stands_in_for_another():
    """Each profile of the rules has its own; a window that both have is told apart by the profile."""
    profiles = {name: set(re.findall(r"record: slo:sli_error:ratio_rate(\w+)", (
        ROOT / f"alerts/prometheus/{name}/slo.rules.yaml").read_text())) for name in ("real", "fast")}
    asked = [target["expr"] for panel in read(ROOT / "dashboards/json/slo.json").panels
             if panel["title"].startswith("Burn, ") for target in panel["targets"]]
    assert len(asked) == 8
    for text in asked:
        (real, mine), (fast, other) = re.findall(r"ratio_rate(\w+)\{([^}]*)\}", text)
        assert real in profiles["real"] and fast in profiles["fast"], text
        assert 'profile="fast"' in other, text
        assert ('profile=""' in mine) == (real in profiles["fast"]), text
