"""One AWS for all tests of a run: making an environment takes most of a minute."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator

import pytest
from cloud import ROOT, Cloud


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What unmakes all of it comes last."""
    items.sort(key=lambda item: item.path.name == "test_cloud.py")


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


@pytest.fixture(scope="session", name="made")
def all_of_it(cloud: Cloud, before: Counter[str]) -> dict[str, list[str]]:
    """bootstrap, shared and dev, by infra/terraform/up; what was asked of AWS for each."""
    calls = {}
    for environment in ("bootstrap", "shared", "dev"):
        begin = len(cloud.asked())
        cloud.do(cloud.terraform / "up", environment, "--yes")
        calls[environment] = cloud.asked()[begin:]
    return calls
