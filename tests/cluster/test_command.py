"""What the command refuses, by name, and with which exit status."""

import os
import subprocess
from pathlib import Path

import pytest
from glassbox_cluster.places import ROOT

CLUSTER = ROOT / "infra/cluster/cluster"


def cluster(*words: str, cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([CLUSTER, *words], check=False, capture_output=True, text=True, timeout=60,
                          env=os.environ | {"GLASSBOX_CACHE": str(cache), "CLUSTER_NAME": "nobody"} | environment)


@pytest.mark.parametrize("words, environment, status, message", [
    ((), {}, 2, "cluster up"),
    (("fly",), {}, 2, "no command 'fly'"),
    (("up", "--images", "pause,rocket"), {}, 2, "no image rocket; there are: pause coredns"),
    (("up",), {"CLUSTER_NAME": "Big_Name"}, 2, "CLUSTER_NAME='Big_Name': a name of at most 40 small letters"),
    (("up",), {"CLUSTER_NAME": "a" * 41}, 2, "a name of at most 40"),
    (("up",), {"CLUSTER_NAME": "../up"}, 2, "CLUSTER_NAME='../up'"),
    (("up",), {"CLUSTER_DRIVER": "podman"}, 2, "CLUSTER_DRIVER='podman': it may be node or kind"),
    (("up",), {"GLASSBOX_CACHE": "/run/cache"}, 2, "the cache may not be below /run"),
    (("up",), {"PATH": "/nowhere", "CLUSTER_DRIVER": "node"}, 75, "not installed: containerd, ctr, runc"),
    (("down", "now"), {}, 2, "what is 'now'?"),
    (("enter",), {}, 2, "enter: which command?"),
    (("enter", "true"), {}, 1, "no node 'nobody' is running: `infra/cluster/cluster up`"),
    (("status",), {}, 1, "no node 'nobody' is running"),
    (("load",), {}, 2, "load: which images? --all"),
    (("load", "pause"), {}, 1, "no node 'nobody' is running"),
])
def test_refusals(words: tuple[str, ...], environment: dict[str, str], status: int, message: str, tmp_path: Path) -> None:
    if os.geteuid() != 0 and "running" in message:
        pytest.skip("only root may enter a node")
    done = cluster(*words, cache=tmp_path, **environment)
    assert message in done.stderr
    assert done.returncode == status
    assert list(tmp_path.iterdir()) == []


def test_down_of_nothing(tmp_path: Path) -> None:
    done = cluster("down", cache=tmp_path)
    assert done.returncode == 0
    assert "no node 'nobody': nothing to do" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help(tmp_path: Path) -> None:
    done = cluster("--help", cache=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("A Kubernetes node of our own")


@pytest.mark.skipif(os.geteuid() != 0, reason="who is not root is refused: shown by becoming somebody else")
def test_not_root(tmp_path: Path) -> None:
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c",
                           "from glassbox_cluster import tools; tools.check()"], check=False, capture_output=True,
                          text=True, cwd="/", env={"PYTHONPATH": str(CLUSTER.parent), "PYTHONDONTWRITEBYTECODE": "1"})
    assert "a node needs root: it makes namespaces, mounts and cgroups" in done.stderr
