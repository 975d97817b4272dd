"""Fixtures: the tools, by the paths that .ci/interop.sh gives, and the tables of the run."""

import os
from pathlib import Path

import pytest

from certificates import Authority
from ledger import Ledger
from service import ROOT

LEDGER = Ledger()


def tool(name: str) -> str:
    """The path of a tool; skips the test without."""
    path = os.environ.get(name)
    if not path:
        pytest.skip(f"needs {name}: see README.md")
    return path


@pytest.fixture(scope="session")
def otelcol_binary() -> str:
    """Path of the Collector."""
    return tool("OTELCOL_BIN")


@pytest.fixture(scope="session")
def prometheus_binary() -> str:
    """Path of Prometheus 3."""
    return tool("PROMETHEUS_BIN")


@pytest.fixture(scope="session")
def promtool_binary() -> str:
    """Path of its promtool."""
    return tool("PROMTOOL_BIN")


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    """The tables that the run fills."""
    return LEDGER


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca, server (for localhost and 127.0.0.1) and client as .pem and .key."""
    authority = Authority(tmp_path_factory.mktemp("tls"), "authority")
    authority.issue("server", "DNS:localhost,IP:127.0.0.1")
    authority.issue("client", "DNS:client")
    return authority.folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the tables, and leaves them in build/check for docs/collector.md to quote."""
    for name, table in LEDGER.tables().items():
        terminalreporter.write_sep("=", name)
        terminalreporter.write(table)
    LEDGER.write(ROOT / "build/check")
