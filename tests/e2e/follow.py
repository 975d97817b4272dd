"""Every line that the containers of a service wrote, also of those that are gone.

The kubelet removes a container's log with it, so each is followed from its first line on, and a follower that is
cut short reads again from the start and goes on behind what it has. A follower ends when the container's log has: the
kubelet then has handed out the last of it.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from accesslog import Log
from cluster import Cluster
from wire import eventually

PAUSE = 0.25  # seconds between two looks at the pods
TRIES = 40    # of a log that does not open, or breaks off


@dataclass
class Container:
    """One run of one container."""

    pod: str
    uid: str
    restart: int
    lines: list[tuple[str, str]] = field(default_factory=list)  # (time of the kubelet, text)
    ended: bool = False   # the log has: there is no more to come
    trouble: str = ""     # why it was given up
    _log: Log = field(default_factory=Log)
    _fed: int = 0         # lines that were looked at for it

    @property
    def name(self) -> str:
        """pod, and which run of it."""
        return f"{self.pod}#{self.restart}"

    @property
    def text(self) -> list[str]:
        """The lines without the kubelet's time."""
        return [text for _, text in list(self.lines)]

    @property
    def access(self) -> Log:
        """The access log among the lines; what else is there is the service's stderr. One thread asks."""
        for _, text in self.lines[self._fed:]:
            if text.startswith("#") or text[:4].isdigit() and text[4:5] == "-":
                self._log.feed(text.encode() + b"\n")
            self._fed += 1
        return self._log


class Logs:
    """Of all pods that a selector names, from `with` to its end."""

    def __init__(self, cluster: Cluster, namespace: str, selector: str, container: str) -> None:
        self.cluster, self.namespace, self.selector, self.container = cluster, namespace, selector, container
        self.containers: dict[tuple[str, int], Container] = {}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Logs":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join(20)

    # ---- what there is --------------------------------------------------------------------------

    def entries(self) -> list[dict[str, Any]]:
        """The access log of all, with `pod` and `restart` beside the fields."""
        return [{**entry, "pod": one.pod, "restart": one.restart}
                for one in list(self.containers.values()) for entry in one.access.entries]

    def wait_entries(self, count: int, wanted: Mapping[str, str | None], timeout: float = 30) -> list[dict[str, Any]]:
        """At least that many entries with these fields, or what there was when time was up."""
        def found() -> list[dict[str, Any]]:
            return [entry for entry in self.entries() if wanted.items() <= entry.items()]
        eventually(lambda: len(found()) >= count, timeout, PAUSE)
        return found()

    def wait_ended(self, pod: str, timeout: float = 60) -> list[Container]:
        """The runs of a pod that is going away, when the last line of each is here."""
        def runs() -> list[Container]:
            return [one for one in list(self.containers.values()) if one.pod == pod]
        assert eventually(lambda: runs() and all(one.ended for one in runs()), timeout, PAUSE), f"{pod} goes on"
        return runs()

    def troubles(self) -> list[str]:
        """Logs that were given up: what was counted is then not all."""
        return [f"{one.name}: {one.trouble}" for one in list(self.containers.values()) if one.trouble]

    # ---- how it comes ---------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self.over.wait(PAUSE):
            try:
                pods = self.cluster.items(self.namespace, "pods", self.selector)
            except (OSError, ValueError, HTTPException):
                continue
            for pod in pods:
                for status in pod["status"].get("containerStatuses", ()):
                    if status["name"] == self.container and "waiting" not in status["state"]:
                        self._begin(pod["metadata"], status["restartCount"])

    def _begin(self, meta: dict[str, Any], restart: int) -> None:
        """A follower for each run; one that began and ended between two looks is the one before."""
        for number in {max(0, restart - 1), restart}:
            if (meta["uid"], number) not in self.containers:
                made = Container(meta["name"], meta["uid"], number)
                self.containers[meta["uid"], number] = made
                threading.Thread(target=self._follow, args=(made, number < restart), daemon=True).start()

    def _follow(self, run: Container, is_previous: bool) -> None:
        for _ in range(TRIES):
            if self.over.is_set():
                return
            try:
                self._read(run, is_previous or self._restarts(run) > run.restart)
                if self._is_done(run):
                    run.ended = True
                    return
                run.trouble = "the log broke off"
            except (OSError, ValueError, HTTPException) as error:
                run.trouble = str(error)
                if self._is_done(run) and run.lines:
                    return  # cut short while the container ended: what is missing cannot be had any more
            time.sleep(PAUSE)

    def _read(self, run: Container, is_previous: bool) -> None:
        """From the first line to the end of the log, or until it breaks off."""
        path = (f"/api/v1/namespaces/{self.namespace}/pods/{run.pod}/log?container={self.container}&timestamps=true"
                + ("&previous=true" if is_previous else "&follow=true"))
        with self.cluster.open(path, timeout=None) as answer:
            for number, raw in enumerate(answer):
                if number >= len(run.lines) and raw.endswith(b"\n"):
                    moment, _, text = raw.decode(errors="replace").rstrip("\n").partition(" ")
                    run.lines.append((moment, text))
        run.trouble = ""

    def _status(self, run: Container) -> dict[str, Any] | None:
        """Of the pod's container; None when the pod is gone."""
        for pod in self.cluster.items(self.namespace, "pods", self.selector):
            if pod["metadata"]["uid"] == run.uid:
                return next((one for one in pod["status"].get("containerStatuses", ())
                             if one["name"] == self.container), None)
        return None

    def _restarts(self, run: Container) -> int:
        status = self._status(run)
        return status["restartCount"] if status else run.restart

    def _is_done(self, run: Container) -> bool:
        """Whether this run of the container has ended."""
        status = self._status(run)
        return status is None or status["restartCount"] > run.restart or "terminated" in status["state"]
