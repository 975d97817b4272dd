"""When a part counts as ready: a row for each thing that can be missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "charts/stack"))

from glassbox_install.ready import KINDS  # noqa: E402  the path comes first
from glassbox_install.tools import version  # noqa: E402


def thing(kind: str, status: dict) -> dict:
    """An object of two replicas; its last change has been seen, unless told otherwise."""
    return {"kind": kind, "metadata": {"name": "any", "generation": 3}, "spec": {"replicas": 2},
            "status": {"observedGeneration": 3} | status}


def said(**conditions: tuple[str, int]) -> list[dict]:
    """Conditions: a status, and of which generation."""
    return [{"type": kind, "status": status, "observedGeneration": of, "message": "why"}
            for kind, (status, of) in conditions.items()]


WELL = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
ALL = {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3}
ROWS = [
    ("Deployment", WELL, ""),
    ("Deployment", WELL | {"observedGeneration": 2}, "its last change is not seen yet"),
    ("Deployment", {}, "0 of 2 updated"),
    ("Deployment", WELL | {"updatedReplicas": 1}, "1 of 2 updated"),
    ("Deployment", WELL | {"availableReplicas": 1}, "1 of 2 available"),
    ("Deployment", WELL | {"replicas": 3}, "3 of 2 left"),
    ("StatefulSet", {"readyReplicas": 2, "currentRevision": "a", "updateRevision": "a"}, ""),
    ("StatefulSet", {"readyReplicas": 1, "currentRevision": "a", "updateRevision": "a"}, "1 of 2 ready"),
    ("StatefulSet", {"readyReplicas": 2, "currentRevision": "a", "updateRevision": "b", "updatedReplicas": 1},
     "being replaced"),
    ("StatefulSet", {"readyReplicas": 2, "currentRevision": "a", "updateRevision": "b", "updatedReplicas": 2}, ""),
    ("DaemonSet", ALL, ""),
    ("DaemonSet", ALL | {"numberAvailable": 1}, "1 of 3 available"),
    ("DaemonSet", ALL | {"updatedNumberScheduled": 2}, "2 of 3 updated"),
    ("Prometheus", {}, "the operator has not seen it yet"),
    ("Prometheus", {"conditions": said(Reconciled=("True", 3), Available=("True", 3))}, ""),
    ("Prometheus", {"conditions": said(Reconciled=("True", 3), Available=("False", 3))}, "Available is False: why"),
    ("Alertmanager", {"conditions": said(Reconciled=("True", 2), Available=("True", 2))},
     "the operator has not seen its last change yet"),
    ("APIService", {"conditions": said(Available=("True", 0))}, ""),
    ("APIService", {"conditions": said(Available=("False", 0))}, "not available: why"),
    ("APIService", {}, "not available: not said"),
]


@pytest.mark.parametrize(("kind", "status", "words"), ROWS)
def test_what_is_missing(kind: str, status: dict, words: str) -> None:
    """In words; nothing when all is well."""
    assert KINDS[kind](thing(kind, status)) == words


def test_an_autoscaler_has_its_least() -> None:
    """More is as good; one is the least where nothing is said."""
    scaler = {"spec": {"minReplicas": 2}, "status": {"currentReplicas": 1}}
    assert KINDS["HorizontalPodAutoscaler"](scaler) == "1 replicas of at least 2"
    for have in (2, 5):
        assert KINDS["HorizontalPodAutoscaler"](scaler | {"status": {"currentReplicas": have}}) == ""
    assert KINDS["HorizontalPodAutoscaler"]({"spec": {}, "status": {"currentReplicas": 1}}) == ""


@pytest.mark.parametrize(("text", "found"), [("v1.35.2", (1, 35)), ("v4.1.4+g05fa379", (4, 1)), ("1.30", (1, 30)),
                                             ("", None), ("nonsense", None)])
def test_versions(text: str, found: tuple[int, int] | None) -> None:
    """As programs and clusters write them."""
    assert version(text) == found
