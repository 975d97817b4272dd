"""git, in a clone: whether it may be built upon, what its history says, and a commit that reaches everybody or nobody.

Two may promote at once. Then one of the pushes is refused, and its change is made anew upon the other's, with all that
is checked checked again.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from .release import Refused

TRIES = 5
SECONDS = 120  # for a command of git's, the network's ones too


class Failed(Exception):
    """It was begun and did not succeed: exit status 1."""


class _Rejected(Exception):
    """Somebody else has pushed first."""


class Clone:
    """A work tree and the branch that the environments follow."""

    def __init__(self, root: Path, remote: str = "origin", branch: str = "main") -> None:
        self.root, self.remote, self.branch = root, remote, branch
        if self._git("rev-parse", "--show-toplevel").returncode:
            raise Refused(f"{root}: not a git repository")

    @property
    def upstream(self) -> str:
        """What everybody has."""
        return f"{self.remote}/{self.branch}"

    def _git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(["git", "-C", str(self.root), *arguments], capture_output=True, text=True,
                                  timeout=SECONDS, check=False, stdin=subprocess.DEVNULL,
                                  env=os.environ | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"})
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(arguments, 1, "", f"no end within {SECONDS} s")

    def git(self, *arguments: str) -> str:
        """What it prints; Failed if it does not succeed."""
        done = self._git(*arguments)
        if done.returncode:
            raise Failed(f"git {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.strip()

    def holds(self, *arguments: str) -> bool:
        """Whether a question is answered by yes."""
        return self._git(*arguments).returncode == 0

    def fetch(self) -> None:
        """Learns what everybody has."""
        done = self._git("fetch", "--quiet", self.remote, self.branch)
        if done.returncode:
            raise Refused(f"{self.upstream} cannot be fetched: {done.stderr.strip()}")

    def check(self) -> None:
        """That what is committed here is all of what everybody has, and no more."""
        if dirty := self.git("status", "--porcelain", "--untracked-files=no"):
            raise Refused(f"{self.root} has changes that are not committed:\n{dirty}\nCommit or stash them")
        self.fetch()
        behind, ahead = self.git("rev-list", "--left-right", "--count", f"{self.upstream}...HEAD").split()
        if behind != "0":
            raise Refused(f"{self.root} is stale: {self.upstream} has {behind} commits that are not here: "
                          f"git -C {self.root} pull --ff-only {self.remote} {self.branch}")
        if ahead != "0":
            raise Refused(f"{self.root} has {ahead} commits that {self.upstream} has not: push them first, "
                          "for what is promoted is what everybody has")

    def contains(self, later: str, revision: str) -> bool:
        """Whether a commit is among those that led to another."""
        return self.holds("merge-base", "--is-ancestor", revision, later)

    def on_main(self, revision: str) -> bool:
        """Whether everybody has a commit."""
        return self.holds("cat-file", "-e", f"{revision}^{{commit}}") and self.contains(self.upstream, revision)

    def publish(self, change: Callable[[], None], branch: str = "", push: bool = True) -> None:
        """Makes a commit by `change` and pushes it: to what everybody has, or as a branch of its own for a pull
        request. If somebody was first, all is made anew upon that. If it fails, nothing of it stays."""
        start = self.git("rev-parse", "HEAD")
        if branch and self.holds("ls-remote", "--exit-code", self.remote, f"refs/heads/{branch}"):
            raise Refused(f"{self.remote} has a branch {branch} already: merge or delete it")
        try:
            for left in reversed(range(TRIES)):
                change()
                if not push:
                    return
                try:
                    self._push(branch or self.branch)
                    return
                except _Rejected as error:
                    if branch:
                        raise Failed(f"the branch {branch} was pushed meanwhile: {error}") from None
                    if not left:
                        raise Failed(f"{self.upstream} was pushed to {TRIES} times meanwhile: {error}") from None
                    self.fetch()
                    self.git("reset", "--quiet", "--hard", self.upstream)
                    start = self.git("rev-parse", "HEAD")
        except BaseException:
            self._git("reset", "--quiet", "--hard", start)
            raise
        finally:
            if branch:  # the commit is there; this clone stays where everybody is
                self._git("reset", "--quiet", "--hard", start)

    def _push(self, branch: str) -> None:
        done = self._git("push", "--quiet", self.remote, f"HEAD:refs/heads/{branch}")
        if done.returncode and any(word in done.stderr for word in ("[rejected]", "fetch first", "cannot lock ref",
                                                                    "failed to update ref", "incorrect old value")):
            raise _Rejected(done.stderr.strip())
        if done.returncode:
            raise Failed(f"git push {self.remote} {branch}: {done.stderr.strip()}")

    def commit(self, path: str, text: str, message: str) -> None:
        """One file, changed."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        self.git("add", "--", path)
        self.git("commit", "--quiet", "--message", message, "--", path)

    def at(self, revision: str, path: str) -> str | None:
        """A file as a commit has it; None where it has not."""
        done = self._git("show", f"{revision}:{path}")
        return done.stdout if done.returncode == 0 else None

    def changes(self, path: str) -> list[str]:
        """The commits that changed a file, oldest first."""
        return self.git("log", "--reverse", "--topo-order", "--format=%H", "--", path).split()
