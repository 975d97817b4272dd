"""helm and kubectl that are not: a cluster of canned answers, so that refusals, order and words of
charts/stack/install can be tested without one.

A world is a folder with `bin/helm` and `bin/kubectl`, the answers, and a log of what was asked. An answer is
for the first regular expression that the command line (`helm list -n monitoring …`) has; it is a text or an
object on stdout, or a failure with its words on stderr. What has no answer succeeds with nothing.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INSTALL = ROOT / "charts/stack/install"
PROGRAM = """#!{python}
import json, os, re, sys
line = " ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]])
stdin = sys.stdin.read() if "-" in sys.argv or "--values -" in line else ""
with open("{folder}/log", "a") as log:
    log.write(json.dumps([line, stdin]) + "\\n")
for pattern, status, text in json.load(open("{folder}/answers")):
    if re.search(pattern, line):
        print(text, file=sys.stderr if status else sys.stdout)
        sys.exit(status)
"""


def ready(kind: str, name: str, namespace: str = "monitoring", replicas: int = 1, available: int = 1) -> dict:
    """A workload; `available` of its replicas are there."""
    status = {"observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas, "availableReplicas": available,
              "readyReplicas": available}
    return {"kind": kind, "metadata": {"name": name, "namespace": namespace, "generation": 1},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}}, "status": status}


def serving(name: str, answers: bool = True) -> dict:
    """An APIService."""
    condition = {"type": "Available", "status": str(answers), "message": "" if answers else "no response from 10.0.0.1"}
    return {"kind": "APIService", "metadata": {"name": name, "generation": 1}, "status": {"conditions": [condition]}}


def operated(kind: str) -> dict:
    """A Prometheus or an Alertmanager that the operator has seen to."""
    conditions = [{"type": each, "status": "True", "observedGeneration": 1} for each in ("Available", "Reconciled")]
    return {"kind": kind, "metadata": {"name": "kube-prometheus-stack", "namespace": "monitoring", "generation": 1},
            "spec": {}, "status": {"conditions": conditions}}


VERSIONS = {"clientVersion": {"gitVersion": "v1.35.2"}, "serverVersion": {"gitVersion": "v1.34.4"}}


@dataclass
class World:
    """A cluster in which everything is well, until told otherwise."""

    folder: Path
    answers: list[tuple[str, int, str]] = field(default_factory=list)

    def say(self, pattern: str, answer: object) -> None:
        """An answer, before all others."""
        text = answer if isinstance(answer, str) else json.dumps(answer)
        self.answers.insert(0, (pattern, 0, text))

    def fail(self, pattern: str, words: str) -> None:
        """A failure, before all other answers."""
        self.answers.insert(0, (pattern, 1, words))

    def well(self) -> World:
        """The answers of a cluster in which nothing is installed and all that is becomes ready."""
        self.say(r"kubectl get .*-o json", {"items": []})
        self.fail(r"kubectl get (namespace|secret) ", "Error from server (NotFound)")
        self.fail(r"kubectl get --raw /apis/metrics.k8s.io", "the server could not find the requested resource")
        self.say(r"kubectl get deployments", {"items": [ready("Deployment", "any")]})
        self.say(r"kubectl get prometheuses", {"items": [operated("Prometheus"), operated("Alertmanager")]})
        for name in ("v1beta1.metrics.k8s.io", "v1beta1.custom.metrics.k8s.io"):
            self.say(rf"kubectl get apiservice {name}", serving(name))
        self.say(r"kubectl version", VERSIONS)
        self.say(r"helm list", "[]")
        self.say(r"helm version", "v4.1.4")
        return self

    def program(self, name: str) -> None:
        """One of the two, in PATH."""
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(PROGRAM.format(python=sys.executable, folder=self.folder))
        path.chmod(0o755)

    def prepare(self, programs: tuple[str, ...] = ("helm", "kubectl")) -> None:
        """The programs and their answers, in files."""
        (self.folder / "bin").mkdir(exist_ok=True)
        for name in programs:
            self.program(name)
        (self.folder / "answers").write_text(json.dumps(self.answers))

    def install(self, *arguments: str, programs: tuple[str, ...] = ("helm", "kubectl"),
                **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs it there."""
        self.prepare(programs)
        kept = {key: value for key, value in os.environ.items() if key != "CHARTS_DIR"}
        return subprocess.run([sys.executable, INSTALL, *arguments], capture_output=True, text=True, timeout=60, check=False,
                              env=kept | {"PATH": str(self.folder / "bin")} | environment)

    def asked(self) -> list[tuple[str, str]]:
        """Command lines, and what each read from its stdin."""
        log = self.folder / "log"
        return [tuple(json.loads(line)) for line in log.read_text().splitlines()] if log.exists() else []

    def lines(self, *words: str) -> list[str]:
        """Those command lines that have one of the words."""
        return [line for line, _ in self.asked() if any(word in line for word in words)]

    def changes(self) -> list[str]:
        """Those that would change the cluster."""
        return [line for line, _ in self.asked()
                if re.match(r"helm (upgrade|uninstall) |kubectl (-n \S+ )?(create|delete) ", line)]
