"""The repository that Argo CD reads: this work tree's files as one commit, and what the tests commit after it.

Four things are other than in the original, for they cannot be had here; they are the first commit's, so that what
is tested is that commit and no other:

    charts of others    come from the node's loopback, instead of their public addresses
    images, volumes     each child also gets infra/cluster/values/CHILD.yaml, which every chart needs on this node
    a pod's two ends    take a second each, instead of those that a load balancer needs: there is none
    LEFT_OUT            those children, which take most of the time and of the memory; ARGOCD_ALL=1 has them, too

Of AWS the environment has nothing, by its own rule: the cluster is installed with `--provider none`.
"""

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from cluster import ROOT
from programs import CHARTS

GITOPS = "infra/gitops"
APPS = f"{GITOPS}/apps/values.yaml"
PROJECT = f"{GITOPS}/bootstrap/project.yaml"
OVERLAY = "infra/cluster/values"
NO_BALANCER = {"drain": {"delay": "1s"}, "terminationGracePeriodSeconds": 30, "minReadySeconds": 1}
LEFT_OUT = () if os.environ.get("ARGOCD_ALL") else ("kube-prometheus-stack", "prometheus-adapter")
BRANCH = "main"
CONFIG = {"user.name": "Test", "user.email": "test@example.com", "commit.gpgsign": "false", "gc.auto": "0"}


def chart_folder(repository: str) -> str:
    """A name for a public chart repository."""
    return repository.removeprefix("https://").strip("/").replace("/", "-")


def chart_address(repository: str) -> str:
    """Where it is found here."""
    return f"http://127.0.0.1:{CHARTS}/{chart_folder(repository)}"


class Origin:
    """What everybody has, a bare repository, and a clone of it that a person or a workflow works in."""

    def __init__(self, folder: Path) -> None:
        self.bare, self.clone = folder / "glassbox.git", folder / "clone"
        subprocess.run(["git", "init", "--quiet", "--bare", f"--initial-branch={BRANCH}", self.bare], check=True)
        subprocess.run(["git", "clone", "--quiet", self.bare, self.clone], check=True, capture_output=True)
        for key, value in CONFIG.items():
            self.git("config", key, value)
        self._copy()
        self.children: list[dict[str, Any]] = [child for child in yaml.safe_load(self.read(APPS))["children"]
                                               if child["name"] not in LEFT_OUT]
        self._adapt()
        self.sources = self.push("sources")

    @property
    def url(self) -> str:
        """As the cluster's Secret names it."""
        return f"file://{self.bare}"

    @property
    def chart_repositories(self) -> set[str]:
        """The public addresses that the children name."""
        return {child["repository"] for child in self.children if "repository" in child}

    def git(self, *words: str) -> str:
        """What it printed."""
        done = subprocess.run(["git", *words], cwd=self.clone, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"git {' '.join(words)}: {done.stderr}"
        return done.stdout.strip()

    def _copy(self) -> None:
        """What git has, or would have: `ls-files` names it, tar keeps links as links."""
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                                capture_output=True).stdout.split(b"\0")
        names = b"\0".join(name for name in listed if name and (ROOT / name.decode()).exists())
        packed = subprocess.run(["tar", "--create", "--null", "--files-from=-"], cwd=ROOT, input=names, check=True,
                                capture_output=True).stdout
        subprocess.run(["tar", "--extract"], cwd=self.clone, input=packed, check=True)

    def _adapt(self) -> None:
        """See above."""
        for path in (APPS, PROJECT):
            text = self.read(path)
            for repository in self.chart_repositories:
                assert path == PROJECT or repository in text
                text = text.replace(repository, chart_address(repository))
            self.write(path, text)
        values = yaml.safe_load(self.read(APPS))
        values["children"] = [child for child in values["children"] if child["name"] not in LEFT_OUT]
        for child in values["children"]:
            overlay = f"{OVERLAY}/{child['name']}.yaml"
            if (self.clone / overlay).exists():
                child["values"].append(overlay)
        self.write(APPS, yaml.safe_dump(values))
        self.write(f"{OVERLAY}/glassbox.yaml", yaml.safe_dump(yaml.safe_load(self.read(f"{OVERLAY}/glassbox.yaml")) | NO_BALANCER))

    def read(self, path: str) -> str:
        """A file's text."""
        return (self.clone / path).read_text()

    def write(self, path: str, text: str) -> None:
        """A file, as the next commit has it."""
        (self.clone / path).write_text(text)

    def push(self, subject: str) -> str:
        """All that was written, as a commit that everybody has; its hash."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject)
        return self.push_head()

    def push_empty(self, subject: str) -> str:
        """A commit that changes nothing."""
        self.git("commit", "--quiet", "--allow-empty", "--message", subject)
        return self.push_head()

    def push_head(self) -> str:
        """What is committed, for everybody; its hash."""
        self.git("push", "--quiet", "origin", f"HEAD:{BRANCH}")
        return self.git("rev-parse", "HEAD")

    def revert(self) -> str:
        """The last commit, taken back by another."""
        self.git("revert", "--no-edit", "HEAD")
        return self.push_head()

    def promote(self, *words: str) -> str:
        """`infra/gitops/promote`, pushed; what it printed."""
        done = subprocess.run([self.clone / GITOPS / "promote", *words, "--push"], cwd=self.clone, capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, f"promote {' '.join(words)}: {done.returncode}: {done.stderr}"
        return done.stdout
