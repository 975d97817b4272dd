"""The Gateway API's CRDs for a cluster: out of a Go module, once; with a program in Go's place."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GO = """#!/bin/sh
echo "$(pwd) $*" >>{folder}/log
case "$1 $2" in
"env GOVERSION") echo go1.99.0 ;;
"mod download") [ ! -e {folder}/refuse ] || {{ echo "no route to host" >&2; exit 1; }} ;;
"list -m") echo {folder}/module ;;
esac
"""
VERSION = re.search(r"sigs\.k8s\.io/gateway-api (v\S+)", (ROOT / ".ci/tools/traefik/go.mod").read_text())[1]


def crds(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    rest = {name: value for name, value in os.environ.items() if name != "GATEWAY_API_CRDS"}
    return subprocess.run([ROOT / ".ci/crds.sh"], check=False, capture_output=True, text=True, timeout=60,
                          env=rest | {"GLASSBOX_CACHE": str(folder / "cache"),
                                      "PATH": f"{folder}/bin:{os.environ['PATH']}"} | environment)


def module(folder: Path) -> None:
    """Go, and what it would have fetched."""
    (folder / "bin").mkdir()
    (folder / "bin/go").write_text(GO.format(folder=folder))
    (folder / "bin/go").chmod(0o755)
    for name in ("standard/gateway.networking.k8s.io_a", "standard/gateway.networking.k8s.io_b",
                 "experimental/gateway.networking.k8s.io_c", "kustomization"):
        path = folder / f"module/config/crd/{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"name: {path.stem[-1]}\n")


def test_made_once(tmp_path: Path) -> None:
    """Of the standard channel alone; after a failure it is tried again, and then not any more."""
    module(tmp_path)
    (tmp_path / "refuse").touch()
    done = crds(tmp_path)
    assert (done.returncode, done.stdout) == (1, "cannot be had: sigs.k8s.io/gateway-api: no route to host\n")

    (tmp_path / "refuse").unlink()
    done = crds(tmp_path)
    made = tmp_path / f"cache/gateway-api-{VERSION}.yaml"
    assert (done.returncode, done.stdout) == (0, f"{made}\n"), done.stderr
    assert made.read_text() == "---\nname: a\n---\nname: b\n"
    assert f"{ROOT}/.ci/tools/traefik mod download sigs.k8s.io/gateway-api\n" in (tmp_path / "log").read_text()

    before = (tmp_path / "log").read_text()
    assert crds(tmp_path).stdout == f"{made}\n" and (tmp_path / "log").read_text() == before


def test_a_file_that_is_given_is_taken(tmp_path: Path) -> None:
    assert crds(tmp_path, GATEWAY_API_CRDS="some/file").stdout == f"{ROOT}/some/file\n"
