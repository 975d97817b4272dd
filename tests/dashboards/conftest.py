"""The scene, once for all tests of data, and what is left of it: figures, and the tables on demand."""

import os
import shutil
from typing import Iterator

import pytest

import answers
from answers import Answer
from prometheus import Prometheus
from reading import ROOT, Expression, every_expression
from scene import playing

RUNS: dict[str, dict] = {}
QUIET: dict[Expression, Answer] = {}
DEBIAN, THREE = "prometheus-2", "prometheus-3"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-answers", action="store_true",
                     help="write dashboards/<name>.md from what was answered")


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("GLASSBOX_BIN", str(ROOT / "build/release/glassbox"))


@pytest.fixture(scope="session")
def observers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Prometheus]]:
    """Each Prometheus there is, watching the same scene: Debian's with the rules as they are for real,
    Prometheus 3 with those for demonstrations."""
    if not shutil.which(os.environ["GLASSBOX_BIN"]):
        pytest.fail(f"no program at {os.environ['GLASSBOX_BIN']}: build it, or set GLASSBOX_BIN")
    binaries = {DEBIAN: ("prometheus", "real")}
    if three := os.environ.get("PROMETHEUS_BIN"):
        binaries[THREE] = (three, "fast")
    with playing(tmp_path_factory.mktemp("scene"), binaries, ask_quiet) as running:
        yield running


def ask_quiet(observers: dict[str, Prometheus]) -> None:
    """What a service answers with which nothing is wrong; asked of one."""
    QUIET.update(answers.ask_all(observers[DEBIAN], every_expression(), patience=10))


@pytest.fixture(scope="session")
def quiet(observers: dict[str, Prometheus]) -> dict[Expression, Answer]:
    """The answers of the first life."""
    return QUIET


@pytest.fixture(scope="session")
def runs() -> dict[str, dict]:
    """What each answered."""
    return RUNS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter,
                            config: pytest.Config) -> None:
    if not RUNS:
        return
    answers.report(RUNS)
    for name, answered in RUNS.items():
        terminalreporter.write_sep("=", f"dashboards, {name}")
        for what, figure in answers.counts(answered).items():
            terminalreporter.write_line(f"{figure:6} {what}")
    if config.getoption("--write-answers"):
        answers.write_tables(RUNS[DEBIAN])
