#!/usr/bin/env python3
"""Writes docs/page.png, which README.md shows: two faults under steady load, one over and one in force,
and a request that was struck. By hand, after a change of how the page looks; it takes two minutes, and
Debian's pngquant.

    GLASSBOX_BIN=build/release/glassbox python tests/browser/picture.py
"""

import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "wire")]

from chromium import Browser
from conftest import CONSOLE, TOKEN
from panel import Panel
from service import ROOT, Service
from traffic import Traffic

SIZE = (1440, 1430)
CLIENTS = 3
PICTURE = ROOT / "docs/page.png"


def arrange(page: Panel) -> None:
    """Some calm, an error that comes and goes, and latency that is still there."""
    def after(more: int) -> None:
        wanted = page.counts()["/demo/hello"] + more
        page.browser.wait(lambda: page.counts()["/demo/hello"] >= wanted, timeout=120)
    page.unfold_arms(TOKEN)
    after(800)
    page.start_fault("error", "30s", "/demo/hello", ratio="0.4")
    page.browser.wait(lambda: page.faults() != [])
    page.browser.wait(lambda: page.faults() == [], timeout=60)
    after(500)
    page.start_fault("latency", "1m", "/demo/*")
    after(150)
    page.browser.run("document.getElementById('arm').open = false")
    page.open_request("delay=40latency")


def main() -> None:
    with ExitStack() as stack:
        token = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "token"
        token.write_text(TOKEN + "\n")
        service = stack.enter_context(
            Service("--page", "--fault-token-file", token, "--workers", "2", env=CONSOLE))
        browser = Browser()
        stack.callback(browser.quit)
        browser.look(SIZE)
        page = Panel(browser, service.operators).open()
        with ExitStack() as load:
            for _ in range(CLIENTS):
                load.enter_context(Traffic(service.public))
            arrange(page)
            browser.run("document.activeElement.blur(); scrollTo(0, 0)")
            browser.run("document.documentElement.style.overflow = 'hidden'")
            browser.picture(PICTURE)
        browser.driver.get("about:blank")
    subprocess.run(["pngquant", "--force", "--strip", "--output", PICTURE, "256", PICTURE], check=True)


if __name__ == "__main__":
    main()
