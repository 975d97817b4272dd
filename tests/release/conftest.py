"""A registry of its own on the loopback, and a copy of what a release is made of that tests may change."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from workflows import ROOT

COPIED = (".ci", "charts/glassbox", "alerts", "dashboards", "src/faults/incidents", "telemetry/VERSION", "CHANGELOG.md", "tests/release/requirements.txt")
# What no script needs here: caches, the modules of tools.
LEFT = shutil.ignore_patterns("__pycache__", "go.mod", "go.sum", "*.go", "tests", "runbooks")
NAME = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.org", "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.org"}


@dataclass
class Tree:
    """A repository of one commit, in which commands are run."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """What a command of the tree says and how it ends; values that are empty are unset."""
        given = {**os.environ, **NAME, **self.environment, **environment}
        given = {name: value for name, value in given.items() if value}
        return subprocess.run(arguments, cwd=self.root, env=given, capture_output=True, text=True, timeout=120, check=False)

    def out(self, *arguments: str, **environment: str) -> str:
        """What it prints; it is to succeed."""
        got = self.run(*arguments, **environment)
        assert got.returncode == 0, got.stderr
        return got.stdout.strip()

    def refused(self, *arguments: str, **environment: str) -> str:
        """What it says on being refused; never a traceback or the shell's own words."""
        got = self.run(*arguments, **environment)
        assert got.returncode == 2, (got.returncode, got.stderr)
        assert "Traceback" not in got.stderr and "unbound variable" not in got.stderr
        return got.stderr

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """A file of the tree."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)

    def replace(self, path: str, old: str, new: str) -> None:
        """Changes a file that has it."""
        text = (self.root / path).read_text(encoding="utf-8")
        assert old in text, path
        self.write(path, text.replace(old, new), (self.root / path).stat().st_mode)

    def commit(self, message: str) -> str:
        """All of it, as a commit."""
        self.out("git", "add", "--all")
        self.out("git", "commit", "--quiet", "--allow-empty", "--message", message)
        return self.out("git", "rev-parse", "HEAD")


@pytest.fixture(name="template", scope="session")
def a_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What publish and release read, committed once."""
    root = tmp_path_factory.mktemp("template")
    for path in COPIED:
        source, target = ROOT / path, root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, ignore=LEFT)
        else:
            shutil.copy(source, target)
    tree = Tree(root)
    tree.write(".gitignore", "/build/\n")
    tree.out("git", "init", "--quiet", "--initial-branch=main")
    tree.commit("all of it")
    return root


@pytest.fixture(name="tree")
def a_tree(template: Path, tmp_path: Path) -> Tree:
    """A copy of it that a test may change."""
    root = tmp_path / "tree"
    shutil.copytree(template, root, symlinks=True)
    return Tree(root, {"REGISTRY_AUTH_FILE": str(tmp_path / "auth.json"), "IMAGE_REPOSITORY": "", "CHART_REPOSITORY": ""})


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(url: str) -> bool:
    """Whether somebody does."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(name="registry_log", scope="session")
def what_a_registry_says(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A line a request."""
    return tmp_path_factory.mktemp("registry") / "log"


@pytest.fixture(name="registry", scope="session")
def a_registry(registry_log: Path) -> Iterator[str]:
    """Debian's docker-registry; its host and port."""
    if not shutil.which("docker-registry"):
        pytest.skip("docker-registry is not there")
    folder = registry_log.parent
    host = f"127.0.0.1:{free_port()}"
    (folder / "config.yml").write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\nhttp: {{addr: '{host}'}}\n", encoding="utf-8"
    )
    with registry_log.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(["docker-registry", "serve", folder / "config.yml"], stdout=log, stderr=log)
    try:
        for _ in range(100):
            if answers(f"http://{host}/v2/"):
                break
            assert process.poll() is None, registry_log.read_text(encoding="utf-8")
            time.sleep(0.1)
        else:
            pytest.fail("the registry does not answer")
        yield host
    finally:
        process.terminate()
        process.wait(10)
