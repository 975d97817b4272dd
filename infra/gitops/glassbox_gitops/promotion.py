"""What a release may do: arrive in dev, go on to the next environment, and be taken back.

What is checked before a change is checked again when the change is made anew upon somebody else's (clone.publish).
"""

from __future__ import annotations

import hashlib
import re
import time
from typing import Any

from .clone import Clone
from .release import ENVIRONMENTS, FOLDER, Refused, Release, known, parse, path_of, read

REVERTS = r"(?m)^This reverts commit ([0-9a-f]{40})\b"  # git revert's words
STEPS = dict(zip(ENVIRONMENTS, ENVIRONMENTS[1:]))  # dev -> staging -> prod


class Nothing(Exception):
    """There is nothing to do, and that is well: exit status 0."""


def _current(clone: Clone, environment: str) -> Release | None:
    text = clone.at("HEAD", path_of(environment))
    return parse(text, path_of(environment)) if text is not None else None


def _is_later(clone: Clone, one: Release, other: Release) -> bool:
    """Whether the first was made of a later commit."""
    return one.revision != other.revision and clone.contains(one.revision, other.revision)


def _on_main(clone: Clone, release: Release) -> None:
    if not clone.on_main(release.revision):
        raise Refused(f"revision {release.revision} is not on {clone.upstream}: what runs must be what everybody has "
                      f"(git merge-base --is-ancestor {release.revision[:12]} {clone.upstream})")


def first(environment: str) -> None:
    """Refuses what is not the first environment."""
    if known(environment) != ENVIRONMENTS[0]:
        before = ENVIRONMENTS[ENVIRONMENTS.index(environment) - 1]
        raise Refused(f"set {environment}: only {ENVIRONMENTS[0]} takes what was just built; {environment} takes what "
                      f"{before} has run: promote copy {before} {environment}")


def arrive(clone: Clone, environment: str, release: Release) -> str:
    """Commits what was just built as what dev is to run; a word about it."""
    _on_main(clone, release)
    there = _current(clone, environment)
    if there == release:
        raise Nothing(f"{environment} has {release.named} already")
    if there and _is_later(clone, there, release):
        raise Nothing(f"{environment} has {there.named}, which is later than {release.named}: left as it is")
    clone.commit(path_of(environment), release.text(), f"{environment}: {release.named}")
    return f"{environment}: {there.named if there else 'nothing'} -> {release.named}"


def follows(origin: str, target: str) -> None:
    """Refuses another step than to the next environment."""
    if STEPS.get(known(origin)) != known(target):
        raise Refused(f"copy {origin} {target}: a release goes {' -> '.join(ENVIRONMENTS)}, a step at a time: "
                      + " or ".join(f"copy {one} {other}" for one, other in STEPS.items()))


def _as_judged(clone: Clone, origin: str, judged: str) -> None:
    """That what would be copied is what the gate has seen: between the two may be days of waiting for a person."""
    text = clone.at("HEAD", path_of(origin))
    if text is not None and hashlib.sha256(text.encode()).hexdigest() != judged:
        raise Nothing(f"{origin} has {parse(text, path_of(origin)).named} by now, which is not what was judged: "
                      "left as it is")


def _taken_back(clone: Clone, path: str) -> list[str | None]:
    """The states of a release that were taken back since the last promotion."""
    states: list[str | None] = []
    for commit in reversed(clone.changes(path)):
        if not (reverted := re.search(REVERTS, clone.git("log", "-1", "--format=%B", commit))):
            break
        states.append(clone.at(reverted[1], path))
    return states


