"""What the tests of the drills share: a service, and around it a world of the test's own."""

from typing import Iterator

import pytest

from drill_world import Service, World


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    made = Service(tmp_path_factory.mktemp("service"))
    yield made
    made.stop()


@pytest.fixture
def world(service: Service) -> Iterator[World]:
    """Whatever a test does, afterwards nothing is in force."""
    made = World(service)
    yield made
    made.stop()
    assert not service.is_struck()
