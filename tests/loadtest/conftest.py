"""Fixtures: k6, and a local stack without load of its own."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from glassbox_stack.ports import FREE
from glassbox_stack.stack import Stack


# Where a script has us in its background they would be ignored, and so by all that is started here.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def k6() -> str:
    """The program."""
    found = os.environ.get("K6_BIN")
    if not found:
        pytest.skip("needs K6_BIN: see .ci/loadtest.sh")
    return found


@pytest.fixture(scope="session")
def stack(k6: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Up, with short windows, on ports of its own; nobody calls the service."""
    with Stack(tmp_path_factory.mktemp("stack"), profile="fast", rate=400, load=False, ports=FREE) as up:
        yield up