def copy(clone: Clone, origin: str, target: str, judged: str | None = None, again: bool = False) -> str:
    """Commits the one's release as what the other is to run; what comes with it. With `judged`, the sha256 of its
    release.yaml, only that one. What was taken back last comes `again` only on a person's word."""
    if judged is not None:
        _as_judged(clone, origin, judged)
    release, there = _current(clone, origin), _current(clone, target)
    if release is None:
        raise Refused(f"{origin} has no release yet: there is no {path_of(origin)}")
    _on_main(clone, release)
    if there == release:
        raise Refused(f"{target} has {release.named} already, as {origin} has")
    if there and _is_later(clone, there, release):
        raise Refused(f"{target} has {there.named}, which is later than {origin}'s {release.named}: a copy would take "
                      f"{target} back, which `promote rollback {target}` does")
    if not again and release.text() in _taken_back(clone, path_of(target)):
        raise Refused(f"{release.named} was taken back from {target}: what failed is not tried once more by itself. "
                      f"To try it: promote copy {origin} {target} --again")
    log = changelog(clone, there, release)
    clone.commit(path_of(target), release.text(), f"{target}: {release.named}, from {origin}\n\n{log}")
    return f"{target}: {there.named if there else 'nothing'} -> {release.named}\n\n{log}"


def changelog(clone: Clone, there: Release | None, release: Release) -> str:
    """The commits between two releases, without those that only promote."""
    span = f"{there.revision}..{release.revision}" if there else release.revision
    log = clone.git("log", "--no-merges", "--format=- %h %s", *([] if there else ["--max-count=50"]), span, "--", ".",
                    f":(exclude){FOLDER}/*/release.yaml")
    return log or "no commit between them: the image alone is another"


def take_back(clone: Clone, environment: str, of: str | None = None) -> str:
    """Reverts the commit that brought what the environment has, with `of` only if it is what that commit has; a word
    about it.

    States that were taken back already are passed over: what is reverted is what brought the state, and what comes
    back is the state before it, however often that has been done.
    """
    path = path_of(known(environment))
    if of is not None and not clone.holds("cat-file", "-e", f"{of}^{{commit}}"):
        raise Refused(f"--of {of!r}: there is no such commit here")
    if of is not None and (there := clone.at("HEAD", path)) != clone.at(of, path):
        raise Nothing(f"{environment} has {parse(there, path).named if there else 'nothing'} by now, which is not what {of[:12]} "
                      "has: left as it is")
    stack: list[tuple[str, str | None]] = []  # commit, the file's text after it
    for commit in clone.changes(path):
        text = clone.at(commit, path)
        texts = [each for _, each in stack]
        stack = stack[:texts.index(text) + 1] if text in texts else [*stack, (commit, text)]
    if not stack or stack[-1][1] is None:
        raise Refused(f"{environment} has no release: there is nothing to take back")
    if len(stack) < 2 or (before := stack[-2][1]) is None:
        raise Refused(f"{environment} has its first release, {parse(stack[-1][1], path).named}: there is none before it")
    commit = stack[-1][0]
    if (others := clone.git("show", "--format=", "--name-only", "--first-parent", commit).split()) != [path]:
        raise Refused(f"commit {commit[:12]}, which brought it, changed more than {path}: {', '.join(others)}. "
                      f"Revert it by hand: git revert {commit[:12]}")
    clone.git("revert", "--no-edit", commit)
    if clone.at("HEAD", path) != before:  # by construction; said, and not left behind, if ever it is not so
        raise Refused(f"the revert of {commit[:12]} does not bring back what {environment} had before")
    return f"{environment}: {parse(stack[-1][1], path).named} -> {parse(before, path).named}, by a revert of {commit[:12]}"


def status(clone: Clone) -> list[dict[str, Any]]:
    """A row for each environment: what it is to run, since when, how much later the one before it is."""
    rows: list[dict[str, Any]] = []
    earlier: Release | None = None
    for environment in ENVIRONMENTS:
        try:
            release: Release | None = read(clone.root, environment)
        except Refused:
            if (clone.root / path_of(environment)).exists():
                raise
            release = None
        row: dict[str, Any] = {"environment": environment, "version": None, "revision": None, "digest": None, "image": None,
                               "since": None, "seconds": None, "behind": None}
        if release:
            since = int(clone.git("log", "-1", "--format=%ct", "--", path_of(environment)) or time.time())
            row |= {"version": release.version, "revision": release.revision, "digest": release.digest,
                    "image": f"{release.repository}@{release.digest}",
                    "since": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since)),
                    "seconds": max(0, int(time.time()) - since)}
            if earlier:
                row["behind"] = int(clone.git("rev-list", "--count", f"{release.revision}..{earlier.revision}"))
        rows.append(row)
        earlier = release
    return rows
