"""One environment and all that acts on it: the repository, what promotes, what installs, the cluster, Argo CD."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import images
from applications import Applications
from cluster import NODE, Cluster, environment
from glassbox_gitops.argo import PARTS
from glassbox_gitops.release import read
from origin import GITOPS, OVERLAY, Origin
from programs import Programs

ENVIRONMENT = "dev"
METRICS = f"{OVERLAY}/metrics-server.yaml"
PATIENCE = 480  # seconds for anything at all, on a machine that much else runs on; what takes how long is reported
INSTALL = 200


@dataclass
class Lab:
    """See above; `figures` is how long each thing took."""

    cluster: Cluster
    origin: Origin
    applications: Applications
    folder: Path
    archive: Path
    charts: Path
    programs: Programs | None = None
    figures: list[tuple[str, float]] = field(default_factory=list)
    first: str = ""

    def __post_init__(self) -> None:
        self.before = self.everything()

    @property
    def names(self) -> set[str]:
        """Applications that a cluster without AWS has."""
        return {*PARTS, *(child["name"] for child in self.origin.children if child.get("provider", "none") == "none")}

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Adds a figure."""
        began = time.monotonic()
        yield
        self.figures.append((what, time.monotonic() - began))

    def build(self, revision: str) -> str:
        """An image of that commit, in the node's store; REPOSITORY@DIGEST."""
        archive = self.folder / f"{revision}.tar"
        digest = images.release(self.archive, revision, archive)
        subprocess.run([NODE, "load", archive], check=True, capture_output=True, env=environment())
        archive.unlink()
        return f"{images.REPOSITORY}@{digest}"

    def promote_first(self) -> None:
        """What dev begins with."""
        self.first = self.build(self.origin.sources)
        self.origin.promote("set", ENVIRONMENT, "--image", self.first, "--revision", self.origin.sources, "--version", "v1")

    def promote(self, revision: str, image: str, version: str) -> None:
        """What CI does when it has built a commit."""
        self.origin.promote("set", ENVIRONMENT, "--image", image, "--revision", revision, "--version", version)
        self.applications.look()

    def break_platform(self) -> str:
        """A commit whose metrics-server has an image that nobody has."""
        self.origin.write(METRICS, self.origin.read(METRICS).replace("metrics-server/metrics-server", "nobody/has-this"))
        return self.origin.push("an image of metrics-server that nobody has")

    def rollback(self) -> None:
        """What a person does when a release is bad."""
        self.origin.promote("rollback", ENVIRONMENT)
        self.applications.look()

    def operation(self, name: str) -> dict[str, Any]:
        """What is under way for an Application, or was last."""
        return self.applications.all()[name].get("status", {}).get("operationState", {})

    def revision(self) -> str:
        """The commit that release.yaml names."""
        return read(self.origin.clone, ENVIRONMENT).revision

    def autoscaler(self) -> dict[str, Any]:
        """The service's."""
        return self.cluster.get("/apis/autoscaling/v2/namespaces/glassbox/horizontalpodautoscalers/glassbox")

    def bounds(self) -> tuple[int, int]:
        """How few and how many pods the service may have."""
        spec = self.autoscaler()["spec"]
        return spec["minReplicas"], spec["maxReplicas"]

    def install(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """bootstrap/install, as the repository has it."""
        return self.cluster.run("env", f"CHARTS_DIR={self.charts}", str(self.origin.clone / GITOPS / "bootstrap/install"),
                                ENVIRONMENT, *words, check=check, timeout=INSTALL)

    def everything(self) -> set[str]:
        """All objects of the cluster, but what comes and goes by itself."""
        kinds = [kind for kind in self.cluster.kubectl("api-resources", "--verbs=list,get", "--output=name").split()
                 if kind.partition(".")[0] not in {"events", "leases", "endpoints", "endpointslices", "pods", "nodes"}
                 and not kind.endswith("metrics.k8s.io")]
        rows = self.cluster.kubectl("get", ",".join(kinds), "--all-namespaces", "--no-headers", "--ignore-not-found",
                                    "--output=custom-columns=:kind,:metadata.namespace,:metadata.name")
        return {" ".join(row.split()) for row in rows.splitlines()}

    def service(self, path: str) -> str:
        """A GET of the service."""
        return self.cluster.text(self.cluster.of_service("glassbox", "glassbox", "http") + path)

    def deployment(self) -> dict[str, Any]:
        """The service's."""
        return self.cluster.get("/apis/apps/v1/namespaces/glassbox/deployments/glassbox")

    def images(self) -> set[str]:
        """What its pods that are ready run."""
        return {container["image"] for pod in self.cluster.items("glassbox", "pods")
                for container in pod["spec"]["containers"]
                if all(status["ready"] for status in pod["status"].get("containerStatuses", [{"ready": False}]))
                and "deletionTimestamp" not in pod["metadata"]}

    def others(self) -> set[str]:
        """Pods of all that watches and scales the service."""
        return {pod["metadata"]["uid"] for pod in self.cluster.items("monitoring", "pods")}

    def report(self, folder: Path) -> None:
        """A table for people, and how each Application came to be as it was."""
        (folder / "figures.txt").write_text("".join(f"{seconds:6.1f} s  {what}\n" for what, seconds in self.figures))
        (folder / "history.txt").write_text("".join(f"{each}\n" for each in self.applications.history))
