"""axe-core, put into the page by the driver, and what it found."""

import os
from pathlib import Path

import pytest

from chromium import Browser

SERIOUS = ("serious", "critical")


def findings(browser: Browser) -> tuple[list[str], int]:
    """What is serious or worse, in words, and how many rules were passed."""
    path = os.environ.get("AXE_JS")
    if not path:
        pytest.skip("needs axe-core: AXE_JS, see README.md")
    browser.run(Path(path).read_text("utf-8"))
    result = browser.driver.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run(document, { resultTypes: ['violations'] }).then((result) => done({"
        " passes: result.passes.length,"
        " violations: result.violations.map((v) => ({ id: v.id, impact: v.impact, help: v.help,"
        "  nodes: v.nodes.map((n) => `${n.target}: ${n.failureSummary}`) })) }),"
        " (error) => done({ error: String(error) }))")
    assert "error" not in result, result
    bad = [f"{v['impact']}: {v['id']}: {v['help']}\n  " + "\n  ".join(v["nodes"])
           for v in result["violations"] if v["impact"] in SERIOUS]
    return bad, result["passes"]
