"""A git server that is a folder, its clones, and the program that promotes in them, run as anybody runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROMOTE = ROOT / "infra/gitops/promote"
GATE = ROOT / "infra/gitops/gate"
# Nothing of the user's own settings.
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
               "GIT_AUTHOR_NAME": "Tester", "GIT_AUTHOR_EMAIL": "tester@example.org",
               "GIT_COMMITTER_NAME": "Tester", "GIT_COMMITTER_EMAIL": "tester@example.org"}
SECONDS = 120


def run(*command: str | Path, at: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A command, its output and its status."""
    return subprocess.run([str(word) for word in command], cwd=at, env=ENVIRONMENT, capture_output=True, text=True,
                          timeout=SECONDS, check=False, stdin=subprocess.DEVNULL)


class Clone:
    """A work tree of the hub."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(self, *arguments: str) -> str:
        """What git prints."""
        done = run("git", *arguments, at=self.root)
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def write(self, path: str, text: str, message: str = "") -> str:
        """A commit of one file; its name."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        self.git("add", "--", path)
        self.git("commit", "--quiet", "--message", message or f"change {path}")
        return self.git("rev-parse", "HEAD")

    def push(self) -> None:
        """To everybody."""
        self.git("push", "--quiet", "origin", "HEAD:main")

    def pull(self) -> None:
        """From everybody."""
        self.git("pull", "--quiet", "--ff-only", "origin", "main")

    def command(self, *arguments: str) -> list[str]:
        """promote, in this clone."""
        return [sys.executable, str(PROMOTE), *arguments, "--repository", str(self.root)]

    def promote(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs it."""
        return run(*self.command(*arguments))

    def promoted(self, *arguments: str) -> str:
        """Runs it, and it must succeed; what it says."""
        done = self.promote(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def set_dev(self, revision: str, digest: str = "", version: str = "v1", *more: str) -> subprocess.CompletedProcess[str]:
        """promote set dev."""
        return self.promote("set", "dev", "--image", f"registry.example.org/glassbox@{digest or digest_of(revision)}",
                            "--revision", revision, "--version", version, *more)

    def release(self, environment: str) -> bytes | None:
        """The bytes of a release.yaml in the work tree."""
        path = self.root / f"infra/gitops/environments/{environment}/release.yaml"
        return path.read_bytes() if path.exists() else None


def digest_of(revision: str) -> str:
    """As good as any, and another for each commit."""
    return f"sha256:{(revision * 2)[:64]}"


class Hub:
    """The bare repository; `main` has a commit."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bare = folder, folder / "hub.git"
        done = run("git", "init", "--quiet", "--bare", "--initial-branch=main", self.bare)
        assert done.returncode == 0, done.stderr
        first = folder / "first"
        run("git", "init", "--quiet", "--initial-branch=main", first)
        clone = Clone(first)
        clone.git("remote", "add", "origin", str(self.bare))
        clone.write("src/service.c", "int first;\n", "the first commit")
        clone.push()

    def clone(self, name: str) -> Clone:
        """One more clone."""
        done = run("git", "clone", "--quiet", self.bare, self.folder / name)
        assert done.returncode == 0, done.stderr
        return Clone(self.folder / name)
