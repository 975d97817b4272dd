"""A command among the node's programs: its network, its processes, its mounts; the caller's files,
working directory, streams and exit status."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from . import files
from .files import Node
from .places import Place
from .refused import Refused

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ftp_proxy")


def running(place: Place) -> Node:
    """The node; refuses when there is none."""
    if os.geteuid() != 0:
        raise Refused("only root may enter a node")
    node = files.read(place)
    if node is None or not alive(place, node):
        raise Refused(f"no node {place.name!r} is running: `infra/cluster/cluster up` starts it")
    return node


def alive(place: Place, node: Node) -> bool:
    """Whether process 1 is that of this node: a number may have gone to somebody else."""
    try:
        return bool(node.init) and str(place.run).encode() in Path(f"/proc/{node.init}/cmdline").read_bytes()
    except OSError:
        return False


def with_clients(folder: Path, config: str, path: Sequence[str]) -> dict[str, str]:
    """The caller's environment, in which kubectl and helm find the cluster and keep their notes below the
    folder."""
    found = dict(os.environ) | {
        "PATH": ":".join([*filter(None, path), os.environ.get("PATH", "/usr/bin:/bin")]),
        "KUBECONFIG": config, "KUBECACHEDIR": f"{folder}/kube"}
    return found | {f"HELM_{name}_HOME": f"{folder}/helm/{name.lower()}" for name in ("CACHE", "CONFIG", "DATA")}


def environment(node: Node, place: Place) -> dict[str, str]:
    """That, without proxies: from inside none can be reached."""
    found = with_clients(place.run, str(place.kubeconfig), [node.clients, f"{place.run}/bin"])
    return {name: value for name, value in found.items() if name.lower() not in PROXIES}


def command(node: Node, words: Sequence[str], folder: str) -> list[str]:
    """What runs the words inside. When it is ended by a signal that it cannot pass on, the command
    inside is told, too."""
    return ["nsenter", "--target", str(node.init), "--mount", "--net", "--pid", f"--wdns={folder}", "--",
            "setpriv", "--pdeathsig", "TERM", "--", *words]


def execute(place: Place, words: Sequence[str]) -> NoReturn:
    """Becomes it; does not return."""
    node = running(place)
    os.execvpe("nsenter", command(node, words, os.getcwd()), environment(node, place))


def run(place: Place, node: Node, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Its result, for our own steps."""
    return subprocess.run(command(node, words, "/"), env=environment(node, place), check=False, text=True,
                          capture_output=True, **options)  # type: ignore[call-overload,no-any-return]
