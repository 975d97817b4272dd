"""`cluster status`: what a node is and what it takes."""

import time
from pathlib import Path

from . import enter
from .cgroups import Hierarchies
from .files import Node
from .places import Place
from .tools import output

CLOCK_TICKS_S = 100.0


def _age_s(node: Node) -> float:
    """Of process 1, by the kernel's account."""
    begun = int(Path(f"/proc/{node.init}/stat").read_text().rpartition(")")[2].split()[19]) / CLOCK_TICKS_S
    return time.clock_gettime(time.CLOCK_BOOTTIME) - begun


def describe(place: Place) -> str:
    """For people; refuses when there is no node."""
    node = enter.running(place)
    groups = Hierarchies(place.cgroup)
    age = _age_s(node)
    used = groups.cpu_seconds() or 0.0
    disk = output(["du", "-sxm", str(place.run)]).split()
    lines = [f"node {place.name}: process 1 is {node.init}, its keeper {node.keeper}, for {age / 60:.1f} minutes",
             f"cgroup v{groups.version} {place.cgroup}: memory {(groups.memory() or 0) / 1e6:.0f} MB, "
             f"{used / age:.2f} processors on average",
             f"files {place.run}: {disk[0] if disk else '?'} MB; logs in {place.log}", ""]
    for words in (("get", "nodes,pods", "--all-namespaces", "--output=wide"),
                  ("get", f"node/{place.name}", "--output=jsonpath={range .status.images[*]}{.names[-1]}{'\\n'}{end}")):
        done = enter.run(place, node, f"{place.run}/bin/kubectl", "--request-timeout=10s", *words)
        lines.append(done.stdout if done.returncode == 0 else done.stderr)
    return "\n".join(lines)
