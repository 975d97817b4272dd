"""Where Docker runs, the same commands are kind's: what it is told, with a program in its place that writes that
down. No engine is needed, so none of kind itself is shown."""

import json
import os
import signal
from pathlib import Path

import pytest
from glassbox_cluster import cli, images, kind, lock, tools
from glassbox_cluster.places import HERE, Place
from glassbox_cluster.refused import Refused

KIND = """#!/bin/sh
echo "$*" >> {log}
case "$*" in
*image-archive*) tar xOf "$3" index.json >> {log} && echo >> {log} ;;
"create cluster"*) exit {create} ;;
"delete cluster"*) exit {delete} ;;
esac
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of what kind was told."""
    monkeypatch.setenv("GLASSBOX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CLUSTER_NAME", "some")
    monkeypatch.setenv("CLUSTER_DRIVER", "kind")
    monkeypatch.setattr(tools, "clients", lambda: ("/clients", ""))
    play(tmp_path, monkeypatch)
    return tmp_path / "log"


def play(folder: Path, monkeypatch: pytest.MonkeyPatch, create: str = "0", delete: int = 0) -> None:
    """With these exit statuses; `create` may do more before."""
    program = folder / "kind"
    program.write_text(KIND.format(log=folder / "log", create=create, delete=delete))
    program.chmod(0o755)
    def built(*names: str) -> list[str]:
        assert names in ((), ("kind",)), "what kind needs not"
        return [str(program) for _ in names]

    monkeypatch.setattr(tools, "built", built)


def command(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["cluster", *words])
    return cli.main()


def test_life(told: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "cache/cluster/some"
    assert command(monkeypatch, "up", "--images", "tools") == 0
    create, load, index = told.read_text().splitlines()[:3]
    assert create == (f"create cluster --config {HERE}/kind.yaml --kubeconfig {state}/kind.kubeconfig --wait 180s "
                      "--name some")
    assert load.startswith("load image-archive ") and load.endswith("/image.tar --name some")
    assert json.loads(index)["manifests"][0]["annotations"]["io.containerd.image.name"] == "localhost/tools:1"

    assert command(monkeypatch, "up") == 1
    assert "the cluster 'some' is there already" in capsys.readouterr().err

    ran: list[tuple[str, list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execvpe", lambda *call: ran.append(call))
    command(monkeypatch, "enter", "kubectl", "get", "pods")
    program, words, environment = ran[0]
    assert (program, words) == ("kubectl", ["kubectl", "get", "pods"])
    assert environment["KUBECONFIG"] == f"{state}/kind.kubeconfig"
    assert environment["PATH"].startswith("/clients:")
    assert environment["HELM_CACHE_HOME"] == f"{state}/helm/cache"

    # Its kubelets sign their own certificates and its control plane is pods: not what the node's values say.
    capsys.readouterr()
    assert command(monkeypatch, "values") == 0
    assert capsys.readouterr().out == f"{HERE}/values-kind\n"

    assert command(monkeypatch, "down") == 0
    assert told.read_text().splitlines()[-1] == f"delete cluster --kubeconfig {state}/kind.kubeconfig --name some"
    assert [found.name for found in (tmp_path / "cache").iterdir()] == []
    capsys.readouterr()
    assert command(monkeypatch, "values") == 0
    assert capsys.readouterr().out == f"{HERE}/values\n"


@pytest.mark.parametrize("delete", [0, 1])
def test_failed_start_leaves_nothing(delete: int, told: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                     capsys: pytest.CaptureFixture[str]) -> None:
    """Nor does it say that the removal failed, where there was nothing to remove: an engine that has gone."""
    play(tmp_path, monkeypatch, create="1", delete=delete)
    assert command(monkeypatch, "up") == 1
    assert "kind create cluster" in capsys.readouterr().err.splitlines()[-1]
    assert told.read_text().splitlines()[-1].startswith("delete cluster ")
    assert [found.name for found in (tmp_path / "cache").iterdir()] == []


def test_two_at_once(told: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                     capsys: pytest.CaptureFixture[str]) -> None:
    """The second is refused by name, while the first starts and after."""
    place = Place("some", tmp_path / "cache")
    handle = lock.take(place)
    assert command(monkeypatch, "up") == 1
    assert "'some' is being started or stopped by somebody else" in capsys.readouterr().err
    assert not told.exists(), "kind was not asked"
    os.close(handle)
    assert command(monkeypatch, "up") == 0
    assert command(monkeypatch, "up") == 1
    assert "'some' is there already" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["TERM", "HUP", "INT"])
def test_interrupted_start_leaves_nothing(number: str, told: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(tmp_path, monkeypatch, create=f"$(kill -{number} $PPID && sleep 5 && echo 0)")
    kept = [(one, signal.getsignal(one)) for one in (signal.SIGTERM, signal.SIGHUP)]
    try:
        assert command(monkeypatch, "up") == 130
    finally:
        for one, handler in kept:
            signal.signal(one, handler)
    assert told.read_text().splitlines()[-1].startswith("delete cluster ")
    assert [found.name for found in (tmp_path / "cache").iterdir()] == []


def test_builds_nothing_of_a_node(told: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Which are minutes of Kubernetes; pause and coredns come with kind's own nodes."""
    assert command(monkeypatch, "build", "pause", "tools") == 0
    assert capsys.readouterr().out == "localhost/tools:1\n"
    assert not told.exists()


def test_three_nodes_of_one_pinned_image() -> None:
    lines = [line.strip() for line in (HERE / "kind.yaml").read_text().splitlines()]
    assert [line for line in lines if line.startswith("- role")] == ["- role: control-plane"] + ["- role: worker"] * 2
    pins = {line for line in lines if line.startswith("image:")}
    assert len(pins) == 1 and "@sha256:" in pins.pop()
    released = images.pinned("kind", "sigs.k8s.io/kind", "")()
    assert f"kind {released} was released with" in " ".join(lines)


def test_where_there_is_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLUSTER_DRIVER", raising=False)
    for says, wanted in (("29.1.2\n", True), ("", False)):
        monkeypatch.setattr(tools, "output", lambda _, says=says: says)
        assert kind.wanted() is wanted
    monkeypatch.setenv("CLUSTER_DRIVER", "podman")
    with pytest.raises(Refused, match="it may be node or kind"):
        kind.wanted()
