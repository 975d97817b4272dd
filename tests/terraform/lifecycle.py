"""A lifecycle policy over a repository's images, as ECR's user guide says that it is evaluated ("Lifecycle policy evaluation
rules"); moto keeps policies and evaluates none.

All rules are evaluated, then applied by priority. An image is taken by one rule or by none; one that has the tags of a rule is
not taken by a rule below it; a rule counts also what it cannot take. Counted is from the youngest to the oldest by the time of
the push. All patterns of a list must match some tag. What an index refers to goes after the index, never before; what refers to
an image goes with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

DAY = 24 * 60


@dataclass(frozen=True)
class Image:
    """A manifest. `pushed` is in minutes; `parts` are an index's, `subject` is what an attestation is of."""

    digest: str
    pushed: float
    tags: frozenset[str] = frozenset()
    parts: tuple[str, ...] = ()
    subject: str = ""


def matches(selection: dict[str, Any], image: Image) -> bool:
    """Whether an image has the tags that a rule is about."""
    if selection["tagStatus"] == "any":
        return True
    if selection["tagStatus"] == "untagged":
        return not image.tags
    patterns = [re.escape(each).replace(r"\*", ".*") for each in selection.get("tagPatternList", [])]
    patterns += [re.escape(each) + ".*" for each in selection.get("tagPrefixList", [])]
    return all(any(re.fullmatch(pattern, tag) for tag in image.tags) for pattern in patterns)


def marked(selection: dict[str, Any], images: Iterable[Image], now: float) -> set[str]:
    """What a rule would take, were it alone."""
    found = sorted((image for image in images if matches(selection, image)), key=lambda image: -image.pushed)
    if selection["countType"] == "imageCountMoreThan":
        return {image.digest for image in found[selection["countNumber"]:]}
    assert selection["countType"] == "sinceImagePushed" and selection["countUnit"] == "days", selection
    return {image.digest for image in found if now - image.pushed > selection["countNumber"] * DAY}


def expired(policy: dict[str, Any], images: list[Image], now: float) -> set[str]:
    """The digests of what the policy takes."""
    rules = sorted(policy["rules"], key=lambda rule: rule["rulePriority"])
    marks = [marked(rule["selection"], images, now) for rule in rules]
    gone = set()
    for image in images:
        own = next((number for number, rule in enumerate(rules) if matches(rule["selection"], image)), None)
        if own is not None and image.digest in marks[own]:
            gone.add(image.digest)
    for image in images:
        if image.digest not in gone:
            gone -= set(image.parts)
    return gone | {image.digest for image in images if image.subject in gone}
