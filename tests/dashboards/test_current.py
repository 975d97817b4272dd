"""What is committed is what the source makes; and a change of an objective moves the lines."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reading import FOLDER, ROOT

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
