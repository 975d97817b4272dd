"""One life of a node and what it left, as JSON: `life.py SCENARIO`, started by test_leaves_nothing.py.

The node is real in all that could stay behind: namespaces, mounts, network, cgroups, containerd, an image.
Only Kubernetes' programs are played by one that does nothing, so that a life takes seconds and no build; its
`up` waits for the API server until it is ended one way or another. With CLUSTER_REAL=1 in the environment
it is the whole `cluster up`, with a pod in it.

It runs in namespaces of its own, where nobody else mounts, starts or links anything: so before and after can
be compared whole.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "infra/cluster"))
# pylint: disable=wrong-import-position
from glassbox_cluster import enter, files, images, up
from glassbox_cluster.borrowed import FOLDERS
from glassbox_cluster.cgroups import Hierarchies
from glassbox_cluster.files import Node
from glassbox_cluster.inside import SYSCTLS
from glassbox_cluster.places import Place, place
from glassbox_cluster.progress import Progress
from glassbox_cluster.refused import Refused

CLUSTER = str(ROOT / "infra/cluster/cluster")
REAL = bool(os.environ.get("CLUSTER_REAL"))
PATIENCE_S = 150.0
IDLER = "#!/bin/sh\nexec sleep 600\n"
POD = """{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "one"}}, "spec": {{"containers": [{{"name": "one",
"image": "{image}", "imagePullPolicy": "Never", "volumeMounts": [{{"name": "memory", "mountPath": "/memory"}}]}}],
"volumes": [{{"name": "memory", "emptyDir": {{"medium": "Memory"}}}}]}}}}"""


def state(here: Place) -> dict[str, Any]:
    """All that a node could leave."""
    watched = [*(folder.parent for folder in FOLDERS), Path("/run"), Path.home(), here.state.parent]
    return {
        "mounts": Path("/proc/self/mountinfo").read_text().splitlines(),
        "links": subprocess.check_output(["ip", "-o", "link"], text=True).splitlines(),
        "network namespaces": subprocess.check_output(["ip", "netns"], text=True).splitlines(),
        # A zombie, which has none, is for process 1 here to bury, when it gets to it.
        "processes": sorted(filter(None, map(words, os.listdir("/proc")))),
        "cgroups": [str(top) for top in Hierarchies(here.cgroup).existing()],
        "sysctls": {name: Path("/proc/sys", name).read_text() for name in (*SYSCTLS, "net/ipv4/ip_forward")
                    if Path("/proc/sys", name).exists()},
        "files": sorted(str(found) for folder in watched if folder.exists() for found in folder.iterdir()
                        if folder != here.state.parent or found == here.state),
    }


def words(pid: str) -> str:
    """The command line of a process; nothing where that is none, or a zombie."""
    with contextlib.suppress(OSError):
        return Path("/proc", pid, "cmdline").read_text().replace("\0", " ") if pid.isdigit() else ""
    return ""


def until(reached: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.05)


def upper(here: Place, scenario: str) -> int:
    """A process that does what `up` does; its number."""
    if pid := os.fork():
        return pid
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if REAL:
        os.execv(CLUSTER, [CLUSTER, "up"])
    up.ANSWER_S = 3  # what plays the API server gives none
    signal.signal(signal.SIGUSR1, lambda *_: setattr(up, "PATIENCE_S", -1))
    own = images.made(["pause"])
    node = Node(here.name, kube=str(Path.home() / "idler"), pause=own[0][0], coredns="none")
    status = 0
    try:
        with up.Starting(here, node, Progress()) as starting:
            if SCENARIOS[scenario][1]:
                starting.begin(own)
            else:
                starting.follow(own, [])
    except Refused as refused:
        print(refused, file=sys.stderr)
        status = refused.status
    except KeyboardInterrupt:
        status = 130
    os._exit(status)


def alive(here: Place) -> dict[str, Any]:
    """What there was while it lived, to see that it did."""
    node = enter.running(here)
    return {"images": enter.run(here, node, "ctr", "-n", "k8s.io", "images", "ls", "-q").stdout.split(),
            "cgroups": [str(top) for top in Hierarchies(here.cgroup).existing()],
            "memory": Hierarchies(here.cgroup).memory(),
            "processes": enter.run(here, node, "ps", "-eo", "comm=").stdout.split(),
            "forwarding": enter.run(here, node, "cat", "/proc/sys/net/ipv4/ip_forward").stdout.strip(),
            "borrowed": [str(folder) for folder in FOLDERS if folder.is_dir()],
            "pods": enter.run(here, node, "kubectl", "get", "pods", "-o", "jsonpath={.items[*].status.phase}").stdout
            if REAL else ""}


def run_pod(here: Place) -> None:
    """One that has a mount, a network and cgroups of its own."""
    node = enter.running(here)
    image = images.chosen(["pause"])[0].image
    made = enter.run(here, node, "kubectl", "create", "-f", "-", input=POD.format(image=image))
    assert made.returncode == 0, made.stderr
    until(lambda: alive(here)["pods"] == "Running", "a pod that runs")


def killing(number: int, which: Callable[[Node], int]) -> Callable[[Place, int], None]:
    """Sends the signal to a process of the node, or to `up` where that says 0."""
    def end(here: Place, pid: int) -> None:
        node = files.read(here)
        assert node
        os.kill(which(node) or pid, number)
    return end


def down(_here: Place, _pid: int) -> None:
    subprocess.run([CLUSTER, "down"], check=True, stdout=sys.stderr)


# how it ends, and whether `up` has returned before
SCENARIOS: dict[str, tuple[Callable[[Place, int], None], bool]] = {
    "down": (down, True),
    "process 1 is killed": (killing(signal.SIGKILL, lambda node: node.init), True),
    "the keeper is killed": (killing(signal.SIGKILL, lambda node: node.keeper), True),
    "up is interrupted": (killing(signal.SIGINT, lambda node: 0), False),
    "up is killed": (killing(signal.SIGKILL, lambda node: 0), False),
    "up gives up": (killing(signal.SIGUSR1, lambda node: 0), False),
}


def main(scenario: str) -> None:
    here = place()
    end, returns = SCENARIOS[scenario]
    idler = Path.home() / "idler"
    idler.write_text(IDLER)
    idler.chmod(0o755)
    images.made(["pause"])
    if REAL:
        subprocess.run([CLUSTER, "build"], check=True, stdout=sys.stderr)
    before = state(here)
    pid = upper(here, scenario)

    def lives() -> bool:
        with contextlib.suppress(Refused):
            return bool(alive(here)["images"])
        return False

    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) if returns else None
    until(lives, "a node that lives")
    if REAL and returns:
        run_pod(here)
    during = alive(here)
    keeper = enter.running(here).keeper
    end(here, pid)
    if not returns:
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    until(lambda: not words(str(keeper)) and not Hierarchies(here.cgroup).processes(), "the end of its processes")
    between = state(here)
    logs = sorted(os.listdir(here.failed)) if here.failed.exists() else []
    down(here, 0)
    print(json.dumps({"before": before, "during": during, "between": between, "after": state(here),
                      "status": status, "logs": logs}))


if __name__ == "__main__":
    main(sys.argv[1])
