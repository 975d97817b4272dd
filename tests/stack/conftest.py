"""Fixtures: one stack for the tests that only look at it."""

import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from command import eventually, get
from stack import FREE, Stack

# Under nohup the stack would rightly leave SIGHUP ignored, and the tests want to see it obeyed.
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Up, with short windows, on ports of its own, and looked at by Prometheus."""
    with Stack(tmp_path_factory.mktemp("stack"), profile="fast", ports=FREE) as up:
        assert eventually(lambda: len(get(f"{up.prometheus}/api/v1/query?query=up")["data"]["result"]) == 3)
        yield up


@pytest.fixture
def traced(stack: Stack) -> Stack:
    """The same, where there is a Collector."""
    assert "broken" not in stack.no_collector, stack.no_collector
    if not stack.traces:
        pytest.skip(stack.no_collector)
    return stack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a stack of the test's own may live."""
    return tmp_path / "stack"


@pytest.fixture
def fetch():
    """A function: the body and headers of a URL."""
    def ask(url: str) -> tuple[str, dict[str, str]]:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.read().decode(), dict(response.headers)
    return ask
