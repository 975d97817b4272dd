"""Fixtures of the wire tests. Each test module has one service with a collector of its own; tests
that need other options start their own with `Service`."""

import os
import shutil

import pytest

# `make check` builds the static program and tests that one alone.
if "GLASSBOX_STATIC_BIN" in os.environ:
    os.environ["GLASSBOX_BIN"] = os.environ["GLASSBOX_STATIC_BIN"]
else:
    collect_ignore = ["test_export_static.py"]

from collector import Collector
from service import Service, binary
from witness import Witnesses


def pytest_configure(config):
    config.addinivalue_line("markers", "root: needs root (mount, unshare); skipped without")


def pytest_sessionstart(session):
    if not shutil.which(binary()):
        pytest.exit(f"no program at {binary()}: build it, or set GLASSBOX_BIN", returncode=2)


def pytest_runtest_setup(item):
    if item.get_closest_marker("root") and os.geteuid() != 0:
        pytest.skip("needs root")


@pytest.fixture(scope="module")
def collector():
    with Collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def options():
    """Options of the module's service; a module overrides this fixture."""
    return ()


@pytest.fixture(scope="module")
def service(collector, options):
    service = Service(*options, env=collector.env())
    yield service
    service.stop()


@pytest.fixture(scope="module")
def witnesses(service, collector):
    return Witnesses(service, collector)
