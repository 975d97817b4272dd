"""`cluster up`: a node that is ready when it returns, or nothing."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from . import enter, files, images, keeper, load, lock, tools
from .cgroups import Hierarchies
from .files import Node
from .oci import Image
from .places import Place
from .progress import Progress
from .refused import Refused

Images = Sequence[tuple[str, Image | Path]]

PATIENCE_S = 120  # for each step: a busy machine takes several times as long as a quiet one
ANSWER_S = 10  # for each question meanwhile


def up(place: Place, names: Sequence[str]) -> None:
    """Starts it, with these images besides its own."""
    tools.check()
    Hierarchies(place.cgroup).check()
    if lock.held(place):
        raise Refused(f"the node {place.name!r} is running already: `infra/cluster/cluster status`")
    progress = Progress()
    progress.say("programs and images (the first time: some minutes)")
    kube, = tools.built("kube")
    clients, why = tools.clients()
    if why:
        progress.say(f"no helm, and kubectl from the node itself: {why}")
    own = images.made(images.of_node())
    more = images.made(images.besides_node(names))
    by_name = {row.name: row.image for row in images.chosen(images.of_node())}
    node = Node(place.name, kube=kube, clients=clients, pause=by_name["pause"],
                coredns=by_name["coredns"])
    with Starting(place, node, progress) as starting:
        starting.follow(own, more)
    progress.say(f"the node {place.name} is ready: infra/cluster/cluster enter kubectl get pods -A")


class Starting:
    """The keeper at work, until it is told that all is well. Whatever else ends this ends the node."""

    def __init__(self, place: Place, node: Node, progress: Progress):
        self.place = place
        self.node = node
        self.progress = progress

    def __enter__(self) -> "Starting":
        try:
            handle = lock.take(self.place, patience=1)
        except lock.Busy:
            raise Refused(f"the node {self.place.name!r} is being started or stopped by somebody else") from None
        # What a keeper left that was killed.
        if self.place.run.exists() or Hierarchies(self.place.cgroup).existing():
            self.progress.say("removing what is left of a node that was killed")
            keeper.clean(self.place, keep_logs=False)
        self.progress.say("keys, configurations, cgroups")
        self.keeper = keeper.launch(self.place, self.node, handle)
        os.close(handle)  # the keeper's from now on
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, (Refused, OSError, subprocess.SubprocessError)):
            self._tell(b"failed\n")
            self.keeper.wait()
            self.progress.say(f"not started; its logs are in {self.place.failed}")
        elif error is not None:
            self.progress.say("interrupted: removing the node")
            assert self.keeper.stdin
            self.keeper.stdin.close()
            self.keeper.wait()
        else:
            self._tell(b"ready\n")

    def _tell(self, line: bytes) -> None:
        assert self.keeper.stdin
        try:
            self.keeper.stdin.write(line)
            self.keeper.stdin.close()
        except BrokenPipeError:
            pass  # it is cleaning up already

    def begin(self, own: Images) -> None:
        """What there is without Kubernetes."""
        self._until("the node's process 1", self._has_process_1)
        self._until("containerd answers", self._inside("ctr", "version"), "containerd")
        load.load(self.place, self.node, own)
        self.progress.say(f"{len(own)} images imported")

    def follow(self, own: Images, more: Images) -> None:
        """From nothing to ready."""
        self.begin(own)
        kubectl = f"{self.place.run}/bin/kubectl"
        self._until("the API server is ready", self._inside(kubectl, "get", "--raw", "/readyz"), "kube-apiserver")
        self._until("DNS is installed", self._inside(
            kubectl, "apply", "--validate=false", "-f", f"{self.place.run}/coredns.yaml"), "kube-apiserver")
        self._until("the node is ready", self._inside(
            kubectl, "wait", f"node/{self.place.name}", "--for=condition=Ready", "--timeout=5s"), "kubelet")
        self._until("pods may be made", self._inside(kubectl, "get", "serviceaccount/default"), "kube-controller-manager")
        self._until("DNS is ready", self._inside(
            kubectl, "-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=5s"), "kubelet")
        if more:
            load.load(self.place, self.node, more)
            self.progress.say(f"{len(more)} more images imported")

    def _has_process_1(self) -> bool:
        self.node = files.read(self.place) or self.node
        return self.node.init != 0

    def _inside(self, *words: str) -> Callable[[], bool]:
        def ask() -> bool:
            try:
                return enter.run(self.place, self.node, *words, timeout=ANSWER_S).returncode == 0
            except subprocess.TimeoutExpired:
                return False
        return ask

    def _until(self, what: str, reached: Callable[[], bool], log: str = "node") -> None:
        """Asks until it is so; gives up when the keeper has, or after a time."""
        begun = time.monotonic()
        while not reached():
            if self.keeper.poll() is not None:
                raise Refused(f"{what}: the node has ended. {self._last(log)}")
            if time.monotonic() - begun > PATIENCE_S:
                raise Refused(f"{what}: not within {time.monotonic() - begun:.0f} s. {self._last(log)}")
            time.sleep(0.2)
        self.progress.say(what)

    def _last(self, log: str) -> str:
        """Where to look, and the last line that is there."""
        for folder in (self.place.log, self.place.failed):
            for name in (log, "node", "keeper"):
                path = folder / f"{name}.log"
                if path.exists() and (lines := path.read_text(errors="replace").splitlines()):
                    return f"{name}.log ends with: {lines[-1]}"
        return "Its log is empty"
