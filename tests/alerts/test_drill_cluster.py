"""A drill where pods come and go: what reaches all is armed on all, and is looked for on those that there are.

Two real services; the way is one that reaches each that there is, as a ConfigMap does. How that comes to pods is
test_drill_configmap.py's, and a cluster's.
"""

from typing import Any, Callable, Iterator, Optional

import pytest

from drill_world import RULE, Service, World, field
from drills import table
from drills.arming import Api
from drills.guard import Guard
from drills.timeline import Timeline
from drills.wave import Site, Wave
from drills.web import Refused

NOT_READY = table.by_name("NotReady")
HERE, ELSEWHERE = "shop", "other-shop"


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    made = Service(tmp_path_factory.mktemp("second"))
    yield made
    made.stop()


@pytest.fixture
def two(world: World, second: Service) -> Iterator[World]:
    """Two replicas in a namespace."""
    world.services["there"] = second
    world.labels = {"namespace": HERE}
    yield world
    assert not second.is_struck()


def drill(world: World, at: Optional[dict[int, Callable[[], None]]] = None,
          change: Callable[[Site], None] = lambda _: None) -> Timeline:
    with Guard(lambda _: None) as keeper:
        made = field(world, keeper, at)
        made.places.namespace = HERE
        made.way = lambda _: Api(made.places, reaches_all=True)
        # Where the fault API is says nothing of how Prometheus calls them.
        made.places.operators = [service.url for service in world.services.values()]
        made.places.services = []
        change(made)
        timeline, = Wave(made, [NOT_READY]).run()
    return timeline


def test_all_of_the_namespace_are_drilled(two: World) -> None:
    """None of them has to be named."""
    assert drill(two).problems() == []


def test_a_pod_that_goes_away_is_not_missed(two: World) -> None:
    def scale_in() -> None:
        two.services.pop("there", None)
    assert drill(two, {4: scale_in}).problems() == []


def test_a_pod_that_comes_has_to_have_it(two: World, second: Service) -> None:
    """One that never gets it: the clock does not start."""
    two.services["third"] = two.services.pop("there")
    second_url = second.url

    def without(made: Site) -> None:
        made.places.operators.remove(second_url)
    assert drill(two, change=without).problems()[0] == \
        "the fault was not seen in Prometheus on every target: on 1 of 2"


def test_some_of_all_cannot_be_meant(two: World) -> None:
    with pytest.raises(Refused, match="this way reaches all of here, there: --instance names some of them"):
        drill(two, change=lambda made: setattr(made.places, "instances", ["here"]))


def test_another_namespaces_targets_are_not_ours(two: World) -> None:
    two.labels = {"namespace": ELSEWHERE}
    with pytest.raises(Refused, match='no target with job="glassbox",namespace="shop"'):
        drill(two)


def test_another_namespaces_rules_are_not_ours(two: World) -> None:
    """Two releases in a cluster have the same rules, each for itself."""
    def rule(namespace: str, **more: Any) -> dict[str, Any]:
        return {**RULE, "labels": {**RULE["labels"], "namespace": namespace}, **more}

    two.rules[:] = [rule(ELSEWHERE, health="err", lastError="theirs")]
    with pytest.raises(Refused, match="Prometheus has no rule GlassboxNotReady"):
        drill(two)
    two.rules.append(rule(HERE, health="err", lastError="ours"))
    with pytest.raises(Refused, match="cannot evaluate the rule GlassboxNotReady: ours"):
        drill(two)
