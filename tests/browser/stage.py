"""A stream of a test's own in place of the service's, in the browser: for what the real one is never
seen to say, such as an equation that is off. No request leaves the page."""

import copy
import json
from contextlib import contextmanager
from typing import Iterator

from chromium import Browser

STAGE = """
globalThis.stage = {};
const real = globalThis.fetch;
globalThis.fetch = async (url, options) => {
    if (url !== "/page/events") {
        return real(url, options);
    }
    stage.asked = (stage.asked ?? 0) + 1;
    const body = new ReadableStream({ start(control) {
        stage.control = control;
        options.signal.addEventListener("abort", () => control.error(options.signal.reason));
    } });
    return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
};
const later = globalThis.setTimeout;
const held = [];
globalThis.setTimeout = (run, ms, ...rest) => stage.holds && ms >= 1000 ? held.push(run) : later(run, ms, ...rest);
stage.release = () => {
    stage.holds = false;
    held.splice(0).forEach((run) => run());
};
stage.hide = (is) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => is });
    document.dispatchEvent(new Event("visibilitychange"));
};
stage.send = (text) => stage.control.enqueue(new TextEncoder().encode(text));
"""

HELLO = {
    "version": "1.2.3", "revision": "abc", "pid": 7, "instance": "staged", "started_ms": 1000, "workers": 1,
    "bounds": [0.001, 0.01, 0.1], "routes": ["/", "/demo/hello"], "burst": False, "fault_api": False,
    "log_fields": "date\ttime\tx-trace-id", "log_separator": "\t", "tracing": True,
    "incidents": [],
    "kinds": [{"fault": "error", "scope": "route", "help": "errors"}],
}
FRAME = {
    "now_ms": 1_000_000, "state": "ready", "ready": True, "finished": 10, "failed": 0, "active": 0,
    "connections": 1, "by_route": [{"route": "/", "count": 4, "failed": 0},
                                   {"route": "/demo/hello", "count": 6, "failed": 0}],
    "buckets": [10, 0, 0, 0],
    "equation": {"finished": 10, "metrics": 10, "log": {"written": 10, "waiting": 0, "dropped": 0},
                 "spans": {"server": 10, "internal": 2, "acknowledged": 12, "waiting": 0, "inflight": 0,
                           "unsampled": 0, "dropped": 0, "failed": 0},
                 "records": None, "balanced": {"metrics": True, "log": True, "spans": True, "records": None}},
    "losses": [], "faults": {"source": "none", "plan": None, "faults": [], "file": None},
    "viewers": 1, "requests_skipped": 0, "requests": [],
}


class Stage:
    """`frame()` sends the next frame: the last one a moment later, with these changes."""

    def __init__(self, browser: Browser):
        self.browser = browser
        self.last = copy.deepcopy(FRAME)

    def event(self, name: str, data: object) -> None:
        self.browser.run("stage.send(arguments[0])", f"event: {name}\ndata: {json.dumps(data)}\n\n")

    def hello(self, **changes: object) -> None:
        self.event("hello", {**HELLO, **changes})

    def frame(self, after_ms: int = 250, **changes: object) -> None:
        self.last = {**self.last, "requests": [], **changes, "now_ms": self.last["now_ms"] + after_ms}
        self.event("frame", self.last)

    @contextmanager
    def held(self) -> Iterator[None]:
        """A page that waits to ask again waits for the end of the block, unless its reader is quicker."""
        self.browser.run("stage.holds = true")
        yield
        self.browser.run("stage.release()")

    def equation(self, *off: str, **changes: object) -> dict:
        """With these changes; the lines named are not balanced, by the service's own word."""
        equation = {**copy.deepcopy(FRAME["equation"]), **changes}
        equation["balanced"].update({line: False for line in off})
        return equation


@contextmanager
def staged(browser: Browser, origin: str) -> Iterator[Stage]:
    """The page of `origin` on a stage, for the length of the block."""
    with browser.before_load(STAGE):
        browser.driver.get(origin + "/")
        browser.wait(lambda: browser.run("return Boolean(globalThis.stage?.control)"))
        yield Stage(browser)
