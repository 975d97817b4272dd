"""A node leaves nothing behind, whichever way it ends: mounts, links, processes, cgroups, kernel settings,
files (life.py tells how it is lived)."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from glassbox_cluster import tools
from glassbox_cluster.cgroups import Hierarchies
from glassbox_cluster.places import cache_folder
from glassbox_cluster.refused import Refused

LIFE = Path(__file__).with_name("life.py")
# A machine of its own, as far as a node could change one.
ALONE = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
EMPTY = "for folder in /var/lib /var/log /run; do mount -t tmpfs tmpfs $folder || exit; done"
# Its process 1 waits for children that are not its own, as it should; or it does not, as in many a container.
INIT = f'{EMPTY}; "$@"; exit $?'
LAZY = f'{EMPTY}; exec "$@"'


def live(scenario: str, home: Path, init: str = INIT) -> dict[str, Any]:
    try:
        tools.check()
        Hierarchies("none").check()
    except Refused as why:
        pytest.skip(f"no node can be made here: {why}")
    real = os.environ.get("CLUSTER_REAL")
    environment = os.environ | {"HOME": str(home), "CLUSTER_NAME": f"life-{os.getpid()}",
                                "GLASSBOX_CACHE": str(cache_folder() if real else home / "cache")}
    done = subprocess.run([*ALONE, "sh", "-c", init, "sh", sys.executable, str(LIFE), scenario], check=False,
                          capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    life: dict[str, Any] = json.loads(done.stdout)
    was_there(life["during"])
    return life


def was_there(during: dict[str, Any]) -> None:
    """Without it, nothing would be left of nothing."""
    assert "localhost/pause:1" in during["images"]
    assert {"containerd", "etcd" if os.environ.get("CLUSTER_REAL") else "sleep"} <= set(during["processes"])
    assert during["forwarding"] == "1"
    assert during["borrowed"] == ["/var/lib/kubelet", "/var/lib/cni", "/var/log/containers"]
    assert during["cgroups"] and during["memory"] > 0


def left(life: dict[str, Any], when: str) -> dict[str, list[str]]:
    """What is there that was not, and what is no longer, by kind."""
    found = {}
    for kind, was in life["before"].items():
        lost, new = (sorted(map(str, one)) for one in (was, life[when][kind]))
        if isinstance(was, dict):
            lost, new = (sorted(f"{name}={value}" for name, value in one.items()) for one in (was, life[when][kind]))
        if lost != new:
            found[kind] = [f"+ {one}" for one in new if one not in lost] + [f"- {one}" for one in lost if one not in new]
    return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Its own home and cache; what they hold of programs is made before the node is."""
    (tmp_path / "cache").mkdir()
    return tmp_path


@pytest.mark.parametrize("scenario, status", [("down", 0), ("up is interrupted", 130), ("up is killed", -9)])
def test_nothing_is_left(scenario: str, status: int, home: Path) -> None:
    """By itself: nobody calls `down` afterwards."""
    life = live(scenario, home)
    assert life["status"] == status
    assert left(life, "between") == {}
    assert left(life, "after") == {}


@pytest.mark.parametrize("scenario, status", [("process 1 is killed", 0), ("up gives up", 1)])
def test_logs_alone_are_left(scenario: str, status: int, home: Path) -> None:
    """Until `down`: whoever did not end the node wants to know what did."""
    if os.environ.get("CLUSTER_REAL") and scenario == "up gives up":
        pytest.skip("only a played `up` can be told to")
    life = live(scenario, home)
    assert life["status"] == status
    assert set(left(life, "between")) == {"files"}
    assert {"containerd.log", "keeper.log", "node.log"} <= set(life["logs"])
    assert left(life, "after") == {}


def test_nobody_waits(home: Path) -> None:
    """What `up` had running inside when it was killed stays a zombie of the machine's process 1, which the
    node's own cannot leave behind; the rest does not wait for that."""
    life = live("up is killed", home, LAZY)
    assert left(life, "between") == {}


def test_killed_keeper(home: Path) -> None:
    """It takes the node with it; what it owned is removed by the next `down`."""
    life = live("the keeper is killed", home)
    assert set(left(life, "between")) == {"files", "cgroups"}
    assert left(life, "after") == {}
