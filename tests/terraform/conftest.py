"""One AWS for all tests of a run. Making and unmaking environments takes minutes in which nearly nothing is to be done but
to wait: it begins with the first test, and what needs none of it comes first."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from cloud import ROOT, Cloud, documents


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What unmakes all of it comes last."""
    items.sort(key=lambda item: ("made" in item.fixturenames, item.path.name == "test_cloud.py"))


@pytest.fixture(scope="session", name="cloud")
def an_aws() -> Iterator[Cloud]:
    """Empty, with what the organisation would make there beside it."""
    if shutil.which("terraform") is None:
        pytest.skip("no terraform")
    cloud = Cloud(ROOT / "build/terraform/moto")
    yield cloud
    cloud.stop()


@pytest.fixture(scope="session", name="before")
def what_every_account_has(cloud: Cloud) -> Counter[str]:
    """A default VPC and the like."""
    return cloud.inventory()


def make(cloud: Cloud) -> None:
    """bootstrap; then, by two people at once, shared and dev, neither of which needs the other."""
    cloud.do(cloud.terraform / "up", "bootstrap", "--yes")
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: cloud.do(cloud.terraform / "up", name, "--yes"), ("shared", "dev")))


@pytest.fixture(scope="session", name="making", autouse=True)
def begun_at_once(request: pytest.FixtureRequest) -> Iterator[Future[None] | None]:
    """What makes them, if a test asks for them and can have them."""
    if shutil.which("terraform") is None or not any("made" in item.fixturenames for item in request.session.items):
        yield None
        return
    request.getfixturevalue("before")
    with ThreadPoolExecutor() as pool:
        yield pool.submit(make, request.getfixturevalue("cloud"))


@pytest.fixture(scope="session", name="made")
def all_of_it(cloud: Cloud, making: Future[None]) -> None:
    """bootstrap, shared and dev are there, by infra/terraform/up."""
    making.result()


@pytest.fixture(scope="session", name="policies")
def of_roles(cloud: Cloud, made: None) -> dict[str, list[dict[str, Any]]]:
    """Each role's own documents, by the role's name; AWS's managed ones are AWS's."""
    return documents(cloud.client("iam"))


@pytest.fixture(scope="session", name="unmade")
def none_of_it(cloud: Cloud, policies: dict) -> dict[str, str]:
    """None is there any more; what infra/terraform/down said of each. The registry goes with its images."""
    def down(name: str) -> str:
        if name == "shared":
            cloud.do(cloud.terraform / "up", name, "--yes", TF_VAR_repository_force_delete="true")
        return cloud.do(cloud.terraform / "down", name, "--yes")

    with ThreadPoolExecutor() as pool:
        said = dict(zip(("shared", "dev"), pool.map(down, ("shared", "dev"))))
    return said | {"bootstrap": down("bootstrap")}
