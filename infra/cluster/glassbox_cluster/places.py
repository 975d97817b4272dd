"""Where a node's things are, and its addresses.

Addresses exist only inside the node's own network namespace, so every node has the same ones. Paths
outside contain the node's name. Inside, its run folder is mounted at INSIDE as well: sockets below it
then have a short path (108 characters are all that a socket's may have), and the configurations need
to know nothing of the caller's machine.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from .refused import Refused

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent

INSIDE = Path("/run/node")

NODE_IP = "10.88.255.1"
POD_CIDR = "10.88.0.0/17"
SERVICE_CIDR = "10.88.128.0/20"
API_IP = "10.88.128.1"  # the first of SERVICE_CIDR: the Service `kubernetes`
DNS_IP = "10.88.128.10"
API = f"https://{NODE_IP}:6443"

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")


def cache_folder() -> Path:
    """As .ci/lib.sh has it."""
    if found := os.environ.get("GLASSBOX_CACHE"):
        return Path(found).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or f"{os.environ.get('HOME', '/tmp')}/.cache"
    return Path(base).absolute() / "glassbox"


@dataclass(frozen=True)
class Place:
    """A node's name, and what follows from it."""
    name: str
    cache: Path

    @property
    def state(self) -> Path:
        """What there is of the node: its lock is this folder's, and it goes with the node."""
        return self.cache / "cluster" / self.name

    @property
    def run(self) -> Path:
        return self.state / "run"

    @property
    def log(self) -> Path:
        return self.run / "log"

    @property
    def failed(self) -> Path:
        """The logs of a node that ended without having been asked to."""
        return self.state / "failed"

    @property
    def kubeconfig(self) -> Path:
        return self.run / "admin.kubeconfig"

    @property
    def kind(self) -> Path:
        """It is there if the cluster is kind's: the paths of kind and of the clients' folder, a line each."""
        return self.state / "kind"

    @property
    def cgroup(self) -> str:
        """The folder in each hierarchy that holds all of the node."""
        return f"cluster-{self.name}"


def place() -> Place:
    """The one that CLUSTER_NAME names."""
    name = os.environ.get("CLUSTER_NAME") or "glassbox"
    if not LABEL.fullmatch(name):
        raise Refused(f"CLUSTER_NAME={name!r}: a name of at most 40 small letters, digits and hyphens, "
                      "neither of whose ends is a hyphen", 2)
    found = Place(name, cache_folder())
    # The node has a /run of its own, which would hide it.
    if found.cache.is_relative_to("/run"):
        raise Refused(f"{found.cache}: the cache may not be below /run (set GLASSBOX_CACHE)", 2)
    return found
