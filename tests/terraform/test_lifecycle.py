"""What the registry keeps: the policy that infra/terraform/up has put there, over images as the workflows push and tag them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cloud import Cloud
from lifecycle import DAY, Image, expired

PUSHES, EVERY = 4000, 10  # minutes
PROMOTED = range(0, 1500, 15)  # the pushes that held staging: a hundred; since then main has moved on, and prod has not
RELEASED = range(7, 1000, 33)  # thirty-one
BOTH = 495  # promoted, and released as well
PARTS = ("amd64", "arm64", "index", "signature")


def push(number: int) -> list[Image]:
    """What one push to main leaves, in its order (.github/workflows/image.yaml), and what came to it later."""
    at, commit = float(number * EVERY), f"{number:040x}"
    names = [f"prod-{number:012x}"] * (number in PROMOTED) + [f"v0.{number}.0"] * (number in RELEASED or number == BOTH)
    digests = {part: f"{number}-{part}" for part in PARTS}
    architectures = [Image(digests[arch], at, frozenset({f"git-{commit}-{arch}"})) for arch in ("amd64", "arm64")]
    return [
        *architectures,
        *(Image(f"{number}-sbom-{arch}", at + 1, subject=digests[arch]) for arch in ("amd64", "arm64")),
        Image(digests["index"], at + 2, frozenset({f"git-{commit}", *names}), (digests["amd64"], digests["arm64"])),
        Image(f"{number}-provenance", at + 3, subject=digests["index"]),
        Image(digests["signature"], at + 4, frozenset({f"sha256-{number}.sig", *(f"{name}.sig" for name in names)})),
    ]


@pytest.fixture(scope="module", name="kept")
def what_is_left(cloud: Cloud, made: None) -> dict[int, set[str]]:
    """Of each push, which of its parts are there in the end."""
    policy = json.loads(cloud.client("ecr").get_lifecycle_policy(repositoryName="glassbox")["lifecyclePolicyText"])
    images = [image for number in range(PUSHES) for image in push(number)]
    gone = expired(policy, images, PUSHES * EVERY)
    return {number: {part for part in PARTS if f"{number}-{part}" not in gone} for number in range(PUSHES)}


def test_what_prod_runs_stays_whatever_main_pushes(kept: dict[int, set[str]]) -> None:
    """Image, both architectures and signature, of each of the last hundred."""
    assert len(PROMOTED) == 100
    assert {number: kept[number] for number in PROMOTED if kept[number] != set(PARTS)} == {}


def test_the_last_releases_stay(kept: dict[int, set[str]]) -> None:
    """One that was promoted as well is counted with them."""
    released = sorted({*RELEASED, BOTH})
    assert [number for number in released if kept[number] != set(PARTS)] == released[:len(released) - 30]


def test_all_else_goes_but_the_youngest(kept: dict[int, set[str]]) -> None:
    """Some hundred and forty pushes; an image never before its signature's time, nor a signature without its image for long."""
    others = [number for number in range(PUSHES) if number not in {*PROMOTED, *RELEASED, BOTH}]
    whole = [number for number in others if kept[number] == set(PARTS)]
    assert whole == list(range(PUSHES - len(whole), PUSHES)) and 130 <= len(whole) <= 150
    assert {number: kept[number] for number in others if kept[number] not in (set(), set(PARTS), {"signature"})} == {}
    assert len([number for number in others if kept[number] == {"signature"}]) <= 1


# The user guide's own examples: two images of a release each, and what is left of them.
EXAMPLE = [Image("A", -10 * DAY, frozenset({"beta-1", "prod-1"})), Image("B", -9 * DAY, frozenset({"beta-2", "prod-2"})),
           Image("C", -8 * DAY, frozenset({"beta-3"}))]


def rule(priority: int, count: int, **selection: Any) -> dict[str, Any]:
    return {"rulePriority": priority, "selection": {"countType": "imageCountMoreThan", "countNumber": count, **selection}}


@pytest.mark.parametrize(("rules", "gone"), [
    ([("prod", 1), ("beta", 1)], {"A"}),
    ([("beta", 1), ("prod", 1)], {"A", "B"}),
])
def test_examples_of_the_user_guide(rules: list[tuple[str, int]], gone: set[str]) -> None:
    """The first rule whose tags an image has decides."""
    made = [rule(number, count, tagStatus="tagged", tagPrefixList=[prefix]) for number, (prefix, count) in enumerate(rules, 1)]
    assert expired({"rules": made}, EXAMPLE, 0) == gone


def test_what_an_index_refers_to_stays_with_it() -> None:
    parts = [Image("part", 0, frozenset({"a"})), Image("index", 1, frozenset({"b"}), ("part",)), Image("of it", 2, subject="index")]
    assert expired({"rules": [rule(1, 2, tagStatus="any")]}, parts, 0) == set()
    assert expired({"rules": [rule(1, 0, tagStatus="any")]}, parts, 0) == {"part", "index", "of it"}
    assert expired({"rules": [rule(1, 0, tagStatus="tagged", tagPatternList=["b*"])]}, parts, 0) == {"index", "of it"}
