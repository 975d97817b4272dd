"""The charts of others for a node that has no way out: fetched from outside, once; with a program in helm's place."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HELM = """#!/bin/sh
echo "$*" >>{log}
[ "$2" != prometheus-adapter ] || [ ! -e {log}.refuse ] || {{ echo no route to host >&2; exit 1; }}
for last; do :; done
[ "$1" = pull ] && echo "a chart" >"$last/$2-$6.tgz"
"""


def charts(cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    rest = {name: value for name, value in os.environ.items() if name != "CHARTS_DIR"}
    return subprocess.run([ROOT / ".ci/charts.sh"], check=False, capture_output=True, text=True, timeout=60,
                          env=rest | {"GLASSBOX_CACHE": str(cache)} | environment)


def helm(cache: Path) -> Path:
    """In the place where .ci/kubectl.sh has put it; returns the file of what it is told."""
    pin = re.search(r"^KUBECTL_SHA512=(\w{16})", (ROOT / ".ci/versions.env").read_text(), re.MULTILINE)
    assert pin
    folder = cache / f"kubectl-{pin[1]}"
    folder.mkdir(parents=True)
    (folder / "helm").write_text(HELM.format(log=cache / "log"))
    (folder / "helm").chmod(0o755)
    (folder / "complete").touch()
    return cache / "log"


def test_fetched_once(tmp_path: Path) -> None:
    """After a failure what is missing alone."""
    log = helm(tmp_path)
    (tmp_path / "log.refuse").touch()
    done = charts(tmp_path)
    assert done.returncode == 1
    assert re.fullmatch(r"cannot be had: prometheus-adapter [0-9.]+ from https://\S+: no route to host\n", done.stdout)

    (tmp_path / "log.refuse").unlink()
    assert charts(tmp_path).stdout == f"{tmp_path}/charts\n"
    assert [line.split()[1] for line in log.read_text().splitlines()] == ["kube-prometheus-stack", "prometheus-adapter",
                                                                         "prometheus-adapter"]
    found = sorted(path.name for path in (tmp_path / "charts").iterdir())
    assert [re.sub(r"-[0-9.]+tgz", "", name) for name in found] == ["kube-prometheus-stack", "prometheus-adapter"]
    assert all((tmp_path / "charts" / name).read_text() == "a chart\n" for name in found)

    before = log.read_text()
    assert charts(tmp_path).returncode == 0
    assert log.read_text() == before


def test_a_folder_that_is_given_is_taken(tmp_path: Path) -> None:
    assert charts(tmp_path, CHARTS_DIR="some/where").stdout == f"{ROOT}/some/where\n"
