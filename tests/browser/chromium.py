"""Chromium without a screen, and all that it says: its console, its network, what its content policy
refused.

It talks to the service on loopback and to nobody else: what it does of its own accord is switched off,
and no name is resolved.
"""

import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator
from urllib.parse import urlsplit

import pytest

os.environ |= {"SE_OFFLINE": "true", "SE_AVOID_STATS": "true", "NO_PROXY": "127.0.0.1,localhost"}

from selenium import webdriver
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.common.by import By

from wire import eventually

FLAGS = ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-quic",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-default-apps", "--disable-extensions", "--disable-domain-reliability",
         "--disable-client-side-phishing-detection", "--no-pings", "--no-proxy-server",
         "--disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE 127.0.0.2")

# In every document before any script of its own.
WATCH = """
globalThis.refused = [];
document.addEventListener("securitypolicyviolation", (event) =>
    refused.push(`${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`));
addEventListener("error", (event) => refused.push(`error: ${event.message}`));
addEventListener("unhandledrejection", (event) => refused.push(`rejection: ${event.reason}`));
"""

DESKTOP = (1440, 900)
PHONE = (390, 844)


def program(variable: str, name: str) -> str | None:
    """Path of a program: as the environment says, else where it is found."""
    return os.environ.get(variable) or shutil.which(name)


def missing() -> list[str]:
    """What these tests need and the machine has not."""
    return [name for variable, name in (("CHROMIUM_BIN", "chromium"), ("CHROMEDRIVER_BIN", "chromedriver"))
            if not program(variable, name)]


class Browser:
    """One Chromium. `look()` says what kind of reader it is; what goes wrong anywhere is kept for
    `complaints()`."""

    def __init__(self) -> None:
        self.profile = tempfile.TemporaryDirectory(prefix="glassbox-browser-", ignore_cleanup_errors=True)
        options = webdriver.ChromeOptions()
        options.binary_location = program("CHROMIUM_BIN", "chromium")
        for flag in FLAGS + (("--no-sandbox",) if os.geteuid() == 0 else ()):
            options.add_argument(flag)
        options.add_argument(f"--user-data-dir={self.profile.name}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(
            options=options, service=Driver(program("CHROMEDRIVER_BIN", "chromedriver")))
        self.command("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        self.look()

    def quit(self) -> None:
        self.driver.quit()
        self.profile.cleanup()

    def command(self, name: str, **parameters: object) -> dict:
        """One of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, parameters)

    def look(self, size: tuple[int, int] = DESKTOP, dark: bool = False, calm: bool = False) -> None:
        """The window and the preferences from now on."""
        self.command("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1],
                     deviceScaleFactor=1, mobile=size[0] < 700)
        self.command("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if calm else "no-preference"}])

    @contextmanager
    def before_load(self, source: str) -> Iterator[None]:
        """A script that new documents run first, for the length of the block."""
        made = self.command("Page.addScriptToEvaluateOnNewDocument", source=source)
        try:
            yield
        finally:
            self.command("Page.removeScriptToEvaluateOnNewDocument", identifier=made["identifier"])

    # ---- the document ---------------------------------------------------------------------------

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """What stands in an element, shown or not. Read at once: it may be replaced meanwhile."""
        return self.run("return document.querySelector(arguments[0])?.textContent ?? ''", selector)

    def texts(self, selector: str) -> list[str]:
        return self.run("return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)",
                        selector)

    def run(self, script: str, *arguments: object) -> object:
        return self.driver.execute_script(script, *arguments)

    def wait(self, check: Callable[[], object], timeout: float = 20) -> object:
        """What `check` returns as soon as it is something."""
        value = eventually(check, timeout, pause=0.05)
        assert value, f"not within {timeout} s: {check.__doc__ or check.__name__}"
        return value

    def picture(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))

    # ---- what it has to say ---------------------------------------------------------------------

    def forget(self) -> None:
        """What was said so far belongs to another test."""
        self.driver.get_log("browser")
        self.driver.get_log("performance")

    def complaints(self) -> list[str]:
        """What the document's own watch and the console said. An answer that is no success is the
        network's to tell, see `answers()`, and no complaint."""
        console = [entry["message"] for entry in self.driver.get_log("browser")
                   if entry["level"] in ("SEVERE", "WARNING") and entry["source"] != "network"]
        return list(self.run("return globalThis.refused ?? []")) + console

    def traffic(self) -> tuple[set[str], set[tuple[str, int]]]:
        """Whom it spoke to since the last call, as scheme and authority, and each path it asked for with
        the status it got."""
        hosts: set[str] = set()
        answers: set[tuple[str, int]] = set()
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = urlsplit(message["params"]["request"]["url"])
                hosts.add(f"{url.scheme}://{url.netloc}")
            elif message["method"] == "Network.responseReceived":
                response = message["params"]["response"]
                answers.add((urlsplit(response["url"]).path, response["status"]))
        return hosts, answers


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests; a conftest has it by importing it."""
    if missing():
        pytest.skip(f"needs {', '.join(missing())}")
    one = Browser()
    yield one
    one.quit()
