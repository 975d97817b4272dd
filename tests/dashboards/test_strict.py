"""Grafana's own Go SDK reads the dashboards strictly; and what it must catch, it catches."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Callable

import pytest

from reading import FILES, FOLDER

SERVICE = FOLDER / "json/service.json"


def read(*paths: Path) -> subprocess.CompletedProcess:
    """The tool on these files."""
    tool = os.environ.get("DASHBOARDS_BIN")
    if not tool:
        pytest.skip("needs DASHBOARDS_BIN")
    return subprocess.run([tool, *map(str, paths)], capture_output=True, text=True, timeout=60)


def test_all_are_well_formed():
    done = read(*FILES)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("well formed") == len(FILES) >= 7


def graph(document: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in document["panels"] if one["type"] == "timeseries")


# what is wrong, how it is made wrong, what must be said of it
SPOILT: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("an unknown field", lambda d: d.update(refreshes="10s"), "refreshes"),
    ("an unknown field of a panel", lambda d: graph(d).update(titel="x"), "titel"),
    ("a wrong type", lambda d: d.update(editable="no"), "editable"),
    ("a wrong type below", lambda d: graph(d)["gridPos"].update(w="8"), "gridPos"),
    ("an unknown field of a query", lambda d: graph(d)["targets"][0].update(expression="up"),
     "expression"),
    ("a wrong type of a query", lambda d: graph(d)["targets"][0].update(exemplar="yes"), "exemplar"),
    ("an unknown option of a panel", lambda d: graph(d)["options"].update(legends={}), "legends"),
    ("an unknown option of a graph",
     lambda d: graph(d)["fieldConfig"]["defaults"]["custom"].update(lineWith=2), "lineWith"),
    ("a target that names no datasource", lambda d: graph(d)["targets"][0].pop("datasource"),
     "no datasource of its own"),
    ("a variable's unknown field", lambda d: d["templating"]["list"][1].update(lable="Job"), "lable"),
    ("an annotation's unknown field", lambda d: d["annotations"]["list"][0].update(color="red"),
     "color"),
    ("an annotation's text of a wrong type",
     lambda d: d["annotations"]["list"][0].update(titleFormat=1), "titleFormat"),
]


@pytest.mark.parametrize("spoil,said", [row[1:] for row in SPOILT], ids=[row[0] for row in SPOILT])
def test_what_is_wrong_is_told(spoil: Callable[[dict[str, Any]], Any], said: str, tmp_path: Path):
    document = json.loads(SERVICE.read_text())
    spoil(document)
    path = tmp_path / "spoilt.json"
    path.write_text(json.dumps(document))
    done = read(path)
    assert done.returncode == 1 and said in done.stdout, done.stdout + done.stderr


def test_no_json_is_told(tmp_path: Path):
    path = tmp_path / "no.json"
    path.write_text("{")
    assert read(path).returncode == 1
    assert read(tmp_path / "missing.json").returncode == 1
    assert read().returncode == 1
