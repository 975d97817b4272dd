"""Fixtures: one browser for all, a service for each module, a page for each test.

Whatever a test is about, afterwards nothing may have been refused by the content policy, said on the
console, or asked of anyone but the service.
"""

import re
import shutil
from pathlib import Path
from typing import Callable, Iterator

import pytest

from chromium import Browser, browser  # noqa: F401  the fixture
from panel import Panel
from service import ROOT, Service, binary

PICTURES = ROOT / "build/browser"
TOKEN = "a-token-for-the-tests-of-the-page"
CONSOLE = {"OTEL_TRACES_EXPORTER": "console", "OTEL_BSP_SCHEDULE_DELAY": "50"}


def pytest_sessionstart(session: pytest.Session) -> None:
    if not shutil.which(binary()):
        pytest.exit(f"no program at {binary()}: build it, or set GLASSBOX_BIN", returncode=2)


@pytest.fixture(scope="session")
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("token") / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def serve(token_file: Path) -> Iterator[Callable[..., Service]]:
    """Starts a service with its page, spans on its console, and the fault API."""
    started: list[Service] = []

    def start(*arguments: str, **more: object) -> Service:
        service = Service("--page", "--fault-token-file", str(token_file), *arguments,
                          **{"env": CONSOLE, **more})
        started.append(service)
        return service
    yield start
    for service in started:
        if service.process.poll() is None and not service.told_to_end:
            service.stop()


@pytest.fixture
def service(serve: Callable[..., Service]) -> Service:
    return serve("--workers", "2")


@pytest.fixture
def page(browser: Browser, service: Service) -> Iterator[Panel]:
    """The page, open and live."""
    browser.look()
    browser.forget()
    panel = Panel(browser, service.operators)
    yield panel.open()
    check_silence(panel)


def check_silence(panel: Panel) -> None:
    """Nothing refused, nothing said, nobody else asked."""
    assert panel.browser.complaints() == []
    hosts, _ = panel.browser.traffic()
    assert hosts <= {panel.origin, "data://"}, hosts
    loaded = panel.browser.run("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert all(name.startswith(panel.origin + "/") or name.startswith("data:") for name in loaded), loaded
    panel.browser.driver.get("about:blank")


@pytest.fixture
def picture(browser: Browser, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keeps a picture of this step under build/browser."""
    test = re.sub(r"\W+", "-", request.node.name.removeprefix("test_")).strip("-")
    return lambda step: browser.picture(PICTURES / f"{test}-{step}.png")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    report = yield
    if report.when == "call" and report.failed and "browser" in getattr(item, "funcargs", {}):
        item.funcargs["browser"].picture(PICTURES / f"failed-{item.name}.png")
    return report
