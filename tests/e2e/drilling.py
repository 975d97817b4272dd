"""`alerts/drill` as a person starts it, against a cluster."""

import json
import os
import shlex
import stat
import subprocess
from pathlib import Path
from typing import Any

from cluster import ROOT, Cluster


def kubectl(cluster: Cluster, folder: Path) -> Path:
    """A program in the folder that reaches the cluster as a person's kubectl does."""
    made = folder / "kubectl"
    variables = [f"{name}={cluster.environment[name]}" for name in ("PATH", "KUBECONFIG") if name in cluster.environment]
    words = ["exec", "env", *variables, *cluster.enter, "kubectl"]
    made.write_text(f'#!/bin/sh\n{shlex.join(words)} "$@"\n')
    made.chmod(made.stat().st_mode | stat.S_IXUSR)
    return made


class Drill:
    """Runs from its creation on: by the ConfigMap, on all pods. `killed` at the end of a `with`, whatever happened."""

    def __init__(self, cluster: Cluster, folder: Path, urls: dict[str, str], *words: str) -> None:
        self.report = folder / "drill.json"
        kubectl(cluster, folder)
        self.said = folder / "drill.txt"
        with open(self.said, "w", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                [ROOT / "alerts/drill", *words, "--by", "configmap", "--json", self.report,
                 *(word for name, url in urls.items() for word in (f"--{name}", url))],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT,
                env={**cluster.environment, "PATH": f"{folder}{os.pathsep}{cluster.environment['PATH']}"})

    def __enter__(self) -> "Drill":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()  # it restores
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    @property
    def text(self) -> str:
        """All that it has said."""
        return self.said.read_text(encoding="utf-8")

    def timelines(self) -> list[dict[str, Any]]:
        """When it is over."""
        return json.loads(self.report.read_text())["drills"]
