"""What a node reads when it starts: keys, configurations, links to its programs. All below its run
folder, made by the keeper, gone with the node."""

import json
from dataclasses import asdict, dataclass

from . import pki, places, programs
from .places import HERE, Place


@dataclass
class Node:
    """What the commands and the keeper know of a node; kept as node.json in its run folder."""
    name: str
    kube: str = ""  # the multi-call binary
    clients: str = ""  # the folder of helm and kubectl; empty where they cannot be had
    pause: str = ""  # names of the two images that every node has
    coredns: str = ""
    keeper: int = 0
    init: int = 0  # process 1, as it is called outside
    switched: tuple[str, ...] = ()  # controllers switched on for the whole machine


def write(place: Place, node: Node) -> None:
    """All of it or nothing: others read it at any time."""
    draft = place.run / "node.new"
    draft.write_text(json.dumps(asdict(node)))
    draft.rename(place.run / "node.json")


def read(place: Place) -> Node | None:
    try:
        return Node(**json.loads((place.run / "node.json").read_text()))
    except FileNotFoundError:
        return None


def make(place: Place, node: Node) -> None:
    """Fills the run folder."""
    for folder in ("bin", "cni", "log/pods", "helm", "kube"):
        (place.run / folder).mkdir(parents=True)
    for name in programs.OF_KUBE:
        (place.run / "bin" / name).symlink_to(node.kube)
    pki.make(place.run, place.name)
    (place.run / "resolv.conf").write_text(f"nameserver {places.DNS_IP}\n")
    values = {"NODE_NAME": place.name, "NODE_IP": places.NODE_IP, "POD_CIDR": places.POD_CIDR,
              "DNS_IP": places.DNS_IP, "CGROUP": place.cgroup, "PAUSE": node.pause, "COREDNS": node.coredns}
    for source, target in (("config/containerd.toml", "containerd.toml"), ("config/pods.conflist", "cni/pods.conflist"),
                           ("config/kubelet.yaml", "kubelet.yaml"), ("config/kube-proxy.yaml", "kube-proxy.yaml"),
                           ("manifests/coredns.yaml", "coredns.yaml")):
        text = (HERE / source).read_text()
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        (place.run / target).write_text(text)
