"""What the page makes of streams that the real service does not send on request: each case is one
state, on a stage."""

import json
from typing import Iterator

import pytest

from chromium import Browser
from panel import Panel
from service import Service
from stage import Stage, staged

ISO = "1970-01-01T00:{:02d}:{:02d}.000Z"


@pytest.fixture(scope="module")
def origin(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where the page itself comes from; its stream does not."""
    service = Service("--page")
    yield "http://{}:{}".format(*service.operators)
    service.stop()


@pytest.fixture
def stage(browser: Browser, origin: str) -> Iterator[Stage]:
    browser.look()
    browser.forget()
    with staged(browser, origin) as stage:
        stage.hello()
        stage.frame()
        browser.wait(lambda: browser.text("#equation"))
        yield stage
        assert browser.complaints() == []
        browser.driver.get("about:blank")


@pytest.fixture
def page(browser: Browser, stage: Stage) -> Panel:
    return Panel(browser, ("staged", 0))


def test_equation_is_red_after_two_seconds(browser: Browser, stage: Stage, page: Panel) -> None:
    """A line that is off is given two seconds, by the service's clock; one that is even again is green at
    once, and the others stay green throughout."""
    off = stage.equation("log", log={"written": 7, "waiting": 0, "dropped": 1})
    stage.frame(equation=off)
    stage.frame(after_ms=1900, equation=off)
    browser.wait(lambda: page.equation()["log"][1].get("written") == 7)
    assert page.equation()["log"][0] == "adds up"
    assert page.verdict()[0] != "bad"
    stage.frame(after_ms=100, equation=off)
    browser.wait(lambda: page.equation()["log"][0] == "off by −2")
    assert page.verdict() == ("bad", "The signals do not add up")
    assert browser.text("#equation-verdict") == "no"
    assert [page.equation()[line][0] for line in ("metrics", "spans", "records")] == ["adds up", "adds up", "off"]
    colours = browser.run("return [...document.querySelectorAll('#equation .chip')]"
                          ".map((one) => getComputedStyle(one).color)")
    assert len({colours[0], colours[1], colours[3]}) == 3
    stage.frame(equation=stage.equation())
    browser.wait(lambda: page.equation()["log"][0] == "adds up")
    assert browser.text("#equation-verdict") == "yes"
    # Off again: the two seconds begin anew.
    stage.frame(after_ms=5000, equation=off)
    browser.wait(lambda: page.equation()["log"][1].get("written") == 7)
    assert page.equation()["log"][0] == "adds up"


@pytest.mark.parametrize("changes, line", [
    ({"metrics": 9}, "metrics"),
    ({"spans": {"server": 9, "internal": 2, "acknowledged": 11, "waiting": 0, "inflight": 0, "unsampled": 0,
                "dropped": 0, "failed": 0}}, "spans"),
    ({"spans": {"server": 10, "internal": 2, "acknowledged": 5, "waiting": 1, "inflight": 1, "unsampled": 1,
                "dropped": 1, "failed": 1}}, "spans"),
    ({"records": {"acknowledged": 5, "waiting": 1, "inflight": 1, "dropped": 1, "failed": 1}}, "records"),
])
def test_each_line_is_judged(browser: Browser, stage: Stage, page: Panel, changes: dict, line: str) -> None:
    for _ in range(2):
        stage.frame(after_ms=2000, equation=stage.equation(line, **changes))
    browser.wait(lambda: page.equation()[line][0].startswith("off by"))
    others = {name: verdict for name, (verdict, _) in page.equation().items() if name != line}
    assert set(others.values()) <= {"adds up", "off"}


def test_line_by_its_own_flag(browser: Browser, stage: Stage, page: Panel) -> None:
    """A line that the service calls off is red although its shown figures agree, and another line is not
    although its own do not."""
    for _ in range(2):
        stage.frame(after_ms=2000, equation=stage.equation("spans", metrics=12))
    browser.wait(lambda: page.equation()["spans"][0] == "does not add up")
    assert page.equation()["metrics"][0] == "adds up"
    assert page.verdict() == ("bad", "The signals do not add up")


def test_balanced_by_the_service(browser: Browser, stage: Stage, page: Panel) -> None:
    """Under load the terms are read while requests end: what the service calls balanced is."""
    for _ in range(3):
        stage.frame(after_ms=2000, equation=stage.equation(metrics=12))
    browser.wait(lambda: page.equation()["metrics"][1] == {"finished": 10, "observations": 12})
    assert page.equation()["metrics"][0] == "adds up"


def test_signals_that_are_off(browser: Browser, stage: Stage, page: Panel) -> None:
    stage.frame(equation=stage.equation(log=None, spans=None, records=None))
    browser.wait(lambda: page.equation()["log"][0] == "off")
    assert {line: verdict for line, (verdict, _) in page.equation().items()} == {
        "metrics": "adds up", "log": "off", "spans": "off", "records": "off"}


def test_losses(browser: Browser, stage: Stage) -> None:
    assert browser.text("#losses") == "none"
    stage.frame(losses=[{"signal": "spans", "reason": "queue_full", "count": 1234},
                        {"signal": "page", "reason": "slow_viewer", "count": 2}])
    browser.wait(lambda: browser.texts("#losses li") == ["spans: queue full1,234", "page: slow viewer2"])


def test_lost_frames(browser: Browser, stage: Stage, page: Panel) -> None:
    """What this viewer missed is said, and what happened meanwhile is spread over the time it took."""
    stage.event("lost", {"frames": 3})
    stage.frame()
    browser.wait(lambda: page.link() == "Live, 3 updates missed")
    stage.frame(after_ms=8000, by_route=[{"route": "/", "count": 4, "failed": 0},
                                         {"route": "/demo/hello", "count": 86, "failed": 0}],
                buckets=[90, 0, 0, 0])
    browser.wait(lambda: page.rate() > 0)
    assert 8 <= page.rate() <= 11


def test_requests_skipped(browser: Browser, stage: Stage) -> None:
    stage.frame(requests_skipped=4321)
    browser.wait(lambda: "4,321 came too fast to be shown" in browser.text("#requests-told"))


def fault(kind: str, state: str, start: int, end: int, **more: object) -> dict:
    return {"fault": kind, "seed": 1, "state": state, "start": ISO.format(start // 60, start % 60),
            "end": ISO.format(end // 60, end % 60), "remaining_ms": (end - 1000) * 1000, **more}


def test_plan_of_a_file(browser: Browser, stage: Stage, page: Panel) -> None:
    """A plan with what is in force, what comes and what is over; and a file whose last content was
    refused."""
    on_hello = {"route": "/demo/hello", "routes": ["/demo/hello"]}
    stage.frame(faults={
        "source": "file", "plan": {"name": "monday", "begin": ISO.format(0, 0), "end": ISO.format(59, 0), "seed": 3},
        "faults": [fault("error", "over", 10, 20, ratio=0.5, status=500, **on_hello)]
        + [fault("memory", "scheduled", 1100 + i, 2000, bytes=67108864) for i in range(5)]
        + [fault("latency", "in_force", 900, 1075, p50_ms=20, p90_ms=100, p99_ms=1000, **on_hello)],
        "file": {"path": "/etc/plan.json", "loaded": ISO.format(0, 0), "error": "faults[0].error.ratio: 2 is no ratio"}})
    browser.wait(lambda: page.faults())
    # By the frame's clock it is 1000.5 s: what remains is what the service says, what comes is reckoned.
    assert page.faults() == [("latency", "/demo/hello", "1:15 left")] + [
        ("memory", "the process", f"in {left}") for left in ("1:40", "1:41", "1:42")]
    assert browser.text("#faults li:last-child") == "2 more scheduled; 1 over"
    assert browser.text("#faults-source") == "from the file monday"
    assert "64 MiB held" in browser.text("#faults")
    assert "p50 20 ms, p90 100 ms, p99 1 s" in browser.text("#faults")
    assert browser.text("#faults-file") == ("/etc/plan.json was refused, and the plan before it stays: "
                                            "faults[0].error.ratio: 2 is no ratio")


def request(**changes: object) -> dict:
    trace = "0af7651916cd43dd8448eb211c80319c"
    return {"id": "b7ad6b7169203331", "trace_id": trace, "sampled": True, "end_ms": 1_000_000.125,
            "duration_ms": 2.5, "method": "GET", "route": "/demo/hello", "path": "/demo/hello", "status": 200,
            "error": None, "fault": None, "failed": False, "user": True,
            "bucket": {"le": "0.01", "index": 1, "count": 42},
            "exemplar": f'# {{trace_id="{trace}",span_id="b7ad6b7169203331"}} 0.0025 1000.125',
            "series": 'x_bucket{le="0.01"}', "log": f"1970-01-01\t00:16:40\t{trace}",
            "spans": [{"span_id": "b7ad6b7169203331", "parent_id": "00f067aa0ba902b7", "name": "GET /demo/hello",
                       "kind": "SERVER", "start_ms": 999_997.625, "end_ms": 1_000_000.125, "status": "UNSET",
                       "attributes": [["http.route", "/demo/hello"]], "events": []}], **changes}


@pytest.mark.parametrize("changes, shown", [
    ({"sampled": False, "exemplar": None}, ["Not sampled: only its name", "Without a sampled trace",
                                               "the same in its span and log line"]),
    ({"log": None, "cut": True}, ["Too long to be shown", "too long to be shown in full"]),
    ({"status": None, "error": "client_disconnected"}, ["no status was sent", "error client_disconnected"]),
    ({"exemplar": None}, ["replaced, or not kept", "the same in its span and log line"]),
    ({"exemplar": None, "log": None}, ["in its span"]),
    ({}, ["the same in its span, exemplar and log line", 'x_bucket{le="0.01"} 42',
          "all users' requests since the start, 10. This one fell into 1 ms – 10 ms, with 0 of them."]),
])
def test_requests_of_every_kind(browser: Browser, stage: Stage, page: Panel, changes: dict, shown: list) -> None:
    stage.frame(requests=[request(**changes)])
    page.open_request("/demo/hello")
    for words in shown:
        assert words in browser.text("#detail"), words


def test_request_of_no_user(browser: Browser, stage: Stage, page: Panel) -> None:
    """A request whose route is no user's is not among the bars, and marks none."""
    stage.frame(requests=[request(route="/healthz", path="/healthz", user=False)])
    page.open_request("/healthz")
    assert "not among them" in browser.text("#detail-metric")
    assert browser.run("return document.querySelectorAll('#detail-metric .is-own').length") == 0
    assert browser.run("return document.querySelectorAll('#detail-metric rect').length") == 4


def test_failed_by_the_record(browser: Browser, stage: Stage, page: Panel) -> None:
    """What failed is the service's to say: an error type alone does not make it."""
    stage.frame(requests=[request(status=404, error="404", path="/none"), request(failed=True, path="/broken")])
    browser.wait(lambda: len(page.lines()) == 2)
    browser.find("#requests-failures").click()
    browser.wait(lambda: len(page.lines()) == 1)
    assert "/broken" in page.lines()[0]


def test_log_with_spaces(browser: Browser, stage: Stage, page: Panel) -> None:
    """A log whose fields are separated by spaces, as IIS writes it."""
    stage.hello(log_fields="date time x-trace-id", log_separator=" ", pid=8)
    stage.frame()
    stage.frame(requests=[request(log=request()["log"].replace("\t", " "))])
    page.open_request("/demo/hello")
    assert page.table("#detail-log .facts") == {"date": "1970-01-01", "time": "00:16:40",
                                                "x-trace-id": request()["trace_id"]}
    assert browser.texts("#detail-log mark") == [request()["trace_id"]] * 2


def test_page_that_is_hidden(browser: Browser, stage: Stage, page: Panel) -> None:
    """A page that nobody sees gives its place back after a moment, and takes it up when it is seen."""
    browser.run("stage.hide(true)")
    browser.wait(lambda: page.link() == "Resting while this page is hidden")
    assert browser.run("return stage.asked") == 1
    browser.run("stage.hide(false)")
    browser.wait(lambda: browser.run("return stage.asked") == 2)
    stage.hello()
    stage.frame()
    browser.wait(lambda: page.link() == "Live")
    # Back before the moment is over: nothing was ended.
    browser.run("stage.hide(true); stage.hide(false)")
    stage.frame(requests=[request()])
    browser.wait(lambda: len(page.lines()) == 1)
    assert browser.run("return stage.asked") == 2


def test_log_that_is_off(browser: Browser, stage: Stage, page: Panel) -> None:
    stage.hello(log_fields=None, tracing=False, pid=8)
    stage.frame()
    stage.frame(requests=[request(log=None, sampled=False, exemplar=None)])
    page.open_request("/demo/hello")
    assert browser.text("#detail-log") == "The access log is off."
    assert "Spans are not exported" in browser.text("#detail-span")


def test_markup_stays_text(browser: Browser, stage: Stage, page: Panel) -> None:
    """Whatever a client writes into its request is text on the page."""
    evil = "<img src=x onerror=alert(1)><script>document.title='owned'</script>"
    spans = request()["spans"]
    spans[0]["attributes"] = [["user_agent.original", evil]]
    stage.frame(requests=[request(path="/" + evil, log=f"a\tb\t{evil}", spans=spans, fault=evil)])
    page.open_request("onerror")
    assert browser.text("#detail-span .facts:nth-of-type(2) td") == evil
    assert browser.run("return document.querySelectorAll('main img, main script').length") == 0
    assert "owned" not in browser.driver.title


def test_another_process(browser: Browser, stage: Stage, page: Panel) -> None:
    """Another process behind the same address begins from nothing, and that is said."""
    stage.frame(requests=[request()])
    browser.wait(lambda: len(page.lines()) == 1)
    stage.hello(pid=9, burst=True)
    stage.frame()
    browser.wait(lambda: page.lines() == [])
    browser.wait(lambda: "started anew since this page was opened: 1" in browser.text("#footnote"))
    browser.wait(lambda: browser.find("#burst").is_displayed())


def test_clock_that_is_set_back(browser: Browser, stage: Stage, page: Panel) -> None:
    """History goes, and the page goes on."""
    stage.frame(after_ms=-60_000)
    stage.frame(by_route=[{"route": "/", "count": 4, "failed": 0}, {"route": "/demo/hello", "count": 8, "failed": 2}],
                buckets=[12, 0, 0, 0])
    browser.wait(lambda: page.rate() > 0)
    assert page.verdict()[1] == "Failing"


@pytest.mark.parametrize("state, ready, title", [
    ("starting", False, "Starting"), ("draining", False, "Ending"), ("ready", False, "Not ready")])
def test_states_of_the_process(browser: Browser, stage: Stage, page: Panel, state: str, ready: bool,
                               title: str) -> None:
    stage.frame(state=state, ready=ready)
    browser.wait(lambda: page.verdict()[1] == title)


def test_pieces_of_any_size(browser: Browser, stage: Stage, page: Panel) -> None:
    """An event is heard whole however its bytes were cut, in the middle of a character, too."""
    stage.last["now_ms"] += 250
    data = "event: frame\ndata: " + json.dumps({**stage.last, "losses": [
        {"signal": "spans", "reason": "µ", "count": 5}]}, ensure_ascii=False) + "\n\n: a comment\n\n"
    browser.run("const bytes = new TextEncoder().encode(arguments[0]);"
                "for (const byte of bytes) { stage.control.enqueue(new Uint8Array([byte])); }", data)
    browser.wait(lambda: browser.texts("#losses li") == ["spans: µ5"])


def test_stream_that_fails(browser: Browser, stage: Stage, page: Panel) -> None:
    """A stream that ends or says nonsense is told, and asked for again: at once by the reader, else after a
    while."""
    with stage.held():
        stage.event("bye", {})
        browser.run("stage.control.close()")
        browser.wait(lambda: page.link().startswith("Not connected: the service is ending"))
        browser.wait(lambda: page.verdict() == ("idle", "Not connected"))
        assert browser.run("return stage.asked") == 1
        browser.find("#link-again").click()
        browser.wait(lambda: browser.run("return stage.asked") == 2)
        stage.hello()
        stage.frame()
        browser.wait(lambda: page.link() == "Live")
        browser.run("stage.send('event: frame\\ndata: {nonsense\\n\\n')")
        browser.wait(lambda: page.link().startswith("Not connected: "))
        assert browser.run("return stage.asked") == 2
    browser.wait(lambda: not page.link().startswith("Not connected: "))
    browser.wait(lambda: browser.run("return stage.asked") == 3)
