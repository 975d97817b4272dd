"""What the tests of the doctor share: a round over a world, and the form of a case."""

from dataclasses import dataclass
from typing import Any, Callable

from fake import FakeKubectl
from glassbox_doctor.cli import reach
from glassbox_doctor.cluster import Cluster
from glassbox_doctor.facts import Facts
from glassbox_doctor.finding import Finding
from glassbox_doctor.rounds import examine
from world import NAMESPACE, RELEASE, WATCH, World, whole

Break = Callable[[World], Any]


def look(world: World, kubectl: Any = None) -> dict[str, Finding]:
    cluster = Cluster(kubectl or FakeKubectl(world))
    reach(cluster)
    return examine(Facts(cluster, RELEASE, NAMESPACE, WATCH))


@dataclass(frozen=True)
class Case:
    """A break, and what its link says: words that must stand in what was found, and a line to change, whole."""

    name: str
    break_it: Break
    found: str
    fix: str
    state: str = "broken"


def check(link: str, case: Case) -> None:
    world = whole()
    case.break_it(world)
    finding = look(world)[link]
    assert finding.state == case.state, finding
    assert case.found in finding.found, finding
    assert case.fix in finding.fix.splitlines() + [""] * (not finding.fix), finding


def one(world: World, kind: str, name: str = "") -> dict[str, Any]:
    """The object of a kind with this name, or the first."""
    return next(thing for thing in world["objects"][kind] if not name or thing["metadata"]["name"] == name)


def drop(world: World, kind: str, name: str = "") -> None:
    """Deletes it."""
    world["objects"][kind].remove(one(world, kind, name))


def warn(world: World, kind: str, name: str, reason: str, message: str) -> None:
    """An event about an object of the release's namespace."""
    world["objects"]["events"].append({
        "metadata": {"namespace": NAMESPACE}, "type": "Warning", "reason": reason, "message": message,
        "involvedObject": {"kind": kind, "name": name}, "lastTimestamp": "2026-11-26T16:00:00Z"})


def labels(thing: dict[str, Any]) -> dict[str, str]:
    return thing["metadata"]["labels"]
